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
    const timer = setTimeout(run, Math.ceil(delayMs));
    return { cancel: () => clearTimeout(timer), keepAlive: (on) => void (on ? timer.ref() : timer.unref()) };
  },
  afterInput: (run) => void setImmediate(run),
};
