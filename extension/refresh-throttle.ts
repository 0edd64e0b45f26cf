import type { Disposable } from './emitter';
import type { Scheduler } from './scheduler';

/** Least time between two refreshes of the tree: ten a second, however busy the network is. */
export const REFRESH_INTERVAL_MS = 100;
/** After a refresh of many nodes the next one waits longer, so that the window has the time for it. */
export const REFRESH_MS_PER_NODE = 2;
/** But no longer than this. */
export const MAX_REFRESH_INTERVAL_MS = 1_000;

/**
 * Collects the ids of changed nodes and hands them on together, at most once in an interval; the first at once.
 * The interval grows with what the last refresh was told to cost.
 */
export class RefreshThrottle implements Disposable {
  readonly #scheduler: Scheduler;
  readonly #flush: (ids: ReadonlySet<string>) => number;
  #pending = new Set<string>();
  #timer: Disposable | null = null;
  #lastFlush = -Infinity;
  readonly #leastMs: number;
  #intervalMs: number;
  #heldUntil = -Infinity;

  /**
   * @param flush returns how many nodes it made VS Code read
   * @param leastMs the interval, if that was few
   */
  constructor(scheduler: Scheduler, flush: (ids: ReadonlySet<string>) => number, leastMs = REFRESH_INTERVAL_MS) {
    this.#leastMs = leastMs;
    this.#intervalMs = leastMs;
    this.#scheduler = scheduler;
    this.#flush = flush;
  }

  add(id: string): void {
    this.#pending.add(id);
    if (this.#timer) return;
    // A wall clock set back must not silence the tree: never wait longer than the interval.
    const since = Math.max(0, this.#scheduler.now() - this.#lastFlush);
    this.#arm(Math.max(0, this.#intervalMs - since));
  }

  /** Hands nothing on for so long: somebody reads what a refresh would take away. */
  hold(ms: number): void {
    this.#heldUntil = this.#scheduler.now() + ms;
  }

  dispose(): void {
    this.#timer?.dispose();
    this.#timer = null;
    this.#pending.clear();
  }

  #arm(delayMs: number): void {
    this.#timer = this.#scheduler.after(delayMs, () => {
      const heldMs = this.#heldUntil - this.#scheduler.now();
      if (heldMs > 0) return this.#arm(heldMs);
      const ids = this.#pending;
      this.#pending = new Set();
      this.#timer = null;
      this.#lastFlush = this.#scheduler.now();
      this.#intervalMs = Math.max(this.#leastMs, Math.min(this.#flush(ids) * REFRESH_MS_PER_NODE, MAX_REFRESH_INTERVAL_MS));
    });
  }
}
