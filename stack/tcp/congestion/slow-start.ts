/** Slow start (RFC 5681 §3.1) that ends before it overflows the path: HyStart++ (RFC 9406). */
import { seqGe } from '../../wire/seq';
import type { AckSample } from './congestion';

/** RFC 9406 §4.3. */
const MIN_RTT_THRESH_MS = 4;
const MAX_RTT_THRESH_MS = 16;
const MIN_RTT_DIVISOR = 8;
const N_RTT_SAMPLE = 8;
const CSS_GROWTH_DIVISOR = 4;
const CSS_ROUNDS = 5;
/**
 * Segments that one ACK may add to a window that is not paced (RFC 9406 §4.2's L). The peer sends one ACK for a
 * batch, so a limit of one (RFC 5681 eq. 2) would hold a fast path back.
 */
const MAX_SEGMENTS_PER_ACK = 8;

export class SlowStart {
  /** Conservative slow start found no reason to go back: congestion avoidance begins. */
  isOver = false;
  private windowEnd: number | null = null;
  private lastRoundMinRttMs = Infinity;
  private roundMinRttMs = Infinity;
  private samples = 0;
  /** The RTT at which the conservative phase began; null in the ordinary one. */
  private cssBaselineMs: number | null = null;
  private cssRounds = 0;

  constructor(private readonly hystart: boolean) {}

  /** @param initial RFC 9406 §4.2: only the first slow start is watched @returns bytes to add to cwnd */
  increase(ack: AckSample, mss: number, initial: boolean): number {
    this.isOver = false;
    const bytes = ack.paced ? ack.ackedBytes : Math.min(ack.ackedBytes, MAX_SEGMENTS_PER_ACK * mss);
    if (!this.hystart || !initial) return bytes;
    if (this.windowEnd === null || seqGe(ack.sndUna, this.windowEnd)) this.nextRound(ack.sndNxt);
    if (ack.rttMs !== null) {
      this.roundMinRttMs = Math.min(this.roundMinRttMs, ack.rttMs);
      this.samples++;
    }
    if (this.samples >= N_RTT_SAMPLE && this.roundMinRttMs !== Infinity && this.lastRoundMinRttMs !== Infinity) this.judge();
    return this.cssBaselineMs === null ? bytes : bytes / CSS_GROWTH_DIVISOR;
  }

  private judge(): void {
    if (this.cssBaselineMs !== null) {
      // The delay was a passing one: back to the ordinary phase.
      if (this.roundMinRttMs < this.cssBaselineMs) {
        this.cssBaselineMs = null;
        this.cssRounds = 0;
      }
      return;
    }
    const threshold = Math.max(MIN_RTT_THRESH_MS, Math.min(this.lastRoundMinRttMs / MIN_RTT_DIVISOR, MAX_RTT_THRESH_MS));
    if (this.roundMinRttMs >= this.lastRoundMinRttMs + threshold) this.cssBaselineMs = this.roundMinRttMs;
  }

  private nextRound(sndNxt: number): void {
    if (this.cssBaselineMs !== null && ++this.cssRounds >= CSS_ROUNDS) this.isOver = true;
    this.windowEnd = sndNxt;
    this.lastRoundMinRttMs = this.roundMinRttMs;
    this.roundMinRttMs = Infinity;
    this.samples = 0;
  }
}
