import { DisposableStore, Emitter } from './emitter';
import type { Disposable } from './emitter';
import type { SocketReport } from './protocol';
import { isSocketOpen } from './run-model';
import type { RunModel } from './run-model';
import type { Scheduler } from './scheduler';

/** A rate is the mean over this long: steady enough to be read. */
export const RATE_INTERVAL_MS = 1_000;

/** Bytes a second. */
export interface Rate {
  readonly down: number;
  readonly up: number;
}

export const NO_RATE: Rate = { down: 0, up: 0 };

interface Sample {
  socket: SocketReport;
  rate: Rate;
  bytesRead: number;
  bytesWritten: number;
  at: number;
}

/**
 * How fast the open sockets are. Looked at once a second while anything moves, and not at all while nothing does;
 * a socket that falls silent is told to have no rate a second later.
 */
export class TransferRates implements Disposable {
  readonly #store = new DisposableStore();
  readonly #scheduler: Scheduler;
  readonly #changed = this.#store.add(new Emitter<readonly SocketReport[]>());
  readonly #samples = new Map<string, Sample>();
  /** Sockets that moved since they were last looked at, or had a rate then. */
  readonly #moving = new Set<string>();
  #timer: Disposable | null = null;
  /** Sockets that moved within the last interval, and those that have just come to rest. */
  readonly onDidChange = this.#changed.event;

  constructor(model: RunModel, scheduler: Scheduler) {
    this.#scheduler = scheduler;
    this.#store.add(
      model.onDidChange((change) => {
        if (change.kind === 'socket') this.#note(change.socket);
        else if (change.kind === 'removed') for (const id of change.run.sockets.keys()) this.#forget(key(change.run.id, id));
      }),
    );
  }

  of(socket: SocketReport): Rate {
    return this.#samples.get(key(socket.runId, socket.id))?.rate ?? NO_RATE;
  }

  dispose(): void {
    this.#timer?.dispose();
    this.#store.dispose();
  }

  #note(socket: SocketReport): void {
    const id = key(socket.runId, socket.id);
    if (!isSocketOpen(socket)) return this.#forget(id);
    const sample = this.#samples.get(id);
    if (sample) sample.socket = socket;
    else this.#samples.set(id, { socket, rate: NO_RATE, bytesRead: 0, bytesWritten: 0, at: this.#scheduler.now() });
    const { bytesRead, bytesWritten } = sample ?? NO_BYTES;
    if (socket.bytesRead === bytesRead && socket.bytesWritten === bytesWritten) return;
    this.#moving.add(id);
    this.#timer ??= this.#scheduler.after(RATE_INTERVAL_MS, () => this.#look());
  }

  #forget(id: string): void {
    this.#samples.delete(id);
    this.#moving.delete(id);
  }

  #look(): void {
    this.#timer = null;
    const now = this.#scheduler.now();
    const changed: SocketReport[] = [];
    for (const id of this.#moving) {
      const sample = this.#samples.get(id);
      if (!sample) continue;
      const { socket } = sample;
      const seconds = Math.max(now - sample.at, RATE_INTERVAL_MS / 2) / 1_000;
      sample.rate = { down: (socket.bytesRead - sample.bytesRead) / seconds, up: (socket.bytesWritten - sample.bytesWritten) / seconds };
      [sample.bytesRead, sample.bytesWritten, sample.at] = [socket.bytesRead, socket.bytesWritten, now];
      if (sample.rate.down === 0 && sample.rate.up === 0) this.#moving.delete(id);
      changed.push(socket);
    }
    if (this.#moving.size > 0) this.#timer = this.#scheduler.after(RATE_INTERVAL_MS, () => this.#look());
    if (changed.length > 0) this.#changed.fire(changed);
  }
}

const NO_BYTES = { bytesRead: 0, bytesWritten: 0 };
const key = (runId: string, id: number): string => `${runId}/${id}`;
