import assert from 'node:assert/strict';
import { TcpHarness } from '../../support/tcp-harness';
import { Sender, type SenderOptions } from '../../support/tcp-sender';

/** RTT 100 ms, data sent at 100, RTO 300 ms. */
function sending(write: number, more: Partial<SenderOptions> = {}): Sender {
  return new Sender({ write, ...more });
}

describe('TCP tail loss probe (RFC 8985 §7.2, §7.3)', () => {
  it('repeats the last segment two smoothed RTTs after the last transmission, before the timeout', () => {
    const s = sending(10);
    assert.deepEqual(s.sent(299.9), []);
    assert.deepEqual(s.sent(300), [9]);
    assert.equal(s.t.counters.tailLossProbes, 1);
    assert.equal(s.snapshot.timeouts, 0);
    assert.equal(s.snapshot.cwndBytes, 10 * s.mss, 'a probe is no sign of loss');
  });

  it('waits 4 ms on a path that is faster, so that no pause of a busy peer looks like a loss', () => {
    const s = sending(10, { rtt: 1 });
    assert.deepEqual(s.sent(4.9), []);
    assert.deepEqual(s.sent(5), [9]);
  });

  it('is not sent when switched off, without RACK, or without SACK', () => {
    for (const s of [sending(10, { config: { tlp: false } }), sending(10, { config: { rack: false } }), sending(10, { peer: { sack: false } })]) {
      assert.deepEqual(s.sent(399.9), []);
      assert.deepEqual(s.sent(400), [0]);
      assert.equal(s.snapshot.timeouts, 1);
      assert.equal(s.t.counters.tailLossProbes, 0);
    }
  });

  it('sends new data in place of old, whatever the congestion window says (§7.3)', () => {
    const s = sending(15, { sent: 10 });
    assert.deepEqual(s.sent(300), [10]);
    assert.equal(s.t.counters.tailLossProbes, 1);
    assert.equal(s.snapshot.retransmissions, 0);
    assert.equal(s.cwnd, 10);
  });

  it('repeats the last segment where the peer\'s window leaves no room for new data', () => {
    const s = sending(10, { sent: 4, peer: { win: 4 * 1460 } });
    assert.deepEqual(s.sent(300), [3]);
    assert.equal(s.snapshot.retransmissions, 1);
  });

  it('sends new data that Nagle\'s algorithm or silly window avoidance holds back', () => {
    const s = sending(0, { config: { nagle: true } });
    s.t.write(100, s.socket, 100);
    s.t.expect(100, { flags: 'ACK', seq: 1, payload: 100 });
    s.t.write(150, s.socket, 100);
    s.t.expectNothing(399);
    s.t.expect(400, { flags: 'ACK', seq: 101, payload: 100 });
    assert.equal(s.snapshot.timeouts, 0);
    const silly = sending(10, { sent: 4, peer: { win: 4 * 1460 + 100 } });
    const [probe] = silly.t.take(300);
    assert.ok(probe && probe.wire.payload.length > 0, 'a probe of some kind');
  });

  it('carries the FIN again if that is the tail', () => {
    const s = sending(0);
    s.t.write(100, s.socket, 100);
    s.t.close(100, s.socket);
    s.t.expect(100, { flags: 'ACK', seq: 1, payload: 100 });
    s.t.expect(100, { flags: 'FIN ACK', seq: 101 });
    s.t.expect([300, 400], { flags: 'FIN ACK', seq: 101 });
    assert.equal(s.snapshot.timeouts, 0);
  });

  it('waits for a delayed ACK of a lone segment, but never longer than the timeout (§7.2)', () => {
    const s = sending(1);
    assert.deepEqual(s.sent(399.9), [], '2 · 100 + 200 ms are more than the RTO of 300');
    assert.deepEqual(s.sent(400), [0]);
    assert.equal(s.snapshot.timeouts, 0, 'the probe goes in place of the timeout');
    assert.equal(s.t.counters.tailLossProbes, 1);
    const calm = sending(0, { config: { minRtoMs: 1_000 } });
    calm.write(100, 1);
    assert.deepEqual(calm.sent(499.9), [0]);
    assert.deepEqual(calm.sent(500), [0]);
  });

  it('waits one second before the first RTT sample (§7.2)', () => {
    const t = new TcpHarness({ config: { sack: true, tlp: true } });
    const socket = t.connect();
    t.take(1_000);
    t.send(1_100, { flags: 'SYN ACK', seq: 0, ack: 1, mss: 1460, sackPermitted: true });
    t.take(1_100);
    assert.equal(socket.snapshot().srttMs, null);
    t.write(1_100, socket, 1460);
    t.expect(1_100, { flags: 'ACK', seq: 1, payload: 1460 });
    t.expectNothing(2_099);
    t.expect(2_100, { flags: 'ACK', seq: 1, payload: 1460 });
    assert.equal(socket.snapshot().timeouts, 0);
  });

  it('counts anew from new data and from each acknowledgment', () => {
    const s = sending(5, { config: { initialWindowSegments: 20 } });
    s.write(200, 2);
    assert.deepEqual(s.sent(399.9), [5, 6]);
    s.ack(399.9, 3);
    const { srttMs } = s.snapshot;
    assert.ok(srttMs !== null);
    assert.deepEqual(s.sent(399.9 + 2 * srttMs - 0.1), []);
    assert.deepEqual(s.sent(399.9 + 2 * srttMs), [6]);
  });

  it('is sent once: the timeout, counted from the probe, is next (§7.3)', () => {
    const s = sending(10);
    assert.deepEqual(s.sent(300), [9]);
    assert.deepEqual(s.sent(599.9), []);
    assert.deepEqual(s.sent(600), [0]);
    assert.equal(s.snapshot.timeouts, 1);
    assert.equal(s.t.counters.tailLossProbes, 1);
  });

  it('is not sent in recovery, nor while SACKed segments say that RACK has something to go by (§7.2)', () => {
    const s = sending(10);
    s.ack(200, 0, [1, 2]);
    assert.deepEqual(s.sent(225), [0]);
    s.sent(499);
    assert.equal(s.t.counters.tailLossProbes, 0);
    const partial = sending(10, { config: { prr: false } });
    partial.ack(200, 0, [1, 4]);
    assert.deepEqual(partial.sent(200), [0]);
    partial.ack(300, 4);
    assert.deepEqual(partial.sent(599), [4, 5, 6, 7, 8]);
    assert.equal(partial.t.counters.tailLossProbes, 0);
    const late = sending(10);
    assert.deepEqual(late.sent(300), [9]);
    assert.deepEqual(late.sent(600), [0]);
    late.ack(700, 1);
    late.sent(1_100);
    assert.equal(late.t.counters.tailLossProbes, 1, 'none in the recovery of the timeout');
  });

  it('is not sent into a closed window', () => {
    const s = sending(4);
    s.ackWith(200, 2, [], { win: 0 });
    s.sent(2_000);
    assert.equal(s.t.counters.tailLossProbes, 0);
  });

  it('is not wanted when everything has been acknowledged', () => {
    const s = sending(10);
    s.ack(200, 10);
    s.t.expectNothing(60_000);
  });
});

