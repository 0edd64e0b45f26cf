/** What recovery asks of a congestion control. Windows are bytes, times ms. */
export interface CongestionControl {
  readonly cwndBytes: number;
  readonly ssthreshBytes: number;
  /** New data was acknowledged outside recovery, and the window was the limit. */
  onAck(ackedBytes: number, now: number): void;
  /** A loss was found by duplicate ACKs: halves or the like. `flightBytes` is RFC 5681's FlightSize. */
  onFastRecovery(flightBytes: number, now: number): void;
  /** The retransmission timer expired. `first`: for this segment, not again (RFC 5681 §3.1 eq. 4). */
  onTimeout(flightBytes: number, first: boolean, now: number): void;
  /** Nothing was sent for longer than an RTO (RFC 5681 §4.1). */
  onIdle(): void;
  /** The SYN was lost: the initial window is one segment (RFC 5681 §3.1). */
  onLostSyn(): void;
  /** The sender's maximum segment size is known or has changed. */
  setMss(mss: number): void;
}
