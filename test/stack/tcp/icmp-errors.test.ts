import assert from 'node:assert/strict';
import type { TransportError } from '../../../stack/egress';
import { REMOTE, TcpHarness } from '../../support/tcp-harness';

type Kind = TransportError['kind'];
const unreachable = (code: number): Kind => ({ type: 'unreachable', code });

describe('TCP and ICMP errors', () => {
  it('hard ones end an attempt to connect (RFC 1122 §4.2.3.9, RFC 5927 §5.2)', () => {
    for (const [code, error] of [[2, 'ECONNREFUSED'], [3, 'ECONNREFUSED']] as const) {
      const t = new TcpHarness();
      const socket = t.connect();
      t.expect(0, { flags: 'SYN' });
      t.icmp(10, unreachable(code), 0);
      assert.equal(socket.state, 'CLOSED', `code ${code}`);
      assert.equal(socket.error?.code, error);
      t.expectNothing(500_000);
    }
  });

  it('of a net or host unreachable name the reason when the attempt ends (RFC 1122 §4.2.3.9, RFC 5461 §4)', () => {
    for (const [kind, error] of [[unreachable(0), 'ENETUNREACH'], [unreachable(1), 'EHOSTUNREACH']] as const) {
      const t = new TcpHarness();
      const socket = t.connect();
      t.expect(0, { flags: 'SYN' });
      t.icmp(10, kind, 0);
      t.take(500_000);
      assert.equal(socket.state, 'CLOSED');
      assert.equal(socket.error?.code, error);
    }
  });

  it('of administrative prohibition give EACCES or EHOSTUNREACH when the attempt ends', () => {
    for (const code of [9, 10, 13]) {
      const t = new TcpHarness();
      const socket = t.connect();
      t.expect(0, { flags: 'SYN' });
      t.icmp(10, unreachable(code), 0);
      t.take(500_000);
      assert.ok(['EACCES', 'EHOSTUNREACH', 'ENETUNREACH'].includes(socket.error?.code ?? ''), `code ${code}: ${socket.error?.code}`);
    }
  });

  it('a neighbour that does not answer is EHOSTUNREACH, and a router is named', () => {
    for (const [nextHop, words] of [[REMOTE, /nothing on the local network answers for it/], [0xc000_02fe, /the router 192\.0\.2\.254 does not answer/]] as const) {
      const t = new TcpHarness();
      const socket = t.connect();
      t.expect(0, { flags: 'SYN' });
      t.icmp(3_000, { type: 'neighbor-unresolved', nextHop }, 0);
      t.take(500_000);
      assert.equal(socket.error?.code, 'EHOSTUNREACH');
      assert.match(socket.error.message, words);
    }
  });

  it('never end an open connection, hard or soft (RFC 5927 §5.2)', () => {
    const kinds: Kind[] = [
      ...[0, 1, 2, 3, 5, 6, 7, 9, 10, 13].map(unreachable),
      { type: 'time-exceeded', code: 0 }, { type: 'parameter-problem' }, { type: 'source-quench' }, { type: 'neighbor-unresolved', nextHop: REMOTE },
    ];
    for (const kind of kinds) {
      const t = new TcpHarness();
      const socket = t.establish();
      t.write(0, socket, 100);
      t.expect(0, { flags: 'ACK', seq: 1, payload: 100 });
      t.icmp(10, kind, 1);
      assert.equal(socket.state, 'ESTABLISHED', JSON.stringify(kind));
      t.send(20, { flags: 'ACK', seq: 1, ack: 101 });
      assert.equal(socket.bufferedBytes, 0);
      assert.equal(socket.error, null);
    }
  });

  it('about a sequence number that is not under way are ignored and counted (RFC 5927 §4.1)', () => {
    const t = new TcpHarness();
    const socket = t.connect();
    t.expect(0, { flags: 'SYN' });
    for (const seq of [1, -1, 5_000, 1 << 30]) t.icmp(10, unreachable(3), seq);
    assert.equal(socket.state, 'SYN-SENT');
    assert.equal(t.counters.rxIcmpIgnored, 4);
  });

  it('about no connection of ours are ignored and counted', () => {
    const t = new TcpHarness();
    t.icmp(0, unreachable(3), 0);
    t.expectNothing(10);
    assert.equal(t.counters.rxIcmpIgnored, 1);
  });

  it('of source quench change nothing (RFC 6633)', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    const before = socket.snapshot().cwndBytes;
    t.write(0, socket, 100);
    t.take(0);
    t.icmp(1, { type: 'source-quench' }, 1);
    assert.equal(socket.snapshot().cwndBytes, before);
    assert.equal(t.counters.rxIcmpIgnored, 1);
  });

  it('fragmentation needed: sends smaller segments from then on, and repeats what was too big (RFC 1191 §6.4)', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.write(0, socket, 2920);
    assert.equal(t.take(0).length, 2);
    t.mtu = 1000;
    t.icmp(50, { type: 'fragmentation-needed', nextHopMtu: 1000 }, 1);
    const again = t.take(2_000);
    assert.ok(again.length > 0 && again.every((seen) => seen.wire.payload.length <= 960), 'nothing larger than the path takes');
    assert.equal(socket.state, 'ESTABLISHED');
    t.send(2_000, { flags: 'ACK', seq: 1, ack: 2921 });
    assert.equal(socket.bufferedBytes, 0);
    t.write(2_000, socket, 1920);
    t.expect(2_000, { flags: 'ACK', seq: 2921, payload: 960 });
    t.expect(2_000, { flags: 'ACK', seq: 3881, payload: 960 });
  });

  it('fragmentation needed without a size (a router older than RFC 1191 §5) lowers the MSS in reason', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.write(0, socket, 1460);
    t.take(0);
    t.icmp(10, { type: 'fragmentation-needed', nextHopMtu: 0 }, 1);
    const { mss } = socket.snapshot();
    assert.ok(mss >= 536 && mss <= 1460, `an MSS of ${mss}`);
  });

  it('fragmentation needed about data not under way changes nothing (RFC 5927 §7.2)', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.icmp(10, { type: 'fragmentation-needed', nextHopMtu: 68 }, 100_000);
    assert.equal(socket.snapshot().mss, 1460);
  });

  it('with a cut or foreign transport header do no harm', () => {
    const t = new TcpHarness();
    const socket = t.connect();
    t.expect(0, { flags: 'SYN' });
    for (const length of [0, 1, 4, 7, 8, 40]) {
      t.tcp.error({ local: socket.localAddress, remote: socket.remoteAddress, transport: new Uint8Array(length), kind: unreachable(3) }, t.clock.now());
    }
    assert.equal(socket.state, 'SYN-SENT');
    assert.equal(t.counters.rxIcmpIgnored, 6);
  });
});
