import assert from 'node:assert/strict';
import { Prr } from '../../../stack/tcp/prr';
import { range, Sender, type SenderOptions } from '../../support/tcp-sender';

const MSS = 1000;

describe('PRR by itself (RFC 9937 §6)', () => {
  it('sends in proportion to what arrives while the pipe is above ssthresh', () => {
    const prr = new Prr();
    prr.begin(20 * MSS);
    let pipe = 19 * MSS;
    let sent = 0;
    // One segment of 20 lost, ssthresh 10: half a segment may go for each one delivered.
    for (let delivered = 1; delivered <= 10; delivered++) {
      pipe -= MSS;
      const room = prr.onAck(MSS, pipe, 10 * MSS, MSS, false) - pipe;
      const segments = Math.floor(room / MSS);
      prr.sent(segments * MSS);
      pipe += segments * MSS;
      sent += segments;
      if (delivered > 1) assert.equal(sent, Math.max(1, Math.floor(delivered / 2)), `after ${delivered} delivered`);
    }
    assert.equal(sent, 5);
  });

  it('rounds up to a byte, never down to nothing', () => {
    const prr = new Prr();
    prr.begin(3 * MSS);
    prr.sent(1);
    assert.equal(prr.onAck(1, 2 * MSS, MSS, MSS, false), 2 * MSS, 'ceil(1/3) − 1 = 0');
    const second = new Prr();
    second.begin(7);
    assert.equal(second.onAck(1, 6, 5, MSS, false), 6 + 1, 'ceil(5/7)');
  });

  it('below ssthresh sends no more than was delivered, if the ACK is not safe (conservative bound)', () => {
    const prr = new Prr();
    prr.begin(20 * MSS);
    prr.sent(MSS);
    assert.equal(prr.onAck(2 * MSS, 4 * MSS, 10 * MSS, MSS, false), 6 * MSS, 'max(2 − 1, 2)');
    prr.sent(2 * MSS);
    assert.equal(prr.onAck(MSS, 5 * MSS, 10 * MSS, MSS, false), 6 * MSS, 'max(3 − 3, 1)');
  });

  it('below ssthresh sends a segment more for a safe ACK (slow start bound)', () => {
    const prr = new Prr();
    prr.begin(20 * MSS);
    prr.sent(MSS);
    assert.equal(prr.onAck(2 * MSS, 4 * MSS, 10 * MSS, MSS, true), 7 * MSS);
  });

  it('never goes beyond ssthresh when it catches up', () => {
    const prr = new Prr();
    prr.begin(20 * MSS);
    prr.sent(MSS);
    assert.equal(prr.onAck(9 * MSS, 8 * MSS, 10 * MSS, MSS, true), 10 * MSS);
  });

  it('makes up for what it sent too little before (prr_delivered − prr_out)', () => {
    const prr = new Prr();
    prr.begin(20 * MSS);
    prr.onAck(6 * MSS, 3 * MSS, 10 * MSS, MSS, false);
    prr.sent(MSS);
    assert.equal(prr.onAck(MSS, 3 * MSS, 10 * MSS, MSS, false), 9 * MSS, '7 delivered, 1 sent: 6 more');
  });

  it('forces the first retransmission, and only that', () => {
    const prr = new Prr();
    prr.begin(20 * MSS);
    assert.equal(prr.onAck(0, 15 * MSS, 10 * MSS, MSS, false), 16 * MSS);
    prr.sent(MSS);
    assert.equal(prr.onAck(0, 15 * MSS, 10 * MSS, MSS, false), 15 * MSS);
  });
});

/** RTT 100 ms, data sent at 100; Reno, so that ssthresh is half of the flight. */
function sending(write: number, sent: number, more: Partial<SenderOptions['config']> = {}): Sender {
  return new Sender({ write, sent, config: { tlp: false, frto: false, initialWindowSegments: sent, ...more } });
}

