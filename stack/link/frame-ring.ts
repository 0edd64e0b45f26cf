/** A queue of frames in a fixed block of memory: what links copy arriving frames into. */

/**
 * A record is the frame's length as a 32-bit word, two bytes of padding, the frame, and padding to a multiple
 * of four: so the IPv4 header after the 14 bytes of Ethernet starts on a multiple of four, which the checksum
 * can read in words.
 */
export const RECORD_HEADER_BYTES = 6;
/** In place of a length: the next record starts at 0. */
const WRAP = -1;
/** Copying fewer bytes than this in a loop is faster than making a view of them. */
const LOOP_COPY_BYTES = 64;

/** A first-in first-out queue of frames in one block of memory. */
export class FrameRing {
  private readonly bytes: Uint8Array;
  private readonly words: Int32Array;
  /** Where the next record is read and written. Equal when empty: the ring is never filled to the last word. */
  private head = 0;
  private tail = 0;
  /** The last source view: a sender fills one buffer, and full segments are of one length. */
  private source: Uint8Array = new Uint8Array(0);

  constructor(capacityBytes: number) {
    const memory = new ArrayBuffer((capacityBytes + 3) & ~3);
    this.bytes = new Uint8Array(memory);
    this.words = new Int32Array(memory);
  }

  get isEmpty(): boolean {
    return this.head === this.tail;
  }

  /** @returns whether there was room. */
  push(buffer: Uint8Array, length: number): boolean {
    const at = this.reserve((RECORD_HEADER_BYTES + length + 3) & ~3);
    if (at < 0) return false;
    this.words[at >>> 2] = length;
    const start = at + RECORD_HEADER_BYTES;
    if (length < LOOP_COPY_BYTES) {
      for (let i = 0; i < length; i++) this.bytes[start + i] = buffer[i] ?? 0;
    } else {
      const { source } = this;
      if (source.buffer !== buffer.buffer || source.byteOffset !== buffer.byteOffset || source.length !== length) {
        this.source = buffer.subarray(0, length);
      }
      this.bytes.set(this.source, start);
    }
    return true;
  }

  /** Hands the oldest frame to `handler` and drops it. The ring must not be empty. @returns its length. */
  shift(handler: (frame: Uint8Array) => void): number {
    if (this.words[this.head >>> 2] === WRAP) this.head = 0;
    const length = this.words[this.head >>> 2] ?? 0;
    const start = this.head + RECORD_HEADER_BYTES;
    handler(this.bytes.subarray(start, start + length));
    this.head += (RECORD_HEADER_BYTES + length + 3) & ~3;
    // An empty ring starts again at 0: a queue that stays short then stays in the processor's cache.
    if (this.head === this.tail) {
      this.head = 0;
      this.tail = 0;
    }
    return length;
  }

  /** Moves the tail over a record of `size` bytes (a multiple of four). @returns where it starts, or −1. */
  private reserve(size: number): number {
    const { head, tail, bytes } = this;
    if (tail >= head) {
      // A word is left over for the wrap mark of the next record.
      if (tail + size + 4 <= bytes.length) {
        this.tail = tail + size;
        return tail;
      }
      if (size >= head) return -1;
      this.words[tail >>> 2] = WRAP;
      this.tail = size;
      return 0;
    }
    if (tail + size >= head) return -1;
    this.tail = tail + size;
    return tail;
  }
}
