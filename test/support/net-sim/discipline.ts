/** What a router's queue does with packets that wait for a slower link. */
import { CoDel } from './codel';
import { PacketQueue, type Packet, type PacketPool } from './packet';
import type { Discipline, DisciplineCounters } from './queue-types';

export type QueueOptions =
  /** Drops what does not fit any more. */
  | { readonly kind: 'drop-tail'; readonly bytes: number }
  /** RFC 8289, with marks in place of drops for packets that are ECN-capable. `bytes` is its hard limit. */
  | { readonly kind: 'codel'; readonly bytes: number; readonly targetMs?: number; readonly intervalMs?: number };

export function createDiscipline(options: QueueOptions, pool: PacketPool, mtu: number): Discipline {
  if (!(options.bytes >= 1)) throw new RangeError(`a queue of ${options.bytes} bytes holds no packet: give it at least one frame's`);
  return options.kind === 'codel' ? new CoDel(options, pool, mtu) : new DropTail(options.bytes, pool);
}

class DropTail implements Discipline {
  readonly counters: DisciplineCounters = { overflowed: 0, dropped: 0, marked: 0 };
  mostBytes = 0;
  private readonly queue = new PacketQueue();

  constructor(
    private readonly limitBytes: number,
    private readonly pool: PacketPool,
  ) {}

  get bytes(): number {
    return this.queue.bytes;
  }

  enqueue(packet: Packet): void {
    // An empty queue always takes one: a frame must get through whatever the limit.
    if (this.queue.length > 0 && this.queue.bytes + packet.frame.length > this.limitBytes) {
      this.counters.overflowed++;
      this.pool.give(packet);
      return;
    }
    this.queue.push(packet);
    this.mostBytes = Math.max(this.mostBytes, this.queue.bytes);
  }

  dequeue(): Packet | null {
    return this.queue.shift();
  }
}
