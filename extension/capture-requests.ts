import { DisposableStore } from './emitter';
import type { Disposable } from './emitter';
import { t } from './l10n';
import type { CapturedSocket, CaptureSelection, CaptureSummary, SocketReport } from './protocol';
import type { Run } from './run-model';
import type { Scheduler } from './scheduler';
import type { WorkerSupervisor } from './worker-supervisor';

/** A worker writes a full memory of frames in far less; one that does not answer is not waited for. */
export const SAVE_TIMEOUT_MS = 30_000;

interface Waiter {
  readonly resolve: (summary: CaptureSummary) => void;
  readonly reject: (error: Error) => void;
  readonly timer: Disposable;
}

/** Asks the worker to save the frames it has kept, and waits for the answer. */
export class CaptureRequests implements Disposable {
  readonly #store = new DisposableStore();
  readonly #supervisor: WorkerSupervisor;
  readonly #scheduler: Scheduler;
  readonly #waiting = new Map<number, Waiter>();
  #nextId = 1;

  constructor(supervisor: WorkerSupervisor, scheduler: Scheduler) {
    this.#supervisor = supervisor;
    this.#scheduler = scheduler;
    this.#store.add(
      supervisor.onMessage((message) => {
        if (message.type !== 'capture-saved') return;
        const { result } = message;
        if ('error' in result) this.#take(message.requestId)?.reject(new Error(result.error));
        else this.#take(message.requestId)?.resolve(result);
      }),
    );
    this.#store.add(
      supervisor.onDidChangeState(({ kind }) => {
        if (kind !== 'ready') for (const id of [...this.#waiting.keys()]) this.#take(id)?.reject(new Error(t('The network worker ended before the capture was saved.')));
      }),
    );
  }

  /** Whether there is a worker, and with it frames. */
  get possible(): boolean {
    return this.#supervisor.state.kind === 'ready';
  }

  /** @throws Error in plain words if no worker runs, or it cannot write the file */
  async save(file: string, selection: CaptureSelection): Promise<CaptureSummary> {
    const requestId = this.#nextId++;
    if (!this.#supervisor.send({ type: 'save-capture', requestId, file, selection })) {
      throw new Error(nothingToSave());
    }
    return new Promise((resolve, reject) => {
      const timer = this.#scheduler.after(SAVE_TIMEOUT_MS, () => {
        this.#take(requestId)?.reject(new Error(t('The network worker has not saved {0} within {1} s.', file, SAVE_TIMEOUT_MS / 1000)));
      });
      this.#waiting.set(requestId, { resolve, reject, timer });
    });
  }

  dispose(): void {
    this.#store.dispose();
    for (const waiter of this.#waiting.values()) waiter.timer.dispose();
    this.#waiting.clear();
  }

  #take(id: number): Waiter | undefined {
    const waiter = this.#waiting.get(id);
    waiter?.timer.dispose();
    this.#waiting.delete(id);
    return waiter;
  }
}

/** What is said while no worker runs. */
export const nothingToSave = (): string => t('There are no frames to save: the network has not run yet, or has been closed. Run a script first.');

/** The frames of these sockets. */
export function selectionOf(sockets: Iterable<SocketReport>): readonly CapturedSocket[] {
  return [...sockets].map(({ host, port, remoteAddress, localPort, openedAt, closedAt }) => ({
    remoteAddress,
    remotePort: port,
    localPort,
    from: openedAt,
    to: closedAt,
    byName: !/^[\d.]+$/.test(host) && !/(^|\.)localhost\.?$/i.test(host),
  }));
}

/** A name for the file, from what it holds: `a.ts`, `localhost-8080`. */
export function captureName(label: string): string {
  return `${label.replace(/[^\w.-]+/g, '-').replace(/^[-.]+|-+$/g, '') || 'riftnet'}.pcapng`;
}

/** How far back a selection reaches; null: to the beginning. */
export function beginOf(selection: CaptureSelection, run: Run | null): number | null {
  if (selection === 'all') return run === null ? null : run.startedAt;
  return selection.length === 0 ? null : Math.min(...selection.map(({ from }) => from));
}
