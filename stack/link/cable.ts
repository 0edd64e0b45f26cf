/**
 * Two devices joined in memory, without loss but for a full queue. Each end owns a fixed ring of bytes that
 * the other end copies its frames into: one copy, no allocation per frame beyond the view that is handed over.
 */
import { ETHERNET_HEADER_BYTES } from '../wire/ethernet';
import { createLinkCounters, type Device, type LinkCounters } from './device';
import { FrameRing, RECORD_HEADER_BYTES } from './frame-ring';

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
