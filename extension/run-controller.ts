import type { Disposable } from './emitter';
import { DisposableStore } from './emitter';
import { t } from './l10n';
import type { RunLimits, RunOutcome } from './protocol';
import type { Run, RunModel } from './run-model';
import { uniqueTitle } from './script-title';
import type { Scheduler } from './scheduler';
import type { WorkerSupervisor } from './worker-supervisor';

/** A stopped script's process that is still there after this is ended without the worker's help. */
export const STOP_KILL_MS = 2_000;
/**
 * A worker that has not confirmed a stop after this answers nobody: it is killed, reported and restarted.
 * A stopped script's sockets may take 10 s to send what is queued, so it is longer than that.
 */
export const STOP_GIVE_UP_MS = 15_000;

export interface RunSettings {
  /** Hz, 1 … 1000. */
  readonly tickRate: number;
  readonly limits: RunLimits;
  readonly timeoutSeconds: number | null;
  /** What running a script does that runs already. */
  readonly whenRunning: 'restart' | 'parallel';
}

export interface RunRequest {
  /** The document's URI as a string. */
  readonly key: string;
  /** Absolute path; for a document without a file, the path it would have. */
  readonly file: string;
  /** The buffer as it stands. */
  readonly source: string;
  readonly settings: RunSettings;
  /** Its process waits for a debugger. */
  readonly debug?: boolean;
}

export interface RunControllerOptions {
  readonly supervisor: WorkerSupervisor;
  readonly model: RunModel;
  readonly scheduler: Scheduler;
}

/** Starts and stops runs: what the commands call, between the model and the worker. Knows no VS Code. */
export class RunController implements Disposable {
  readonly #supervisor: WorkerSupervisor;
  readonly #model: RunModel;
  readonly #scheduler: Scheduler;
  readonly #store = new DisposableStore();
  /** Runs the worker has not been told of. */
  readonly #unsent = new Set<string>();
  /** Timers that follow up a stop, by run. */
  readonly #escalations = new Map<string, Disposable>();
  /** Who waits for a run's end. */
  readonly #endWaiters = new Map<string, (() => void)[]>();
  /** The latest request for each script: an earlier one that still waits for the old run's end gives way. */
  readonly #latest = new Map<string, RunRequest>();
  #nextRun = 1;
  /** Settings that only a new worker takes over have changed. */
  #stale = false;

