import assert from 'node:assert/strict';
import { Cubic } from '../../../../stack/tcp/congestion/cubic';
import { Reno } from '../../../../stack/tcp/congestion/reno';
import { Path } from '../../../support/congestion-path';
import { Sender } from '../../../support/tcp-sender';

const MSS = 1000;

/** Round by round: each ACK of a round measures the RTT named for it. @returns the window after each round, in segments */
function rounds(rtts: readonly number[], hystart = true, control: Cubic | Reno = new Reno(16, hystart)): { windows: number[]; path: Path } {
  const path = new Path(control, MSS, 100);
  const windows = rtts.map((rtt) => {
    path.rttMs = rtt;
    path.round();
    return path.segments;
  });
  return { windows, path };
}

describe('HyStart++ (RFC 9406 §4.2)', () => {
  it('leaves ordinary slow start when the least RTT of a round is an eighth above that of the one before', () => {
    const { windows } = rounds([100, 100, 113]);
    assert.deepEqual(windows.slice(0, 2), [32, 64]);
    // Eight samples of the third round are needed to see it; from then on a quarter.
    assert.ok((windows[2] ?? 0) < 64 + 8 + 57 / 4 + 1, `${windows[2]}`);
  });

  it('stays in it for less', () => {
    assert.deepEqual(rounds([100, 100, 112, 112, 112]).windows, [32, 64, 128, 256, 512]);
  });

  it('takes at least 4 ms for a sign, and at most 16', () => {
    assert.deepEqual(rounds([8, 8, 11.9]).windows, [32, 64, 128]);
    assert.ok((rounds([8, 8, 12]).windows[2] ?? 0) < 100);
    assert.deepEqual(rounds([400, 400, 415]).windows, [32, 64, 128]);
    assert.ok((rounds([400, 400, 416]).windows[2] ?? 0) < 100);
  });

  it('needs eight samples in a round', () => {
    const path = new Path(new Reno(7, true), MSS, 100);
    path.round();
    path.rttMs = 200;
    for (let i = 0; i < 7; i++) path.ack(1);
    assert.equal(path.segments, 21, '7, doubled, and one for each of seven');
    path.ack(1);
    path.ack(1);
    assert.ok(path.segments < 21.6, `${path.segments}`);
  });

  it('grows at a quarter in conservative slow start, for five rounds, then congestion avoidance begins', () => {
    const { windows, path } = rounds([100, 100, 150, 150, 150, 150, 150]);
    for (let round = 3; round <= 6; round++) {
      const growth = (windows[round] ?? 0) / (windows[round - 1] ?? 1);
      assert.ok(growth > 1.15 && growth < 1.3, `round ${round}: ${windows.join()}`);
    }
    assert.equal(path.control.ssthreshBytes, Infinity);
    for (let i = 0; i < 10; i++) path.ack(1);
    assert.ok(Number.isFinite(path.control.ssthreshBytes));
    const window = path.segments;
    path.round();
    assert.ok(path.segments - window < 2, `congestion avoidance: ${window} to ${path.segments}`);
  });

  it('goes back to ordinary slow start when the delay was a passing one', () => {
    const { windows } = rounds([100, 100, 150, 100, 100, 100]);
    const last = (windows[5] ?? 0) / (windows[4] ?? 1);
    assert.ok(last > 1.9, windows.join());
  });

  it('does not when the delay stays', () => {
    const { windows } = rounds([100, 100, 150, 150, 150, 150]);
    assert.ok((windows[5] ?? 0) / (windows[4] ?? 1) < 1.3, windows.join());
  });

  it('takes no samples from ACKs that measure nothing', () => {
    const path = new Path(new Reno(16, true), MSS, 100);
    path.round();
    for (let i = 0; i < 30; i++) path.ack(1, i < 5 ? 500 : null);
    assert.equal(path.segments, 62);
  });

  it('watches the first slow start only (§4.2: initial)', () => {
    const path = new Path(new Reno(16, true), MSS, 100);
    path.control.ssthreshBytes = 1_000 * MSS;
    for (const rtt of [100, 100, 200, 400]) {
      path.rttMs = rtt;
      path.round();
    }
    assert.equal(path.segments, 256);
  });

  it('is the same under CUBIC', () => {
    const { windows } = rounds([100, 100, 150, 150], true, new Cubic(16, true));
    assert.ok((windows[3] ?? 0) / (windows[2] ?? 1) < 1.3, windows.join());
  });

  it('does nothing when switched off', () => {
    assert.deepEqual(rounds([100, 100, 150, 300, 600], false).windows, [32, 64, 128, 256, 512]);
  });
});

describe('TCP slow start over a path whose queue fills', () => {
  /** Ten rounds in which every ACK comes later than in the round before. @returns the window in segments */
  const grow = (hystart: boolean): number => {
    const s = new Sender({ write: 0, config: { hystart, tlp: false, minRtoMs: 5_000, sendBufferBytes: 1 << 20 }, peer: { wscale: 5, win: 60_000 } });
    s.ackWith(100, 0, [], { win: 60_000 });
    let at = 100;
    let acked = 0;
    s.write(at, 400);
    let inFlight = s.sent(at).length;
    for (let round = 0; round < 4; round++) {
      at += 100 + 60 * round;
      for (let i = 0; i < inFlight; i++) s.ackWith(at, ++acked, [], { win: 60_000 });
      inFlight = s.sent(at).length;
    }
    return s.cwnd;
  };

  it('is left early with HyStart++, and doubles on without', () => {
    assert.equal(grow(false), 160);
    assert.ok(grow(true) < 80, `${grow(true)}`);
  });
});
