import type { Disposable } from './emitter';

/** Time as the extension's logic sees it: injected, so that tests need no sleeps. */
export interface Scheduler {
  /** Wall clock, ms since 1970. */
  now(): number;
  /** Calls `task` once after `ms`; disposing cancels it. */
  after(ms: number, task: () => void): Disposable;
}

export const systemScheduler: Scheduler = {
  now: () => Date.now(),
  after(ms, task) {
    const timer = setTimeout(task, ms);
    return { dispose: () => clearTimeout(timer) };
  },
};
