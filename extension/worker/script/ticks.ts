/** The loop: ticks and frames at constant frequency, without drift, and without a burst after a late one. */
import type { EventSource } from './events';
import type { Host, HostTimer } from './host';

/** Frames for each tick, at least 60 a second. */
export function frameRate(tickRate: number): number {
  return Math.max(60, 2 * tickRate);
}

/** A loop late by no more than this catches up at once; later than this, the missed turns are left out. */
const SLACK_MS = 4;

/** Points in time `origin + n / rate`: they never drift, however late each is met. */
class Grid {
  private index = 1;
  /** How often it has been met. */
  count = 0;

  constructor(
    private readonly originMs: number,
    private readonly rate: number,
  ) {}

  get dueMs(): number {
    // Multiplied first: ticks and frames that coincide do so to the last bit.
    return this.originMs + (this.index * 1000) / this.rate;
  }

  meet(nowMs: number): number {
    this.index++;
    if (nowMs - this.dueMs > SLACK_MS) this.index = Math.floor(((nowMs - this.originMs) * this.rate) / 1000) + 1;
    return ++this.count;
  }
}

export class Loop {
  private readonly ticks: Grid;
  private readonly frames: Grid;
  private timer: HostTimer | null = null;
  private stopped = false;

  constructor(
    private readonly host: Host,
    private readonly onTick: EventSource,
    private readonly onRender: EventSource,
    readonly tickRate: number,
  ) {
    const now = host.now();
    this.ticks = new Grid(now, tickRate);
    this.frames = new Grid(now, frameRate(tickRate));
  }

  get tickCount(): number {
    return this.ticks.count;
  }

  start(): void {
    this.arm();
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
    this.timer = null;
  }

  /** The loop keeps the process alive only while someone waits for it. */
  wantedChanged(): void {
    this.timer?.keepAlive(this.onTick.wanted || this.onRender.wanted);
  }

  private arm(): void {
    if (this.stopped) return;
    const delay = Math.min(this.ticks.dueMs, this.frames.dueMs) - this.host.now();
    // What has arrived from the network by now is taken in before the script's turn begins.
    const turn = () => {
      this.timer = null;
      this.host.afterInput(() => this.turn());
    };
    if (delay <= 0) return turn();
    this.timer = this.host.timer(delay, turn);
    this.wantedChanged();
  }

  private turn(): void {
    if (this.stopped) return;
    const now = this.host.now();
    const isFrameDue = this.frames.dueMs <= now;
    if (this.ticks.dueMs <= now) {
      this.onTick.emit(this.ticks.meet(now));
      // Those who await the tick go on before the frame, too: that takes a turn of its own.
      if (isFrameDue) return this.host.afterInput(() => this.frame());
    }
    if (isFrameDue) this.frame();
    else this.arm();
  }

  private frame(): void {
    if (this.stopped) return;
    this.onRender.emit(this.frames.meet(this.host.now()));
    this.arm();
  }
}
