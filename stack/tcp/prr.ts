/** Proportional rate reduction (RFC 9937 §6): how much may be sent for each ACK of a recovery. Bytes. */
export class Prr {
  private recoverFs = 1;
  private delivered = 0;
  private out = 0;

  /** @param flightBytes RecoverFS: SND.NXT − SND.UNA without what was SACKed before this ACK */
  begin(flightBytes: number): void {
    this.recoverFs = Math.max(1, flightBytes);
    this.delivered = 0;
    this.out = 0;
  }

  /** Notes data sent in recovery, new or again. */
  sent(bytes: number): void {
    this.out += bytes;
  }

  /** @param safe SND.UNA advanced and no further loss showed @returns what cwnd should be until the next ACK */
  onAck(deliveredBytes: number, pipeBytes: number, ssthreshBytes: number, mss: number, safe: boolean): number {
    this.delivered += deliveredBytes;
    let count: number;
    if (pipeBytes > ssthreshBytes) {
      count = Math.ceil((this.delivered * ssthreshBytes) / this.recoverFs) - this.out;
    } else {
      // PRR-CRB; with a safe ACK PRR-SSRB, which catches up like slow start.
      count = Math.max(this.delivered - this.out, deliveredBytes);
      if (safe) count += mss;
      count = Math.min(ssthreshBytes - pipeBytes, count);
    }
    // The first retransmission of a recovery goes out whatever the sum says.
    if (this.out === 0 && count <= 0) count = mss;
    return pipeBytes + Math.max(0, count);
  }
}
