/** A frame on its way through the simulated network, and a store of frames that are used again. */
import { ETHERNET_HEADER_BYTES } from '../../../stack/wire/ethernet';

export class Packet {
  /** The frame, exactly. It starts two bytes into its memory, so that the IPv4 header lies on a multiple of four. */
  frame: Uint8Array;
  /** When it entered the queue that it waits in, ms. */
  queuedAt = 0;

  constructor(private readonly memory: ArrayBuffer) {
    this.frame = new Uint8Array(memory, 2);
  }

  fill(buffer: Uint8Array, length: number): void {
    if (this.frame.length !== length) this.frame = new Uint8Array(this.memory, 2, length);
    this.frame.set(buffer.length === length ? buffer : buffer.subarray(0, length));
  }
}

/** Frames of up to one MTU. A frame is given back by whoever drops or consumes it, once. */
export class PacketPool {
  private readonly free: Packet[] = [];

  constructor(private readonly mtu: number) {}

  take(buffer: Uint8Array, length: number): Packet {
    const packet = this.free.pop() ?? new Packet(new ArrayBuffer(2 + ETHERNET_HEADER_BYTES + this.mtu));
    packet.fill(buffer, length);
    return packet;
  }

  give(packet: Packet): void {
    this.free.push(packet);
  }
}

/** First in, first out, without moving what is stored. */
export class PacketQueue {
  private items: Packet[] = [];
  private head = 0;
  bytes = 0;

  get length(): number {
    return this.items.length - this.head;
  }

  get first(): Packet | undefined {
    return this.items[this.head];
  }

  push(packet: Packet): void {
    this.items.push(packet);
    this.bytes += packet.frame.length;
  }

  shift(): Packet | null {
    const packet = this.items[this.head];
    if (packet === undefined) return null;
    this.head++;
    this.bytes -= packet.frame.length;
    if (this.head === this.items.length) {
      this.items = [];
      this.head = 0;
    } else if (this.head >= 1_024 && this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return packet;
  }
}