describe('TCP fast recovery with PRR (RFC 9937)', () => {
  it('sends one segment for every two delivered, and ends at ssthresh (§5, §6)', () => {
    const s = sending(100, 20);
    s.ack(200, 0, [1, 2]);
    s.ack(200, 0, [1, 3]);
    s.ack(200, 0, [1, 4]);
    assert.equal(s.ssthresh, 11, 'half of the 22 in flight: the first two ACKs let new segments go');
    const first = s.sent(200);
    assert.deepEqual(first.filter((segment) => segment === 0), [0], 'the retransmission is forced');
    const sentFor: number[] = [];
    for (let i = 4; i < 20; i++) {
      s.ack(200 + i, 0, [1, i + 1]);
      sentFor.push(s.sent(200 + i).length);
    }
    const total = sentFor.reduce((sum, count) => sum + count, 0);
    assert.ok(Math.abs(total - 8) <= 1, `16 delivered, ${total} sent: ${sentFor.join('')}`);
    for (let i = 0; i + 4 <= sentFor.length; i++) {
      const four = sentFor.slice(i, i + 4).reduce((sum, count) => sum + count, 0);
      assert.ok(four >= 1 && four <= 3, `evenly: ${sentFor.join('')}`);
    }
    s.ack(300, 22);
    assert.equal(s.snapshot.recovery, 'open');
    assert.equal(s.cwnd, 11, 'at the end (§6)');
  });

  it('counts the ACK that begins the recovery once', () => {
    const s = sending(100, 20);
    s.ack(200, 0, [1, 5]);
    // Four of twenty delivered, ssthresh 10: ceil(4 · 10 / 20) = 2 may go.
    assert.deepEqual(s.sent(200), [0, 20]);
    const s2 = sending(100, 20);
    s2.ack(200, 0, [1, 4]);
    assert.equal(s2.cwnd, 16 + 1.5, 'pipe 16, ceil(3 · 10 / 20) = 1.5');
  });

  it('counts nothing as delivered when the reordering timer begins the recovery', () => {
    const s = sending(10, 10);
    s.ack(200, 0, [1, 3]);
    s.t.advance(224);
    assert.equal(s.snapshot.recovery, 'open');
    assert.deepEqual(s.sent(225), [0]);
    // pipe 7 is above ssthresh 5: only the forced segment.
    assert.equal(s.cwnd, 7 + 1);
    // RecoverFS is 8, without the two that were delivered before: one delivered allows for 0.625 segments.
    s.ack(230, 0, [1, 4]);
    assert.equal(Math.ceil(s.cwnd * 1000) / 1000, 7, 'one went out already');
    s.ack(231, 0, [1, 5]);
    assert.ok(Math.abs(s.cwnd - (6 + 0.25)) < 0.001, `pipe 6, 2 · 5 / 8 − 1: cwnd ${s.cwnd}`);
  });

  it('holds the burst back that cwnd = ssthresh would let go at once', () => {
    const burst = (prr: boolean): number => {
      const s = sending(100, 20, { prr });
      // Half of the flight is lost: the pipe falls to 2.
      s.ack(200, 0, [12, 20]);
      return s.sent(200).length;
    };
    assert.equal(burst(true), 8, 'as many as were delivered');
    assert.equal(burst(false), 10, 'without PRR up to ssthresh, whatever was delivered');
  });

  it('grows by a segment more for each ACK that advances without further loss (§6: safeACK)', () => {
    const s = sending(100, 20);
    s.ack(200, 0, [16, 20]);
    // pipe 0, ssthresh 10, four delivered.
    assert.deepEqual(s.sent(200), [0, 1, 2, 3]);
    s.ack(300, 1, [16, 20]);
    assert.deepEqual(s.sent(300), [4, 5], 'one delivered, one for the safe ACK');
    s.ack(301, 2, [16, 20]);
    assert.deepEqual(s.sent(301), [6, 7]);
    s.ack(302, 2, [15, 20]);
    assert.deepEqual(s.sent(302), [8], 'no advance: as many as were delivered');
  });

  it('not for one that shows a further loss', () => {
    const s = sending(100, 20);
    s.ack(200, 0, [10, 20]);
    assert.deepEqual(s.sent(200), range(0, 10));
    // 2 is lost again: 3, sent with it, has arrived. Three delivered, pipe 6.
    s.ack(300, 2, [3, 4], [10, 20]);
    assert.deepEqual(s.sent(300), [2, 20, 21]);
  });

  it('ends with cwnd = ssthresh also where it had fallen far below', () => {
    const s = sending(100, 20);
    s.ack(200, 0, [16, 20]);
    assert.equal(s.cwnd, 4);
    // All of it had only been late.
    s.ack(210, 20);
    assert.equal(s.snapshot.recovery, 'open');
    assert.equal(s.cwnd, 10);
  });

  it('leaves cwnd at ssthresh after all is repaired', () => {
    for (const prr of [true, false]) {
      const s = sending(60, 20, { prr });
      const arrived = new Set(range(0, 20).filter((segment) => ![0, 4, 8, 12].includes(segment)));
      let at = 200;
      answer(s, at, arrived);
      while (s.snapshot.recovery !== 'open') {
        for (const segment of s.sent(at + 99)) arrived.add(segment);
        at += 100;
        answer(s, at, arrived);
        assert.ok(at < 1_500, 'the recovery ends');
      }
      assert.equal(s.snapshot.fastRecoveries, 1);
      assert.equal(s.snapshot.recovery, 'open');
      assert.equal(s.cwnd, s.ssthresh);
    }
  });
});

/** One ACK for all that has arrived. */
function answer(s: Sender, at: number, arrived: ReadonlySet<number>): void {
  let next = 0;
  while (arrived.has(next)) next++;
  const blocks: [number, number][] = [];
  for (const segment of [...arrived].filter((one) => one > next).sort((a, b) => a - b)) {
    const last = blocks.at(-1);
    if (last && last[1] === segment) last[1]++;
    else blocks.push([segment, segment + 1]);
  }
  s.ack(at, next, ...blocks.slice(-4));
}
