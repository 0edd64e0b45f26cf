import * as vscode from 'vscode';
import { COMMANDS, CONFIGURATION_SECTION, SCRIPT_LANGUAGES, SETTINGS } from './contributions';
import { DisposableStore, Emitter } from './emitter';
import { t } from './l10n';
import type { RunModel } from './run-model';
import type { ScriptPlaces } from './script-places';

/** Run and Debug above the first line of a script; while it runs, Stop and Restart. */
export class ScriptCodeLenses implements vscode.CodeLensProvider, vscode.Disposable {
  readonly #store = new DisposableStore();
  readonly #changed = this.#store.add(new Emitter<void>());
  readonly #model: RunModel;
  readonly #places: ScriptPlaces;
  readonly onDidChangeCodeLenses = this.#changed.event;

  constructor(model: RunModel, places: ScriptPlaces) {
    this.#model = model;
    this.#places = places;
    this.#store.add(model.onDidChange(({ kind }) => (kind === 'added' || kind === 'removed' || kind === 'phase') && this.#changed.fire()));
    this.#store.add(places.onDidChange(() => this.#changed.fire()));
    this.#store.add(vscode.workspace.onDidGrantWorkspaceTrust(() => this.#changed.fire()));
    this.#store.add(vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration(`${CONFIGURATION_SECTION}.${SETTINGS.codeLens}`) && this.#changed.fire()));
    this.#store.add(vscode.languages.registerCodeLensProvider([...SCRIPT_LANGUAGES], this));
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    const wanted = vscode.workspace.getConfiguration(CONFIGURATION_SECTION, document.uri).get(SETTINGS.codeLens) !== false;
    if (!wanted || !vscode.workspace.isTrusted || !this.#places.isScript(document)) return [];
    const lens = (title: string, command: string): vscode.CodeLens => new vscode.CodeLens(new vscode.Range(0, 0, 0, 0), { title, command, arguments: [document.uri] });
    const runs = this.#model.activeRuns.some((run) => run.key === document.uri.toString());
    if (!runs) return [lens(`$(play) ${t('Run')}`, COMMANDS.runScript), lens(`$(debug-alt) ${t('Debug')}`, COMMANDS.debugScript)];
    return [lens(`$(debug-stop) ${t('Stop')}`, COMMANDS.stopScript), lens(`$(debug-restart) ${t('Restart')}`, COMMANDS.restartScript)];
  }

  dispose(): void {
    this.#store.dispose();
  }
}
