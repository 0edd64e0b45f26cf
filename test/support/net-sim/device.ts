/** A network card whose cable is the simulation. */
import { createLinkCounters, type Device } from '../../../stack/link/device';
import { ETHERNET_HEADER_BYTES } from '../../../stack/wire/ethernet';
import { PacketQueue, type Packet, type PacketPool } from './packet';

/** Holds more than the largest receive window, so that nothing is lost here that the simulation did not lose. */
const QUEUE_BYTES = 16 << 20;

export interface SimDeviceOptions {
  readonly mac: Uint8Array;
  readonly mtu: number;
  readonly pool: PacketPool;
  /** Takes a packet onto the network, and becomes its owner. */
  readonly send: (packet: Packet) => void;
}

export class SimDevice implements Device {
  readonly mac: Uint8Array;
  readonly mtu: number;
  readonly counters = createLinkCounters();
  onFrame: (() => void) | null = null;
  /** Brings a packet to this card, over whatever lies between it and the network. */
  deliver: (packet: Packet) => void = (packet) => this.take(packet);
  private readonly queue = new PacketQueue();
  private closed = false;

  constructor(private readonly options: SimDeviceOptions) {
    this.mac = options.mac;
    this.mtu = options.mtu;
  }

  get hasFrames(): boolean {
    return this.queue.length > 0;
  }

  send(buffer: Uint8Array, length: number): void {
    const { counters } = this;
    if (length < ETHERNET_HEADER_BYTES || length > ETHERNET_HEADER_BYTES + this.mtu || length > buffer.length) {
      counters.badLength++;
      return;
    }
    if (this.closed) {
      counters.txDropped++;
      return;
    }
    counters.txFrames++;
    counters.txBytes += length;
    this.options.send(this.options.pool.take(buffer, length));
  }

  receive(budget: number, handler: (frame: Uint8Array) => void): number {
    const { counters, queue, options } = this;
    let frames = 0;
    while (frames < budget) {
      const packet = queue.shift();
      if (packet === null) break;
      counters.rxFrames++;
      counters.rxBytes += packet.frame.length;
      handler(packet.frame);
      options.pool.give(packet);
      frames++;
    }
    return frames;
  }

  close(): void {
    this.closed = true;
    for (let packet = this.queue.shift(); packet !== null; packet = this.queue.shift()) this.options.pool.give(packet);
  }

  isFor(frame: Uint8Array): boolean {
    const { mac } = this;
    for (let i = 5; i >= 0; i--) if (mac[i] !== frame[i]) return false;
    return true;
  }

  /** A packet has arrived, and is this card's now. */
  take(packet: Packet): void {
    if (this.closed || this.queue.bytes + packet.frame.length > QUEUE_BYTES) {
      if (!this.closed) this.counters.rxQueueFull++;
      this.options.pool.give(packet);
      return;
    }
    this.queue.push(packet);
    if (this.queue.length === 1) this.onFrame?.();
  }
}
