import { Emitter } from './emitter';
import type { Disposable } from './emitter';
import { t } from './l10n';
import { PROTOCOL_VERSION } from './protocol';
import type { HostMessage, LinkReport, WorkerMessage, WorkerSettings } from './protocol';
import type { Scheduler } from './scheduler';
import { describeEnd } from './worker-process';
import type { WorkerEnd, WorkerEvents, WorkerHandle } from './worker-process';

/** How long a worker may take from its start to `ready`; then it is ended. A slow DHCP server is the usual cause. */
export const START_TIMEOUT_MS = 30_000;
/** How long a worker may take to end when asked; then it is killed. VS Code itself gives an extension 5 s. */
export const SHUTDOWN_TIMEOUT_MS = 2_000;
/** Wait before the restart of a worker that died while it worked: under a second, as people are promised. */
export const RESTART_DELAY_MS = 200;
/** A worker that lived this long was healthy: the back-off begins anew. */
export const HEALTHY_MS = 10_000;
/** Wait before the nth restart in a row, the last one for all that follow. */
export const BACKOFF_MS = [RESTART_DELAY_MS, 1_000, 2_000, 5_000, 10_000] as const;
/** After so many restarts in a row it waits until somebody runs a script. */
export const MAX_RESTARTS = 5;

export type WorkerState =
  | { readonly kind: 'idle' }
  /** The link is null until it is open; then the worker waits for an address, from DHCP mostly. */
  | { readonly kind: 'starting'; readonly pid: number | null; readonly link: LinkReport | null }
  | { readonly kind: 'ready'; readonly pid: number; readonly link: LinkReport }
  | { readonly kind: 'waiting'; readonly delayMs: number; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'closing' };

/** A worker that was ready is gone without having been asked to go. */
export interface WorkerDeath {
  readonly pid: number;
  /** One sentence for people, with the signal or exit code. */
  readonly reason: string;
  readonly restarting: boolean;
}

export interface SupervisorOptions {
  readonly launch: (events: WorkerEvents) => WorkerHandle;
  readonly settings: () => WorkerSettings;
  readonly scheduler: Scheduler;
  readonly log: (level: 'info' | 'warn' | 'error' | 'debug', message: string) => void;
  /** Ends a process outright; a process that is gone already is no error. */
  readonly killProcess: (pid: number) => void;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** One worker's life; callbacks of an older one cannot be taken for the present one's. */
interface Attempt {
  handle: WorkerHandle | null;
  ended: boolean;
  timer: Disposable | null;
  readyAt: number | null;
  /** What the worker itself said before it gave up. */
  failure: string | null;
}

/**
 * Owns the worker process: starts it on first use, checks its version, restarts it when it dies, and backs
 * off when it cannot start. The scripts of a worker that died are ended by the pids it had reported: a script
 * that spins does not notice that its pipe is gone.
 */
export class WorkerSupervisor {
  readonly #options: SupervisorOptions;
  readonly #stateChanged = new Emitter<WorkerState>();
  readonly #messages = new Emitter<WorkerMessage>();
  readonly #deaths = new Emitter<WorkerDeath>();
  readonly #scriptPids = new Map<string, number>();
  #state: WorkerState = { kind: 'idle' };
  #attempt: Attempt | null = null;
  readonly #waiters: Waiter[] = [];
  readonly #closed: (() => void)[] = [];
  #restartTimer: Disposable | null = null;
  #restartsInARow = 0;
  #restarts = 0;
  #disposed = false;

  readonly onDidChangeState = this.#stateChanged.event;
  readonly onMessage = this.#messages.event;
  readonly onDidDie = this.#deaths.event;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  get state(): WorkerState {
    return this.#state;
  }

  /** Automatic restarts since the window opened. */
  get restarts(): number {
    return this.#restarts;
  }

