import assert from 'node:assert/strict';
import { Sender, type SenderOptions } from '../../support/tcp-sender';

/** Nothing written yet; the handshake took `rtt`, which is the time now. */
function opened(rtt: number, config: SenderOptions['config'] = {}): Sender {
  return new Sender({ write: 0, rtt, config: { pacing: true, tlp: false, ...config } });
}

/** When each segment went out, ms after `from`. */
function times(s: Sender, from: number, until: number): number[] {
  return s.t.take(until).filter((seen) => seen.wire.payload.length > 0).map((seen) => Math.round((seen.at - from) * 1000) / 1000);
}

describe('TCP pacing', () => {
  it('spreads a window over half of the smoothed RTT in slow start', () => {
    const s = opened(100);
    s.write(100, 30);
    assert.deepEqual(times(s, 100, 199), [0, 5, 10, 15, 20, 25, 30, 35, 40, 45]);
  });

  it('sends all at once when switched off', () => {
    const s = opened(100, { pacing: false });
    s.write(100, 30);
    assert.deepEqual(times(s, 100, 199), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('sends together what falls due within a millisecond, no more', () => {
    const s = opened(10);
    s.write(10, 30);
    // Half a millisecond for each.
    const seen = times(s, 10, 19);
    assert.equal(seen.length, 10);
    for (const at of seen) assert.ok(seen.filter((other) => Math.abs(other - at) < 0.01).length <= 3, seen.join());
    assert.ok((seen[9] ?? 0) >= 3, `the last not before ${seen[9]}`);
  });

  it('does nothing below a round trip of 1 ms', () => {
    const s = opened(0.9);
    s.write(0.9, 30);
    assert.deepEqual(times(s, 0.9, 1.7), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('spreads it over five sixths in congestion avoidance', () => {
    const s = opened(100, { initialWindowSegments: 20 });
    s.write(100, 40);
    assert.equal(times(s, 100, 150).length, 20);
    s.ack(200, 0, [1, 20]);
    times(s, 200, 299);
    s.ack(300, s.snapshot.unackedSegments);
    assert.equal(s.snapshot.recovery, 'open');
    const { cwndBytes, srttMs } = s.snapshot;
    assert.equal(cwndBytes, s.snapshot.ssthreshBytes);
    assert.ok(srttMs !== null);
    const gap = (srttMs * s.mss) / (1.2 * cwndBytes);
    const seen = times(s, 300, 390);
    assert.ok(seen.length >= 5, seen.join());
    // The first one may go before its turn, as may what falls due within a millisecond.
    for (let i = 2; i < seen.length; i++) assert.ok(Math.abs((seen[i] ?? 0) - (seen[i - 1] ?? 0) - gap) < 1.1, `gap ${gap}: ${seen.join()}`);
  });

  it('saves up no credit in a pause', () => {
    const s = opened(100);
    s.write(100, 3);
    assert.equal(times(s, 100, 199).length, 3);
    s.ack(200, 3);
    s.write(350, 30);
    const seen = times(s, 350, 400);
    assert.ok(seen.filter((at) => at === 0).length === 1, seen.join());
  });

  it('holds no retransmission back', () => {
    const s = opened(100);
    s.write(100, 10);
    times(s, 100, 145);
    s.ack(246, 0, [4, 10]);
    const lost = s.t.take(246).map((seen) => seen.at);
    assert.ok(lost.length >= 1);
    assert.ok(lost.every((at) => at === 246));
  });

  it('holds FIN back behind the data, and leaves the timers alone', () => {
    const s = opened(100);
    s.write(100, 4);
    s.t.close(100, s.socket);
    const seen = s.t.take(130);
    assert.deepEqual(seen.map((one) => [one.at, one.wire.flags.has('FIN')]), [[100, false], [105, false], [110, false], [115, true]]);
    assert.equal(s.snapshot.timeouts, 0);
    s.t.send(220, { flags: 'ACK', seq: 1, ack: s.seq(4) + 1 });
    s.t.expectNothing(10_000);
  });

  it('goes on while data waits for its turn with nothing in flight', () => {
    const s = opened(100);
    s.write(100, 2);
    times(s, 100, 100);
    s.ack(102, 1);
    assert.deepEqual(times(s, 100, 150), [5]);
  });

  it('does not let a tail loss probe wait', () => {
    const s = opened(100, { tlp: true });
    s.write(100, 10);
    times(s, 100, 145);
    assert.deepEqual(times(s, 145, 345), [200]);
  });
});
