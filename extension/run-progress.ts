import * as vscode from 'vscode';
import { DisposableStore } from './emitter';
import type { Disposable } from './emitter';
import { t } from './l10n';
import type { RunController } from './run-controller';
import type { Run, RunModel } from './run-model';
import { waitsFor } from './run-wait';
import type { Scheduler } from './scheduler';
import type { WorkerSupervisor } from './worker-supervisor';

/** Most scripts run sooner; a notification for them would only flash. */
const PATIENCE_MS = 1_000;

/** Says what a run waits for that takes long to begin, and lets it be cancelled. */
export class RunProgress implements Disposable {
  readonly #store = new DisposableStore();
  readonly #model: RunModel;
  readonly #controller: RunController;
  readonly #supervisor: WorkerSupervisor;
  readonly #timers = new Set<Disposable>();

  constructor(model: RunModel, controller: RunController, supervisor: WorkerSupervisor, scheduler: Scheduler) {
    this.#model = model;
    this.#controller = controller;
    this.#supervisor = supervisor;
    this.#store.add(
      model.onDidChange(({ kind, run }) => {
        if (kind !== 'added') return;
        const timer = scheduler.after(PATIENCE_MS, () => {
          this.#timers.delete(timer);
          if (waitsFor(run, supervisor.state) !== null) this.#show(run);
        });
        this.#timers.add(timer);
      }),
    );
  }

  dispose(): void {
    for (const timer of this.#timers) timer.dispose();
    this.#store.dispose();
  }

  #show(run: Run): void {
    const options = { location: vscode.ProgressLocation.Notification, title: t('Riftnet: {0}', run.title), cancellable: true };
    void vscode.window.withProgress(options, (progress, cancelled) => {
      return new Promise<void>((resolve) => {
        const store = new DisposableStore();
        const update = (): void => {
          const what = waitsFor(run, this.#supervisor.state);
          if (what !== null && this.#model.get(run.id) !== undefined) return progress.report({ message: `${what} …` });
          store.dispose();
          resolve();
        };
        store.add(this.#model.onDidChange((change) => change.run.id === run.id && update()));
        store.add(this.#supervisor.onDidChangeState(update));
        store.add(cancelled.onCancellationRequested(() => this.#controller.stop(run.id)));
        update();
      });
    });
  }
}