  /**
   * Resolves once a worker is ready, starting one if there is none; a wait before a restart is cut short.
   * @throws Error in plain words if it cannot start; bounded by START_TIMEOUT_MS
   */
  async ready(): Promise<void> {
    if (this.#disposed) throw new Error(t('Riftnet is shutting down: reload the window to run scripts again.'));
    if (this.#state.kind === 'ready') return;
    const waiting = new Promise<void>((resolve, reject) => this.#waiters.push({ resolve, reject }));
    if (this.#state.kind !== 'starting' && this.#state.kind !== 'closing') this.#start();
    await waiting;
  }

  /** Sends to the worker if it is ready. @returns whether it was */
  send(message: HostMessage): boolean {
    if (this.#state.kind !== 'ready' || !this.#attempt?.handle) return false;
    this.#attempt.handle.send(message);
    return true;
  }

  /** Ends a script's process without the worker's help: for a worker that does not answer. */
  killScript(runId: string): boolean {
    const pid = this.#scriptPids.get(runId);
    if (pid === undefined) return false;
    this.#options.killProcess(pid);
    return true;
  }

  /** Ends a worker that does not answer; it is reported and restarted like one that died by itself. */
  killWorker(why: string): void {
    this.#attempt?.handle?.kill();
    this.#options.log('warn', why);
  }

  /** Asks the worker to end, and kills it after SHUTDOWN_TIMEOUT_MS. The next use starts another. */
  async close(): Promise<void> {
    this.#restartTimer?.dispose();
    this.#restartTimer = null;
    const attempt = this.#attempt;
    if (!attempt?.handle) {
      this.#setState({ kind: 'idle' });
      return;
    }
    const gone = new Promise<void>((resolve) => this.#closed.push(resolve));
    if (this.#state.kind !== 'closing') {
      this.#setState({ kind: 'closing' });
      attempt.timer?.dispose();
      attempt.timer = this.#options.scheduler.after(SHUTDOWN_TIMEOUT_MS, () => {
        attempt.handle?.kill();
        this.#options.log('warn', `The worker did not end within ${SHUTDOWN_TIMEOUT_MS} ms and is killed.`);
      });
      attempt.handle.send({ type: 'shutdown' });
    }
    await gone;
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.close();
    this.#settle(new Error(t('Riftnet is shutting down.')));
    this.#stateChanged.dispose();
    this.#messages.dispose();
    this.#deaths.dispose();
  }

  #start(): void {
    this.#restartTimer?.dispose();
    this.#restartTimer = null;
    const attempt: Attempt = { handle: null, ended: false, timer: null, readyAt: null, failure: null };
    this.#attempt = attempt;
    this.#setState({ kind: 'starting', pid: null, link: null });
    attempt.timer = this.#options.scheduler.after(START_TIMEOUT_MS, () => {
      attempt.failure = t('it was not ready within {0} s', START_TIMEOUT_MS / 1000);
      attempt.handle?.kill();
    });
    try {
      attempt.handle = this.#options.launch({
        message: (message) => this.#receive(attempt, message),
        diagnostic: (line) => {
          this.#options.log('warn', `worker: ${line}`);
          if (CAP_ABORTS.test(line)) attempt.failure = t('its network interface was lost, which this build of cap does not survive: CXXFLAGS=-DNDEBUG npm rebuild cap');
        },
        end: (end) => this.#ended(attempt, end),
      });
    } catch (error) {
      this.#ended(attempt, { code: null, signal: null, spawnError: error instanceof Error ? error.message : String(error) });
    }
    if (attempt.ended || !attempt.handle) return;
    this.#setState({ kind: 'starting', pid: attempt.handle.pid ?? null, link: null });
    attempt.handle.send({ type: 'configure', version: PROTOCOL_VERSION, settings: this.#options.settings() });
  }

  #receive(attempt: Attempt, raw: unknown): void {
    if (attempt !== this.#attempt) return;
    if (!isWorkerMessage(raw)) {
      this.#options.log('warn', 'A message of the worker was not understood and is left out.');
      return;
    }
    if (raw.type === 'ready') return this.#becameReady(attempt, raw);
    if (raw.type === 'failed') {
      attempt.failure = raw.message;
      return;
    }
    if (raw.type === 'log') return this.#options.log(raw.level, raw.message);
    if (raw.type === 'link' && (this.#state.kind === 'ready' || this.#state.kind === 'starting')) this.#setState({ ...this.#state, link: raw.link });
    if (raw.type === 'started') this.#scriptPids.set(raw.runId, raw.pid);
    if (raw.type === 'ended') this.#scriptPids.delete(raw.runId);
    this.#messages.fire(raw);
  }

  #becameReady(attempt: Attempt, message: Extract<WorkerMessage, { type: 'ready' }>): void {
    if (this.#state.kind !== 'starting') return;
    if (message.version !== PROTOCOL_VERSION) {
      attempt.failure = t('it speaks version {0} of the protocol, this window version {1}: reload the window', message.version, PROTOCOL_VERSION);
      attempt.handle?.kill();
      return;
    }
    attempt.timer?.dispose();
    attempt.timer = null;
    attempt.readyAt = this.#options.scheduler.now();
    this.#options.log('info', `Worker ${message.pid} is ready. ${message.link.reason}`);
    this.#setState({ kind: 'ready', pid: message.pid, link: message.link });
    this.#settle(null);
  }

  #ended(attempt: Attempt, end: WorkerEnd): void {
    attempt.ended = true;
    attempt.timer?.dispose();
    if (attempt !== this.#attempt) return;
    this.#attempt = null;
    for (const pid of this.#scriptPids.values()) this.#options.killProcess(pid);
    this.#scriptPids.clear();
    const state = this.#state;
    if (state.kind === 'closing') {
      this.#restartsInARow = 0;
      this.#setState({ kind: 'idle' });
      // Somebody asked for a worker while this one was going.
      if (this.#waiters.length > 0 && !this.#disposed) this.#start();
    } else if (state.kind === 'ready' && attempt.readyAt !== null) {
      this.#died(state.pid, attempt.readyAt, attempt.failure ?? describeEnd(end));
    } else {
      this.#couldNotStart(attempt.failure ?? t('it ended at once ({0})', describeEnd(end)));
    }
    for (const resolve of this.#closed.splice(0)) resolve();
  }

  #died(pid: number, readyAt: number, cause: string): void {
    if (this.#options.scheduler.now() - readyAt >= HEALTHY_MS) this.#restartsInARow = 0;
    const reason = t("Riftnet's network worker ended unexpectedly ({0}).", cause);
    this.#options.log('error', reason);
    const restarting = this.#restart(reason);
    this.#deaths.fire({ pid, reason, restarting });
  }

  #couldNotStart(cause: string): void {
    const reason = t("Riftnet's network worker could not start: {0}", cause);
    this.#options.log('error', reason);
    // With nobody waiting it was a restart of our own; people who wait are told, and decide themselves.
    if (this.#waiters.length === 0) this.#restart(reason);
    else {
      this.#setState({ kind: 'failed', reason });
      this.#settle(new Error(reason));
    }
  }

  /** @returns whether another start is due */
  #restart(reason: string): boolean {
    if (this.#restartsInARow >= MAX_RESTARTS) {
      this.#options.log('error', `The worker is not restarted again by itself after ${MAX_RESTARTS} attempts; running a script tries anew.`);
      this.#restartsInARow = 0;
      this.#setState({ kind: 'failed', reason });
      return false;
    }
    const delayMs = BACKOFF_MS[Math.min(this.#restartsInARow, BACKOFF_MS.length - 1)] ?? RESTART_DELAY_MS;
    this.#restartsInARow++;
    this.#setState({ kind: 'waiting', delayMs, reason });
    this.#restartTimer = this.#options.scheduler.after(delayMs, () => {
      this.#restarts++;
      this.#start();
    });
    return true;
  }

  #settle(error: Error | null): void {
    for (const waiter of this.#waiters.splice(0)) {
      if (error) waiter.reject(error);
      else waiter.resolve();
    }
  }

  #setState(state: WorkerState): void {
    this.#state = state;
    this.#stateChanged.fire(state);
  }
}

/** What a build of `cap` with assertions says when its interface goes down, before it ends the process. */
const CAP_ABORTS = /binding\.cc:.*Assertion `status == 0' failed/;

const MESSAGE_TYPES: ReadonlySet<unknown> = new Set<WorkerMessage['type']>([
  'ready', 'link', 'log', 'started', 'debuggable', 'running', 'output', 'script-error', 'activity', 'ended', 'capture-saved', 'failed',
]);

/** The worker is ours and its version is checked first, so a known type is enough. */
function isWorkerMessage(message: unknown): message is WorkerMessage {
  return typeof message === 'object' && message !== null && 'type' in message && MESSAGE_TYPES.has(message.type);
}
