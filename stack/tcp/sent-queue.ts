/**
 * What was sent and is not acknowledged yet: the boundaries, times and fates of segments, never their
 * bytes (a retransmission rereads the send ring). Arrays side by side, so that nothing is allocated per segment.
 */
import { seqGt, seqLe, seqLt } from '../wire/seq';

const LOST = 1;
/** Lost and sent again since: in flight once more. */
const RESENT = 2;
/** Sent more than once at some time: no sample for the RTT (Karn, RFC 6298 §3). */
const AMBIGUOUS = 4;
/** The peer holds it (RFC 2018). */
const SACKED = 8;

const SMALLEST = 16;

/** Who wants to hear of each segment that arrived, in the order of sequence numbers. */
export interface Deliveries {
  delivered(sentAt: number, end: number, resent: boolean, now: number): void;
}

export class SentQueue {
  private starts = new Uint32Array(0);
  private ends = new Uint32Array(0);
  private times = new Float64Array(0);
  private flags = new Uint8Array(0);
  private head = 0;
  private count = 0;
  private pipe = 0;
  /** Lower bound for the index of the first segment that is lost and not resent. */
  private lostHint = 0;
  private lost = 0;
  private sacked = 0;

  /** What the last `acknowledge` and the `sack` calls after it found; see {@link beginAck}. */
  deliveredBytes = 0;
  private recover = 0;
  /** A segment sent before the recovery and never again was delivered: no retransmission can have caused this ACK (RFC 5682 §3.1). */
  originalDelivered = false;
  /** RTT of the segment delivered last, ms, or -1 if all were ambiguous. */
  deliveredRttMs = -1;

  get length(): number {
    return this.count;
  }

  /** Sequence space believed to be in the network: sent, neither acknowledged nor lost. */
  get pipeBytes(): number {
    return this.pipe;
  }

  /** Segments that the peer holds out of order. */
  get sackedCount(): number {
    return this.sacked;
  }

  /** Segments that wait to be sent again. */
  get lostCount(): number {
    return this.lost;
  }

  /** Whether a segment waits to be sent again. */
  get hasLost(): boolean {
    return this.lost > 0;
  }

  start(index: number): number {
    return this.starts[this.slot(index)] ?? 0;
  }

  end(index: number): number {
    return this.ends[this.slot(index)] ?? 0;
  }

  sentAt(index: number): number {
    return this.times[this.slot(index)] ?? 0;
  }

  /** Notes that `[start, end)` was sent for the first time. It follows the last one. */
  push(start: number, end: number, now: number): void {
    if (this.count === this.starts.length) this.grow();
    const slot = this.slot(this.count++);
    this.starts[slot] = start;
    this.ends[slot] = end;
    this.times[slot] = now;
    this.flags[slot] = 0;
    this.pipe += (end - start) >>> 0;
  }

  /** Starts the account of one ACK. @param recover end of what was sent before the present recovery */
  beginAck(recover: number): void {
    this.recover = recover;
    this.deliveredBytes = 0;
    this.originalDelivered = false;
    this.deliveredRttMs = -1;
  }

  /**
   * Forgets what lies before `una`; a segment acknowledged in part keeps its rest.
   * @returns the send time of the oldest segment acknowledged whole, or -1 if one of them was ambiguous or none was whole.
   */
  acknowledge(una: number, to: Deliveries, now: number): number {
    let sampleAt = -1;
    let ambiguous = false;
    while (this.count > 0) {
      const slot = this.head;
      const end = this.ends[slot] ?? 0;
      if (!seqLe(end, una)) break;
      const flags = this.flags[slot] ?? 0;
      const bytes = (end - (this.starts[slot] ?? 0)) >>> 0;
      if (flags & AMBIGUOUS) ambiguous = true;
      else if (sampleAt < 0) sampleAt = this.times[slot] ?? 0;
      if (flags & SACKED) this.sacked--;
      else {
        this.leave(flags, bytes);
        this.deliver(flags, bytes, this.times[slot] ?? 0, end, to, now);
      }
      this.head = (this.head + 1) & (this.starts.length - 1);
      this.count--;
      if (this.lostHint > 0) this.lostHint--;
    }
    const start = this.start(0);
    if (this.count > 0 && seqGt(una, start)) {
      const bytes = (una - start) >>> 0;
      const flags = this.flags[this.head] ?? 0;
      if (this.inFlight(flags)) this.pipe -= bytes;
      if (!(flags & SACKED)) this.deliveredBytes += bytes;
      this.starts[this.head] = una;
    }
    return ambiguous ? -1 : sampleAt;
  }

