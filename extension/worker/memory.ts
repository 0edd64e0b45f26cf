/** Watches the resident memory of script processes; V8's own limit counts neither Buffers nor what they hold. */
import { execFile } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';

/** Linux: a look costs microseconds. Elsewhere it costs a process. */
const LINUX_INTERVAL_MS = 50;
const OTHER_INTERVAL_MS = 500;
const MIB = 1_048_576;
/** Some 1,500 bytes on today's kernels. */
const STATUS = Buffer.alloc(8_192);

export interface WatchedProcess {
  readonly pid: number;
  readonly limitMb: number;
  /** Called once, with MiB in use. */
  onLimit(usedMb: number): void;
}

export class MemoryWatch {
  private readonly watched = new Map<number, WatchedProcess>();
  /** Linux: the status of each, held open, so that a script that uses up all descriptors does not go unwatched. */
  private readonly statuses = new Map<number, number>();
  private timer: NodeJS.Timeout | null = null;
  private asking = false;

  add(process: WatchedProcess): void {
    this.watched.set(process.pid, process);
    const linux = globalThis.process.platform === 'linux';
    // Now there is a descriptor for it: the process has not run yet.
    if (linux) this.readResident(process.pid);
    const interval = linux ? LINUX_INTERVAL_MS : OTHER_INTERVAL_MS;
    this.timer ??= setInterval(() => this.look(), interval);
    this.timer.unref();
  }

  remove(pid: number): void {
    this.watched.delete(pid);
    const status = this.statuses.get(pid);
    if (status !== undefined) closeSync(status);
    this.statuses.delete(pid);
    if (this.watched.size > 0 || this.timer === null) return;
    clearInterval(this.timer);
    this.timer = null;
  }

  private look(): void {
    if (process.platform === 'linux') {
      for (const pid of [...this.watched.keys()]) this.check(pid, this.readResident(pid));
    } else if (!this.asking) {
      this.asking = true;
      listResident([...this.watched.keys()], (sizes) => {
        this.asking = false;
        for (const [pid, bytes] of sizes) this.check(pid, bytes);
      });
    }
  }

  /** @returns bytes, or 0 if the process is gone */
  private readResident(pid: number): number {
    try {
      const status = this.statuses.get(pid) ?? openSync(`/proc/${pid}/status`, 'r');
      this.statuses.set(pid, status);
      const length = readSync(status, STATUS, 0, STATUS.length, 0);
      return Number(/^VmRSS:\s*(\d+) kB/m.exec(STATUS.toString('latin1', 0, length))?.[1] ?? 0) * 1024;
    } catch {
      return 0;
    }
  }

  private check(pid: number, bytes: number): void {
    const process = this.watched.get(pid);
    if (process === undefined || bytes <= process.limitMb * MIB) return;
    this.remove(pid);
    process.onLimit(Math.round(bytes / MIB));
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
