/** What every queue of a simulated router can do. */
import type { Packet } from './packet';

export interface DisciplineCounters {
  /** Lost because the queue was full. */
  overflowed: number;
  /** Lost, or marked, because packets had waited too long. */
  dropped: number;
  marked: number;
}

export interface Discipline {
  readonly counters: DisciplineCounters;
  /** Bytes that wait now, and the most that ever did. */
  readonly bytes: number;
  readonly mostBytes: number;
  /** Takes the packet, or drops it and gives it back to the pool. */
  enqueue(packet: Packet, now: number): void;
  /** The next packet to send, or null. */
  dequeue(now: number): Packet | null;
}
