/** Time and turns as a script's process has them; a test has its own. */
import { performance } from 'node:perf_hooks';

export interface HostTimer {
  cancel(): void;
  /** Whether the timer keeps the process alive. */
  keepAlive(on: boolean): void;
}

export interface Host {
  /** Monotonic, ms with a fraction. */
  now(): number;
  /** Runs once, at least `delayMs` (rounded up to whole ms) from now. Keeps the process alive. */
  timer(delayMs: number, run: () => void): HostTimer;
  /** Runs after the input that is due has been taken in. */
  afterInput(run: () => void): void;
}

const { setTimeout, clearTimeout, setImmediate } = globalThis;

export const systemHost: Host = {
  now: () => performance.now(),
  timer(delayMs, run) {
    const due = performance.now() + delayMs;
    let alive = true;
    const fire = () => {
      // Node counts from the last whole millisecond that it has looked at the clock: it can be early by one.
      const early = due - performance.now();
      if (early > 0) timer = arm(early);
      else run();
    };
    const arm = (ms: number) => {
      const made = setTimeout(fire, Math.ceil(ms));
      if (!alive) made.unref();
      return made;
    };
    let timer = arm(delayMs);
    return {
      cancel: () => clearTimeout(timer),
      keepAlive(on) {
        alive = on;
        if (on) timer.ref();
        else timer.unref();
      },
    };
  },
  afterInput: (run) => void setImmediate(run),
};
