import assert from 'node:assert/strict';
import { StackError } from '../../../stack/errors';
import { FlowTable } from '../../../stack/storage/flow-table';
import type { TcpSocket } from '../../../stack/tcp/types';
import { TcpHarness } from '../../support/tcp-harness';

describe('TCP initial sequence numbers (RFC 6528)', () => {
  it('advance by one every 4 µs for one pair of endpoints', () => {
    const t = new TcpHarness({ startMs: 12_345 });
    const first = issOf(t, 0);
    for (const at of [1, 10, 1_000, 600_000]) {
      const grown = (issOf(t, at) - first) >>> 0;
      assert.ok(Math.abs(grown - at * 250) <= 1, `after ${at} ms by ${grown}`);
    }
  });

  it('differ for every pair of endpoints, at the same time, without a pattern', () => {
    const t = new TcpHarness();
    const seen = new Set<number>();
    const steps = new Set<number>();
    let last = 0;
    for (let port = 50_000; port < 50_200; port++) {
      const { iss } = t.connect({ localPort: port }).snapshot();
      seen.add(iss);
      steps.add((iss - last) >>> 0);
      last = iss;
    }
    assert.equal(seen.size, 200);
    assert.equal(steps.size, 200);
    const upper = [...seen].filter((iss) => iss >= 0x8000_0000).length;
    assert.ok(upper > 60 && upper < 140, `${upper} of 200 in the upper half`);
  });

  it('depend on a secret that every instance draws anew', () => {
    const a = new TcpHarness({ seed: 1 }).connect().snapshot().iss;
    const b = new TcpHarness({ seed: 2 }).connect().snapshot().iss;
    assert.notEqual(a, b);
  });

  it('of a passive open follow the same rule', () => {
    const t = new TcpHarness();
    t.listen();
    t.send(0, { flags: 'SYN', seq: 0 });
    const first = t.expect(0, { flags: 'SYN ACK' }).wire.seq;
    t.send(1, { flags: 'RST', seq: 1 });
    t.send(1_000, { flags: 'SYN', seq: 0 });
    const second = t.expect(1_000, { flags: 'SYN ACK' }).wire.seq;
    assert.ok(Math.abs(((second - first) >>> 0) - 250_000) <= 1);
  });

  function issOf(t: TcpHarness, at: number): number {
    t.advance(at);
    const socket = t.connect();
    t.take(at);
    const { iss } = socket.snapshot();
    t.abort(at, socket);
    t.take(at);
    return iss;
  }
});

describe('TCP ephemeral ports (RFC 6056)', () => {
  it('lie in the configured range, unused, in no order (§3.3.1)', () => {
    const t = new TcpHarness();
    const ports = Array.from({ length: 500 }, () => t.connect({ localPort: 0 }).localPort);
    assert.equal(new Set(ports).size, 500);
    assert.ok(ports.every((port) => port >= 49_152 && port <= 65_535));
    const up = ports.filter((port, i) => i > 0 && port > (ports[i - 1] ?? 0)).length;
    assert.ok(up > 150 && up < 350, `${up} of 499 steps go up`);
    const upper = ports.filter((port) => port >= 57_344).length;
    assert.ok(upper > 180 && upper < 320, `${upper} of 500 in the upper half`);
  });

  it('are all used before ENOBUFS, and used again once free', () => {
    const t = new TcpHarness({ config: { ephemeralFirst: 60_000, ephemeralLast: 60_009 } });
    const sockets = Array.from({ length: 10 }, () => t.connect({ localPort: 0 }));
    assert.equal(new Set(sockets.map((socket) => socket.localPort)).size, 10);
    assert.throws(() => t.connect({ localPort: 0 }), { code: 'ENOBUFS', message: /10\.0\.0\.1:80: no port is left, one destination takes at most 10\. Close connections/ });
    const [first] = sockets;
    assert.ok(first);
    t.abort(1, first);
    assert.equal(t.connect({ localPort: 0 }).localPort, first.localPort);
  });

  it('may be shared by connections to different peers when a range is used up, or refused: never the same pair twice', () => {
    const t = new TcpHarness({ config: { ephemeralFirst: 60_000, ephemeralLast: 60_001 } });
    const pairs = new Set<string>();
    for (let i = 0; i < 6; i++) {
      try {
        const socket = t.connect({ localPort: 0, port: 80 + (i % 3) });
        pairs.add(`${socket.localPort} ${socket.remotePort}`);
      } catch (error) {
        assert.ok(error instanceof StackError && error.code === 'ENOBUFS');
      }
    }
    assert.equal(pairs.size, 6);
    assert.equal([...t.tcp.sockets].length, pairs.size);
  });

  it('once used up by a destination are not looked through again: 25 000 connections to one, those too many refused at once', () => {
    const t = new TcpHarness();
    const sockets: TcpSocket[] = [];
    const tries = (count: number): number => {
      let refused = 0;
      for (let i = 0; i < count; i++) {
        try {
          sockets.push(t.connect({ localPort: 0 }));
        } catch (error) {
          assert.ok(error instanceof StackError && error.code === 'ENOBUFS');
          refused++;
        }
      }
      return refused;
    };
    assert.equal(tries(16_384), 0);
    const { result: refused, looks } = countingLooks(() => tries(8_616));
    assert.deepEqual([sockets.length, refused], [16_384, 8_616]);
    assert.equal(looks, 0);
    assert.equal(t.connect({ localPort: 0, port: 81 }).remotePort, 81, 'another destination has ports of its own');
    const [first] = sockets;
    assert.ok(first);
    t.abort(0, first);
    assert.equal(t.connect({ localPort: 0 }).localPort, first.localPort);
    assert.throws(() => t.connect({ localPort: 0 }), code('ENOBUFS'));
  });

  it('count as taken while listened on, once only', () => {
    const t = new TcpHarness({ config: { ephemeralFirst: 60_000, ephemeralLast: 60_002 } });
    t.listen({ port: 60_000 });
    t.send(0, { flags: 'SYN', seq: 0, sourcePort: 80, destinationPort: 60_000 });
    t.take(0);
    const ports = [1, 2].map(() => t.connect({ localPort: 0 }).localPort);
    assert.deepEqual(ports.sort(), [60_001, 60_002]);
    assert.throws(() => t.connect({ localPort: 0 }), code('ENOBUFS'));
  });

  it('never take a port that is listened on', () => {
    const t = new TcpHarness({ config: { ephemeralFirst: 60_000, ephemeralLast: 60_001 } });
    t.listen({ port: 60_000 });
    for (let i = 0; i < 5; i++) {
      const socket = t.connect({ localPort: 0 });
      assert.equal(socket.localPort, 60_001);
      t.abort(0, socket);
    }
  });
});

