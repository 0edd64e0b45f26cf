import type { Disposable } from './emitter';
import type { Scheduler } from './scheduler';

/** Least time between two refreshes of the tree: ten a second, however busy the network is. */
export const REFRESH_INTERVAL_MS = 100;

/** Collects the ids of changed nodes and hands them on together, at most once in an interval; the first at once. */
export class RefreshThrottle implements Disposable {
  readonly #scheduler: Scheduler;
  readonly #flush: (ids: ReadonlySet<string>) => void;
  #pending = new Set<string>();
  #timer: Disposable | null = null;
  #lastFlush = -Infinity;

  constructor(scheduler: Scheduler, flush: (ids: ReadonlySet<string>) => void) {
    this.#scheduler = scheduler;
    this.#flush = flush;
  }

  add(id: string): void {
    this.#pending.add(id);
    if (this.#timer) return;
    // A wall clock set back must not silence the tree: never wait longer than the interval.
    const since = Math.max(0, this.#scheduler.now() - this.#lastFlush);
    this.#timer = this.#scheduler.after(Math.max(0, REFRESH_INTERVAL_MS - since), () => {
      const ids = this.#pending;
      this.#pending = new Set();
      this.#timer = null;
      this.#lastFlush = this.#scheduler.now();
      this.#flush(ids);
    });
  }

  dispose(): void {
    this.#timer?.dispose();
    this.#timer = null;
    this.#pending.clear();
  }
}
