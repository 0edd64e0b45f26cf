import assert from 'node:assert/strict';
import { PEER_CLOCK } from '../../support/segment-dsl';
import { seqOf } from '../../support/tcp-harness';
import { Sender, type SenderOptions } from '../../support/tcp-sender';
import type { Block } from '../../support/tcp-segment';

type Config = SenderOptions['config'];

/** RTT 100 ms, ten segments sent at 100, RTO at 400; F-RTO has no say. */
function sending(config: Config = {}, ts = false): Sender {
  return new Sender({ write: 30, sent: 10, config: { tlp: false, frto: false, undo: true, timestamps: ts, ...config }, peer: { ts } });
}

/** An ACK whose timestamp echoes what was sent at `echo`. */
function echoing(s: Sender, at: number, upTo: number, echo: number, ...blocks: Block[]): void {
  s.ackWith(at, upTo, blocks, { ts: { val: PEER_CLOCK + at, ecr: echo } });
}

/** An ACK that reports segments `[from, to)` as duplicates. */
function duplicated(s: Sender, at: number, upTo: number, from: number, to = from + 1): void {
  s.ackWith(at, upTo, [], { sack: [[s.seq(from), s.seq(to)]] });
}

function assertUndone(s: Sender, undone: boolean): void {
  assert.equal(s.snapshot.spuriousRecoveries, undone ? 1 : 0, 'spurious recoveries');
  if (undone) {
    assert.equal(s.snapshot.recovery, 'open');
    assert.equal(s.snapshot.ssthreshBytes, Infinity, 'as it was before');
    assert.ok(s.cwnd >= 10, `cwnd ${s.cwnd}`);
  } else assert.ok(s.ssthresh <= 6, `ssthresh ${s.ssthresh}`);
}

describe('TCP undo by timestamps (Eifel: RFC 3522 §3.2, RFC 4015 §3.2)', () => {
  it('takes a fast retransmit back when the ACK answers the original', () => {
    for (const undo of [true, false]) {
      const s = sending({ undo }, true);
      echoing(s, 210, 0, 100, [1, 5]);
      assert.equal(s.sent(210)[0], 0);
      assert.equal(s.snapshot.recovery, 'fast');
      echoing(s, 215, 5, 100);
      assertUndone(s, undo);
    }
  });

  it('takes a timeout back, marks nothing as lost any more, and ends the back-off', () => {
    for (const undo of [true, false]) {
      const s = sending({ undo }, true);
      assert.deepEqual(s.sent(400), [0]);
      const backedOff = s.snapshot.rtoMs;
      echoing(s, 405, 1, 100);
      assertUndone(s, undo);
      const repeated = s.sent(450).filter((segment) => segment < 10);
      assert.equal(repeated.length > 0, !undo, repeated.join());
      if (undo) {
        assert.ok(s.snapshot.rtoMs < backedOff);
        assert.equal(s.snapshot.lostSegments, 0);
      }
    }
  });

  it('leaves a fast retransmit alone when the ACK answers the retransmission: the loss was real', () => {
    const s = sending({}, true);
    echoing(s, 210, 0, 100, [1, 10]);
    s.sent(210);
    echoing(s, 310, 10, 210);
    assertUndone(s, false);
    assert.ok(s.cwnd <= 6);
  });

  it('leaves a timeout alone when the ACK answers the retransmission', () => {
    const s = sending({}, true);
    s.sent(400);
    echoing(s, 500, 1, 400);
    assertUndone(s, false);
    assert.ok(s.cwnd <= 2);
  });

  it('is not misled by later ACKs of a recovery that began with a real loss', () => {
    const s = sending({}, true);
    // 0 and 5 lost.
    echoing(s, 210, 0, 100, [1, 5], [6, 10]);
    const sent = s.sent(210);
    assert.equal(sent[0], 0);
    echoing(s, 310, 5, 210, [6, 10]);
    s.sent(310);
    echoing(s, 410, 10, 310);
    assertUndone(s, false);
  });

  it('nor by ACKs that acknowledge nothing new', () => {
    const s = sending({}, true);
    echoing(s, 210, 0, 100, [1, 5]);
    s.sent(210);
    echoing(s, 211, 0, 100, [1, 8]);
    echoing(s, 212, 0, 100);
    assert.equal(s.snapshot.spuriousRecoveries, 0);
  });

  it('lets a loss in the same window be found afresh after it was undone', () => {
    const s = sending({}, true);
    echoing(s, 210, 0, 100, [1, 5]);
    s.sent(210);
    echoing(s, 215, 5, 100);
    s.sent(215);
    // Reordering was seen: 5 is lost when the window of 25 ms has passed.
    echoing(s, 220, 5, 100, [6, 10]);
    assert.ok(s.sent(260).includes(5));
    assert.equal(s.snapshot.recovery, 'fast');
    assert.equal(s.snapshot.fastRecoveries, 2);
  });

  it('works for NewReno too (no SACK)', () => {
    const s = new Sender({ write: 30, sent: 10, config: { undo: true, timestamps: true }, peer: { sack: false, ts: true } });
    for (let i = 0; i < 3; i++) echoing(s, 210, 0, 100);
    assert.ok(s.sent(210).includes(0));
    echoing(s, 215, 5, 100);
    assertUndone(s, true);
    // The next loss is found by three duplicates as ever.
    s.sent(215);
    echoing(s, 315, 13, 215);
    s.sent(315);
    for (let i = 0; i < 3; i++) echoing(s, 330, 13, 215);
    assert.ok(s.sent(330).includes(13));
    assert.equal(s.snapshot.fastRecoveries, 2);
  });

  it('is not possible without timestamps', () => {
    const s = sending();
    s.ack(210, 0, [1, 5]);
    s.sent(210);
    s.ack(215, 5);
    assert.equal(s.snapshot.spuriousRecoveries, 0);
  });
});

