/** `Engine`: time, and calls at a later time; the web's timers are other names for them. */
import { checkFunction, checkNumber, type Callback } from './arguments';
import { guard } from './events';
import type { Host, HostTimer } from './host';

/** The longest delay, ms: what the system's timers hold, 24.8 days. */
export const MAX_DELAY_MS = 2_147_483_647;

export interface EngineOptions {
  readonly host: Host;
  readonly tickRate: number;
  readonly tickCount: () => number;
  /** Told what a callback threw. */
  readonly report: (error: unknown) => void;
  /** Runs its argument after the present turn of the script, before anything else. */
  readonly microtask: (run: () => void) => void;
}

export function createEngine({ host, tickRate, tickCount, report, microtask }: EngineOptions) {
  const startedAt = host.now();
  const pending = new Map<number, HostTimer>();
  let lastKey = 0;

  const time = () => host.now() - startedAt;

  function delay(run: () => unknown, ms: number): number {
    const key = ++lastKey;
    const timer = host.timer(ms, () => {
      pending.delete(key);
      guard(run, report);
    });
    pending.set(key, timer);
    return key;
  }

  function repeat(run: () => unknown, ms: number): number {
    const key = ++lastKey;
    const period = Math.max(1, ms);
    let due = host.now() + period;
    const arm = () => pending.set(key, host.timer(Math.max(0, due - host.now()), fire));
    const fire = () => {
      const ended = guard(run, report) === true;
      if (!pending.has(key)) return;
      if (ended) return void pending.delete(key);
      // Whole periods from the first time: neither drift nor, after a late one, a burst; those missed are left out.
      due += period * (1 + Math.floor(Math.max(0, host.now() - due) / period));
      arm();
    };
    arm();
    return key;
  }

  function cancel(key: unknown): boolean {
    if (typeof key !== 'number') return false;
    const timer = pending.get(key);
    timer?.cancel();
    return pending.delete(key);
  }

  function defer(where: string, fn: unknown): void {
    checkFunction(where, 'fn', fn);
    microtask(() => guard(() => fn(time()), report));
  }

  /** The web's names take less care: a missing or past time is 0, further arguments go to the function. */
  function alias(start: (run: () => unknown, ms: number) => number, where: string) {
    return (fn: unknown, ms: unknown = 0, ...values: unknown[]): number => {
      checkFunction(where, 'fn', fn);
      const wait = typeof ms === 'number' && ms < 0 ? 0 : ms;
      checkNumber(where, 'ms', wait, 0, MAX_DELAY_MS);
      return start(() => (values.length > 0 ? fn(...values) : fn(time())), wait);
    };
  }

  const Engine = Object.freeze({
    TICK_RATE: tickRate,
    Time: time,
    GetTickCount: tickCount,
    Defer: (fn: unknown) => defer('Engine.Defer(fn)', fn),
    Delay(fn: unknown, ms: unknown): number {
      checkFunction('Engine.Delay(fn, ms)', 'fn', fn);
      checkNumber('Engine.Delay(fn, ms)', 'ms', ms, 0, MAX_DELAY_MS);
      return delay(() => fn(time()), ms);
    },
    Timer(fn: unknown, ms: unknown): number {
      checkFunction('Engine.Timer(fn, ms)', 'fn', fn);
      checkNumber('Engine.Timer(fn, ms)', 'ms', ms, 0, MAX_DELAY_MS);
      return repeat(() => fn(time()), ms);
    },
    Cancel: cancel,
  });

  const setImmediateAlias = alias(delay, 'setImmediate(fn)');
  return {
    Engine,
    aliases: {
      queueMicrotask: (fn: unknown) => defer('queueMicrotask(fn)', fn),
      setTimeout: alias(delay, 'setTimeout(fn, ms)'),
      setInterval: alias(repeat, 'setInterval(fn, ms)'),
      setImmediate: (fn: unknown, ...values: unknown[]) => setImmediateAlias(fn, 0, ...values),
      clearTimeout: cancel,
      clearInterval: cancel,
      clearImmediate: cancel,
    },
    /** No callback runs after this. */
    stop(): void {
      for (const timer of pending.values()) timer.cancel();
      pending.clear();
    },
  };
}

export type { Callback };
