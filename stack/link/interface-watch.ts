/** Looks at an interface's state again and again: no capture library tells when it goes, comes back or changes. */
import type { Clock, Timer } from '../clock';
import type { InterfaceState } from './interfaces';

export type InterfaceEvent =
  | { readonly type: 'down' }
  | { readonly type: 'gone' }
  /** Up again, or for the first time; a capture from before is dead. */
  | { readonly type: 'up' }
  | { readonly type: 'mtu'; readonly mtu: number; readonly before: number };

export interface InterfaceWatchOptions {
  readonly clock: Clock;
  /** Between two looks, ms. */
  readonly intervalMs: number;
  /** null: there is no such interface; `unknown`: it could not be looked at, which changes nothing. */
  readonly read: () => InterfaceState | 'unknown' | null;
  readonly onEvent: (event: InterfaceEvent) => void;
  /** After each look. */
  readonly onTick: () => void;
}

export class InterfaceWatch {
  private state: InterfaceState | null;
  private timer: Timer;
  private stopped = false;

  constructor(private readonly options: InterfaceWatchOptions) {
    const state = options.read();
    this.state = state === 'unknown' ? null : state;
    this.timer = this.arm();
  }

  get isUp(): boolean {
    return this.state?.up ?? false;
  }

  /** Bytes, as it was seen last; null where it is not known. */
  get mtu(): number | null {
    return this.state?.mtu ?? null;
  }

  /** Looks at once; for when something else says that the state has changed. */
  look(): void {
    if (this.stopped) return;
    const { onEvent } = this.options;
    const before = this.state;
    const now = this.options.read();
    if (now === 'unknown') return;
    this.state = now;
    if (now === null) {
      if (before !== null) onEvent({ type: 'gone' });
      return;
    }
    // Made anew under the same name between two looks, or down and up again: what was open on it is dead.
    const replaced = before !== null && before.index !== now.index;
    const flapped = before !== null && !replaced && before.up && before.carrierChanges !== now.carrierChanges;
    if (replaced) onEvent({ type: 'gone' });
    else if (before?.up && (!now.up || flapped)) onEvent({ type: 'down' });
    if (before?.mtu !== now.mtu && now.mtu !== null && before !== null && before.mtu !== null) {
      onEvent({ type: 'mtu', mtu: now.mtu, before: before.mtu });
    }
    if (now.up && (!before?.up || replaced || flapped)) onEvent({ type: 'up' });
  }

  /** Idempotent. */
  stop(): void {
    this.stopped = true;
    this.timer.cancel();
  }

  private arm(): Timer {
    const { clock, intervalMs } = this.options;
    return clock.at(clock.now() + intervalMs, () => {
      if (this.stopped) return;
      this.look();
      this.options.onTick();
      if (!this.stopped) this.timer = this.arm();
    });
  }
}
