import { Emitter } from './emitter';
import { t } from './l10n';
import type { FetchReport, RunOutcome, ScriptError, SocketReport, WorkerMessage } from './protocol';

/** Ended scripts that stay in the view; the oldest leaves first. */
export const MAX_ENDED_RUNS = 20;
/** Closed sockets, and finished fetches, that stay below a script; the oldest leave first and are counted. */
export const MAX_ENDED_PER_RUN = 100;

export type RunPhase = 'starting' | 'running' | 'stopping' | 'ended';

/** What is known of a run when it is asked for. */
export interface RunOrigin {
  readonly id: string;
  /** The document's URI as a string: which script this is a run of. */
  readonly key: string;
  /** Absolute path that the worker knows the script by. */
  readonly file: string;
  /** Short name, unique among the running scripts. */
  readonly title: string;
  /** Hz. */
  readonly tickRate: number;
  /** Wall clock, ms since 1970. */
  readonly startedAt: number;
}

/** One run of a script, as the views read it. */
export interface Run extends RunOrigin {
  readonly phase: RunPhase;
  readonly pid: number | null;
  readonly endedAt: number | null;
  readonly outcome: RunOutcome | null;
  /** In the order they were opened. */
  readonly sockets: ReadonlyMap<number, SocketReport>;
  readonly fetches: ReadonlyMap<number, FetchReport>;
  /** Ended sockets and fetches that were dropped from the maps to bound them. */
  readonly forgotten: number;
}

class MutableRun implements Run {
  phase: RunPhase = 'starting';
  pid: number | null = null;
  endedAt: number | null = null;
  outcome: RunOutcome | null = null;
  readonly sockets = new Map<number, SocketReport>();
  readonly fetches = new Map<number, FetchReport>();
  forgotten = 0;
  readonly id: string;
  readonly key: string;
  readonly file: string;
  readonly title: string;
  readonly tickRate: number;
  readonly startedAt: number;

  constructor(origin: RunOrigin) {
    this.id = origin.id;
    this.key = origin.key;
    this.file = origin.file;
    this.title = origin.title;
    this.tickRate = origin.tickRate;
    this.startedAt = origin.startedAt;
  }
}

export type RunChange =
  | { readonly kind: 'added' | 'removed' | 'phase'; readonly run: Run }
  | { readonly kind: 'socket'; readonly run: Run; readonly socket: SocketReport; readonly previous: SocketReport | null }
  | { readonly kind: 'fetch'; readonly run: Run; readonly fetch: FetchReport; readonly previous: FetchReport | null }
  /** Children left the maps. */
  | { readonly kind: 'forgotten'; readonly run: Run }
  | { readonly kind: 'error'; readonly run: Run; readonly error: ScriptError };

/** Whether more may be reported of it. */
export const isSocketOpen = (socket: SocketReport): boolean => socket.closedAt === null;
/** Whether people would call it open: in TIME-WAIT both sides have closed, and only the port is kept back. */
export const isSocketInUse = (socket: SocketReport): boolean => isSocketOpen(socket) && socket.tcpState !== 'TIME-WAIT';
/** The status comes with the headers; the body may take longer. */
export const isFetchPending = (fetch: FetchReport): boolean => fetch.durationMs === null;

/**
 * What runs and what its network does: fed with the worker's messages, read by tree, output, status bar and
 * Problems. Bounded, whatever a script does.
 */
export class RunModel {
  readonly #runs = new Map<string, MutableRun>();
  readonly #changed = new Emitter<RunChange>();
  readonly onDidChange = this.#changed.event;

