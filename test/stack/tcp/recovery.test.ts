import assert from 'node:assert/strict';
import { seqOf, TcpHarness } from '../../support/tcp-harness';

const MSS = 1460;
const seg = (n: number) => 1 + n * MSS;

describe('TCP fast retransmit (RFC 5681 §3.2)', () => {
  it('repeats the first unacknowledged segment at the third duplicate ACK', () => {
    const { t, socket } = sending(10);
    dup(t, 200, seg(0), 2);
    assert.ok(t.take(200).every((seen) => seqOf(seen) >= seg(10)), 'no retransmission before the third');
    dup(t, 201, seg(0), 1);
    t.expect(201, { flags: 'ACK', seq: seg(0), payload: MSS });
    t.expectNothing(201);
    const snapshot = socket.snapshot();
    assert.equal(snapshot.fastRecoveries, 1);
    assert.equal(snapshot.timeouts, 0);
    assert.equal(t.counters.fastRetransmits, 1);
  });

  it('halves the window to max(FlightSize/2, 2 SMSS) and ends there (eq. 4; RFC 6582 §3.2)', () => {
    const { t, socket } = sending(10);
    dup(t, 200, seg(0), 3);
    assert.equal(socket.snapshot().ssthreshBytes, 5 * MSS);
    t.take(200);
    t.send(300, { flags: 'ACK', seq: 1, ack: seg(10) });
    const { cwndBytes, ssthreshBytes } = socket.snapshot();
    assert.equal(ssthreshBytes, 5 * MSS);
    assert.ok(cwndBytes <= 5 * MSS, `cwnd ${cwndBytes / MSS} segments after recovery`);
    assert.ok(cwndBytes >= MSS);
  });

  it('counts as duplicates only pure ACKs that change nothing (§2 definition)', () => {
    const { t, socket } = sending(10);
    t.send(200, { flags: 'ACK', seq: 1, ack: 1, win: 60_000 });
    t.send(200, { flags: 'ACK', seq: 1, ack: 1, win: 61_000 });
    t.send(200, { flags: 'ACK', seq: 1, ack: 1, win: 62_000 });
    t.send(200, { flags: 'ACK', seq: 1, ack: 1, win: 63_000 });
    t.send(200, { flags: 'ACK', seq: 1, ack: 1, win: 63_000, payload: 10 });
    t.send(200, { flags: 'ACK', seq: 11, ack: 1, win: 63_000, payload: 10 });
    t.send(200, { flags: 'ACK', seq: 21, ack: 1, win: 63_000, payload: 10 });
    const again = t.take(230).filter((seen) => seen.wire.payload.length && seqOf(seen) === 1);
    assert.equal(again.length, 0, 'window updates and data are no duplicates');
    assert.equal(socket.snapshot().fastRecoveries, 0);
  });

  it('does nothing when nothing is outstanding', () => {
    const t = new TcpHarness();
    t.establish();
    dup(t, 10, 1, 10);
    t.expectNothing(10_000);
  });

  it('sends new data on the duplicates before and after, as far as the window allows (RFC 3042, RFC 5681 §3.2 step 4)', () => {
    const { t, socket } = sending(10, 40);
    dup(t, 200, seg(0), 3);
    const early = t.take(200);
    assert.deepEqual(early.filter((seen) => seqOf(seen) === seg(0)).length, 1);
    dup(t, 201, seg(0), 7);
    const later = t.take(201).map(seqOf);
    assert.ok(later.every((seq) => seq >= seg(10)), `only new data: ${later.join()}`);
    assert.ok(later.length >= 1 && later.length <= 7, 'the window inflates by a segment per duplicate');
    assert.ok(socket.snapshot().flightBytes <= 20 * MSS);
  });
});

