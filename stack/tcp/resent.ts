/** What one episode of recovery sent again, to hold the peer's reports of duplicates against (RFC 3708 §3). */
import { seqGe, seqLe, seqLt } from '../wire/seq';

/** Retransmissions remembered; with more of them DSACKs prove nothing. */
const MAX_RESENT = 256;

export class Resent {
  /** When the first one was sent, ms, or -1. */
  firstAt = -1;
  /** The peer has echoed a congestion mark since: the reduction was due, even if nothing was lost. */
  marked = false;
  private active = false;
  private overflowed = false;
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  /** Set when the recovery is over: the memory lasts for one more round trip, until this is acknowledged. */
  private until: number | null = null;

  get isActive(): boolean {
    return this.active;
  }

  begin(): void {
    this.clear();
    this.active = true;
  }

  clear(): void {
    this.active = false;
    this.overflowed = false;
    this.firstAt = -1;
    this.marked = false;
    this.starts.length = 0;
    this.ends.length = 0;
    this.until = null;
  }

  add(start: number, end: number, now: number): void {
    if (this.firstAt < 0) this.firstAt = now;
    if (this.starts.length >= MAX_RESENT) this.overflowed = true;
    if (!this.active || this.overflowed) return;
    this.starts.push(start);
    this.ends.push(end);
  }

  /** The peer reports `[start, end)` as a duplicate. @returns whether every retransmission has now been reported */
  reported(start: number, end: number): boolean {
    const index = this.starts.findIndex((from, i) => seqLe(start, from) && seqGe(end, this.ends[i] ?? from));
    if (index < 0) return false; // the network's own doing
    this.starts.splice(index, 1);
    this.ends.splice(index, 1);
    return this.starts.length === 0 && !this.overflowed;
  }

  recoveryEnded(sndNxt: number): void {
    this.until = sndNxt;
  }

  /** A DSACK comes a round trip after its retransmission; later than that the record says nothing about the present. */
  expire(sndUna: number): void {
    if (this.until !== null && seqLt(this.until, sndUna)) this.clear();
  }
}