  /** Marks the segments that lie whole within `[start, end)` as held by the peer. */
  sack(start: number, end: number, to: Deliveries, now: number): void {
    for (let index = this.indexAtOrAfter(start); index < this.count; index++) {
      const slot = this.slot(index);
      const segmentEnd = this.ends[slot] ?? 0;
      if (seqGt(segmentEnd, end)) return;
      const flags = this.flags[slot] ?? 0;
      if (flags & SACKED) continue;
      const bytes = this.bytes(slot);
      this.leave(flags, bytes);
      this.flags[slot] = (flags | SACKED) & ~LOST & ~RESENT;
      this.sacked++;
      this.deliver(flags, bytes, this.times[slot] ?? 0, segmentEnd, to, now);
    }
  }

  isSacked(index: number): boolean {
    return ((this.flags[this.slot(index)] ?? 0) & SACKED) !== 0;
  }

  /** Whether the segment was taken for lost and not sent again yet. */
  isLost(index: number): boolean {
    return ((this.flags[this.slot(index)] ?? 0) & (LOST | RESENT)) === LOST;
  }

  wasResent(index: number): boolean {
    return ((this.flags[this.slot(index)] ?? 0) & AMBIGUOUS) !== 0;
  }

  /**
   * RFC 2018 §8: a peer may discard what it only SACKed, and has, if the first byte that it misses lies in that:
   * none of it counts as held any more. Called before the first segment is sent again.
   */
  forgetIfReneged(): void {
    if (this.sacked === 0 || !this.isSacked(0)) return;
    for (let index = 0; index < this.count; index++) {
      const slot = this.slot(index);
      const flags = this.flags[slot] ?? 0;
      if (!(flags & SACKED)) continue;
      this.flags[slot] = flags & ~SACKED;
      this.pipe += this.bytes(slot);
    }
    this.sacked = 0;
  }

  /** @returns whether it was in flight until now. */
  markLost(index: number): boolean {
    const slot = this.slot(index);
    const flags = this.flags[slot] ?? 0;
    if (!this.inFlight(flags)) return false;
    this.flags[slot] = (flags | LOST) & ~RESENT;
    this.pipe -= this.bytes(slot);
    this.lost++;
    this.lostHint = Math.min(this.lostHint, index);
    return true;
  }

  /** Takes back every mark whose segment was not sent again: nothing was lost. */
  unmarkLost(): void {
    for (let index = this.lostHint; index < this.count && this.lost > 0; index++) {
      if (!this.isLost(index)) continue;
      const slot = this.slot(index);
      this.flags[slot] = (this.flags[slot] ?? 0) & ~LOST;
      this.pipe += this.bytes(slot);
      this.lost--;
    }
  }

  markAllLost(): void {
    for (let index = 0; index < this.count; index++) this.markLost(index);
  }

  /** Index of the first segment that is lost and not resent, or -1. */
  nextLost(): number {
    if (this.lost === 0) return -1;
    for (let index = this.lostHint; index < this.count; index++) {
      if (this.isLost(index)) {
        this.lostHint = index;
        return index;
      }
    }
    return -1;
  }

