import assert from 'node:assert/strict';
import { PEER_CLOCK, type Segment } from '../../support/segment-dsl';
import { range, Sender, type SenderOptions } from '../../support/tcp-sender';

/** RTT 100 ms, sent at 100. RACK by itself: no probes, no proportional reduction. */
function sending(segments: number, more: Partial<SenderOptions> = {}): Sender {
  return new Sender({ write: segments, ...more, config: { tlp: false, prr: false, frto: false, ...more.config } });
}

describe('TCP loss detection by RACK (RFC 8985 §6.2)', () => {
  it('marks a segment lost once three sent after it have arrived and no reordering was seen (§6.2 step 4)', () => {
    const s = sending(10);
    s.ack(200, 0, [1, 2]);
    s.ack(200, 0, [1, 3]);
    assert.deepEqual(s.sent(200), []);
    s.ack(200, 0, [1, 4]);
    assert.deepEqual(s.sent(200), [0]);
    assert.equal(s.snapshot.recovery, 'fast');
    assert.equal(s.snapshot.fastRecoveries, 1);
  });

  it('waits a quarter of the least RTT for fewer, then marks by the reordering timer (§6.2 steps 4 and 5)', () => {
    const s = sending(10);
    s.ack(200, 0, [1, 2]);
    assert.deepEqual(s.sent(224), []);
    assert.deepEqual(s.sent(225), [0]);
    assert.equal(s.snapshot.timeouts, 0);
  });

  it('needs no three duplicates: one segment of a window of two is enough (§3.1)', () => {
    const s = sending(2);
    s.ack(200, 0, [1, 2]);
    assert.deepEqual(s.sent(225), [0]);
    const off = sending(2, { config: { rack: false } });
    off.ack(200, 0, [1, 2]);
    assert.deepEqual(off.sent(299), [], 'without RACK two segments never bring three duplicates');
    assert.equal(off.snapshot.timeouts, 0);
  });

  it('marks nothing that comes within the reordering window', () => {
    const s = sending(10);
    s.ack(200, 0, [1, 2]);
    s.ack(220, 2);
    assert.deepEqual(s.sent(299), []);
    assert.equal(s.snapshot.recovery, 'open');
    assert.equal(s.snapshot.reorderingSeen, true);
  });

  it('marks all segments that were sent before the delivered one, not those sent after it', () => {
    const s = sending(10);
    s.ack(200, 0, [4, 7]);
    assert.equal(s.snapshot.lostSegments + s.sent(200).length, 4, 'segments 0 to 3');
    s.ack(210, 0, [4, 7]);
    assert.ok(s.sent(399).every((segment) => segment < 4), '7, 8 and 9 may still be on their way');
  });

  it('counts by time of sending: what went out later than the delivered segment is not lost', () => {
    const s = sending(4, { config: { initialWindowSegments: 20 } });
    s.write(150, 4);
    assert.deepEqual(s.sent(150), [4, 5, 6, 7]);
    s.ack(200, 0, [1, 4]);
    assert.deepEqual(s.sent(200), [0]);
    s.ack(250, 0, [1, 4], [7, 8]);
    // Sent at 150, RTT 100: 4, 5 and 6 are overdue; in recovery the window is zero.
    assert.deepEqual(s.sent(250), [4, 5, 6]);
  });

  it('finds a lost retransmission by what was sent after it (§3.1)', () => {
    const s = sending(10, { write: 20, sent: 10 });
    s.ack(200, 0, [1, 6]);
    assert.deepEqual(s.sent(200)[0], 0);
    // The retransmission is lost; new data sent after it arrives.
    s.ack(201, 0, [1, 10]);
    const news = s.sent(201);
    assert.ok(news.length > 0 && news.every((segment) => segment >= 10), news.join());
    s.ack(301, 0, [1, 11]);
    assert.ok(s.sent(301).includes(0), 'sent again without a timeout');
    assert.equal(s.snapshot.timeouts, 0);
    const off = sending(10, { write: 20, sent: 10, config: { rack: false } });
    off.ack(200, 0, [1, 4]);
    off.ack(200, 0, [1, 5]);
    off.ack(200, 0, [1, 6]);
    assert.ok(off.sent(200).includes(0));
    off.ack(201, 0, [1, 10]);
    off.sent(201);
    off.ack(301, 0, [1, 11]);
    assert.ok(!off.sent(301).includes(0), 'without RACK it takes the timeout');
  });

  it('finds a lost tail once a retransmission sent after it has arrived (§6.2 step 5: every segment is looked at)', () => {
    const s = sending(10);
    s.ack(200, 0, [1, 8]);
    assert.deepEqual(s.sent(200), [0]);
    s.ack(300, 8);
    assert.deepEqual(s.sent(300), [8, 9]);
    assert.equal(s.snapshot.timeouts, 0);
    assert.equal(s.snapshot.reorderingSeen, false, 'what was sent again and comes late is no reordering (step 3)');
  });

  it('does not take the ACK of an original for that of its retransmission (§6.2 step 2: RTT below the least)', () => {
    const s = sending(10);
    s.ack(210, 0, [1, 10]);
    assert.deepEqual(s.sent(210), [0]);
    s.write(212, 2);
    assert.deepEqual(s.sent(212), [10, 11]);
    // Too soon for the retransmission: it says nothing about what was sent after it.
    s.ack(215, 10);
    assert.deepEqual(s.sent(290), []);
    assert.equal(s.snapshot.lostSegments, 0);
  });

  it('nor where the timestamp says that it answers the original (§6.2 step 2: TSecr)', () => {
    const afterAckOf = (ecr: number): number[] => {
      const s = sending(10, { config: { timestamps: true }, peer: { ts: true } });
      s.ackWith(210, 0, [[1, 9]], { ts: { val: PEER_CLOCK + 210, ecr: 100 } });
      assert.deepEqual(s.sent(210), [0]);
      s.ackWith(320, 9, [], { ts: { val: PEER_CLOCK + 320, ecr } });
      return s.sent(320);
    };
    assert.deepEqual(afterAckOf(210), [9], '9 was sent before the retransmission that has arrived');
    assert.deepEqual(afterAckOf(100), [], 'the original of 0 was late: it was sent before 9');
  });

  it('marks on a timeout the first segment and what is overdue, not what was just sent (§6.3)', () => {
    const lost = (rack: boolean): number => {
      const s = sending(11, { config: { initialWindowSegments: 20, rack } });
      s.ack(200, 1);
      const rto = 200 + s.snapshot.rtoMs;
      s.write(rto - 20, 5);
      assert.deepEqual(s.sent(rto - 20), range(11, 16));
      assert.deepEqual(s.sent(rto), [1]);
      assert.equal(s.snapshot.timeouts, 1);
      return s.snapshot.lostSegments;
    };
    assert.equal(lost(true), 9, 'the rest of the first ten, none of the five');
    assert.equal(lost(false), 14, 'without RACK all of them');
  });

  it('allows on a timeout for the reordering window (§6.3: xmit_ts + RTT + reo_wnd)', () => {
    // RACK.rtt 100 from segment 0, least RTT 100: 25 ms of window. 1 was sent 110 ms before the timeout.
    const s = sending(1, { config: { initialWindowSegments: 20 } });
    s.ack(200, 1);
    s.write(200, 1);
    assert.deepEqual(s.sent(200), [1]);
    const rto = 200 + s.snapshot.rtoMs;
    s.write(rto - 110, 1);
    assert.deepEqual(s.sent(rto - 110), [2]);
    assert.deepEqual(s.sent(rto), [1]);
    assert.equal(s.snapshot.lostSegments, 0, '2 is late by less than the window');
  });
});

