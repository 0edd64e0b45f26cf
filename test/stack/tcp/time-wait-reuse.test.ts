import assert from 'node:assert/strict';
import type { TcpConfig } from '../../../stack/config';
import { StackError } from '../../../stack/errors';
import { PEER_CLOCK } from '../../support/segment-dsl';
import { PASSIVE_PORTS, TcpHarness } from '../../support/tcp-harness';

/** A connection to our port 80 that we closed first: TIME-WAIT from 300 on, RCV.NXT 2, TS.Recent PEER_CLOCK + 300. */
function waitingPassive(ts: boolean) {
  const t = new TcpHarness({ config: { timestamps: true } });
  const { socket, listener } = t.establishPassive({ rtt: 100, ts });
  t.close(200, socket);
  t.take(200);
  t.send(300, { flags: 'FIN ACK', seq: 1, ack: 2 });
  t.take(300);
  assert.equal(socket.state, 'TIME-WAIT');
  return { t, old: socket, listener };
}

/** One of our own that we closed first: TIME-WAIT from 300 on. */
function waitingActive(ts: boolean, config: Partial<TcpConfig> = {}) {
  const t = new TcpHarness({ config: { timestamps: true, ...config } });
  const socket = t.establish({ rtt: 100, ts });
  t.close(200, socket);
  t.take(200);
  t.send(300, { flags: 'FIN ACK', seq: 1, ack: 2 });
  t.take(300);
  assert.equal(socket.state, 'TIME-WAIT');
  return { t, old: socket };
}

describe('TCP TIME-WAIT passed on to a new SYN (RFC 6191 §2, RFC 9293 §3.10.7.4)', () => {
  const cases = [
    ['a later timestamp, whatever the sequence number', true, { val: PEER_CLOCK + 301, ecr: 0 }, -5_000, true],
    ['an equal timestamp and a higher sequence number', true, { val: PEER_CLOCK + 300, ecr: 0 }, 1_000, true],
    ['an equal timestamp and a lower sequence number', true, { val: PEER_CLOCK + 300, ecr: 0 }, -5_000, false],
    ['an older timestamp, whatever the sequence number', true, { val: PEER_CLOCK + 299, ecr: 0 }, 1_000, false],
    ['no timestamp and a higher sequence number', true, null, 1_000, true],
    ['no timestamp and a lower sequence number', true, null, -5_000, false],
    ['timestamps for the first time, whatever the sequence number', false, { val: 5, ecr: 0 }, -5_000, true],
    ['no timestamps, then as before, and a higher sequence number', false, null, 1_000, true],
    ['no timestamps, then as before, and a lower sequence number', false, null, -5_000, false],
  ] as const;
  for (const [what, before, ts, seq, accepted] of cases) {
    it(`${accepted ? 'with' : 'not with'} ${what}`, () => {
      const { t, old, listener } = waitingPassive(before);
      t.send(5_000, { flags: 'SYN', seq, ts, mss: 1460 });
      const [answer] = t.take(5_000);
      assert.equal(answer?.wire.flags.has('SYN') ?? false, accepted);
      assert.equal(old.state, accepted ? 'CLOSED' : 'TIME-WAIT');
      assert.equal(old.error, null);
      if (accepted) assert.equal(t.counters.timeWaitReused, 1);
      else assert.equal(listener.accept(), null);
    });
  }

  it('not without a listener', () => {
    const { t, old, listener } = waitingPassive(true);
    listener.close();
    t.send(5_000, { flags: 'SYN', seq: 1_000 });
    assert.equal(old.state, 'TIME-WAIT');
  });
});

describe('TCP TIME-WAIT reused for a connection out (RFC 6191 §2)', () => {
  it('after a second, if timestamps tell old from new: higher numbers, later timestamps', () => {
    const { t, old } = waitingActive(true);
    const before = old.snapshot();
    const syn = t.user(1_400, 'connect', () => t.tcp.connect({ address: old.remoteAddress, port: 80, localPort: 50_000 }, t.clock.now()));
    assert.equal(old.state, 'CLOSED');
    const [seen] = t.take(1_400);
    assert.ok(seen && seen.wire.flags.has('SYN') && seen.wire.ts);
    assert.ok(((seen.wire.seq - before.sndNxt) | 0) > 0, 'above every number of the old one');
    assert.equal(syn.localPort, 50_000);
    assert.equal(t.counters.timeWaitReused, 1);
  });

  it('keeps the clock of the pair, so that the peer\'s PAWS accepts it', () => {
    const t = new TcpHarness({ config: { timestamps: true } });
    const socket = t.connect();
    const first = t.take(0)[0]?.wire.ts?.val ?? 0;
    t.send(100, { flags: 'SYN ACK', seq: 0, ack: 1, ts: { val: 1, ecr: 0 } });
    t.close(200, socket);
    t.take(200);
    t.send(300, { flags: 'FIN ACK', seq: 1, ack: 2, ts: { val: 2, ecr: 0 } });
    t.take(300);
    t.advance(2_000);
    t.connect();
    const second = t.take(2_000)[0]?.wire.ts?.val ?? 0;
    assert.equal((second - first) | 0, 2_000);
  });

  it('not within the first second, nor without timestamps', () => {
    const early = waitingActive(true);
    early.t.advance(1_200);
    assert.throws(() => early.t.connect(), (error: unknown) => error instanceof StackError && error.code === 'EADDRINUSE');
    const plain = waitingActive(false);
    plain.t.advance(5_000);
    assert.throws(() => plain.t.connect(), (error: unknown) => error instanceof StackError && error.code === 'EADDRINUSE');
    assert.equal(plain.old.state, 'TIME-WAIT');
  });

  it('is the last resort among ephemeral ports', () => {
    const { t, old } = waitingActive(true, { ephemeralFirst: 50_000, ephemeralLast: 50_001 });
    t.advance(5_000);
    const other = t.connect({ localPort: 0 });
    assert.equal(other.localPort, 50_001, 'a free one first');
    assert.equal(old.state, 'TIME-WAIT');
    const reuse = t.connect({ localPort: 0 });
    assert.equal(reuse.localPort, 50_000);
    assert.equal(old.state, 'CLOSED');
    assert.throws(() => t.connect({ localPort: 0 }), (error: unknown) => error instanceof StackError && error.code === 'ENOBUFS');
  });

  it('leaves a pair of other ports alone', () => {
    const { t, old } = waitingPassive(true);
    t.send(5_000, { flags: 'SYN', seq: 1_000, sourcePort: PASSIVE_PORTS.remote + 1, mss: 1460 });
    assert.equal(old.state, 'TIME-WAIT');
  });
});
