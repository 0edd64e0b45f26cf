/** Reno's window (RFC 5681), with the initial window of RFC 6928. */
import type { CongestionControl } from './congestion';

/**
 * Segments that one ACK may add in slow start. The peer sends one ACK for a batch, so a limit of one
 * (RFC 5681 §3.1 eq. 2) would hold a fast path back; eight is what RFC 9406 §4.2 takes without pacing.
 */
const SLOW_START_SEGMENTS_PER_ACK = 8;

export class Reno implements CongestionControl {
  cwndBytes = 0;
  ssthreshBytes = Infinity;
  private mss = 0;
  /** Bytes acknowledged since the last increase (RFC 5681 §3.1: appropriate byte counting, RFC 3465 §2.1). */
  private ackedBytes = 0;
  private started = false;

  constructor(private readonly initialWindowSegments: number) {}

  setMss(mss: number): void {
    this.mss = mss;
    if (!this.started) this.cwndBytes = this.initialWindow();
    else this.cwndBytes = Math.max(this.cwndBytes, mss);
  }

  onAck(ackedBytes: number): void {
    this.started = true;
    if (this.cwndBytes < this.ssthreshBytes) {
      this.cwndBytes += Math.min(ackedBytes, SLOW_START_SEGMENTS_PER_ACK * this.mss);
      return;
    }
    this.ackedBytes += ackedBytes;
    if (this.ackedBytes >= this.cwndBytes) {
      this.ackedBytes -= this.cwndBytes;
      this.cwndBytes += this.mss;
    }
  }

  onFastRecovery(flightBytes: number): void {
    this.started = true;
    // RFC 5681 §3.2 step 2 with eq. 4. The inflation by duplicate ACKs is recovery's, not ours.
    this.ssthreshBytes = Math.max(flightBytes / 2, 2 * this.mss);
    this.cwndBytes = this.ssthreshBytes;
    this.ackedBytes = 0;
  }

  onTimeout(flightBytes: number, first: boolean): void {
    this.started = true;
    if (first) this.ssthreshBytes = Math.max(flightBytes / 2, 2 * this.mss);
    this.cwndBytes = this.mss; // the loss window
    this.ackedBytes = 0;
  }

  onIdle(): void {
    // RW = min(IW, cwnd)
    this.cwndBytes = Math.min(this.cwndBytes, this.initialWindow());
  }

  onLostSyn(): void {
    this.started = true;
    this.cwndBytes = this.mss;
  }

  /** RFC 6928 §2 eq. 1. */
  private initialWindow(): number {
    return Math.min(this.initialWindowSegments * this.mss, Math.max(2 * this.mss, 14_600 * (this.initialWindowSegments / 10)));
  }
}