  /** Notes that segment `index` was sent again. A lost one is in flight once more. */
  resent(index: number, now: number): void {
    const slot = this.slot(index);
    const flags = this.flags[slot] ?? 0;
    if ((flags & (LOST | RESENT)) === LOST) {
      this.pipe += this.bytes(slot);
      this.lost--;
    }
    this.flags[slot] = flags | AMBIGUOUS | (flags & LOST ? RESENT : 0);
    this.times[slot] = now;
  }

  /** Cuts segment `index` in two at `seq`, when the path takes only smaller ones now. */
  split(index: number, seq: number): void {
    const slot = this.slot(index);
    const end = this.ends[slot] ?? 0;
    const flags = this.flags[slot] ?? 0;
    const sentAt = this.times[slot] ?? 0;
    if (this.count === this.starts.length) this.grow();
    for (let moved = this.count; moved > index + 1; moved--) this.copy(this.slot(moved - 1), this.slot(moved));
    this.count++;
    this.ends[this.slot(index)] = seq;
    const second = this.slot(index + 1);
    this.starts[second] = seq;
    this.ends[second] = end;
    this.times[second] = sentAt;
    this.flags[second] = flags;
    if (flags & SACKED) this.sacked++;
    else if (!this.inFlight(flags)) this.lost++;
  }

  /** Forgets the last segment: it will be sent afresh. */
  pop(): void {
    const slot = this.slot(this.count - 1);
    const flags = this.flags[slot] ?? 0;
    if (flags & SACKED) this.sacked--;
    else this.leave(flags, this.bytes(slot));
    this.count--;
  }

  /** Forgets everything and gives the memory back. */
  clear(): void {
    this.starts = new Uint32Array(0);
    this.ends = new Uint32Array(0);
    this.times = new Float64Array(0);
    this.flags = new Uint8Array(0);
    this.head = 0;
    this.count = 0;
    this.pipe = 0;
    this.lost = 0;
    this.sacked = 0;
    this.lostHint = 0;
  }

  private slot(index: number): number {
    return (this.head + index) & (this.starts.length - 1);
  }

  private bytes(slot: number): number {
    return ((this.ends[slot] ?? 0) - (this.starts[slot] ?? 0)) >>> 0;
  }

  private inFlight(flags: number): boolean {
    return (flags & SACKED) === 0 && (flags & (LOST | RESENT)) !== LOST;
  }

  /** Takes a segment that is not SACKed out of the account of what is in flight or lost. */
  private leave(flags: number, bytes: number): void {
    if (this.inFlight(flags)) this.pipe -= bytes;
    else this.lost--;
  }

  private deliver(flags: number, bytes: number, sentAt: number, end: number, to: Deliveries, now: number): void {
    this.deliveredBytes += bytes;
    const resent = (flags & AMBIGUOUS) !== 0;
    if (!resent) {
      if (seqLe(end, this.recover)) this.originalDelivered = true;
      this.deliveredRttMs = now - sentAt;
    }
    to.delivered(sentAt, end, resent, now);
  }

  /** Index of the first segment that starts at or after `seq`. */
  private indexAtOrAfter(seq: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (seqLt(this.start(middle), seq)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private copy(from: number, to: number): void {
    this.starts[to] = this.starts[from] ?? 0;
    this.ends[to] = this.ends[from] ?? 0;
    this.times[to] = this.times[from] ?? 0;
    this.flags[to] = this.flags[from] ?? 0;
  }

  private grow(): void {
    const size = Math.max(SMALLEST, this.starts.length * 2);
    const starts = new Uint32Array(size);
    const ends = new Uint32Array(size);
    const times = new Float64Array(size);
    const flags = new Uint8Array(size);
    for (let index = 0; index < this.count; index++) {
      const slot = this.slot(index);
      starts[index] = this.starts[slot] ?? 0;
      ends[index] = this.ends[slot] ?? 0;
      times[index] = this.times[slot] ?? 0;
      flags[index] = this.flags[slot] ?? 0;
    }
    this.starts = starts;
    this.ends = ends;
    this.times = times;
    this.flags = flags;
    this.head = 0;
  }
}
