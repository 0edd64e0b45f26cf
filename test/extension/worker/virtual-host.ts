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

  /** Moves on in steps of a millisecond, with the promises' reactions after each, as between turns. */
  async advance(ms: number): Promise<void> {
    for (let i = 0; i < ms; i++) {
      this.clock.advance(1);
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    }
  }
}