describe('TCP reordering window (RFC 8985 §6.2 step 4)', () => {
  it('once reordering was seen, no count of duplicates is enough any more', () => {
    const s = sending(20, { config: { initialWindowSegments: 20 } });
    reorder(s, 200, 0);
    s.ack(200, 2, [3, 10]);
    assert.deepEqual(s.sent(224), []);
    assert.deepEqual(s.sent(225), [2]);
    const unseen = sending(20, { config: { initialWindowSegments: 20 } });
    unseen.ack(200, 2);
    unseen.ack(200, 2, [3, 10]);
    assert.deepEqual(unseen.sent(200), [2], 'before that three were');
  });

  it('is zero in recovery while no reordering was seen', () => {
    const s = sending(10);
    s.ack(200, 0, [1, 4]);
    assert.deepEqual(s.sent(200), [0]);
    s.ack(200, 0, [1, 4], [5, 6]);
    assert.equal(s.snapshot.lostSegments, 1, 'segment 4, at once');
    // Also where fewer than three are SACKed.
    const few = sending(4, { config: { initialWindowSegments: 20 } });
    few.write(190, 4);
    few.sent(190);
    few.ack(200, 0, [1, 4]);
    assert.deepEqual(few.sent(200), [0]);
    few.ack(201, 4);
    few.ack(290, 4, [5, 6]);
    assert.deepEqual(few.sent(290), [4]);
  });

  it('grows by a quarter of the least RTT with each round trip that brought a DSACK', () => {
    const s = sending(20, { config: { initialWindowSegments: 20, undo: false } });
    reorder(s, 200, 0);
    s.ackWith(201, 2, [], { sack: [[s.seq(0), s.seq(1)]] });
    s.ack(202, 2, [3, 4]);
    // Sent at 100, RTT of the one delivered 102, window 2 · 25.
    assert.deepEqual(s.sent(251.9), []);
    assert.deepEqual(s.sent(252), [2]);
  });

  it('grows no more than once per round trip', () => {
    const s = sending(20, { config: { initialWindowSegments: 20, undo: false } });
    reorder(s, 200, 0);
    for (let i = 0; i < 5; i++) s.ackWith(201, 2, [], { sack: [[s.seq(0), s.seq(1)]] });
    s.ack(202, 2, [3, 4]);
    assert.deepEqual(s.sent(251.9), []);
    assert.deepEqual(s.sent(252), [2]);
  });

  it('grows for a DSACK that also proves a recovery to have been for nothing', () => {
    const s = sending(20, { config: { initialWindowSegments: 20, undo: true } });
    s.ack(200, 0, [1, 4]);
    assert.deepEqual(s.sent(200), [0]);
    // 0 was only late; then its retransmission arrives as a duplicate.
    s.ack(205, 4);
    s.ackWith(300, 4, [], { sack: [[s.seq(0), s.seq(1)]] });
    assert.equal(s.snapshot.spuriousRecoveries, 1);
    s.ack(310, 4, [5, 6]);
    // RTT 210 for what was sent at 100; the window is 2 · 25 = 50.
    assert.deepEqual(s.sent(359.9), []);
    assert.deepEqual(s.sent(360), [4]);
  });

  it('is never wider than the smoothed RTT', () => {
    const s = sending(20, { config: { initialWindowSegments: 20, undo: false } });
    reorder(s, 200, 0);
    let at = 200;
    let next = 20;
    s.ack(at, next);
    for (let round = 0; round < 12; round++, at += 100, next += 5) {
      s.write(at, 5);
      s.ackWith(at, next, [], { sack: [[s.seq(0), s.seq(1)]] });
      s.sent(at + 99);
      s.ack(at + 100, next + 5);
    }
    s.write(at, 5);
    s.sent(at);
    s.ack(at + 100, next, [next + 1, next + 2]);
    const { srttMs } = s.snapshot;
    assert.ok(srttMs !== null && Math.abs(srttMs - 100) < 0.1, `SRTT ${srttMs}`);
    assert.deepEqual(s.sent(at + 199), [], 'twelve quarters would be 300 ms, one 25');
    assert.deepEqual(s.sent(at + 201), [next]);
  });

  it('is narrow again after sixteen recoveries without a DSACK', () => {
    const s = sending(0);
    let at = 100;
    let next = 0;
    const send = (segments: number): void => {
      s.write(at, segments);
      assert.deepEqual(s.sent(at), range(next, next + segments));
      at += 100;
    };
    // Reordering, and a DSACK: the window is two quarters.
    send(3);
    reorder(s, at, 0);
    s.ackWith(at, 2, [], { sack: [[s.seq(0), s.seq(1)]] });
    s.ack(at, 3);
    next = 3;
    const recovery = (): number => {
      send(2);
      s.ack(at, next, [next + 1, next + 2]);
      const [seen] = s.t.take(at + 99);
      assert.ok(seen, 'sent again');
      const wait = Math.round(seen.at - at);
      at = seen.at + 100;
      next += 2;
      s.ack(at++, next);
      return wait;
    };
    const waits = range(0, 17).map(() => recovery());
    assert.deepEqual(waits, [...range(0, 16).map(() => 50), 25]);
  });
});

