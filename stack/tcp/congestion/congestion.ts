/** What recovery asks of a congestion control. Windows are bytes, times ms. */
export interface CongestionControl {
  /** Set from outside only while a recovery paces itself (PRR), and when a reduction is undone. */
  cwndBytes: number;
  ssthreshBytes: number;
  /** New data was acknowledged outside recovery, and the window was the limit. */
  onAck(ack: AckSample): void;
  /** New data was acknowledged, but the user had too little to send to fill the window. */
  onApplicationLimited(now: number): void;
  /** A loss or a congestion mark: sets ssthresh, and cwnd to it. `flightBytes` is RFC 5681's FlightSize. */
  onCongestion(flightBytes: number, now: number): void;
  /** The retransmission timer expired. `first`: for this segment, not again (RFC 5681 §3.1 eq. 4). */
  onTimeout(flightBytes: number, first: boolean, now: number): void;
  /** A fast recovery is over: congestion avoidance begins. */
  onRecoveryEnd(now: number): void;
  /** Nothing was sent for `idleMs`, longer than an RTO. */
  onIdle(idleMs: number): void;
  /** After such a silence the window is no longer known to fit: back to the initial one (RFC 5681 §4.1). */
  restart(): void;
  /** The SYN was lost: the initial window is one segment (RFC 5681 §3.1). */
  onLostSyn(): void;
  /** The sender's maximum segment size is known or has changed. */
  setMss(mss: number): void;
  /** What {@link undo} goes back to. Called before onCongestion and onTimeout. */
  remember(): void;
  /** The last reduction was for nothing: the segments had only been late (RFC 4015, RFC 5682). */
  undo(): void;
}

export interface AckSample {
  readonly ackedBytes: number;
  /** Least RTT that this ACK measured, or null. */
  readonly rttMs: number | null;
  /** Smoothed RTT, or null before the first sample. */
  readonly srttMs: number | null;
  /** SND.UNA and SND.NXT after the ACK, for algorithms that work round by round. */
  readonly sndUna: number;
  readonly sndNxt: number;
  readonly now: number;
  /** Whether what the window allows is spread over the round trip. */
  readonly paced: boolean;
}
