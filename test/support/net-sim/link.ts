/**
 * One direction of a path: a queue before a bottleneck that sends at a fixed rate, then a wire with a
 * propagation delay, on which packets suffer.
 */
import type { VirtualClock } from '../../../stack/clock';
import type { Random } from '../../../stack/random';
import { createDiscipline, type QueueOptions } from './discipline';
import { checkImpairments, Fate, type Impairments } from './impairments';
import type { Packet, PacketPool } from './packet';
import type { Discipline } from './queue-types';
import { Wire } from './wire';

export interface LinkOptions extends Impairments {
  /** Bits per second of whole frames; absent: no bottleneck, and so no queue. */
  readonly bitsPerSecond?: number;
  /** Default: drop-tail of 1 MiB. */
  readonly queue?: QueueOptions;
  /** Propagation, one way, ms. */
  readonly delayMs: number;
}

export interface LinkDeps {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly pool: PacketPool;
  readonly mtu: number;
  /** Takes a packet that has arrived, and becomes its owner. */
  readonly arrive: (packet: Packet) => void;
}

export class Link {
  readonly queue: Discipline;
  readonly fate: Fate;
  /** Bytes of whole frames that left the bottleneck. */
  sentBytes = 0;
  private readonly wire: Wire;
  private readonly bytesPerMs: number;
  private sending: Packet | null = null;

  constructor(
    options: LinkOptions,
    private readonly deps: LinkDeps,
  ) {
    const { bitsPerSecond = Infinity, queue = { kind: 'drop-tail', bytes: 1 << 20 }, delayMs } = options;
    if (!(bitsPerSecond > 0)) throw new RangeError(`bitsPerSecond is ${bitsPerSecond}: it is a rate above 0`);
    checkImpairments(options);
    this.bytesPerMs = bitsPerSecond / 8_000;
    this.queue = createDiscipline(queue, deps.pool, deps.mtu);
    this.fate = new Fate(options, deps.random, deps.clock.now());
    this.wire = new Wire(deps.clock, delayMs, deps.arrive);
  }

  /** Becomes the packet's owner. */
  send(packet: Packet): void {
    if (this.bytesPerMs === Infinity) {
      this.transmit(packet);
      return;
    }
    this.queue.enqueue(packet, this.deps.clock.now());
    if (this.sending === null) this.sendNext();
  }

  private sendNext(): void {
    const { clock } = this.deps;
    const packet = this.queue.dequeue(clock.now());
    this.sending = packet;
    if (packet !== null) clock.at(clock.now() + packet.frame.length / this.bytesPerMs, this.sent);
  }

  /** The last bit of the packet has left the bottleneck. */
  private readonly sent = (): void => {
    const packet = this.sending;
    if (packet !== null) this.transmit(packet);
    this.sendNext();
  };

  private transmit(packet: Packet): void {
    const { fate, wire, deps } = this;
    this.sentBytes += packet.frame.length;
    if (fate.spares(packet.frame)) {
      wire.send(packet, 0);
      return;
    }
    if (fate.loses(deps.clock.now())) {
      deps.pool.give(packet);
      return;
    }
    const copy = fate.duplicates() ? deps.pool.take(packet.frame, packet.frame.length) : null;
    fate.damage(packet.frame);
    wire.send(packet, fate.lateness());
    if (copy !== null) {
      fate.damage(copy.frame);
      wire.send(copy, fate.lateness());
    }
  }
}
