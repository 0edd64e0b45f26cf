/** Watches the resident memory of script processes; V8's own limit counts neither Buffers nor what they hold. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Linux: a look costs microseconds. Elsewhere it costs a process. */
const LINUX_INTERVAL_MS = 50;
const OTHER_INTERVAL_MS = 500;
const MIB = 1_048_576;

export interface WatchedProcess {
  readonly pid: number;
  readonly limitMb: number;
  /** Called once, with MiB in use. */
  onLimit(usedMb: number): void;
}

export class MemoryWatch {
  private readonly watched = new Map<number, WatchedProcess>();
  private timer: NodeJS.Timeout | null = null;
  private asking = false;

  add(process: WatchedProcess): void {
    this.watched.set(process.pid, process);
    const interval = globalThis.process.platform === 'linux' ? LINUX_INTERVAL_MS : OTHER_INTERVAL_MS;
    this.timer ??= setInterval(() => this.look(), interval);
    this.timer.unref();
  }

  remove(pid: number): void {
    this.watched.delete(pid);
    if (this.watched.size > 0 || this.timer === null) return;
    clearInterval(this.timer);
    this.timer = null;
  }

  private look(): void {
    if (process.platform === 'linux') {
      for (const pid of [...this.watched.keys()]) this.check(pid, readResident(pid));
    } else if (!this.asking) {
      this.asking = true;
      listResident([...this.watched.keys()], (sizes) => {
        this.asking = false;
        for (const [pid, bytes] of sizes) this.check(pid, bytes);
      });
    }
  }

  private check(pid: number, bytes: number): void {
    const process = this.watched.get(pid);
    if (process === undefined || bytes <= process.limitMb * MIB) return;
    this.remove(pid);
    process.onLimit(Math.round(bytes / MIB));
  }
}

/** @returns bytes, or 0 if the process is gone */
function readResident(pid: number): number {
  try {
    return Number(/^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

function listResident(pids: readonly number[], done: (sizes: Map<number, number>) => void): void {
  const windows = process.platform === 'win32';
  const [command, args] = windows ? ['tasklist', ['/fo', 'csv', '/nh', '/fi', 'imagename eq node.exe']] : ['ps', ['-o', 'pid=,rss=', '-p', pids.join(',')]];
  execFile(command, args, { timeout: 5_000, windowsHide: true }, (_error, stdout) => {
    const sizes = new Map<number, number>();
    for (const line of stdout.split('\n')) {
      // ps: pid and KiB. tasklist: "name","pid","session","number","12,345 K".
      const match = windows ? /^"[^"]*","(\d+)",.*"([\d.,\s]+) K"/.exec(line) : /^\s*(\d+)\s+(\d+)/.exec(line);
      if (match) sizes.set(Number(match[1]), Number((match[2] ?? '').replace(/\D/g, '')) * 1024);
    }
    done(sizes);
  });
}
