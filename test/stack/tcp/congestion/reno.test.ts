import assert from 'node:assert/strict';
import { Cubic } from '../../../../stack/tcp/congestion/cubic';
import { Reno } from '../../../../stack/tcp/congestion/reno';
import { Path } from '../../../support/congestion-path';

const MSS = 1000;

function reno(segments: number, ssthreshSegments = Infinity): Path<Reno> {
  const path = new Path(new Reno(10, false), MSS, 100);
  path.control.cwndBytes = segments * MSS;
  path.control.ssthreshBytes = ssthreshSegments * MSS;
  return path;
}

describe('Reno slow start (RFC 5681 §3.1, RFC 3465)', () => {
  it('doubles in a round trip', () => {
    const path = reno(10);
    path.round();
    assert.equal(path.segments, 20);
    path.round();
    assert.equal(path.segments, 40);
  });

  it('counts bytes, not ACKs', () => {
    const path = reno(10);
    path.ack(0.1);
    assert.equal(path.segments, 10.1);
    path.ack(2);
    assert.equal(path.segments, 12.1);
  });

  it('adds eight segments at most for one ACK', () => {
    const path = reno(100);
    path.ack(50);
    assert.equal(path.segments, 108);
  });

  it('ends at ssthresh, however much one ACK acknowledges', () => {
    for (const control of [new Reno(10, false), new Cubic(10, false)]) {
      const path = new Path(control, MSS, 100);
      control.cwndBytes = 6 * MSS;
      control.ssthreshBytes = 7 * MSS;
      path.ack(6);
      assert.ok(path.segments >= 7 && path.segments <= 8, `${control.constructor.name}: ${path.segments}`);
    }
  });
});

describe('Reno congestion avoidance (RFC 5681 §3.1 eq. 3)', () => {
  it('adds one segment in a round trip, whatever the number of ACKs', () => {
    for (const stretch of [1, 2, 5]) {
      const path = reno(20, 20);
      for (let round = 1; round <= 5; round++) {
        const window = Math.floor(path.segments);
        for (let acked = 0; acked < window; acked += stretch) path.ack(Math.min(stretch, window - acked));
        assert.ok(Math.abs(path.segments - 20 - round) <= 1, `stretch ${stretch}, round ${round}: ${path.segments}`);
      }
    }
  });
});

describe('Reno\'s count of acknowledged bytes (RFC 3465 §2.1)', () => {
  it('keeps what is left over when a segment is added', () => {
    const path = reno(20, 20);
    path.ack(25);
    assert.equal(path.segments, 21);
    path.ack(15);
    assert.equal(path.segments, 21);
    path.ack(1);
    assert.equal(path.segments, 22, '25 + 15 + 1 = 20 + 21');
  });
});

describe('Reno decrease (RFC 5681 §3.1 eq. 4)', () => {
  it('halves what was in flight, leaving two segments', () => {
    const path = reno(20);
    path.control.onCongestion(16 * MSS);
    assert.equal(path.control.ssthreshBytes, 8 * MSS);
    assert.equal(path.segments, 8);
    path.control.onCongestion(MSS);
    assert.equal(path.segments, 2);
  });

  it('falls to one segment on a timeout, and reduces ssthresh only for the first of a row', () => {
    const path = reno(20);
    path.control.onTimeout(16 * MSS, true, 0);
    assert.equal(path.segments, 1);
    assert.equal(path.control.ssthreshBytes, 8 * MSS);
    path.control.onTimeout(MSS, false, 0);
    assert.equal(path.control.ssthreshBytes, 8 * MSS);
  });

  it('is taken back by undo, once', () => {
    const path = reno(20, 30);
    path.control.remember();
    path.control.onTimeout(16 * MSS, true, 0);
    path.control.undo();
    assert.equal(path.segments, 20);
    assert.equal(path.control.ssthreshBytes, 30 * MSS);
    path.control.onCongestion(10 * MSS);
    path.control.undo();
    assert.equal(path.control.ssthreshBytes, 5 * MSS);
  });
});

describe('The initial window (RFC 6928 §2)', () => {
  it('is ten segments, less for jumbo segments, at least two', () => {
    for (const [mss, bytes] of [[536, 5_360], [1460, 14_600], [4_000, 14_600], [8_960, 17_920]] as const) {
      const control = new Reno(10, false);
      control.setMss(mss);
      assert.equal(control.cwndBytes, bytes, `MSS ${mss}`);
    }
  });

  it('is one after a lost SYN (RFC 5681 §3.1)', () => {
    const path = new Path(new Reno(10, false), MSS, 100);
    path.control.onLostSyn();
    assert.equal(path.segments, 1);
  });

  it('bounds the window after an idle time, and never raises it (RFC 5681 §4.1)', () => {
    const path = reno(50);
    path.control.restart();
    assert.equal(path.segments, 10);
    const small = reno(3);
    small.control.restart();
    assert.equal(small.segments, 3);
  });

  it('follows a smaller segment size only while nothing has been sent', () => {
    const path = new Path(new Reno(10, false), 1460, 100);
    path.control.setMss(536);
    assert.equal(path.control.cwndBytes, 5_360);
    path.ack(1);
    const { cwndBytes } = path.control;
    path.control.setMss(1_000);
    assert.equal(path.control.cwndBytes, cwndBytes);
  });
});
