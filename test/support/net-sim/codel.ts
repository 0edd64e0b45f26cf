/** CoDel (RFC 8289 §5), marking ECN-capable packets (RFC 3168 §5) where it would drop others. */
import { ETHERNET_HEADER_BYTES } from '../../../stack/wire/ethernet';
import type { Discipline, DisciplineCounters } from './queue-types';
import { markCongestion } from './marks';
import { PacketQueue, type Packet, type PacketPool } from './packet';

/** RFC 8289 §4.4, §4.3. */
const TARGET_MS = 5;
const INTERVAL_MS = 100;

export interface CoDelOptions {
  readonly bytes: number;
  readonly targetMs?: number;
  readonly intervalMs?: number;
}

export class CoDel implements Discipline {
  readonly counters: DisciplineCounters = { overflowed: 0, dropped: 0, marked: 0 };
  mostBytes = 0;
  private readonly queue = new PacketQueue();
  private readonly targetMs: number;
  private readonly intervalMs: number;
  private readonly maxPacket: number;
  /** When the sojourn time will have been above the target for an interval; 0 while it is below. */
  private firstAboveAt = 0;
  private dropNextAt = 0;
  private count = 0;
  private lastCount = 0;
  private dropping = false;
  /** Whether the packet that {@link next} gave had waited too long for too long. */
  private okToDrop = false;

  constructor(
    private readonly options: CoDelOptions,
    private readonly pool: PacketPool,
    mtu: number,
  ) {
    this.targetMs = options.targetMs ?? TARGET_MS;
    this.intervalMs = options.intervalMs ?? INTERVAL_MS;
    this.maxPacket = ETHERNET_HEADER_BYTES + mtu;
  }

  get bytes(): number {
    return this.queue.bytes;
  }

  enqueue(packet: Packet, now: number): void {
    if (this.queue.length > 0 && this.queue.bytes + packet.frame.length > this.options.bytes) {
      this.counters.overflowed++;
      this.pool.give(packet);
      return;
    }
    packet.queuedAt = now;
    this.queue.push(packet);
    this.mostBytes = Math.max(this.mostBytes, this.queue.bytes);
  }

  /** §5.5 */
  dequeue(now: number): Packet | null {
    let packet = this.next(now);
    if (this.dropping) {
      if (!this.okToDrop) this.dropping = false;
      while (this.dropping && packet !== null && now >= this.dropNextAt) {
        this.count++;
        if (this.mark(packet)) {
          this.dropNextAt = this.controlLaw(this.dropNextAt);
          break;
        }
        this.drop(packet);
        packet = this.next(now);
        if (this.okToDrop) this.dropNextAt = this.controlLaw(this.dropNextAt);
        else this.dropping = false;
      }
    } else if (this.okToDrop && packet !== null) {
      if (!this.mark(packet)) {
        this.drop(packet);
        packet = this.next(now);
      }
      this.dropping = true;
      // A queue that was dropping a moment ago goes on about where it left off.
      const delta = this.count - this.lastCount;
      this.count = delta > 1 && now - this.dropNextAt < 16 * this.intervalMs ? delta : 1;
      this.dropNextAt = this.controlLaw(now);
      this.lastCount = this.count;
    }
    return packet;
  }

  /** §5.4 dodequeue */
  private next(now: number): Packet | null {
    const packet = this.queue.shift();
    this.okToDrop = false;
    if (packet === null) {
      this.firstAboveAt = 0;
      return null;
    }
    if (now - packet.queuedAt < this.targetMs || this.queue.bytes <= this.maxPacket) {
      this.firstAboveAt = 0;
    } else if (this.firstAboveAt === 0) {
      this.firstAboveAt = now + this.intervalMs;
    } else if (now >= this.firstAboveAt) {
      this.okToDrop = true;
    }
    return packet;
  }

  private controlLaw(from: number): number {
    return from + this.intervalMs / Math.sqrt(this.count);
  }

  private mark(packet: Packet): boolean {
    if (!markCongestion(packet.frame)) return false;
    this.counters.marked++;
    return true;
  }

  private drop(packet: Packet): void {
    this.counters.dropped++;
    this.pool.give(packet);
  }
}
