/** Polls a stack by events and one timer: nothing runs while nothing is due. */
import type { Clock, Timer } from './clock';
import type { Stack } from './stack';

/**
 * Runs `stack` on `clock` from now on, taking over its `onWork`. At most one poll is scheduled at a time, and
 * one timer armed. @returns a handle; `stop` is idempotent and leaves the stack as it is
 */
export function runStack(stack: Stack, clock: Clock): { stop(): void } {
  let soon: Timer | null = null;
  let timer: Timer | null = null;
  let timerAt = Infinity;
  let stopped = false;

  const schedule = (): void => {
    if (soon === null && !stopped) soon = clock.soon(poll);
  };

  const arm = (at: number): void => {
    if (at === timerAt) return;
    timer?.cancel();
    timerAt = at;
    timer = at === Infinity ? null : clock.at(at, onTimer);
  };

  const onTimer = (): void => {
    timer = null;
    timerAt = Infinity;
    poll();
  };

  const poll = (): void => {
    soon?.cancel();
    soon = null;
    if (stopped) return;
    if (stack.poll(clock.now())) schedule();
    else arm(stack.pollAt());
  };

  stack.onWork = schedule;
  schedule();
  return {
    stop(): void {
      stopped = true;
      stack.onWork = null;
      soon?.cancel();
      timer?.cancel();
    },
  };
}
