import assert from 'node:assert/strict';
import { Cubic } from '../../../../stack/tcp/congestion/cubic';
import { Reno } from '../../../../stack/tcp/congestion/reno';
import { Path } from '../../../support/congestion-path';

const MSS = 1000;
const C = 0.4;
const BETA = 0.7;
/** RFC 9438 §4.3. */
const ALPHA = (3 * (1 - BETA)) / (1 + BETA);

/** RFC 9438 §4.2, in segments and seconds. */
const curve = (t: number, wMax: number, start: number): number => C * (t - Math.cbrt((wMax - start) / C)) ** 3 + wMax;

/** A window of `segments`, reduced by a loss at 0 ms while all of it was in flight. */
function reduced(segments: number, rttMs: number): Path<Cubic> {
  const path = new Path(new Cubic(10, false), MSS, rttMs);
  path.control.cwndBytes = segments * MSS;
  path.control.onCongestion(segments * MSS);
  return path;
}

describe('CUBIC decrease (RFC 9438 §4.6)', () => {
  it('multiplies the window by 0.7', () => {
    const { control } = reduced(100, 100);
    assert.equal(control.ssthreshBytes, 70 * MSS);
    assert.equal(control.cwndBytes, 70 * MSS);
    const reno = new Reno(10, false);
    reno.setMss(MSS);
    reno.cwndBytes = 100 * MSS;
    reno.onCongestion(100 * MSS);
    assert.equal(reno.ssthreshBytes, 50 * MSS, 'with congestion: reno by a half');
  });

  it('goes by what was in flight where an application did not fill the window', () => {
    const path = new Path(new Cubic(10, false), MSS, 100);
    path.control.cwndBytes = 100 * MSS;
    path.control.onCongestion(20 * MSS);
    assert.equal(path.control.ssthreshBytes, 14 * MSS);
  });

  it('leaves two segments', () => {
    const { control } = reduced(2, 100);
    assert.equal(control.ssthreshBytes, 2 * MSS);
    assert.equal(control.cwndBytes, 2 * MSS);
  });
});

describe('CUBIC growth (RFC 9438 §4.2, §4.4, §4.5)', () => {
  it('follows W(t) = C(t − K)³ + Wmax: concave up to the last maximum, convex beyond', () => {
    const path = reduced(100, 200);
    const k = Math.cbrt(30 / C);
    const seen: [number, number][] = [];
    for (let t = 0.2; t <= 9; t += 0.2) {
      path.round();
      seen.push([t, path.segments]);
    }
    for (const [t, segments] of seen) {
      // Within a round trip the window moves to where the curve will be at its end.
      const low = curve(t - 0.4, 100, 70) - 0.5;
      const high = curve(t + 0.2, 100, 70) + 0.5;
      assert.ok(segments >= low && segments <= high, `t ${t.toFixed(1)}: ${segments.toFixed(2)} is not within ${low.toFixed(2)}…${high.toFixed(2)}`);
    }
    const at = (t: number): number => seen.find(([time]) => Math.abs(time - t) < 0.01)?.[1] ?? NaN;
    assert.ok(at(1) - at(0.4) > 2 * (at(3) - at(2.4)), 'concave: slower toward the maximum');
    assert.ok(Math.abs(at(4.2) - 100) < 0.7, `at K = ${k.toFixed(2)} the window is ${at(4.2)}`);
    assert.ok(at(8) - at(7.4) > 2 * (at(6) - at(5.4)), 'convex: faster away from it');
  });

  it('follows it closely over short round trips of a large window', () => {
    const path = reduced(400, 100);
    for (const t of [3, 6, 9, 12, 15]) {
      while (path.now < t * 1000 - 1) path.round();
      const slope = (curve(t + 0.01, 400, 280) - curve(t - 0.01, 400, 280)) / 0.02;
      const off = path.segments - curve(t, 400, 280);
      assert.ok(Math.abs(off) < 0.5 + 0.05 * slope, `t ${t}: off by ${off}`);
    }
  });

  it('counts t from the end of the recovery (§4.2), not from the first ACK after it', () => {
    const after = (waitMs: number): number => {
      const path = reduced(400, 100);
      path.control.onRecoveryEnd(0);
      path.now = waitMs;
      while (path.now < 2_000) path.round();
      return path.segments;
    };
    assert.ok(Math.abs(after(1_000) - after(0)) < 4, `${after(1_000)} and ${after(0)}`);
  });

  it('depends on time, not on the round trip', () => {
    const after = (rttMs: number): number => {
      const path = reduced(400, rttMs);
      while (path.now < 4_000) path.round();
      return path.segments;
    };
    assert.ok(Math.abs(after(100) - after(400)) < 15, `${after(100)} and ${after(400)}`);
  });

  it('grows by half at most in a round trip', () => {
    const path = reduced(100, 200);
    path.round();
    path.now += 60_000;
    for (let round = 0; round < 3; round++) {
      const before = path.segments;
      path.round();
      assert.ok(path.segments <= 1.65 * before, `${before} to ${path.segments}`); // 1.5, compounded over the ACKs of the round
    }
  });

  it('never shrinks by an ACK', () => {
    const path = reduced(100, 50);
    let last = path.segments;
    for (let ack = 0; ack < 20_000; ack++) {
      path.now += 0.5;
      path.ack(1);
      assert.ok(path.segments >= last);
      last = path.segments;
    }
  });

  it('starts a curve at its plateau when slow start ended without loss (§4.10)', () => {
    const path = new Path(new Cubic(10, false), MSS, 200);
    path.control.cwndBytes = 50 * MSS;
    path.control.ssthreshBytes = 50 * MSS;
    while (path.now < 4_000) path.round();
    // Reno's 50 + 20 round trips lie below 0.4 · 4³ + 50.
    assert.ok(path.segments >= curve(3.8, 50, 50) && path.segments <= curve(4.2, 50, 50) + 0.5, `${path.segments} after 4 s`);
  });
});