describe('TCP undo where the peer echoes a congestion mark (RFC 4015 §3.4, RFC 3168 §6.1.2)', () => {
  /** Ten of thirty segments were sent; the first was repeated by timeout, while the ACKs of the originals were under way. */
  function timedOut(marked: boolean): Sender {
    const s = new Sender({ write: 30, sent: 10, config: { tlp: false, frto: false, undo: true, timestamps: true, ecn: 'on' }, peer: { ts: true, ecn: true } });
    assert.deepEqual(s.sent(400), [0]);
    s.ackWith(405, 1, [], { ts: { val: PEER_CLOCK + 405, ecr: 100 }, flags: marked ? 'ACK ECE' : 'ACK' });
    return s;
  }

  it('leaves the reduction, but sends nothing more again', () => {
    const s = timedOut(true);
    assert.equal(s.ssthresh, 5);
    assert.equal(s.snapshot.recovery, 'open');
    assert.equal(s.snapshot.lostSegments, 0);
    s.ackWith(410, 10, [], { ts: { val: PEER_CLOCK + 410, ecr: 100 } });
    const news = s.t.take(410).filter((seen) => seen.wire.payload.length > 0);
    assert.ok(news.length > 0 && news.every((seen) => seqOf(seen) >= s.seq(10)));
    assert.equal(news[0]?.wire.flags.has('CWR'), true, 'and says so');
  });

  it('leaves it as well if the mark comes before what shows that nothing was lost', () => {
    const s = new Sender({ write: 30, sent: 10, config: { tlp: false, undo: true, ecn: 'on' }, peer: { ecn: true } });
    s.ack(210, 0, [1, 5]);
    assert.equal(s.sent(210)[0], 0);
    const { ssthresh } = s;
    s.ackWith(215, 5, [], { flags: 'ACK ECE' });
    duplicated(s, 310, 5, 0);
    assert.equal(s.ssthresh, ssthresh);
    assert.equal(s.snapshot.spuriousRecoveries, 1);
  });

  it('takes the news of a reduction that is taken back out of what follows, and lets the next mark count', () => {
    const s = timedOut(false);
    assertUndone(s, true);
    const news = s.t.take(405).filter((seen) => seen.wire.payload.length > 0);
    assert.ok(news.length > 0 && !news.some((seen) => seen.wire.flags.has('CWR')));
    s.ackWith(410, 3, [], { ts: { val: PEER_CLOCK + 410, ecr: 100 }, flags: 'ACK ECE' });
    assert.equal(s.t.counters.ecnReductions, 1);
    assert.ok(s.ssthresh < 10);
  });

  it('leaves a later reduction alone, as one for a loss that a tail loss probe repaired (RFC 8985 §7.4.2)', () => {
    const s = new Sender({ write: 10, config: { undo: true } });
    assert.deepEqual(s.sent(300), [9], 'the probe');
    s.ack(310, 0, [1, 9]);
    s.write(310, 5);
    assert.deepEqual(s.sent(310).slice(0, 2), [0, 10]);
    s.ack(320, 10);
    const { ssthresh } = s;
    assert.equal(s.snapshot.recovery, 'open');
    s.ack(420, 11);
    assert.ok(s.ssthresh < ssthresh, 'for segment 9');
    duplicated(s, 430, 11, 0);
    assert.ok(s.ssthresh < ssthresh);
  });
});

