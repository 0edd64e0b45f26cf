/** `Event.OnTick` and `Event.OnRender`: awaited, bound, or iterated over. */
import { checkFunction, type Callback } from './arguments';

export interface GameEvent extends PromiseLike<number>, AsyncIterable<number> {
  on(handler: Callback): void;
  once(handler: Callback): void;
  off(handler: Callback): boolean;
}

/** The side of an event that the loop sees. */
export interface EventSource {
  readonly event: GameEvent;
  /** Whether anyone waits for it: then the script goes on. */
  readonly wanted: boolean;
  /** Runs the handlers in the order they were bound, then resumes those who await. */
  emit(value: number): void;
}

interface Binding {
  readonly handler: Callback;
  readonly once: boolean;
}

/**
 * @param report told what a handler threw, or what the promise it returned was rejected with
 * @param onWanted called whenever `wanted` may have changed
 */
export function createEvent(name: string, report: (error: unknown) => void, onWanted: () => void): EventSource {
  const bindings = new Map<Callback, Binding>();
  let waiters: ((value: number) => void)[] = [];

  function bind(method: string, handler: unknown, once: boolean): void {
    checkFunction(`${name}.${method}(handler)`, 'handler', handler);
    // Bound again, it keeps its place and runs once: binding is idempotent.
    bindings.set(handler, { handler, once });
    onWanted();
  }

  function next(): Promise<number> {
    return new Promise((resolve) => {
      waiters.push(resolve);
      onWanted();
    });
  }

  const event: GameEvent = Object.freeze({
    on: (handler: unknown) => bind('on', handler, false),
    once: (handler: unknown) => bind('once', handler, true),
    off(handler: unknown): boolean {
      checkFunction(`${name}.off(handler)`, 'handler', handler);
      const bound = bindings.delete(handler);
      onWanted();
      return bound;
    },
    // An event is no promise: it is awaited anew each time, and each time resumes once.
    then: <A = number, B = never>(fulfilled?: ((value: number) => A | PromiseLike<A>) | null, rejected?: ((reason: unknown) => B | PromiseLike<B>) | null) =>
      next().then(fulfilled, rejected),
    async *[Symbol.asyncIterator](): AsyncGenerator<number> {
      for (;;) yield await next();
    },
  });

  return {
    event,
    get wanted() {
      return bindings.size > 0 || waiters.length > 0;
    },
    emit(value) {
      for (const binding of [...bindings.values()]) {
        // An earlier handler may have taken this one off.
        if (bindings.get(binding.handler) !== binding) continue;
        if (binding.once) bindings.delete(binding.handler);
        const { handler } = binding;
        // Called by its bare name: a method's receiver would show in stacks, and be the handler's `this`.
        guard(() => handler(value), report);
      }
      const resumed = waiters;
      waiters = [];
      for (const resume of resumed) resume(value);
      onWanted();
    },
  };
}

/** Runs a script's callback: what it throws, now or as a promise, is reported and goes no further. @returns what it returned */
export function guard(run: () => unknown, report: (error: unknown) => void): unknown {
  try {
    const result = run();
    if (result instanceof Promise) result.catch(report);
    return result;
  } catch (error) {
    report(error);
    return undefined;
  }
}