describe('TCP recovery by a tail loss probe (RFC 8985 §7.4)', () => {
  it('the SACK of the probe lets RACK find the rest of a lost tail, without a timeout (§7.4.1)', () => {
    const s = sending(10);
    s.ack(200, 7);
    const { srttMs } = s.snapshot;
    assert.ok(srttMs !== null);
    assert.deepEqual(s.sent(200 + 2 * srttMs), [9]);
    s.ack(510, 7, [9, 10]);
    // 9 was sent twice and later than 7 and 8.
    assert.deepEqual(s.sent(540), [7]);
    s.ack(610, 8, [9, 10]);
    assert.deepEqual(s.sent(610), [8]);
    s.ack(710, 10);
    assert.equal(s.snapshot.timeouts, 0);
    assert.equal(s.snapshot.fastRecoveries, 1);
    const off = sending(10, { config: { tlp: false } });
    off.ack(200, 7);
    off.sent(540);
    assert.equal(off.snapshot.timeouts, 1);
  });

  it('reduces the window when the probe itself repaired the loss (§7.4.2)', () => {
    const s = probed();
    s.ack(600, 10);
    assert.equal(s.snapshot.ssthreshBytes, Infinity, 'not known yet: the ACK may answer the original');
    s.write(600, 5);
    s.sent(600);
    s.ack(700, 11);
    assert.ok(Number.isFinite(s.snapshot.ssthreshBytes), 'no DSACK came: the original was lost');
    assert.ok(s.cwnd < 10);
  });

  it('does not when a DSACK says that the original had arrived (§7.4.2)', () => {
    const s = probed();
    s.ackWith(600, 10, [], { sack: [[s.seq(9), s.seq(10)]] });
    s.write(600, 5);
    s.sent(600);
    s.ack(700, 11);
    assert.equal(s.snapshot.ssthreshBytes, Infinity);
  });

  it('does where the DSACK is about another segment, which the network duplicated (§7.4.2: matching TLP.end_seq)', () => {
    const s = probed();
    s.ackWith(600, 10, [], { sack: [[s.seq(3), s.seq(4)]] });
    s.write(600, 5);
    s.sent(600);
    s.ack(700, 11);
    assert.ok(Number.isFinite(s.snapshot.ssthreshBytes));
  });

  it('nor when the DSACK comes after the acknowledgment of everything', () => {
    const s = probed();
    s.ack(520, 10);
    s.ackWith(600, 10, [], { sack: [[s.seq(9), s.seq(10)]] });
    s.write(610, 5);
    s.sent(610);
    s.ack(710, 11);
    assert.equal(s.snapshot.ssthreshBytes, Infinity);
  });

  it('nor when a duplicate ACK without SACK follows: a peer without DSACK received it twice (§7.4.2)', () => {
    const s = probed();
    s.ack(520, 10);
    s.ack(600, 10);
    s.write(610, 5);
    s.sent(610);
    s.ack(710, 11);
    assert.equal(s.snapshot.ssthreshBytes, Infinity);
  });

  it('nor when the probe carried new data (§7.4.2)', () => {
    const s = sending(15, { sent: 10 });
    assert.deepEqual(s.sent(300), [10]);
    s.ack(350, 3);
    assert.deepEqual(s.sent(350), [11, 12, 13, 14]);
    s.ack(450, 13);
    assert.equal(s.snapshot.ssthreshBytes, Infinity);
  });

  it('may be tried again once the first was answered', () => {
    const s = probed();
    s.ackWith(600, 10, [], { sack: [[s.seq(9), s.seq(10)]] });
    s.write(700, 4);
    assert.deepEqual(s.sent(700), [10, 11, 12, 13]);
    const { srttMs } = s.snapshot;
    assert.ok(srttMs !== null);
    assert.deepEqual(s.sent(700 + 2 * srttMs), [13]);
    assert.equal(s.t.counters.tailLossProbes, 2);
  });
});

/** Ten segments, nine acknowledged; the tenth has been sent again by a probe. It is 500 or earlier. */
function probed(): Sender {
  const s = sending(10);
  s.ack(200, 9);
  assert.deepEqual(s.sent(510), [9]);
  assert.equal(s.t.counters.tailLossProbes, 1);
  assert.equal(s.snapshot.timeouts, 0);
  return s;
}