describe('TCP NewReno (RFC 6582)', () => {
  it('repeats the next hole at each partial ACK, without waiting for more duplicates (§3.2 step 3)', () => {
    const { t, socket } = sending(10);
    dup(t, 200, seg(0), 3);
    t.expect(200, { flags: 'ACK', seq: seg(0), payload: MSS });
    // Segments 0, 3 and 6 were lost.
    t.send(300, { flags: 'ACK', seq: 1, ack: seg(3) });
    t.expect(300, { flags: 'ACK', seq: seg(3), payload: MSS });
    t.send(400, { flags: 'ACK', seq: 1, ack: seg(6) });
    t.expect(400, { flags: 'ACK', seq: seg(6), payload: MSS });
    t.send(500, { flags: 'ACK', seq: 1, ack: seg(10) });
    t.expectNothing(20_000);
    assert.equal(socket.bufferedBytes, 0);
    assert.equal(socket.snapshot().fastRecoveries, 1, 'one loss event, one reduction');
    assert.equal(socket.snapshot().timeouts, 0);
  });

  it('takes the inflation of what a partial ACK acknowledges back, so that no burst follows (§3.2 step 3)', () => {
    const { t } = sending(10, 60);
    // 0 and 3 are lost; the eight others, then the new segments, arrive.
    dup(t, 200, seg(0), 8);
    const early = t.take(200).map(seqOf);
    dup(t, 300, seg(0), early.filter((seq) => seq >= seg(10)).length);
    t.take(300);
    t.send(301, { flags: 'ACK', seq: 1, ack: seg(3) });
    const seen = t.take(301).map(seqOf);
    assert.equal(seen[0], seg(3));
    assert.ok(seen.length <= 2, `the hole and one new segment at most: ${seen.length}`);
  });

  it('does not reduce again for duplicates that belong to the same window (§3.2 step 1: recover)', () => {
    const { t, socket } = sending(10);
    dup(t, 200, seg(0), 9);
    t.take(200);
    t.send(300, { flags: 'ACK', seq: 1, ack: seg(2) });
    t.take(300);
    dup(t, 310, seg(2), 6);
    t.take(310);
    assert.equal(socket.snapshot().fastRecoveries, 1);
    assert.equal(socket.snapshot().ssthreshBytes, 5 * MSS);
  });

  it('falls back to the RTO when the retransmission is lost too', () => {
    const { t, socket } = sending(10);
    dup(t, 200, seg(0), 9);
    t.expect(200, { flags: 'ACK', seq: seg(0), payload: MSS });
    t.take(200);
    t.expect([300, 1_500], { flags: 'ACK', seq: seg(0), payload: MSS });
    assert.equal(socket.snapshot().timeouts, 1);
    t.take(t.now);
    t.send(t.now + 100, { flags: 'ACK', seq: 1, ack: seg(10) });
    assert.equal(socket.bufferedBytes, 0);
    t.expectNothing(t.now + 10_000);
  });

  it('does not enter recovery for duplicates of what an RTO has repeated already (§3.2 step 1, §4)', () => {
    const { t, socket } = sending(10);
    t.expect(400, { flags: 'ACK', seq: seg(0), payload: MSS });
    // The nine others were never lost: their duplicates come late.
    dup(t, 410, seg(0), 9);
    t.take(410);
    assert.equal(socket.snapshot().fastRecoveries, 0);
  });

  it('delivers everything whatever two segments of a window are lost', () => {
    for (let first = 0; first < 10; first++) {
      for (let second = first + 1; second < 10; second++) {
        const { t, socket } = sending(10);
        const lost = new Set([seg(first), seg(second)]);
        const got = new Set<number>();
        let arrivals = Array.from({ length: 10 }, (_, i) => seg(i)).filter((seq) => !lost.has(seq));
        for (let at = 150; at < 20_000 && socket.bufferedBytes > 0; at += 50) {
          for (const seq of arrivals) {
            got.add(seq);
            let next = 0;
            while (got.has(seg(next))) next++;
            t.send(at, { flags: 'ACK', seq: 1, ack: seg(next) });
          }
          arrivals = t.take(at + 49).map(seqOf);
        }
        assert.equal(socket.bufferedBytes, 0, `lost ${first} and ${second}`);
        assert.ok(t.now < 3_000, `lost ${first} and ${second}: took ${t.now} ms`);
      }
    }
  });
});

