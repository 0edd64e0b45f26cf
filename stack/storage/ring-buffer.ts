/**
 * A queue of bytes with random access, for what waits to be acknowledged and for what waits to be read.
 * Memory is taken as needed, in powers of two up to the limit: an idle connection owns none.
 */
const SMALLEST_BYTES = 512;
const EMPTY = new Uint8Array(0);

/** Counts the memory of many buffers together. */
export interface MemoryAccount {
  usedBytes: number;
}

export class RingBuffer {
  private memory = EMPTY;
  private head = 0;
  private used = 0;

  /** @param limitBytes the most that it will hold, 1 … 2³⁰ */
  constructor(
    private limitBytes: number,
    private account: MemoryAccount = { usedBytes: 0 },
  ) {}

  /** Bytes stored. */
  get length(): number {
    return this.used;
  }

  /** Bytes that can still be stored. */
  get free(): number {
    return Math.max(0, this.limitBytes - this.used);
  }

  get limit(): number {
    return this.limitBytes;
  }

  /** Bytes of memory held now, for statistics. */
  get capacity(): number {
    return this.memory.length;
  }

  /** A smaller limit keeps what is stored. Fractions, which windows computed from rates have, are cut off. */
  setLimit(bytes: number): void {
    this.limitBytes = Math.floor(bytes);
  }

  /** Stores as much of `data` as fits. @returns how many bytes were taken. */
  write(data: Uint8Array): number {
    const count = Math.min(data.length, this.free);
    if (count > 0) {
      this.put(this.used, data, 0, count);
      this.used += count;
    }
    return count;
  }

  /**
   * Stores `data[start, end)` at `offset` bytes behind the head without making it part of the queue:
   * bytes that came out of order. The caller keeps `offset + (end - start)` within the limit.
   */
  put(offset: number, data: Uint8Array, start: number, end: number): void {
    const count = end - start;
    this.reserve(offset + count);
    const mask = this.memory.length - 1;
    const at = (this.head + offset) & mask;
    const first = Math.min(count, this.memory.length - at);
    copyBytes(this.memory, at, data, start, start + first);
    if (first < count) copyBytes(this.memory, 0, data, start + first, end);
  }

  /** Makes `count` bytes that `put` stored behind the tail part of the queue. */
  extend(count: number): void {
    this.used += count;
  }

  /** Copies `count` bytes from `offset` behind the head to `target[at…]`, leaving them stored. */
  copyOut(offset: number, count: number, target: Uint8Array, at: number): void {
    const mask = this.memory.length - 1;
    const from = (this.head + offset) & mask;
    const first = Math.min(count, this.memory.length - from);
    copyBytes(target, at, this.memory, from, from + first);
    if (first < count) copyBytes(target, at + first, this.memory, 0, count - first);
  }

  /** Forgets the oldest `count` bytes. */
  discard(count: number): void {
    this.head = this.memory.length === 0 ? 0 : (this.head + count) & (this.memory.length - 1);
    this.used -= count;
  }

  /** Moves up to `target.length` of the oldest bytes to `target`. @returns how many. */
  read(target: Uint8Array): number {
    const count = Math.min(target.length, this.used);
    if (count === 0) return 0;
    this.copyOut(0, count, target, 0);
    this.discard(count);
    return count;
  }

  /** Forgets everything and gives the memory back. */
  clear(): void {
    this.account.usedBytes -= this.memory.length;
    this.memory = EMPTY;
    this.head = 0;
    this.used = 0;
  }

  /** Takes its memory out of the account: nobody will clear it, it goes when it is no longer referred to. */
  detach(): void {
    this.account.usedBytes -= this.memory.length;
    this.account = { usedBytes: this.memory.length };
  }

  private reserve(bytes: number): void {
    if (bytes <= this.memory.length) return;
    let size = Math.max(SMALLEST_BYTES, this.memory.length);
    while (size < bytes) size *= 2;
    const grown = new Uint8Array(size);
    // Bytes behind the tail may be stored too: move all of the old memory.
    if (this.memory.length > 0) this.copyOut(0, this.memory.length, grown, 0);
    this.account.usedBytes += size - this.memory.length;
    this.memory = grown;
    this.head = 0;
  }
}

/** `set(subarray())` costs an allocation, which a loop beats for short runs. */
function copyBytes(target: Uint8Array, at: number, source: Uint8Array, start: number, end: number): void {
  if (end - start <= 24) {
    for (let from = start, to = at; from < end; from++, to++) target[to] = source[from] ?? 0;
  } else {
    target.set(start === 0 && end === source.length ? source : source.subarray(start, end), at);
  }
}
