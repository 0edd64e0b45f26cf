/**
 * The ranges of sequence numbers that have arrived beyond the next one expected (RFC 9293 §3.10.7.4:
 * segments out of order should be kept). Only the bookkeeping: the bytes lie in the receive ring.
 */
import { seqGe, seqGt, seqLe, seqLt, seqMax, seqMin } from '../wire/seq';

/** Ranges at once. More would cost a peer with few bytes much of our time. */
const MAX_RANGES = 256;
/** Ranges remembered in the order of their last arrival: more than the four blocks that fit, as some will be filled. */
const MAX_RECENT = 8;

export class Assembler {
  /** Sorted, disjoint, not touching each other. */
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  /** Where the latest arrivals began, the last one first. */
  private readonly recent: number[] = [];

  get isEmpty(): boolean {
    return this.starts.length === 0;
  }

  get rangeCount(): number {
    return this.starts.length;
  }

  /** Bytes in all ranges. */
  get byteCount(): number {
    let total = 0;
    for (let i = 0; i < this.starts.length; i++) total += (this.end(i) - this.start(i)) >>> 0;
    return total;
  }

  start(index: number): number {
    return this.starts[index] ?? 0;
  }

  end(index: number): number {
    return this.ends[index] ?? 0;
  }

  /**
   * Adds `[start, end)`, merging what it overlaps or touches.
   * @returns `added`, `duplicate` if all of it was there, or `full` if it would be one range too many.
   */
  add(start: number, end: number): 'added' | 'duplicate' | 'full' {
    // Arrivals are mostly at or near the last range: look from the end.
    let last = this.starts.length;
    while (last > 0 && seqGt(this.start(last - 1), end)) last--;
    let first = last;
    while (first > 0 && seqGe(this.end(first - 1), start)) first--;
    // Ranges first … last-1 overlap or touch the new one.
    if (first === last) {
      if (this.starts.length >= MAX_RANGES) return 'full';
      this.starts.splice(first, 0, start);
      this.ends.splice(first, 0, end);
      this.remember(start, start, end);
      return 'added';
    }
    if (last - first === 1 && seqLe(this.start(first), start) && seqGe(this.end(first), end)) {
      this.remember(start, this.start(first), this.end(first));
      return 'duplicate';
    }
    const mergedStart = seqMin(this.start(first), start);
    const mergedEnd = seqMax(this.end(last - 1), end);
    this.starts.splice(first, last - first, mergedStart);
    this.ends.splice(first, last - first, mergedEnd);
    this.remember(start, mergedStart, mergedEnd);
    return 'added';
  }

  /** The first part of `[start, end)` that is there already, or null (RFC 2883 §4.2: what to report of a partial duplicate). */
  overlap(start: number, end: number): { readonly start: number; readonly end: number } | null {
    for (let i = 0; i < this.starts.length && seqLt(this.start(i), end); i++) {
      if (seqGt(this.end(i), start)) return { start: seqMax(start, this.start(i)), end: seqMin(end, this.end(i)) };
    }
    return null;
  }

  /**
   * Removes everything before `seq` and the range that `seq` lies in or touches.
   * @returns the end of that range, or `seq` if there is none: the next sequence number expected.
   */
  take(seq: number): number {
    let next = seq;
    while (this.starts.length > 0 && seqLe(this.start(0), next)) {
      if (seqLt(next, this.end(0))) next = this.end(0);
      this.starts.shift();
      this.ends.shift();
    }
    return next;
  }

  /**
   * Writes up to `room` ranges as edges to `target[at…]`: first the one that grew last (RFC 2018 §4).
   * @returns how many
   */
  recentRanges(room: number, target: Uint32Array, at: number): number {
    let count = 0;
    for (const seq of this.recent) {
      if (count >= room) break;
      const index = this.indexOf(seq);
      if (index < 0 || contains(target, at, count, this.start(index))) continue;
      target[at + 2 * count] = this.start(index);
      target[at + 2 * count + 1] = this.end(index);
      count++;
    }
    return count;
  }

  clear(): void {
    this.recent.length = 0;
    this.starts.length = 0;
    this.ends.length = 0;
  }

  /** One entry for each range, so that many arrivals in one do not push the others out. */
  private remember(seq: number, rangeStart: number, rangeEnd: number): void {
    const { recent } = this;
    for (let i = recent.length - 1; i >= 0; i--) {
      const other = recent[i] ?? 0;
      if (seqLe(rangeStart, other) && seqLt(other, rangeEnd)) recent.splice(i, 1);
    }
    if (recent.length >= MAX_RECENT) recent.pop();
    recent.unshift(seq);
  }

  private indexOf(seq: number): number {
    for (let i = this.starts.length - 1; i >= 0; i--) {
      if (seqLe(this.start(i), seq)) return seqLt(seq, this.end(i)) ? i : -1;
    }
    return -1;
  }
}

function contains(edges: Uint32Array, at: number, count: number, start: number): boolean {
  for (let i = 0; i < count; i++) if (edges[at + 2 * i] === start) return true;
  return false;
}
