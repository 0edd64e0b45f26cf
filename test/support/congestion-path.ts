/** Drives a congestion control by itself: round trips in which a full window is sent and acknowledged. */
import type { CongestionControl } from '../../stack/tcp/congestion/congestion';

export class Path<C extends CongestionControl = CongestionControl> {
  now = 0;
  private acked = 0;

  constructor(
    readonly control: C,
    readonly mss: number,
    public rttMs: number,
  ) {
    control.setMss(mss);
  }

  get segments(): number {
    return this.control.cwndBytes / this.mss;
  }

  /** One ACK for `segments`, now, when a window is in flight behind it. */
  ack(segments: number, rttMs: number | null = this.rttMs): void {
    this.acked += segments * this.mss;
    this.control.onAck({
      ackedBytes: segments * this.mss, rttMs, srttMs: this.rttMs,
      sndUna: this.acked >>> 0, sndNxt: (this.acked + Math.floor(this.control.cwndBytes)) >>> 0, now: this.now, paced: false,
    });
  }

  /** One round trip: an ACK for every segment of the window as it was, evenly spread. */
  round(): void {
    const segments = Math.max(1, Math.floor(this.segments));
    for (let i = 0; i < segments; i++) {
      this.now += this.rttMs / segments;
      this.ack(1);
    }
  }
}