describe('CUBIC where Reno would be faster (RFC 9438 §4.3)', () => {
  it('grows by 0.529 segments per round trip up to the window before the loss, then by one', () => {
    const path = reduced(20, 10);
    const rounds: number[] = [];
    for (let round = 0; round < 30; round++) {
      path.round();
      rounds.push(path.segments);
    }
    // The curve needs K = 2.5 s to reach 20 again; Reno 6/0.529 = 11 round trips of 10 ms.
    for (const round of [2, 5, 9]) assert.ok(Math.abs((rounds[round] ?? 0) - (14 + ALPHA * (round + 1))) < 0.4, `round ${round}: ${rounds[round]}`);
    const late = (rounds[29] ?? 0) - (rounds[19] ?? 0);
    assert.ok(late > 9 && late < 11, `one per round trip: ${late} in ten`);
  });

  it('keeps 0.529 up to the window before the loss even after fast convergence', () => {
    const path = reduced(200, 10);
    path.control.cwndBytes = 100 * MSS;
    path.control.onCongestion(100 * MSS);
    // Wmax is 85 now, the window before the loss was 100: between them still 0.529.
    while (path.segments < 86) path.round();
    const before = path.segments;
    for (let round = 0; round < 10; round++) path.round();
    assert.ok(Math.abs(path.segments - before - 10 * ALPHA) < 0.8, `${before} to ${path.segments}`);
  });
});

describe('CUBIC fast convergence (RFC 9438 §4.7)', () => {
  it('remembers less than the window when it shrank from one loss to the next', () => {
    const path = reduced(100, 200);
    path.control.cwndBytes = 80 * MSS;
    path.control.onCongestion(80 * MSS);
    // Wmax = 80 · 0.85 = 68; K = cbrt((68 − 56) / 0.4) = 3.1 s.
    while (path.now < 3_100) path.round();
    assert.ok(Math.abs(path.segments - 68) < 0.7, `the plateau is at ${path.segments}`);
  });

  it('remembers all of it when it grew', () => {
    const path = reduced(100, 200);
    path.control.cwndBytes = 120 * MSS;
    path.control.onCongestion(120 * MSS);
    while (path.now < 1000 * Math.cbrt(36 / C)) path.round();
    assert.ok(Math.abs(path.segments - 120) < 0.7, `the plateau is at ${path.segments}`);
  });
});

describe('CUBIC after a timeout (RFC 9438 §4.8)', () => {
  it('starts from one segment with ssthresh at 0.7 of the flight', () => {
    const path = new Path(new Cubic(10, false), MSS, 200);
    path.control.cwndBytes = 100 * MSS;
    path.control.onTimeout(100 * MSS, true, 0);
    assert.equal(path.control.cwndBytes, MSS);
    assert.equal(path.control.ssthreshBytes, 70 * MSS);
  });

  it('does not aim at the old maximum: K is 0, the curve starts where congestion avoidance does', () => {
    const path = new Path(new Cubic(10, false), MSS, 200);
    path.control.cwndBytes = 100 * MSS;
    path.control.onTimeout(100 * MSS, true, 0);
    while (path.segments < 70) path.round();
    const began = path.now;
    const start = path.segments;
    while (path.now - began < 2_000) path.round();
    assert.ok(Math.abs(path.segments - (start + ALPHA * 10)) < 1.5, `2 s later ${path.segments}; the curve of the old maximum would be at ${curve(2, 100, start)}`);
  });

  it('reduces once for repeated timeouts of one segment', () => {
    const path = new Path(new Cubic(10, false), MSS, 200);
    path.control.cwndBytes = 100 * MSS;
    path.control.onTimeout(100 * MSS, true, 0);
    path.control.onTimeout(MSS, false, 1_000);
    assert.equal(path.control.ssthreshBytes, 70 * MSS);
  });
});

describe('CUBIC and idleness, undo', () => {
  it('the curve stands still while nothing is sent (§4.2)', () => {
    const grow = (idleMs: number): number => {
      const path = new Path(new Cubic(1_000, false), MSS, 200);
      path.control.cwndBytes = 100 * MSS;
      path.control.onCongestion(100 * MSS);
      for (let round = 0; round < 5; round++) path.round();
      path.now += idleMs;
      if (idleMs) path.control.onIdle(idleMs);
      for (let round = 0; round < 5; round++) path.round();
      return path.segments;
    };
    assert.ok(Math.abs(grow(20_000) - grow(0)) < 0.01, `${grow(20_000)} and ${grow(0)}`);
  });

  it('a reduction taken back restores window, threshold and maximum (§4.9)', () => {
    const path = reduced(100, 200);
    const { control } = path;
    control.cwndBytes = 80 * MSS;
    const before = control.ssthreshBytes;
    control.remember();
    control.onCongestion(80 * MSS);
    control.undo();
    assert.equal(control.cwndBytes, 80 * MSS);
    assert.equal(control.ssthreshBytes, before);
    // The maximum is 100 again: from 80 the curve has its plateau there after cbrt(20 / 0.4) = 3.7 s.
    const began = path.now;
    while (path.now - began < 3_700) path.round();
    assert.ok(Math.abs(path.segments - 100) < 1, `${path.segments}`);
  });

  it('a reduction taken back twice does not grow the window', () => {
    const { control } = reduced(100, 200);
    control.remember();
    control.onCongestion(70 * MSS);
    control.undo();
    control.onCongestion(70 * MSS);
    const { cwndBytes } = control;
    control.undo();
    assert.equal(control.cwndBytes, cwndBytes, 'nothing is remembered any more');
  });
});
