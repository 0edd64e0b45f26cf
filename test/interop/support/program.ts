/** A program that a test has started, and what it says. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const LIMIT_MS = 60_000;
/** A capture may have to write what is still in the kernel's ring. */
const STOP_LIMIT_MS = 30_000;
/** Of a program's words, kept for a message. */
const WORDS_KEPT = 20_000;

/** A program that goes on, and what it has said. */
export class Program {
  private text = '';
  /** Of stdout alone. */
  private lines = '';
  private readonly wake = new Set<() => void>();

  constructor(
    readonly child: ChildProcess,
    private readonly name: string,
  ) {
    // Before what wakes those that wait.
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (this.lines = (this.lines + chunk).slice(0, WORDS_KEPT)));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        this.text = (this.text + chunk).slice(-WORDS_KEPT);
        for (const wake of this.wake) wake();
      });
    }
    child.on('error', (error) => (this.text += error.message));
    for (const event of ['exit', 'close']) child.on(event, () => {
      for (const wake of this.wake) wake();
    });
  }

  /** What it has said on stdout and stderr until now, the latest of it. */
  get said(): string {
    return this.text;
  }

  get hasEnded(): boolean {
    return this.child.pid === undefined || this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Waits until its words fit. @returns what `fits` found */
  until(fits: RegExp, limitMs = LIMIT_MS): Promise<RegExpExecArray> {
    return this.wait(() => fits.exec(this.text) ?? undefined, String(fits), limitMs);
  }

  /** Waits for its first line on stdout. */
  line(limitMs = LIMIT_MS): Promise<string> {
    return this.wait(() => /^(.*)\n/.exec(this.lines)?.[1], 'a line', limitMs);
  }

  /** Waits for its end. @returns all it has said */
  async ended(limitMs = LIMIT_MS): Promise<string> {
    await this.wait(() => (this.hasEnded && (this.child.stdout?.closed ?? true) ? true : undefined), 'its end', limitMs, true);
    if (this.child.exitCode !== 0) throw new Error(`${this.name} ended with ${this.child.signalCode ?? this.child.exitCode}: ${this.text}`);
    return this.text;
  }

  /** Ends it, first as a person would. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.hasEnded) return;
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_LIMIT_MS);
    await ended;
    clearTimeout(timer);
  }

  private wait<T>(look: () => T | undefined, what: string, limitMs: number, endIsFine = false): Promise<T> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        this.wake.delete(again);
        settle();
      };
      const fail = (why: string): void => finish(() => reject(new Error(`waited for ${what} of ${this.name}: ${why}. It said: ${this.text}`)));
      const again = (): void => {
        const found = look();
        if (found !== undefined) finish(() => resolve(found));
        else if (this.hasEnded && !endIsFine) fail(`it ended with ${this.child.signalCode ?? this.child.exitCode}`);
      };
      const timer = setTimeout(() => fail(`not within ${limitMs} ms`), limitMs);
      this.wake.add(again);
      again();
    });
  }
}
