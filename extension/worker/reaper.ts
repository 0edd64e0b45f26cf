/**
 * A script's process ends by itself when the pipe to its worker closes, but not while it spins. For that
 * case a shell waits beside it, holding one end of a pipe from the worker: when the worker dies, however it
 * does, the pipe closes and the shell kills the script. It has a session of its own, so that Ctrl-C does not
 * reach it first. On Windows the system does this by itself: Node puts its children into a job that ends
 * with it.
 */
import { spawn, type ChildProcess } from 'node:child_process';

/** The line "done" means: the script's process is gone, and its number may belong to another by now. */
const SCRIPT = 'read -r line; [ "$line" = done ] || kill -9 "$0"';

export class Reaper {
  private readonly shell: ChildProcess | null;

  constructor(pid: number) {
    this.shell = process.platform === 'win32' ? null : start(pid);
    // Without a shell nothing watches; the script's process still ends with its pipe, unless it spins.
    this.shell?.on('error', () => undefined);
    this.shell?.stdin?.on('error', () => undefined);
    this.shell?.unref();
  }

  /** The script's process has ended. */
  release(): void {
    this.shell?.stdin?.end('done\n');
  }
}

/** Some failures to start a program are told by an event, others thrown. */
function start(pid: number): ChildProcess | null {
  try {
    return spawn('/bin/sh', ['-c', SCRIPT, String(pid)], { detached: true, stdio: ['pipe', 'ignore', 'ignore'], cwd: '/', env: {} });
  } catch {
    return null;
  }
}
