import assert from 'node:assert/strict';
import { range, Sender, type SenderOptions } from '../../support/tcp-sender';

/** RTT 100 ms, ten of thirty segments sent at 100, RTO at 400; no timestamps, so that Eifel has no say. */
function sending(config: SenderOptions['config'] = {}, write = 30): Sender {
  return new Sender({ write, sent: 10, config: { tlp: false, undo: true, ...config } });
}

describe('TCP spurious timeouts by F-RTO (RFC 5682 §3.1)', () => {
  it('answers the first ACK with two new segments in place of retransmissions (step 2b)', () => {
    const s = sending();
    assert.deepEqual(s.sent(400), [0]);
    s.ack(410, 1);
    assert.deepEqual(s.sent(410), [10, 11]);
    assert.equal(s.snapshot.recovery, 'timeout');
  });

  it('takes the reduction back when the next ACK tells of what was never sent again (step 3b)', () => {
    const s = sending();
    assert.deepEqual(s.sent(400), [0]);
    assert.equal(s.cwnd, 1);
    s.ack(410, 1);
    s.sent(410);
    s.ack(411, 2);
    assert.equal(s.snapshot.spuriousRecoveries, 1);
    assert.equal(s.snapshot.recovery, 'open');
    assert.ok(s.cwnd >= 10);
    assert.equal(s.snapshot.ssthreshBytes, Infinity);
    for (let acked = 3; acked <= 10; acked++) s.ack(410 + acked, acked);
    assert.ok(s.sent(500).every((segment) => segment > 11), 'nothing more is sent again');
    assert.equal(s.snapshot.retransmissions, 1);
  });

  it('as well when that is told by SACK', () => {
    const s = sending();
    s.sent(400);
    s.ack(410, 1);
    s.sent(410);
    s.ack(411, 1, [2, 3]);
    assert.equal(s.snapshot.spuriousRecoveries, 1);
  });

  it('ends the back-off of the RTO', () => {
    const s = sending();
    const { rtoMs } = s.snapshot;
    s.sent(400);
    assert.equal(s.snapshot.rtoMs, 2 * rtoMs);
    s.ack(410, 1);
    s.ack(411, 2);
    assert.ok(s.snapshot.rtoMs < 2 * rtoMs);
  });

  it('goes on with ordinary recovery when the next ACK only tells of the new segments: the loss was real (step 3a)', () => {
    const s = sending();
    s.sent(400);
    s.ack(500, 1);
    assert.deepEqual(s.sent(500), [10, 11]);
    s.ack(600, 1, [10, 11]);
    s.ack(600, 1, [10, 12]);
    assert.equal(s.sent(600)[0], 1);
    assert.equal(s.snapshot.spuriousRecoveries, 0);
    assert.equal(s.snapshot.recovery, 'timeout');
    assert.ok(s.cwnd <= 4, `slow start: ${s.cwnd}`);
  });

  it('goes on with ordinary recovery when the first ACK acknowledges everything (step 2a)', () => {
    const s = sending();
    s.sent(400);
    s.ack(410, 10);
    assert.equal(s.snapshot.spuriousRecoveries, 0);
    assert.equal(s.snapshot.recovery, 'open');
    assert.ok(s.cwnd < 5);
  });

  it('goes on with ordinary recovery when there is nothing new to send', () => {
    const s = sending({}, 10);
    s.sent(400);
    s.ack(500, 1);
    assert.deepEqual(s.sent(500), [1, 2]);
    assert.equal(s.snapshot.spuriousRecoveries, 0);
  });

  it('is not tried for a repeated timeout of the same segment (step 1)', () => {
    const s = sending();
    assert.deepEqual(s.sent(400), [0]);
    assert.deepEqual(s.sent(1_000), [0]);
    s.ack(1_010, 1);
    assert.ok(s.sent(1_010).every((segment) => segment < 10));
    s.ack(1_011, 2);
    assert.equal(s.snapshot.spuriousRecoveries, 0);
  });

  it('is not tried within fast recovery, whose new segments would pass for originals (step 1)', () => {
    const s = sending();
    s.ack(200, 0, [1, 10]);
    const sent = s.sent(399);
    assert.equal(sent[0], 0);
    assert.ok(sent.includes(10) && sent.includes(11), sent.join());
    // The retransmission is lost too, and no ACK for the new segments comes before the timeout.
    assert.ok(s.sent(s.t.now + 400).includes(0));
    assert.equal(s.snapshot.timeouts, 1);
    s.ack(s.t.now + 1, 0, [1, 11]);
    s.ack(s.t.now + 1, 0, [1, 12]);
    assert.equal(s.snapshot.spuriousRecoveries, 0);
    s.ack(s.t.now + 90, 12);
    assert.equal(s.snapshot.spuriousRecoveries, 0);
    assert.ok(s.ssthresh < 10 && s.cwnd < 10, `cwnd ${s.cwnd}, ssthresh ${s.ssthresh}`);
  });

  it('does not delay the retransmissions of a real loss beyond the second ACK', () => {
    const s = sending();
    s.sent(400);
    let at = 500;
    let next = 1;
    const arrived = new Set<number>([0]);
    for (; at < 5_000 && next < 30; at += 100) {
      const blocks = [...arrived].filter((segment) => segment > next).map((segment): [number, number] => [segment, segment + 1]);
      s.ack(at, next, ...blocks.slice(0, 4));
      for (const segment of s.sent(at + 99)) arrived.add(segment);
      while (arrived.has(next)) next++;
    }
    assert.equal(next, 30);
    assert.equal(s.snapshot.timeouts, 1);
    assert.ok(at < 1_600, `took until ${at}`);
  });

  it('does none of that when switched off', () => {
    const s = sending({ frto: false });
    assert.deepEqual(s.sent(400), [0]);
    s.ack(410, 1);
    assert.deepEqual(s.sent(410), [1, 2], 'slow start over what may well have arrived');
    s.ack(411, 2);
    assert.equal(s.snapshot.spuriousRecoveries, 0);
    assert.ok(s.cwnd <= 4);
  });

  it('only detects, and takes nothing back, where undo is off', () => {
    const s = sending({ undo: false });
    s.sent(400);
    s.ack(410, 1);
    assert.deepEqual(s.sent(410), [10, 11]);
    s.ack(411, 2);
    assert.equal(s.snapshot.spuriousRecoveries, 0);
    assert.ok(s.cwnd <= 4);
  });

  it('is not possible without SACK here: the ordinary recovery runs', () => {
    const s = new Sender({ write: 30, sent: 10, config: { undo: true }, peer: { sack: false } });
    assert.deepEqual(s.sent(400), [0]);
    s.ack(410, 1);
    assert.deepEqual(s.sent(410), range(1, 3));
  });
});
