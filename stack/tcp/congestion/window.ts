/** What Reno and CUBIC have in common: slow start, the initial window, undo. */
import type { AckSample, CongestionControl } from './congestion';

export interface SavedWindow {
  readonly cwndBytes: number;
  readonly ssthreshBytes: number;
}

export abstract class Window implements CongestionControl {
  cwndBytes = 0;
  ssthreshBytes = Infinity;
  protected mss = 0;
  private started = false;
  private saved: SavedWindow | null = null;

  constructor(private readonly initialWindowSegments: number) {}

  abstract onAck(ack: AckSample): void;
  abstract onCongestion(flightBytes: number, now: number): void;

  onTimeout(flightBytes: number, first: boolean, now: number): void {
    if (first) this.onCongestion(flightBytes, now);
    this.started = true;
    this.cwndBytes = this.mss; // RFC 5681 §3.1: the loss window
  }

  onApplicationLimited(_now: number): void {}

  onRecoveryEnd(_now: number): void {}

  onIdle(_idleMs: number): void {}

  restart(): void {
    this.cwndBytes = Math.min(this.cwndBytes, this.initialWindow()); // RFC 5681 §4.1: RW = min(IW, cwnd)
  }

  onLostSyn(): void {
    this.started = true;
    this.cwndBytes = this.mss;
  }

  setMss(mss: number): void {
    this.mss = mss;
    this.cwndBytes = this.started ? Math.max(this.cwndBytes, mss) : this.initialWindow();
  }

  remember(): void {
    this.saved = { cwndBytes: this.cwndBytes, ssthreshBytes: this.ssthreshBytes };
  }

  undo(): void {
    if (!this.saved) return;
    this.cwndBytes = Math.max(this.cwndBytes, this.saved.cwndBytes);
    this.ssthreshBytes = this.saved.ssthreshBytes;
    this.saved = null;
  }

  /**
   * Grows by `bytes` in slow start, which ends at ssthresh (RFC 5681 §3.1).
   * @returns how many of the acknowledged bytes are left over for congestion avoidance
   */
  protected growSlowly(bytes: number, ackedBytes: number): number {
    const added = Math.min(bytes, this.ssthreshBytes - this.cwndBytes);
    this.cwndBytes += added;
    return added < bytes ? ackedBytes - added : 0;
  }

  protected begin(): void {
    this.started = true;
  }

  /** RFC 6928 §2 eq. 1, for a configurable number of segments. */
  private initialWindow(): number {
    return Math.min(this.initialWindowSegments * this.mss, Math.max(2 * this.mss, 1_460 * this.initialWindowSegments));
  }
}
