/**
 * The bytes of one connection that a script has not read yet. They are copied once, out of the pipe's buffer into a slab
 * that is expected to hold all of the next read: that read is handed the slab as it is.
 */
import { Buffer } from 'node:buffer';

/** The smallest slab, bytes. */
const LEAST_SLAB_BYTES = 1 << 10;
/** An empty slab no larger than this is kept for what comes next. */
const KEPT_SLAB_BYTES = 64 << 10;

interface Slab {
  readonly bytes: Buffer;
  /** What it holds: `bytes[start, end)`. */
  start: number;
  end: number;
}

export class ReceivedBytes {
  private slabs: Slab[] = [];
  private stored = 0;
  /** What the next read may take, by those before it. */
  private expected = 0;

  get length(): number {
    return this.stored;
  }

  /** A read of so many bytes is to come. */
  expect(bytes: number): void {
    this.expected = Math.max(this.expected, bytes);
  }

  /** Copies. @param mostToCome bytes that can still come before anything is read, these included: no slab is larger */
  append(bytes: Buffer, mostToCome: number): void {
    const tail = this.slabs[this.slabs.length - 1];
    const fitting = tail === undefined ? 0 : fill(tail, bytes, 0);
    if (fitting < bytes.length) {
      const missing = bytes.length - fitting;
      // As much again as there is already: however wrong the expectation was, there are few slabs.
      const wanted = Math.max(LEAST_SLAB_BYTES, this.expected - this.stored, this.stored);
      const slab = { bytes: Buffer.allocUnsafeSlow(Math.max(missing, Math.min(wanted, mostToCome - fitting))), start: 0, end: 0 };
      fill(slab, bytes, fitting);
      this.slabs.push(slab);
    }
    this.stored += bytes.length;
  }

  /** Everything; at least one byte is there. */
  readAll(): Buffer {
    const n = this.stored;
    // A little more than the last, which falls slowly: a slab too small costs another copy, one too large only addresses.
    this.expected = Math.max(n + (n >>> 2), this.expected - (this.expected >>> 3));
    const [slab] = this.slabs;
    // Nothing is ever written to a slab that was handed out. One that is mostly empty would waste memory for as long as
    // the script keeps what it has read.
    if (slab === undefined || this.slabs.length > 1 || n < slab.bytes.length >>> 1) return this.copy(n);
    this.slabs = [];
    this.stored = 0;
    return slab.bytes.subarray(slab.start, slab.end);
  }

  /** @param n 1 … length */
  read(n: number): Buffer {
    return n === this.stored ? this.readAll() : this.copy(n);
  }

  private copy(n: number): Buffer {
    // A small one comes from Node's pool, as small buffers do everywhere: an array buffer for each would cost more than its bytes.
    const out = Buffer.allocUnsafe(n);
    for (let at = 0; at < n; ) {
      const [slab] = this.slabs;
      if (slab === undefined) break;
      const part = Math.min(slab.end - slab.start, n - at);
      slab.bytes.copy(out, at, slab.start, slab.start + part);
      slab.start += part;
      at += part;
      if (slab.start === slab.end) this.emptied(slab);
    }
    this.stored -= n;
    return out;
  }

  /** The first slab has been read: the next one's turn, or it begins again. */
  private emptied(slab: Slab): void {
    if (this.slabs.length > 1 || slab.bytes.length > KEPT_SLAB_BYTES) {
      this.slabs.shift();
    } else {
      slab.start = 0;
      slab.end = 0;
    }
  }
}

/** @returns how many of `bytes[from…]` there was room for */
function fill(slab: Slab, bytes: Buffer, from: number): number {
  const part = bytes.copy(slab.bytes, slab.end, from);
  slab.end += part;
  return part;
}