describe('TCP recovery that lasts longer than the RTO', () => {
  it('does not time out while ACKs of new data come: each starts the timer afresh (RFC 6298 §5.3)', () => {
    const s = sending(40, { config: { initialWindowSegments: 40 } });
    s.ack(200, 0, [1, 10], [11, 20], [21, 30], [31, 40]);
    assert.deepEqual(s.sent(299), [0, 10, 20, 30]);
    for (const [at, upTo] of [[300, 10], [450, 20], [599, 30], [800, 40]] as const) {
      assert.deepEqual(s.sent(at), []);
      s.ack(at, upTo, ...[[11, 20], [21, 30], [31, 40]].filter(([left = 0]) => left > upTo).map(([left = 0, right = 0]) => [left, right] as const));
    }
    assert.equal(s.snapshot.timeouts, 0);
    assert.equal(s.snapshot.recovery, 'open');
  });
});

describe('TCP without RACK', () => {
  it('counts duplicates even where SACK is agreed (RFC 5681 §3.2)', () => {
    const s = sending(10, { config: { rack: false } });
    s.ack(200, 0, [1, 3]);
    s.ack(200, 0, [1, 4]);
    assert.deepEqual(s.sent(290), []);
    s.ack(290, 0, [1, 5]);
    assert.deepEqual(s.sent(290), [0]);
  });

  it('takes reports of duplicates for no duplicate ACKs where nothing is in flight (RFC 5681 §2)', () => {
    const s = sending(10, { config: { rack: false } });
    s.ack(200, 10);
    for (let i = 0; i < 5; i++) s.ackWith(210 + i, 10, [], { sack: [[s.seq(i), s.seq(i + 1)]] });
    assert.equal(s.snapshot.fastRecoveries, 0);
    assert.equal(s.snapshot.ssthreshBytes, Infinity);
    s.write(300, 5);
    assert.equal(s.sent(300).length, 5);
    s.ack(400, 10, [11, 12]);
    assert.deepEqual(s.sent(499), [], 'one duplicate is one');
  });

  it('falls back to NewReno where the peer has no SACK, whatever is switched on (RFC 6582)', () => {
    const s = new Sender({ write: 10, peer: { sack: false } });
    for (let i = 0; i < 2; i++) s.ack(200, 0);
    assert.deepEqual(s.sent(290), []);
    s.ack(290, 0);
    assert.deepEqual(s.sent(290), [0]);
    assert.equal(s.snapshot.sack, false);
    assert.equal(s.ssthresh, 5);
  });

  it('does not take SACK blocks of a peer that never agreed to them', () => {
    const s = new Sender({ write: 10, peer: { sack: false } });
    s.ack(200, 0, [1, 9]);
    assert.equal(s.snapshot.sackedSegments, 0);
  });
});

/** Segment `first + 1` arrives before `first`: reordering is seen, both are acknowledged. */
function reorder(s: Sender, at: number, first: number): void {
  s.ack(at, first, [first + 1, first + 2]);
  s.ack(at, first + 2);
  assert.equal(s.snapshot.reorderingSeen, true);
  assert.deepEqual(s.sent(at), []);
}

describe('TCP reduction for a loss that shows within a batch of ACKs (RFC 5681 eq. 4, RFC 9438 §4.6)', () => {
  it('is reckoned from what was in flight before the batch', () => {
    const s = new Sender({ write: 100, sent: 40, config: { initialWindowSegments: 40, tlp: false, congestion: 'cubic' } });
    const batch: Segment[] = [];
    for (let upTo = 2; upTo <= 30; upTo += 2) batch.push({ flags: 'ACK', seq: 1, ack: s.seq(upTo) });
    for (let held = 32; held <= 36; held++) batch.push({ flags: 'ACK', seq: 1, ack: s.seq(30), sack: [[s.seq(31), s.seq(held)]] });
    s.t.sendAll(200, batch);
    assert.equal(s.snapshot.recovery, 'fast');
    assert.equal(s.ssthresh, 28, '0.7 of 40, not of the ten that were left');
  });
});