describe('TCP connect: what it refuses at once', () => {
  it('the same pair of endpoints twice: EADDRINUSE', () => {
    const t = new TcpHarness();
    t.connect();
    assert.throws(() => t.connect(), code('EADDRINUSE'));
  });

  it('no address or route: ENETUNREACH or EADDRNOTAVAIL', () => {
    const t = new TcpHarness();
    t.hasRoute = false;
    assert.throws(() => t.connect(), (error) => error instanceof StackError && ['ENETUNREACH', 'EADDRNOTAVAIL', 'ENETDOWN'].includes(error.code));
    assert.deepEqual([...t.tcp.sockets], []);
  });

  it('more connections than maxConnections: ENOBUFS; a place is free again when one ends', () => {
    const t = new TcpHarness({ config: { maxConnections: 3 } });
    const sockets = [1, 2, 3].map(() => t.connect({ localPort: 0 }));
    assert.throws(() => t.connect({ localPort: 0 }), code('ENOBUFS'));
    t.abort(0, sockets[0]!);
    t.connect({ localPort: 0 });
  });

  it('connections in TIME-WAIT make room at maxConnections, the oldest first', () => {
    const t = new TcpHarness({ config: { maxConnections: 2 } });
    const [first, second] = [50_001, 50_002].map((localPort) => {
      const socket = t.connect({ localPort });
      t.take(t.now);
      t.send(t.now, { flags: 'SYN ACK', seq: 0, ack: 1 });
      t.close(t.now, socket);
      t.send(t.now, { flags: 'FIN ACK', seq: 1, ack: 2 });
      t.take(t.now);
      assert.equal(socket.state, 'TIME-WAIT');
      t.advance(t.now + 10);
      return socket;
    });
    const third = t.connect({ localPort: 50_003 });
    assert.deepEqual([first?.state, second?.state, third.state], ['CLOSED', 'TIME-WAIT', 'SYN-SENT']);
    assert.equal(t.counters.timeWaitEvicted, 1);
  });

  it('SYNs beyond maxConnections are dropped and counted', () => {
    const t = new TcpHarness({ config: { maxConnections: 2 } });
    t.listen();
    for (let i = 0; i < 4; i++) t.send(0, { flags: 'SYN', seq: 0, sourcePort: 40_000 + i });
    assert.equal(t.take(0).length, 2);
    assert.equal(t.counters.rxTableFull, 2);
  });
});

/** What `run` gives, and how often it looked for a connection. */
function countingLooks<T>(run: () => T): { result: T; looks: number } {
  const find = FlowTable.prototype.find;
  let looks = 0;
  FlowTable.prototype.find = function (...tuple) {
    looks++;
    return find.apply(this, tuple);
  };
  try {
    return { result: run(), looks };
  } finally {
    FlowTable.prototype.find = find;
  }
}

function code(wanted: string) {
  return (error: unknown) => error instanceof StackError && error.code === wanted && error.message.length > 10;
}
