import { VirtualClock } from '../../../stack';
import type { Host } from '../../../extension/worker/script/host';

/** A script's time on the virtual clock. */
export class VirtualHost implements Host {
  readonly clock = new VirtualClock();
  /** Timers that would keep the process alive now. */
  readonly alive = new Set<object>();

  now(): number {
    return this.clock.now();
  }

  timer(delayMs: number, run: () => void) {
    const key = {};
    this.alive.add(key);
    const timer = this.clock.at(this.clock.now() + Math.ceil(delayMs), () => {
      this.alive.delete(key);
      run();
    });
    return {
      cancel: () => {
        this.alive.delete(key);
        timer.cancel();
      },
      keepAlive: (on: boolean) => void (on ? this.alive.add(key) : this.alive.delete(key)),
    };
  }

  afterInput(run: () => void): void {
    this.clock.soon(run);
  }

  /** Moves on, turn by turn, with the promises' reactions after each. */
  async advance(ms: number): Promise<void> {
    const until = this.clock.now() + ms;
    for (let more = true; more; ) {
      let turns = 0;
      more = this.clock.runWhile(() => turns++ > 0, until);
      for (let reactions = 0; reactions < 5; reactions++) await Promise.resolve();
    }
    this.clock.runUntil(until);
  }
}
