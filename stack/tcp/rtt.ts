/** The retransmission timeout (RFC 6298). All times in ms. */

/** RFC 6298 §2: K, alpha and beta. */
const K = 4;
const ALPHA = 1 / 8;
const BETA = 1 / 4;
/** RFC 6298 §5.7: what the RTO is set to when the SYN had to be repeated. */
const RTO_AFTER_LOST_SYN_MS = 3_000;

export interface RtoBounds {
  readonly initialRtoMs: number;
  readonly minRtoMs: number;
  readonly maxRtoMs: number;
}

export class RttEstimator {
  /** null until the first sample. */
  srttMs: number | null = null;
  rttvarMs = 0;
  /** With the back-off applied. */
  rtoMs: number;
  /** Least sample seen, for the congestion control. */
  minRttMs = Infinity;

  constructor(private readonly bounds: RtoBounds) {
    this.rtoMs = bounds.initialRtoMs;
  }

  /** A measurement that Karn's algorithm allows (§3: never of a segment sent twice). Ends the back-off. */
  sample(rttMs: number): void {
    this.minRttMs = Math.min(this.minRttMs, rttMs);
    if (this.srttMs === null) {
      this.srttMs = rttMs;
      this.rttvarMs = rttMs / 2;
    } else {
      this.rttvarMs = (1 - BETA) * this.rttvarMs + BETA * Math.abs(this.srttMs - rttMs);
      this.srttMs = (1 - ALPHA) * this.srttMs + ALPHA * rttMs;
    }
    this.rtoMs = this.computed();
  }

  /** §5.5: doubles, up to the ceiling. */
  backOff(): void {
    this.rtoMs = Math.min(this.rtoMs * 2, this.bounds.maxRtoMs);
  }

  /** Takes the back-off away once new data has been acknowledged (§5.7's last paragraph allows it). */
  endBackOff(): void {
    if (this.srttMs !== null) this.rtoMs = this.computed();
  }

  /**
   * New data is acknowledged, but by segments sent more than once: no sample, yet no broken path either. Where every
   * ACK is ambiguous, the RTO would double for ever; twice doubled it is still cautious.
   */
  boundBackOff(): void {
    if (this.srttMs !== null) this.rtoMs = Math.min(this.rtoMs, 4 * this.computed());
  }

  /** §5.7: the SYN's timer expired; data transmission starts with a cautious timeout. */
  synWasLost(): void {
    if (this.srttMs === null) this.rtoMs = Math.min(RTO_AFTER_LOST_SYN_MS, this.bounds.maxRtoMs);
  }

  private computed(): number {
    // §2.3 takes max(G, K·RTTVAR). With a fine clock and a steady path that becomes nothing, and a delayed or lost
    // ACK a timeout: the floor is on this term, as in Linux, not on the sum.
    const rto = (this.srttMs ?? 0) + Math.max(this.bounds.minRtoMs, K * this.rttvarMs);
    return Math.min(rto, this.bounds.maxRtoMs);
  }
}