describe('TCP undo by duplicates reported (RFC 3708 §3)', () => {
  it('takes a reduction back when every retransmission was a duplicate', () => {
    for (const undo of [true, false]) {
      const s = sending({ undo });
      s.ack(210, 0, [1, 5]);
      assert.equal(s.sent(210)[0], 0);
      s.ack(215, 5);
      s.sent(215);
      duplicated(s, 310, 5, 0);
      assertUndone(s, undo);
    }
  });

  it('also when the report comes after everything has been acknowledged', () => {
    const s = new Sender({ write: 10, config: { tlp: false, frto: false, undo: true } });
    s.ack(210, 0, [1, 5]);
    s.sent(210);
    s.ack(215, 10);
    duplicated(s, 310, 10, 0);
    assertUndone(s, true);
  });

  it('also for a timeout, with what it sent again', () => {
    const s = new Sender({ write: 3, config: { tlp: false, frto: false, undo: true } });
    assert.deepEqual(s.sent(400), [0]);
    s.ack(410, 3);
    duplicated(s, 500, 3, 0);
    assert.equal(s.snapshot.spuriousRecoveries, 1);
    assert.ok(s.cwnd >= 10);
  });

  it('also when a duplicate is reported within a block above the acknowledgment (RFC 2883 §4.1.3)', () => {
    const s = sending();
    s.ack(200, 0, [1, 3], [4, 10]);
    const sent = s.sent(249);
    assert.ok(sent.includes(0) && sent.includes(3), sent.join());
    // Too early for the retransmissions: the originals were late.
    s.ack(250, 0, [1, 10]);
    s.ackWith(310, 0, [], { sack: [[s.seq(3), s.seq(4)], [s.seq(1), s.seq(10)]] });
    s.ack(320, 10);
    assertUndone(s, false);
    duplicated(s, 330, 10, 0);
    assertUndone(s, true);
  });

  it('not while one of several retransmissions is unaccounted for: that loss was real', () => {
    const s = sending();
    s.ack(200, 0, [1, 5], [6, 10]);
    const sent = s.sent(299);
    assert.ok(sent.includes(0) && sent.includes(5), sent.join());
    s.ack(300, 10);
    s.sent(300);
    duplicated(s, 301, 10, 0);
    assertUndone(s, false);
    duplicated(s, 302, 10, 5);
    assertUndone(s, true);
  });

  it('not twice for the same retransmission', () => {
    const s = sending();
    s.ack(200, 0, [1, 5], [6, 10]);
    s.sent(299);
    s.ack(300, 10);
    duplicated(s, 301, 10, 0);
    duplicated(s, 302, 10, 0);
    assertUndone(s, false);
  });

  it('not for a segment that the network duplicated and nobody sent again (§3 step B)', () => {
    const s = sending();
    s.ack(210, 0, [1, 5]);
    s.sent(210);
    duplicated(s, 220, 0, 2);
    s.ack(310, 10);
    s.sent(310);
    duplicated(s, 311, 10, 7);
    assertUndone(s, false);
  });

  it('not long after: what is repeated in later round trips proves nothing about an old loss', () => {
    const s = sending();
    s.ack(210, 0, [1, 10]);
    s.sent(210);
    s.ack(310, 10);
    let acked = 10;
    for (let at = 410; at < 1_500; at += 100) {
      const sent = s.sent(at);
      acked += sent.length;
      s.ack(at, acked);
      if (acked >= 30) break;
    }
    duplicated(s, s.t.now + 10, acked, 0);
    assertUndone(s, false);
  });

  it('is not possible without SACK', () => {
    const s = new Sender({ write: 10, config: { undo: true }, peer: { sack: false } });
    for (let i = 0; i < 3; i++) s.ack(210, 0);
    s.sent(210);
    s.ack(215, 5);
    duplicated(s, 310, 5, 0);
    assert.equal(s.snapshot.spuriousRecoveries, 0);
  });
});
