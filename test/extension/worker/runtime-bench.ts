/** A Runtime on the embedded gateway, and what it says of the scripts run on it. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DEFAULT_WORKER_SETTINGS, type FetchReport, type RunOutcome, type ScriptError, type SocketReport, type WorkerMessage, type WorkerSettings } from '../../../extension/protocol';
import { stopBundler } from '../../../extension/worker/loader';
import { Runtime } from '../../../extension/worker/runtime';
import { buildBundles } from './bundles';

export interface RunResult {
  readonly outcome: RunOutcome;
  readonly output: readonly string[];
  readonly errors: readonly ScriptError[];
  readonly sockets: ReadonlyMap<number, SocketReport>;
  readonly fetches: ReadonlyMap<number, FetchReport>;
  readonly pid: number;
}

export interface RunOptions {
  readonly memoryMb?: number;
  readonly outputBytesPerSecond?: number;
  readonly timeoutSeconds?: number;
  readonly tickRate?: number;
  /** Of the script's file; `.ts` unless told. */
  readonly extension?: string;
  /** Its process waits for a debugger. */
  readonly debug?: boolean;
  /** Called for each message of the run. */
  readonly onMessage?: (message: WorkerMessage, runId: string) => void;
}

export class RuntimeBench {
  readonly messages: WorkerMessage[] = [];
  private readonly listeners = new Set<(message: WorkerMessage) => void>();
  private runs = 0;

  private constructor(
    readonly runtime: Runtime,
    readonly folder: string,
  ) {}

  static async start(settings: Partial<WorkerSettings> = {}): Promise<RuntimeBench> {
    const bundles = await buildBundles();
    const emitted: WorkerMessage[] = [];
    let bench: RuntimeBench | null = null;
    const runtime = new Runtime({
      settings: { ...DEFAULT_WORKER_SETTINGS, link: 'gateway', hostAddress: '127.0.0.1', ...settings },
      bundles,
      emit: (message) => (bench ? bench.take(message) : emitted.push(message)),
    });
    bench = new RuntimeBench(runtime, fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-runtime-')));
    emitted.forEach((message) => bench.take(message));
    return bench;
  }

  async stop(): Promise<void> {
    await this.runtime.close(1_000);
    await stopBundler();
    fs.rmSync(this.folder, { recursive: true });
  }

  /** Resolves with the first message that `matches`, also one that has come already. */
  async message(matches: (message: WorkerMessage) => boolean): Promise<WorkerMessage> {
    const past = this.messages.find(matches);
    if (past) return past;
    return new Promise((resolve) => {
      const listener = (message: WorkerMessage) => {
        if (!matches(message)) return;
        this.listeners.delete(listener);
        resolve(message);
      };
      this.listeners.add(listener);
    });
  }

  async run(text: string, options: RunOptions = {}): Promise<RunResult> {
    const runId = `run-${++this.runs}`;
    const file = path.join(this.folder, `${runId}${options.extension ?? '.ts'}`);
    fs.writeFileSync(file, text);
    const output: string[] = [];
    const errors: ScriptError[] = [];
    const sockets = new Map<number, SocketReport>();
    const fetches = new Map<number, FetchReport>();
    let pid = 0;
    const ended = new Promise<RunOutcome>((resolve) => {
      const listener = (message: WorkerMessage) => {
        if ('runId' in message && message.runId !== runId) return;
        if (message.type === 'started') pid = message.pid;
        if (message.type === 'output') output.push(message.level === 'print' ? message.text : `${message.level}: ${message.text}`);
        if (message.type === 'script-error') errors.push(message.error);
        if (message.type === 'activity') {
          for (const socket of message.sockets) if (socket.runId === runId) sockets.set(socket.id, socket);
          for (const fetch of message.fetches) if (fetch.runId === runId) fetches.set(fetch.id, fetch);
        }
        options.onMessage?.(message, runId);
        if (message.type !== 'ended') return;
        this.listeners.delete(listener);
        resolve(message.outcome);
      };
      this.listeners.add(listener);
    });
    this.runtime.handle({
      type: 'run', runId, file, source: null, tickRate: options.tickRate ?? 100, timeoutSeconds: options.timeoutSeconds ?? null,
      limits: { memoryMb: options.memoryMb ?? 256, outputBytesPerSecond: options.outputBytesPerSecond ?? 1 << 20 },
      ...(options.debug === undefined ? {} : { debug: options.debug }),
    });
    const outcome = await ended;
    return { outcome, output, errors, sockets, fetches, pid };
  }

  private take(message: WorkerMessage): void {
    this.messages.push(message);
    for (const listener of [...this.listeners]) listener(message);
  }
}

/** Whether a process is there, a zombie aside. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s*Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}

/** Resolves once the process is gone; a test's own time limit bounds it. */
export async function gone(pid: number): Promise<void> {
  while (isRunning(pid)) await new Promise((resolve) => setImmediate(resolve));
}

export function expectError(outcome: RunOutcome): ScriptError {
  if (outcome.kind !== 'error') assert.fail(`ended as ${JSON.stringify(outcome)}`);
  return outcome.error;
}
