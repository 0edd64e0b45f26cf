/** Which processes a command started, read from /proc: to tell whether it left any of them running; and how one is ended. */
import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';

interface Stat {
  readonly pid: number;
  readonly parent: number;
  /** Kept by those that lose their parent, unless they began one of their own. */
  readonly session: number;
  /** In clock ticks since boot; with the pid it names one process for ever. */
  readonly startTime: string;
  readonly dead: boolean;
}

function readStat(pid: number): Stat | null {
  let text: string;
  try {
    text = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null; // It ended meanwhile.
  }
  // The name in parentheses may contain anything; the fields after it are numbers (proc_pid_stat(5)).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state = '', parent = '', , session = ''] = fields;
  return { pid, parent: Number(parent), session: Number(session), startTime: fields[19] ?? '', dead: state === 'Z' || state === 'X' };
}

function readAll(): Stat[] {
  const pids = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => readStat(Number(pid)) ?? []);
}

function commandLine(pid: number): string {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '(ended)';
  }
}

/** A look reads all of /proc, which takes milliseconds. */
const LOOK_MS = 200;

/**
 * Watches the descendants of a process, which lose their parent, and so their trace, when it ends: those of its session
 * are found all the same.
 */
export class DescendantWatch {
  private readonly seen = new Map<number, Stat>();
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly root: number) {
    this.timer = setInterval(() => this.look(), LOOK_MS);
    this.look();
  }

  /** Descendants that live now, children before grandchildren. */
  living(): number[] {
    this.look();
    return [...this.seen.values()].filter((stat) => this.isAlive(stat)).map(({ pid }) => pid);
  }

  /**
   * Waits until no descendant lives, or `limitMs` has passed; what lives then is killed.
   * @returns the command lines of those that had to be killed
   */
  async end(limitMs: number): Promise<string[]> {
    const deadline = performance.now() + limitMs;
    let left = this.living();
    while (left.length > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      left = this.living();
    }
    clearInterval(this.timer);
    const names = left.map((pid) => `${pid} ${commandLine(pid)}`);
    for (const pid of left) process.kill(pid, 'SIGKILL');
    return names;
  }

  private isAlive(stat: Stat): boolean {
    const now = readStat(stat.pid);
    return now !== null && !now.dead && now.startTime === stat.startTime;
  }

  /** To be called before a signal that may end a parent. */
  look(): void {
    const all = readAll();
    const family = new Set([this.root, ...this.seen.keys()]);
    // Until nothing is added: /proc is not in order of descent.
    for (let grown = true; grown; ) {
      grown = false;
      for (const stat of all) {
        const ours = family.has(stat.parent) || stat.session === this.root;
        if (!ours || stat.pid === this.root || family.has(stat.pid)) continue;
        family.add(stat.pid);
        this.seen.set(stat.pid, stat);
        grown = true;
      }
    }
  }
}

/** Asks a process to end, and waits until it has; one that never started, or has ended, is fine too. */
export async function terminate(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}
