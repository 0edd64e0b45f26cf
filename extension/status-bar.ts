import * as vscode from 'vscode';
import { COMMANDS } from './contributions';
import { DisposableStore } from './emitter';
import { t } from './l10n';
import type { RunModel } from './run-model';
import type { ScriptPlaces } from './script-places';
import type { WorkerState, WorkerSupervisor } from './worker-supervisor';

/** One item, there once a script is open or has run: spins while scripts run, names the tick rate; a click lists the scripts. */
export class StatusBar implements vscode.Disposable {
  readonly #store = new DisposableStore();
  readonly #item: vscode.StatusBarItem;
  readonly #model: RunModel;
  readonly #supervisor: WorkerSupervisor;
  readonly #places: ScriptPlaces;

  constructor(model: RunModel, supervisor: WorkerSupervisor, places: ScriptPlaces) {
    this.#model = model;
    this.#supervisor = supervisor;
    this.#places = places;
    this.#item = this.#store.add(vscode.window.createStatusBarItem('riftnet.status', vscode.StatusBarAlignment.Left));
    this.#item.name = 'Riftnet';
    this.#item.command = COMMANDS.showScripts;
    this.#store.add(model.onDidChange(({ kind }) => (kind === 'added' || kind === 'removed' || kind === 'phase') && this.#update()));
    this.#store.add(supervisor.onDidChangeState(() => this.#update()));
    this.#store.add(places.onDidChange(() => this.#update()));
    this.#update();
  }

  get text(): string {
    return this.#item.text;
  }

  dispose(): void {
    this.#store.dispose();
  }

  #update(): void {
    const active = this.#model.activeRuns;
    const worker = this.#supervisor.state;
    const rates = [...new Set(active.map((run) => run.tickRate))];
    if (active.length > 0) {
      const scripts = active.length === 1 ? t('1 script') : t('{0} scripts', active.length);
      this.#item.text = `$(sync~spin) Riftnet: ${scripts}${rates.length === 1 ? `, ${rates[0]} Hz` : ''}`;
    } else if (worker.kind === 'failed' || worker.kind === 'waiting') {
      this.#item.text = '$(warning) Riftnet';
    } else {
      this.#item.text = '$(plug) Riftnet';
    }
    this.#item.tooltip = new vscode.MarkdownString().appendText(describeWorker(worker));
    this.#item.accessibilityInformation = { label: active.length === 0 ? t('Riftnet, no script runs') : t('Riftnet, running: {0}', active.map((run) => run.title).join(', ')) };
    // Most windows with TypeScript have no script: nothing of ours is in their way.
    if (worker.kind !== 'idle' || this.#model.runs.length > 0 || this.#places.visible.length > 0) this.#item.show();
    else this.#item.hide();
  }
}

function describeWorker(state: WorkerState): string {
  switch (state.kind) {
    case 'idle':
      return t('The network starts with the first script.');
    case 'starting':
      return t('The network is starting.');
    case 'ready':
      return state.link.address === null ? state.link.reason : `${state.link.reason}\n${state.link.address}`;
    case 'waiting':
    case 'failed':
      return state.reason;
    case 'closing':
      return t('The network is closing.');
  }
}
