import assert from 'node:assert/strict';
import { Sender } from '../../support/tcp-sender';

/** CUBIC after a loss at 200 ms: recovered at 300, the window 0.7 of what it was. RTT 100. */
function recovered(): Sender {
  const s = new Sender({ write: 40, sent: 40, config: { congestion: 'cubic', tlp: false, initialWindowSegments: 40 } });
  s.ack(200, 0, [1, 40]);
  assert.deepEqual(s.sent(299), [0]);
  s.ack(300, 40);
  assert.equal(s.cwnd, 28);
  return s;
}

/** Full windows for some round trips, from `at` on, when `acked` segments have been acknowledged. @returns the window after each */
function bulk(s: Sender, at: number, acked: number, rounds: number): number[] {
  const windows: number[] = [];
  for (let round = 0; round < rounds; round++, at += 100) {
    s.write(at, Math.floor(s.cwnd) + 1 - Math.ceil(s.snapshot.unsentBytes / s.mss));
    const sent = s.sent(at).length;
    for (let i = 0; i < sent; i++) s.ack(at + 100, ++acked);
    windows.push(s.cwnd);
  }
  return windows;
}

describe('TCP with CUBIC', () => {
  it('grows after a loss along the curve (RFC 9438 §4.2), Reno by a segment for each round trip', () => {
    const cubic = bulk(recovered(), 300, 40, 20).at(-1) ?? 0;
    // 2 s after the recovery: 0.4 (2 − K)³ + 40 with K = cbrt(12 / 0.4) = 3.1.
    assert.ok(Math.abs(cubic - 39.5) < 1, `${cubic}`);
    const s = new Sender({ write: 40, sent: 40, config: { congestion: 'reno', tlp: false, initialWindowSegments: 40 } });
    s.ack(200, 0, [1, 40]);
    s.sent(299);
    s.ack(300, 40);
    assert.equal(s.cwnd, 20);
    const reno = bulk(s, 300, 40, 10).at(-1) ?? 0;
    assert.ok(Math.abs(reno - 30) <= 1.5, `${reno}`);
  });

  it('does not count the time in which the application, not the window, was the limit (RFC 9438 §5.8)', () => {
    const s = recovered();
    let at = 300;
    let acked = 40;
    for (let i = 0; i < 600; i++, at += 100) {
      s.write(at, 1);
      assert.deepEqual(s.sent(at), [acked]);
      s.ack(at + 90, ++acked);
    }
    assert.equal(s.cwnd, 28, 'a window that is not used does not grow');
    const windows = bulk(s, at, acked, 3);
    // At this point of the curve a round trip adds a segment or two; a minute of it would add half of the window each time.
    assert.ok((windows[2] ?? 0) < 36, windows.join());
  });

  it('grows in slow start to about twice what the last round trip had in flight, however many ACKs tell of it (RFC 9438 §5.8)', () => {
    const s = new Sender({ write: 6, config: { congestion: 'cubic', tlp: false } });
    for (let acked = 1; acked <= 6; acked++) s.ack(200, acked);
    assert.equal(s.cwnd, 13, 'six in flight, whether or not some of them have been acknowledged meanwhile');
    s.write(200, 6);
    assert.deepEqual(s.sent(200), [6, 7, 8, 9, 10, 11]);
    for (let acked = 7; acked <= 12; acked++) s.ack(300, acked);
    assert.equal(s.cwnd, 13, 'less than half is in use');
  });

  it('does not count idle time either (§4.2)', () => {
    const s = recovered();
    const windows = bulk(s, 60_000, 40, 5);
    assert.ok((windows[4] ?? 0) < 36, windows.join());
  });
});
