/** Propagation: packets arrive a fixed time after they were sent, in their order unless some are late. */
import type { VirtualClock } from '../../../stack/clock';
import { PacketQueue, type Packet } from './packet';

export class Wire {
  /** Under way without lateness. `queuedAt` is when each arrives. */
  private readonly queue = new PacketQueue();

  /** @param arrive takes a packet and becomes its owner */
  constructor(
    private readonly clock: VirtualClock,
    private readonly delayMs: number,
    private readonly arrive: (packet: Packet) => void,
  ) {
    if (!(delayMs >= 0 && delayMs < Infinity)) throw new RangeError(`delayMs is ${delayMs}: it is a time, 0 or more`);
  }

  send(packet: Packet, lateMs: number): void {
    const at = this.clock.now() + this.delayMs;
    if (lateMs > 0) {
      this.clock.at(at + lateMs, () => this.arrive(packet));
      return;
    }
    packet.queuedAt = at;
    this.queue.push(packet);
    if (this.queue.length === 1) this.clock.at(at, this.release);
  }

  /** One timer for all: packets leave the wire in the order in which they entered it. */
  private readonly release = (): void => {
    const now = this.clock.now();
    for (let first = this.queue.first; first !== undefined; first = this.queue.first) {
      if (first.queuedAt > now) {
        this.clock.at(first.queuedAt, this.release);
        return;
      }
      const packet = this.queue.shift();
      if (packet !== null) this.arrive(packet);
    }
  };
}
