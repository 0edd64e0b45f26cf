/**
 * Time is injected everywhere: this is the only file of the stack (besides links and the gateway)
 * that may ask the system for it. All times are milliseconds as fractional numbers.
 */
import { performance } from 'node:perf_hooks';

/** A pending call of {@link Clock.at} or {@link Clock.soon}. */
export interface Timer {
  /** Idempotent; does nothing once the call has run. */
  cancel(): void;
}

export interface Clock {
  /** Monotonic time in ms, with a fraction. */
  now(): number;
  /** Wall-clock time in ms since 1970-01-01 UTC, for captures and leases. */
  wallTime(): number;
  /** Runs `run` once, as soon as `now() >= atMs`. `Infinity` never runs. */
  at(atMs: number, run: () => void): Timer;
  /** Runs `run` once, after the present work and the I/O that is already due. */
  soon(run: () => void): Timer;
}

const NEVER: Timer = { cancel() {} };

export class SystemClock implements Clock {
  now(): number {
    return performance.now();
  }

  wallTime(): number {
    return Date.now();
  }

  at(atMs: number, run: () => void): Timer {
    if (atMs === Infinity) return NEVER;
    // setTimeout truncates to whole milliseconds: rounding up never fires early.
    const timer = setTimeout(run, Math.max(0, Math.ceil(atMs - performance.now())));
    return { cancel: () => clearTimeout(timer) };
  }

  soon(run: () => void): Timer {
    const immediate = setImmediate(run);
    return { cancel: () => clearImmediate(immediate) };
  }
}

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** A clock that stands still until told to move: for tests and simulations. */
export class VirtualClock implements Clock {
  private time: number;
  private order = 0;
  private readonly entries = new Set<Entry>();

  /** @param startMs what `now()` gives at first @param epochMs what `wallTime()` gives at time 0 */
  constructor(
    startMs = 0,
    private readonly epochMs = Date.UTC(2026, 0, 1),
  ) {
    this.time = startMs;
  }

  now(): number {
    return this.time;
  }

  wallTime(): number {
    return this.epochMs + this.time;
  }

  at(atMs: number, run: () => void): Timer {
    if (atMs === Infinity) return NEVER;
    const entry: Entry = { at: Math.max(atMs, this.time), order: this.order++, run };
    this.entries.add(entry);
    return { cancel: () => void this.entries.delete(entry) };
  }

  soon(run: () => void): Timer {
    return this.at(this.time, run);
  }

  /** When the next call is due, or `Infinity`. */
  nextAt(): number {
    return this.next()?.at ?? Infinity;
  }

  /** Moves to `untilMs`, running what falls due on the way, in order of time, then of scheduling. */
  runUntil(untilMs: number): void {
    for (let entry = this.next(); entry && entry.at <= untilMs; entry = this.next()) this.run(entry);
    this.time = Math.max(this.time, untilMs);
  }

  advance(ms: number): void {
    this.runUntil(this.time + ms);
  }

  /**
   * Runs until `done()` holds or nothing is left to run, or `limitMs` is reached.
   * @returns whether `done()` holds.
   */
  runWhile(done: () => boolean, limitMs: number): boolean {
    while (!done()) {
      const entry = this.next();
      if (!entry || entry.at > limitMs) return false;
      this.run(entry);
    }
    return true;
  }

  private run(entry: Entry): void {
    this.entries.delete(entry);
    this.time = entry.at;
    entry.run();
  }

  private next(): Entry | undefined {
    let best: Entry | undefined;
    for (const entry of this.entries) {
      if (!best || entry.at < best.at || (entry.at === best.at && entry.order < best.order)) best = entry;
    }
    return best;
  }
}
