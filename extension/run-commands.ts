import { tmpdir } from 'node:os';
import * as vscode from 'vscode';
import { COMMANDS } from './contributions';
import { DisposableStore } from './emitter';
import type { Disposable } from './emitter';
import { t } from './l10n';
import { reasonOf, saveAsAction, showError, showInformation, showLogAction } from './messages';
import type { Run, RunModel } from './run-model';
import type { RunController, RunSettings } from './run-controller';
import { openScript, showScript } from './script-documents';
import { hasScriptLanguage } from './script-places';
import { untitledPath } from './script-title';
import { readRunSettings } from './settings';
import type { SettingProblem } from './settings-values';
import { outcomeMessage, outcomeWord, phaseWord } from './tree-nodes';
import { isTrusted } from './trust';

/** Run and Stop, wherever they are offered: palette, editor title, menus, status bar. */
export class RunCommands implements Disposable {
  readonly #store = new DisposableStore();
  readonly #model: RunModel;
  readonly #controller: RunController;
  readonly #problem: SettingProblem;

  constructor(model: RunModel, controller: RunController, problem: SettingProblem) {
    this.#model = model;
    this.#controller = controller;
    this.#problem = problem;
    this.#register(COMMANDS.runScript, (uri) => this.run(uri));
    this.#register(COMMANDS.restartScript, (uri) => this.run(uri, { whenRunning: 'restart' }));
    this.#register(COMMANDS.stopScript, (uri) => this.#stop(uri));
    this.#register(COMMANDS.stopAllScripts, () => this.#controller.stopAll());
    this.#register(COMMANDS.showScripts, () => this.#showScripts());
  }

  /**
   * Runs a document as it stands in its editor, saved or not.
   * @param given the document's URI; anything else: the active editor's
   * @param how what becomes of a run that is under way, otherwise than the settings say; whether it is to be debugged
   * @returns the run's id, or null if nothing was started; why not has been said
   */
  async run(given: unknown, { whenRunning, debug = false }: { readonly whenRunning?: RunSettings['whenRunning']; readonly debug?: boolean } = {}): Promise<string | null> {
    if (!isTrusted()) return null;
    const document = await this.#document(given);
    if (!document) return null;
    const { uri } = document;
    if (uri.scheme !== 'file' && uri.scheme !== 'untitled') {
      showError(t('Riftnet cannot run {0}: it is neither a file on this machine nor a new document. Save it to a folder first.', uri.toString(true)), saveAsAction());
      return null;
    }
    const file = uri.scheme === 'file' ? uri.fsPath : untitledPath(uri.path, document.languageId, scriptFolder());
    try {
      const settings = readRunSettings(uri, this.#problem);
      const run = await this.#controller.run({ key: uri.toString(), file, source: document.getText(), settings: { ...settings, whenRunning: whenRunning ?? settings.whenRunning }, debug });
      return run?.id ?? null;
    } catch (error) {
      showError(reasonOf(error), showLogAction());
      return null;
    }
  }

  dispose(): void {
    this.#store.dispose();
  }

  #register(id: string, handler: (argument: unknown) => unknown): void {
    this.#store.add(vscode.commands.registerCommand(id, handler));
  }

  async #document(given: unknown): Promise<vscode.TextDocument | null> {
    if (given instanceof vscode.Uri) return openScript(given);
    const document = vscode.window.activeTextEditor?.document;
    if (document && hasScriptLanguage(document)) return document;
    showInformation(t('Riftnet runs TypeScript and JavaScript: open the script first, then run it.'), { title: t('New Script'), command: COMMANDS.newScript });
    return null;
  }

  async #stop(given: unknown): Promise<void> {
    const uri = given instanceof vscode.Uri ? given : vscode.window.activeTextEditor?.document.uri;
    const active = this.#model.activeRuns;
    const here = active.filter((run) => run.key === uri?.toString());
    if (here.length > 0) for (const run of here) this.#controller.stop(run.id);
    else if (active.length === 0) showInformation(t('No script is running.'));
    else if (active[0] && active.length === 1) this.#controller.stop(active[0].id);
    else {
      const picked = await vscode.window.showQuickPick(active.map(pickItem), { placeHolder: t('Which script shall be stopped?') });
      if (picked) this.#controller.stop(picked.run.id);
    }
  }

  /** The list behind the status bar item; each running script has a stop button. */
  async #showScripts(): Promise<void> {
    const runs = this.#model.runs;
    if (runs.length === 0) {
      showInformation(t('No script has been run yet: open one and choose "Riftnet: Run Script".'), { title: t('New Script'), command: COMMANDS.newScript });
      return;
    }
    const stop: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon('debug-stop'), tooltip: t('Stop Script') };
    const pick = vscode.window.createQuickPick<ScriptItem>();
    pick.placeholder = t('Choose a script to open it');
    pick.items = runs.map((run) => ({ ...pickItem(run), buttons: run.phase === 'ended' ? [] : [stop] }));
    pick.onDidTriggerItemButton(({ item }) => {
      this.#controller.stop(item.run.id);
      pick.hide();
    });
    pick.onDidAccept(() => {
      const [item] = pick.selectedItems;
      pick.hide();
      if (item) void showScript(item.run);
    });
    pick.onDidHide(() => pick.dispose());
    pick.show();
  }
}

interface ScriptItem extends vscode.QuickPickItem {
  readonly run: Run;
}

function pickItem(run: Run): ScriptItem {
  const icon = run.phase === 'ended' ? '$(circle-outline)' : '$(sync~spin)';
  return { label: `${icon} ${run.title}`, description: run.outcome ? (outcomeMessage(run.outcome) ?? outcomeWord(run.outcome)) : phaseWord(run.phase), detail: run.file, run };
}

/** Where a document without a file is run: relative imports start there. */
function scriptFolder(): string {
  const folder = vscode.workspace.workspaceFolders?.find((candidate) => candidate.uri.scheme === 'file');
  return folder?.uri.fsPath ?? tmpdir();
}