  constructor(options: RunControllerOptions) {
    this.#supervisor = options.supervisor;
    this.#model = options.model;
    this.#scheduler = options.scheduler;
    this.#store.add(this.#supervisor.onMessage((message) => this.#model.apply(message, this.#scheduler.now())));
    this.#store.add(this.#supervisor.onDidDie((death) => this.#workerGone(death.reason)));
    this.#store.add(
      this.#supervisor.onDidChangeState((state) => {
        if (state.kind === 'idle') this.#workerGone(t('The network worker was closed.'), { kind: 'stopped' });
      }),
    );
    this.#store.add(
      this.#model.onDidChange((change) => {
        if (change.kind === 'removed' || (change.kind === 'phase' && change.run.phase === 'ended')) this.#ended(change.run);
      }),
    );
  }

  /**
   * Runs a script; one that runs already is stopped first, unless its settings say `parallel`.
   * @returns the run once the worker has been told of it, or null if it was stopped, or asked for anew, before
   * @throws Error in plain words if no worker can be started; the run is then shown as ended
   */
  async run(request: RunRequest): Promise<Run | null> {
    const old = request.settings.whenRunning === 'restart' ? this.#model.activeRuns.filter((run) => run.key === request.key) : [];
    for (const run of old) this.#stop(run);
    if (old.some((run) => run.phase !== 'ended')) {
      this.#latest.set(request.key, request);
      await Promise.all(old.map((run) => this.#whenEnded(run.id)));
      if (this.#latest.get(request.key) !== request) return null;
      this.#latest.delete(request.key);
    }
    const run = this.#model.add({
      id: `run-${this.#nextRun++}`,
      key: request.key,
      file: request.file,
      title: uniqueTitle(request.file, this.#model.activeRuns),
      tickRate: request.settings.tickRate,
      startedAt: this.#scheduler.now(),
    });
    this.#unsent.add(run.id);
    try {
      await this.#supervisor.ready();
    } catch (error) {
      this.#end(run.id, { kind: 'crashed', message: error instanceof Error ? error.message : String(error) });
      throw error;
    }
    if (!this.#unsent.delete(run.id)) return null;
    const { tickRate, limits, timeoutSeconds } = request.settings;
    const { file, source, debug = false } = request;
    this.#supervisor.send({ type: 'run', runId: run.id, file, source, tickRate, limits, timeoutSeconds, ...(debug ? { debug } : {}) });
    return run;
  }

  /**
   * Stops a run: at once if the worker answers, and by force if it does not. Stopping twice is harmless.
   * A request that waits for the run's end to run the script anew is given up with it.
   */
  stop(runId: string): void {
    const run = this.#model.get(runId);
    if (!run || run.phase === 'ended') return;
    this.#latest.delete(run.key);
    this.#stop(run);
  }

  stopAll(): void {
    for (const run of this.#model.activeRuns) this.stop(run.id);
  }

  closeSocket(runId: string, socketId: number): void {
    this.#supervisor.send({ type: 'close-socket', runId, socketId });
  }

  /**
   * Settings of the worker have changed: a worker without scripts is closed, and the next run starts one with
   * the new settings; otherwise that happens when the last script has ended.
   * @returns whether running scripts keep the old settings for now
   */
  settingsChanged(): boolean {
    this.#stale = true;
    this.#closeIfStale();
    return this.#stale;
  }

  dispose(): void {
    this.#store.dispose();
    for (const escalation of this.#escalations.values()) escalation.dispose();
    this.#escalations.clear();
  }

  #stop(run: Run): void {
    if (this.#unsent.has(run.id)) return this.#end(run.id, { kind: 'stopped' });
    if (this.#escalations.has(run.id)) return;
    this.#model.stopping(run.id);
    this.#escalations.set(
      run.id,
      this.#scheduler.after(STOP_KILL_MS, () => {
        this.#supervisor.killScript(run.id);
        this.#escalations.set(
          run.id,
          this.#scheduler.after(STOP_GIVE_UP_MS - STOP_KILL_MS, () => {
            this.#supervisor.killWorker(`The worker has not stopped ${run.title} within ${STOP_GIVE_UP_MS / 1000} s and is ended.`);
          }),
        );
      }),
    );
    this.#supervisor.send({ type: 'stop', runId: run.id });
  }

  #closeIfStale(): void {
    if (!this.#stale || this.#model.activeRuns.length > 0) return;
    this.#stale = false;
    void this.#supervisor.close();
  }

  /** Whatever ran in the worker has ended with it, also what lingered after its script's end. */
  #workerGone(reason: string, outcome?: RunOutcome): void {
    this.#stale = false;
    for (const run of this.#model.runs) if (!this.#unsent.has(run.id)) this.#model.lost(run.id, reason, this.#scheduler.now(), outcome);
  }

  #end(runId: string, outcome: RunOutcome): void {
    this.#model.apply({ type: 'ended', runId, outcome }, this.#scheduler.now());
  }

  #ended(run: Run): void {
    this.#unsent.delete(run.id);
    this.#escalations.get(run.id)?.dispose();
    this.#escalations.delete(run.id);
    for (const resolve of this.#endWaiters.get(run.id) ?? []) resolve();
    this.#endWaiters.delete(run.id);
    this.#closeIfStale();
  }

  #whenEnded(runId: string): Promise<void> {
    const run = this.#model.get(runId);
    if (!run || run.phase === 'ended') return Promise.resolve();
    return new Promise((resolve) => {
      const waiters = this.#endWaiters.get(runId) ?? [];
      waiters.push(resolve);
      this.#endWaiters.set(runId, waiters);
    });
  }
}
