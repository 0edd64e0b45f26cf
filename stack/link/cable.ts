/**
 * Two devices joined in memory, without loss but for a full queue. Each end owns a fixed ring of bytes that
 * the other end copies its frames into: one copy, no allocation per frame beyond the view that is handed over.
 */
import { ETHERNET_HEADER_BYTES } from '../wire/ethernet';
import { createLinkCounters, type Device, type LinkCounters } from './device';

export interface CableOptions {
  /** Largest IPv4 packet in bytes, 68 … 65535. */
  readonly mtu: number;
  /** Six bytes each. Default: the locally administered 02:00:00:00:00:01 and …:02. */
  readonly macs?: readonly [Uint8Array, Uint8Array];
  /** Memory of each end's receive queue in bytes; at least room for one frame. Default 8 MiB. */
  readonly queueBytes?: number;
}

/** Holds more than a full receive window of 4 MiB with its headers, so that a burst of one window is not lost. */
const DEFAULT_QUEUE_BYTES = 8 << 20;

/**
 * A record is the frame's length as a 32-bit word, two bytes of padding, the frame, and padding to a multiple
 * of four: so the IPv4 header after the 14 bytes of Ethernet starts on a multiple of four, which the checksum
 * can read in words.
 */
const RECORD_HEADER_BYTES = 6;
/** In place of a length: the next record starts at 0. */
const WRAP = -1;
/** Copying fewer bytes than this in a loop is faster than making a view of them. */
const LOOP_COPY_BYTES = 64;

/** A first-in first-out queue of frames in one block of memory. */
class FrameRing {
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

class CableEnd implements Device {
  readonly counters: LinkCounters = createLinkCounters();
  onFrame: (() => void) | null = null;
  private peer: CableEnd | null = null;
  private closed = false;
  private readonly ring: FrameRing;
  private readonly maxFrameBytes: number;

  constructor(
    readonly mac: Uint8Array,
    readonly mtu: number,
    queueBytes: number,
  ) {
    this.maxFrameBytes = ETHERNET_HEADER_BYTES + mtu;
    this.ring = new FrameRing(queueBytes);
  }

  get hasFrames(): boolean {
    return !this.closed && !this.ring.isEmpty;
  }

  join(peer: CableEnd): void {
    this.peer = peer;
  }

  send(buffer: Uint8Array, length: number): void {
    const { counters } = this;
    if (length < ETHERNET_HEADER_BYTES || length > this.maxFrameBytes || length > buffer.length) {
      counters.badLength++;
      return;
    }
    if (!this.peer?.take(buffer, length)) {
      counters.txDropped++;
      return;
    }
    counters.txFrames++;
    counters.txBytes += length;
  }

  receive(budget: number, handler: (frame: Uint8Array) => void): number {
    const { ring, counters } = this;
    let frames = 0;
    while (frames < budget && this.hasFrames) {
      counters.rxBytes += ring.shift(handler);
      counters.rxFrames++;
      frames++;
    }
    return frames;
  }

  close(): void {
    this.closed = true;
    // What this end has sent before can still be received by the other.
    if (this.peer) this.peer.peer = null;
    this.peer = null;
  }

  /** Queues a frame from the other end. @returns whether there was room. */
  private take(buffer: Uint8Array, length: number): boolean {
    const wasEmpty = this.ring.isEmpty;
    if (!this.ring.push(buffer, length)) {
      this.counters.rxQueueFull++;
      return false;
    }
    if (wasEmpty) this.onFrame?.();
    return true;
  }
}

/** @returns the two ends. @throws RangeError for an MTU or a queue out of range, which only code can give. */
export function createCable(options: CableOptions): [Device, Device] {
  const { mtu, queueBytes = DEFAULT_QUEUE_BYTES } = options;
  if (!Number.isInteger(mtu) || mtu < 68 || mtu > 65_535) throw new RangeError(`a cable's MTU is 68 … 65535, not ${mtu}`);
  const smallest = 2 * (mtu + ETHERNET_HEADER_BYTES + RECORD_HEADER_BYTES + 8);
  if (!Number.isInteger(queueBytes) || queueBytes < smallest || queueBytes > 2 ** 30) {
    throw new RangeError(`a cable's queue at MTU ${mtu} is ${smallest} … 2^30 bytes, not ${queueBytes}`);
  }
  const [macA, macB] = options.macs ?? [Uint8Array.of(2, 0, 0, 0, 0, 1), Uint8Array.of(2, 0, 0, 0, 0, 2)];
  const a = new CableEnd(macA, mtu, queueBytes);
  const b = new CableEnd(macB, mtu, queueBytes);
  a.join(b);
  b.join(a);
  return [a, b];
}