  /** In the order they were started. */
  get runs(): readonly Run[] {
    return [...this.#runs.values()];
  }

  get activeRuns(): readonly Run[] {
    return this.runs.filter((run) => run.phase !== 'ended');
  }

  get openSockets(): number {
    let open = 0;
    for (const run of this.#runs.values()) for (const socket of run.sockets.values()) if (isSocketInUse(socket)) open++;
    return open;
  }

  get(runId: string): Run | undefined {
    return this.#runs.get(runId);
  }

  /** A run has been asked for. An ended run of the same script makes room for it. */
  add(origin: RunOrigin): Run {
    for (const run of this.#runs.values()) if (run.key === origin.key && run.phase === 'ended') this.#remove(run);
    const run = new MutableRun(origin);
    this.#runs.set(run.id, run);
    this.#changed.fire({ kind: 'added', run });
    return run;
  }

  /** The user asked for the end; the worker has not confirmed it yet. */
  stopping(runId: string): void {
    const run = this.#runs.get(runId);
    if (!run || run.phase === 'ended') return;
    run.phase = 'stopping';
    this.#changed.fire({ kind: 'phase', run });
  }

  /** Takes what a worker says about runs; other messages, and those about unknown runs, change nothing. */
  apply(message: WorkerMessage, now: number): void {
    if (message.type === 'activity') {
      const touched = new Set<string>();
      for (const socket of message.sockets) this.#socket(socket, touched);
      for (const fetch of message.fetches) this.#fetch(fetch, touched);
      for (const runId of touched) this.#bound(runId);
      return;
    }
    if (message.type !== 'started' && message.type !== 'running' && message.type !== 'script-error' && message.type !== 'ended') return;
    const run = this.#runs.get(message.runId);
    if (!run || run.phase === 'ended') return;
    if (message.type === 'started') {
      run.pid = message.pid;
      this.#changed.fire({ kind: 'phase', run });
    } else if (message.type === 'running') {
      if (run.phase !== 'starting') return;
      run.phase = 'running';
      this.#changed.fire({ kind: 'phase', run });
    } else if (message.type === 'script-error') {
      this.#changed.fire({ kind: 'error', run, error: message.error });
    } else {
      this.#end(run, message.outcome, now);
    }
  }

  /**
   * The worker a run lived in is gone: the run has ended, and nothing of its network is left.
   * @param outcome unless the run had ended before
   */
  lost(runId: string, message: string, now: number, outcome: RunOutcome = { kind: 'crashed', message }): void {
    const run = this.#runs.get(runId);
    if (!run) return;
    const error = { code: 'EWORKER', message };
    const touched = new Set<string>();
    for (const socket of [...run.sockets.values()]) {
      if (isSocketOpen(socket)) this.#socket({ ...socket, status: 'error', tcpState: null, error, closedAt: now }, touched);
    }
    this.#failFetches(run, error, now);
    this.#bound(runId);
    if (run.phase !== 'ended') this.#end(run, outcome, now);
  }

  /** Removes the scripts that have ended. */
  clearEnded(): void {
    for (const run of this.#runs.values()) if (run.phase === 'ended') this.#remove(run);
  }

  dispose(): void {
    this.#changed.dispose();
  }

  #end(run: MutableRun, outcome: RunOutcome, now: number): void {
    // A fetch lives in the script's process: none is left to finish it.
    this.#failFetches(run, { code: 'ECANCELED', message: t('the script ended before the answer was complete') }, now);
    run.phase = 'ended';
    run.outcome = outcome;
    run.endedAt = now;
    this.#changed.fire({ kind: 'phase', run });
    const ended = [...this.#runs.values()].filter((other) => other.phase === 'ended');
    ended.sort((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0));
    for (const old of ended.slice(0, Math.max(0, ended.length - MAX_ENDED_RUNS))) this.#remove(old);
  }

  #remove(run: MutableRun): void {
    this.#runs.delete(run.id);
    this.#changed.fire({ kind: 'removed', run });
  }

  #failFetches(run: MutableRun, error: FetchReport['error'], now: number): void {
    const touched = new Set<string>();
    for (const fetch of [...run.fetches.values()]) {
      if (isFetchPending(fetch)) this.#fetch({ ...fetch, status: -1, statusMessage: 'socket error', error, durationMs: now - fetch.startedAt }, touched);
    }
    if (touched.size > 0) this.#bound(run.id);
  }

  #socket(socket: SocketReport, touched: Set<string>): void {
    const run = this.#runs.get(socket.runId);
    if (!run) return;
    const previous = run.sockets.get(socket.id) ?? null;
    run.sockets.set(socket.id, socket);
    touched.add(run.id);
    this.#changed.fire({ kind: 'socket', run, socket, previous });
  }

  #fetch(fetch: FetchReport, touched: Set<string>): void {
    const run = this.#runs.get(fetch.runId);
    if (!run) return;
    const previous = run.fetches.get(fetch.id) ?? null;
    run.fetches.set(fetch.id, fetch);
    touched.add(run.id);
    this.#changed.fire({ kind: 'fetch', run, fetch, previous });
  }

  /** Only what has ended is dropped; what is open is bounded by the worker's own limits. Once per message. */
  #bound(runId: string): void {
    const run = this.#runs.get(runId);
    if (!run) return;
    const dropped = dropEnded(run.sockets, isSocketOpen) + dropEnded(run.fetches, isFetchPending);
    if (dropped === 0) return;
    run.forgotten += dropped;
    this.#changed.fire({ kind: 'forgotten', run });
  }
}

/** Drops the oldest ended reports beyond the bound. @returns how many */
function dropEnded<T>(reports: Map<number, T>, isOpen: (report: T) => boolean): number {
  if (reports.size <= MAX_ENDED_PER_RUN) return 0;
  const ended = [...reports].filter(([, report]) => !isOpen(report));
  const excess = ended.slice(0, Math.max(0, ended.length - MAX_ENDED_PER_RUN));
  for (const [id] of excess) reports.delete(id);
  return excess.length;
}