describe('TCP congestion window (RFC 5681, RFC 6928)', () => {
  it('begins with ten segments (RFC 6928 §2)', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    assert.equal(socket.snapshot().cwndBytes, 10 * MSS);
    t.write(0, socket, 40 * MSS);
    assert.equal(t.take(0).length, 10);
    t.expectNothing(100);
  });

  it('begins with one segment when the SYN was lost (RFC 5681 §3.1)', () => {
    const t = new TcpHarness();
    const socket = t.connect();
    t.take(1_000);
    t.send(1_100, { flags: 'SYN ACK', seq: 0, ack: 1, mss: MSS });
    t.take(1_100);
    t.write(1_100, socket, 5 * MSS);
    t.expect(1_100, { flags: 'ACK', seq: 1, payload: MSS });
    t.expectNothing(1_200);
  });

  it('grows by a segment for each acknowledged segment in slow start (§3.1 eq. 2)', () => {
    const { t, socket } = sending(10, 40);
    for (let i = 1; i <= 10; i++) {
      t.send(200, { flags: 'ACK', seq: 1, ack: seg(i) });
      assert.equal(socket.snapshot().cwndBytes, (10 + i) * MSS);
    }
    assert.equal(t.take(200).length, 20, 'two new segments for each acknowledged');
  });

  it('does not grow by an ACK that acknowledges nothing new', () => {
    const { t, socket } = sending(10, 40);
    dup(t, 200, 1, 1);
    assert.equal(socket.snapshot().cwndBytes, 10 * MSS);
  });

  it('does not grow while the application, not the window, is the limit (RFC 7661 §4.1)', () => {
    const t = new TcpHarness();
    const socket = t.establish({ rtt: 100 });
    for (let i = 0; i < 50; i++) {
      const at = 100 + i * 200;
      t.write(at, socket, 100);
      t.take(at);
      t.send(at + 100, { flags: 'ACK', seq: 1, ack: 1 + (i + 1) * 100 });
    }
    assert.ok(socket.snapshot().cwndBytes <= 11 * MSS, `cwnd ${socket.snapshot().cwndBytes}`);
  });

  it('grows by about one segment per round trip in congestion avoidance (§3.1 eq. 3)', () => {
    const { t, socket } = sending(10, 200);
    dup(t, 200, seg(0), 3);
    t.take(200);
    t.send(300, { flags: 'ACK', seq: 1, ack: seg(10) });
    let sent = t.take(300);
    const windows: number[] = [];
    let acked = 10;
    for (let round = 0; round < 8; round++) {
      const at = 400 + round * 100;
      const count = sent.length;
      for (let i = 0; i < count; i++) t.send(at, { flags: 'ACK', seq: 1, ack: seg(++acked) });
      sent = t.take(at);
      windows.push(socket.snapshot().cwndBytes / MSS);
    }
    const ssthresh = socket.snapshot().ssthreshBytes / MSS;
    const avoiding = windows.filter((window) => window > ssthresh + 0.5);
    assert.ok(avoiding.length >= 3, windows.join());
    for (let i = 1; i < avoiding.length; i++) {
      const growth = (avoiding[i] ?? 0) - (avoiding[i - 1] ?? 0);
      assert.ok(growth >= 0 && growth <= 1.2, `grew by ${growth} segments in a round: ${windows.join()}`);
    }
    assert.ok((avoiding.at(-1) ?? 0) - (avoiding[0] ?? 0) >= (avoiding.length - 1) * 0.5, `grows too slowly: ${windows.join()}`);
  });

  it('is used again from the restart window after an idle RTO (§4.1)', () => {
    const { t, socket } = sending(10, 40);
    for (let i = 1; i <= 40; i++) {
      t.send(200 + i, { flags: 'ACK', seq: 1, ack: seg(i) });
      t.take(200 + i);
    }
    assert.equal(socket.bufferedBytes, 0);
    assert.ok(socket.snapshot().cwndBytes > 20 * MSS);
    t.write(10_000, socket, 40 * MSS);
    assert.equal(t.take(10_000).length, 10);
  });
});

describe('TCP restart after idle (RFC 5681 §4.1)', () => {
  it('counts from the last data sent: acknowledgments of what the peer sends do not keep the old window', () => {
    const { t, socket } = sending(10, 40);
    for (let i = 1; i <= 40; i++) {
      t.send(200 + i, { flags: 'ACK', seq: 1, ack: seg(i) });
      t.take(200 + i);
    }
    assert.ok(socket.snapshot().cwndBytes > 20 * MSS);
    for (let i = 0; i < 100; i++) {
      t.send(300 + i * 100, { flags: 'ACK', seq: 1 + i * 100, ack: seg(40), payload: 100 });
      t.take(350 + i * 100);
    }
    t.write(10_260, socket, 40 * MSS);
    assert.equal(t.take(10_260).length, 10);
  });
});

/** An open connection (RTT 100 ms) that has just sent `segments` full segments at time 100, with `total` written. */
function sending(segments: number, total = segments) {
  const t = new TcpHarness();
  const socket = t.establish({ rtt: 100 });
  t.write(100, socket, total * MSS);
  assert.equal(t.take(100).length, segments);
  return { t, socket };
}

function dup(t: TcpHarness, at: number, ack: number, count: number): void {
  for (let i = 0; i < count; i++) t.send(at, { flags: 'ACK', seq: 1, ack });
}
