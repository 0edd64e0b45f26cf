/** CUBIC (RFC 9438). Inside, windows are in segments and times in seconds, as the RFC has them. */
import type { AckSample } from './congestion';
import { SlowStart } from './slow-start';
import { Window } from './window';

/** RFC 9438 §5. */
const C = 0.4;
const BETA = 0.7;
/** §4.3: the Reno-friendly increase that goes with that decrease. */
const ALPHA = (3 * (1 - BETA)) / (1 + BETA);

export class Cubic extends Window {
  private readonly slowStart: SlowStart;
  /** Segments. */
  private wMax = 0;
  private savedWMax = 0;
  /** Start of the present congestion avoidance, s; null until its first ACK. */
  private epochStart: number | null = null;
  /** The last ACK that was counted, s. */
  private countedAt = 0;
  private cwndEpoch = 0;
  private k = 0;
  private wEst = 0;
  /** Segments, before the last reduction. */
  private cwndPrior = 0;
  private afterTimeout = false;

  constructor(initialWindowSegments: number, hystart: boolean) {
    super(initialWindowSegments);
    this.slowStart = new SlowStart(hystart);
  }

  onAck(ack: AckSample): void {
    this.begin();
    let { ackedBytes } = ack;
    if (this.cwndBytes < this.ssthreshBytes) {
      ackedBytes = this.growSlowly(this.slowStart.increase(ack, this.mss, this.ssthreshBytes === Infinity), ackedBytes);
      if (this.slowStart.isOver) this.ssthreshBytes = this.cwndBytes;
      if (ackedBytes === 0) return;
    }
    const now = ack.now / 1000;
    const cwnd = this.cwndBytes / this.mss;
    if (this.epochStart === null) this.beginEpoch(now, cwnd);
    this.countedAt = now;
    const acked = ackedBytes / this.mss;
    const rtt = (ack.srttMs ?? 0) / 1000;
    const t = now - (this.epochStart ?? now);
    // §4.3: what Reno would have by now; once past the last maximum it grows as Reno does.
    this.wEst += ((this.wEst >= this.cwndPrior ? 1 : ALPHA) * acked) / cwnd;
    const cubicNow = this.cubic(t);
    if (cubicNow < this.wEst) {
      this.cwndBytes = Math.max(this.cwndBytes, this.wEst * this.mss);
      return;
    }
    // §4.4, §4.5: toward where the curve will be in a round trip, at most half as much again.
    const target = Math.min(Math.max(this.cubic(t + rtt), cwnd), 1.5 * cwnd);
    this.cwndBytes += ((target - cwnd) / cwnd) * acked * this.mss;
  }

  onCongestion(flightBytes: number): void {
    this.begin();
    const cwnd = this.cwndBytes / this.mss;
    // §4.7: fast convergence leaves room for newcomers.
    this.savedWMax = this.wMax;
    this.cwndPrior = cwnd;
    this.afterTimeout = false;
    this.wMax = cwnd < this.wMax ? (cwnd * (1 + BETA)) / 2 : cwnd;
    // §4.6: from what was in flight, if that was less (an application that did not fill its window).
    this.ssthreshBytes = Math.max(flightBytes * BETA, 2 * this.mss);
    this.cwndBytes = this.ssthreshBytes;
    this.epochStart = null;
  }

  override onTimeout(flightBytes: number, first: boolean, now: number): void {
    super.onTimeout(flightBytes, first, now);
    this.epochStart = null;
    this.afterTimeout = true;
  }

  /** §5.8: time in which the window was not used does not move the curve. */
  override onApplicationLimited(nowMs: number): void {
    const now = nowMs / 1000;
    if (this.epochStart !== null) this.epochStart += now - this.countedAt;
    this.countedAt = now;
  }

  override onRecoveryEnd(now: number): void {
    this.beginEpoch(now / 1000, this.cwndBytes / this.mss); // §4.2: t counts from here
  }

  override onIdle(idleMs: number): void {
    // §4.2: the curve stands still while nothing is sent.
    if (this.epochStart === null) return;
    this.epochStart += idleMs / 1000;
    this.countedAt += idleMs / 1000;
  }

  override undo(): void {
    super.undo();
    this.wMax = this.savedWMax;
    this.epochStart = null;
  }

  private beginEpoch(now: number, cwnd: number): void {
    this.epochStart = now;
    this.countedAt = now;
    this.cwndEpoch = cwnd;
    this.wEst = cwnd;
    // After slow start (§4.10) and after a timeout (§4.8) the curve starts at its plateau.
    if (this.wMax < cwnd || this.afterTimeout) this.wMax = cwnd;
    this.afterTimeout = false;
    this.k = Math.cbrt((this.wMax - this.cwndEpoch) / C); // §4.2 eq. 2
  }

  /** §4.2 eq. 1 */
  private cubic(t: number): number {
    return C * (t - this.k) ** 3 + this.wMax;
  }
}
