/** Scripts in a worker thread with a limit on time and memory: a stack that loops fails its script and no other. */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { ScriptOutcome } from './run-script';
import type { Done, Job } from './worker';

/** Above the runner's own limit on the wall, ms: that one has the better message. */
const WALL_LIMIT_MS = 20_000;
const MEMORY_MIB = 1_024;

export class Supervisor {
  private worker: Worker | null = null;

  /** @param program the worker's program; absent: the one built beside this file */
  constructor(
    private readonly program: string | null = null,
    private readonly wallLimitMs = WALL_LIMIT_MS,
  ) {}

  /** Never rejects: whatever ends the worker is the script's failure. */
  async run(job: Job): Promise<Done> {
    const worker = (this.worker ??= this.start());
    return new Promise<Done>((resolve) => {
      const settle = (done: Done): void => {
        clearTimeout(timer);
        // Only our own: the thread has listeners of its own on itself.
        worker.off('message', settle).off('error', onError).off('exit', onExit);
        resolve(done);
      };
      const onError = (error: Error): void => lose(`an error of the runner or the stack: ${error.message}`);
      const onExit = (code: number): void => lose(`the runner's end with code ${code}`);
      const lose = (seen: string): void => {
        this.worker = null;
        // A worker that is told to end may still fail: nobody is interested any more.
        settle({ outcome: failed(job.path, seen), ignored: [] });
        worker.on('error', () => {});
        void worker.terminate();
      };
      const timer = setTimeout(() => lose(`none after ${this.wallLimitMs / 1000} s on the wall: the stack or the runner loops`), this.wallLimitMs);
      worker.on('message', settle).on('error', onError).on('exit', onExit);
      worker.postMessage(job);
    });
  }

  private start(): Worker {
    const resourceLimits = { maxOldGenerationSizeMb: MEMORY_MIB };
    return this.program === null ? new Worker(join(__dirname, 'worker.js'), { resourceLimits }) : new Worker(this.program, { eval: true, resourceLimits });
  }

  async close(): Promise<void> {
    const { worker } = this;
    this.worker = null;
    await worker?.terminate();
  }
}

function failed(path: string, seen: string): ScriptOutcome {
  return { result: 'fail', path, line: 1, expected: 'an end', seen };
}
