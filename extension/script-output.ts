import * as vscode from 'vscode';
import { OUTPUT_LANGUAGE } from './contributions';
import { DisposableStore } from './emitter';
import { changeLine, printLine } from './output-lines';
import type { OutputLevel } from './protocol';
import type { RunModel } from './run-model';
import { readRevealOutput } from './settings';

/** Entries kept for whoever reads the output through the extension's API. */
const KEPT_ENTRIES = 2_000;

/** The "Riftnet" output channel: what scripts print, and what their sockets and fetches did. */
export class ScriptOutput implements vscode.Disposable {
  readonly #store = new DisposableStore();
  readonly #channel: vscode.OutputChannel;
  readonly #model: RunModel;
  #entries: string[] = [];

  constructor(model: RunModel) {
    this.#model = model;
    this.#channel = this.#store.add(vscode.window.createOutputChannel('Riftnet', OUTPUT_LANGUAGE));
    this.#store.add(
      model.onDidChange((change) => {
        const line = changeLine(change, Date.now());
        if (line !== null) this.#append(line);
        if (change.kind === 'added' && readRevealOutput() === 'onRun') this.show();
        const failed = change.kind === 'error' || (change.kind === 'phase' && change.run.outcome !== null && !['finished', 'stopped'].includes(change.run.outcome.kind));
        if (failed && readRevealOutput() !== 'never') this.show();
      }),
    );
  }

  /** The latest entries, as they stand in the channel; an entry may have several lines. */
  get entries(): readonly string[] {
    return this.#entries;
  }

  print(runId: string, level: OutputLevel, text: string): void {
    this.#append(printLine(Date.now(), this.#model.get(runId)?.title ?? runId, level, text));
  }

  /** Shows the channel; the focus stays in the editor. */
  show(): void {
    this.#channel.show(true);
  }

  dispose(): void {
    this.#store.dispose();
  }

  #append(line: string): void {
    this.#channel.appendLine(line);
    this.#entries.push(line);
    // Cut in blocks: a shift for each line would cost its length each time.
    if (this.#entries.length > 2 * KEPT_ENTRIES) this.#entries = this.#entries.slice(-KEPT_ENTRIES);
  }
}
