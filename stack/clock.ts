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
/** The longest delay that setTimeout takes, ms, 24.8 days: it runs a longer one at once. Leases can be longer. */
const MAX_DELAY_MS = 2 ** 31 - 1;

export class SystemClock implements Clock {
  now(): number {
    return performance.now();
  }

  wallTime(): number {
    return Date.now();
  }

  at(atMs: number, run: () => void): Timer {
    if (atMs === Infinity) return NEVER;
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      // setTimeout truncates to whole milliseconds: rounding up never fires early.
      const delay = Math.max(0, Math.ceil(atMs - performance.now()));
      timer = delay > MAX_DELAY_MS ? setTimeout(arm, MAX_DELAY_MS) : setTimeout(run, delay);
    };
    arm();
    return { cancel: () => clearTimeout(timer) };
  }

  soon(run: () => void): Timer {
    const immediate = setImmediate(run);
    return { cancel: () => clearImmediate(immediate) };
  }
}

/** A call to come. It is its own timer: a simulation makes millions. */
class Entry implements Timer {
  /** Its place in the heap, or -1 once it has run or was cancelled. */
  index = -1;

  constructor(
    readonly at: number,
    readonly order: number,
    readonly run: () => void,
    private readonly heap: EntryHeap,
  ) {}

  cancel(): void {
    this.heap.remove(this);
  }
}

function comesBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** A binary heap of calls, soonest first, and of those due at one time the one scheduled first. */
class EntryHeap {
  private readonly entries: Entry[] = [];

  get first(): Entry | undefined {
    return this.entries[0];
  }

  add(entry: Entry): void {
    this.entries.push(entry);
    this.up(entry, this.entries.length - 1);
  }

  remove(entry: Entry): void {
    const { index } = entry;
    if (index < 0) return;
    entry.index = -1;
    const last = this.entries.pop();
    if (last === undefined || last === entry) return;
    this.down(last, this.up(last, index));
  }

  private up(entry: Entry, from: number): number {
    const { entries } = this;
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      const above = entries[parent];
      if (above === undefined || comesBefore(above, entry)) break;
      entries[index] = above;
      above.index = index;
      index = parent;
    }
    entries[index] = entry;
    entry.index = index;
    return index;
  }

  private down(entry: Entry, from: number): void {
    const { entries } = this;
    let index = from;
    for (;;) {
      let child = 2 * index + 1;
      let least = entries[child];
      const right = entries[child + 1];
      if (least !== undefined && right !== undefined && comesBefore(right, least)) {
        least = right;
        child++;
      }
      if (least === undefined || comesBefore(entry, least)) break;
      entries[index] = least;
      least.index = index;
      index = child;
    }
    entries[index] = entry;
    entry.index = index;
  }
}

/** A clock that stands still until told to move: for tests and simulations. */
export class VirtualClock implements Clock {
  private time: number;
  private order = 0;
  private readonly heap = new EntryHeap();

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
    const entry = new Entry(Math.max(atMs, this.time), this.order++, run, this.heap);
    this.heap.add(entry);
    return entry;
  }

  soon(run: () => void): Timer {
    return this.at(this.time, run);
  }

  /** When the next call is due, or `Infinity`. */
  nextAt(): number {
    return this.heap.first?.at ?? Infinity;
  }

  /** Moves to `untilMs`, running what falls due on the way, in order of time, then of scheduling. */
  runUntil(untilMs: number): void {
    for (let entry = this.heap.first; entry && entry.at <= untilMs; entry = this.heap.first) this.run(entry);
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
      const entry = this.heap.first;
      if (!entry || entry.at > limitMs) return false;
      this.run(entry);
    }
    return true;
  }

  private run(entry: Entry): void {
    this.heap.remove(entry);
    this.time = entry.at;
    entry.run();
  }
}
