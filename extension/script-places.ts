import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { SCRIPT_FOLDER, SCRIPT_LANGUAGES } from './contributions';
import { DisposableStore, Emitter } from './emitter';
import type { Scheduler } from './scheduler';
import { isScriptText } from './script-detection';

/** Typing changes what a document is; it is looked at again once the keys rest. */
const SETTLE_MS = 300;
/** Folders above a file that are looked at for one that was set up. */
const MAX_DEPTH = 32;

/**
 * Which of the visible documents are scripts: by what they say, or because their folder was set up for scripts.
 * Menus and code lenses ask here.
 */
export class ScriptPlaces implements vscode.Disposable {
  readonly #store = new DisposableStore();
  readonly #changed = this.#store.add(new Emitter<void>());
  readonly #scheduler: Scheduler;
  #timer: vscode.Disposable | null = null;
  #visible: readonly vscode.Uri[] = [];
  readonly onDidChange = this.#changed.event;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
    this.#store.add(vscode.window.onDidChangeVisibleTextEditors(() => this.#look()));
    this.#store.add(
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (hasScriptLanguage(document)) this.#lookSoon();
      }),
    );
    this.#look();
  }

  /** Scripts that an editor shows now. */
  get visible(): readonly vscode.Uri[] {
    return this.#visible;
  }

  isScript(document: vscode.TextDocument): boolean {
    if (!hasScriptLanguage(document) || (document.uri.scheme !== 'file' && document.uri.scheme !== 'untitled')) return false;
    return isScriptText(document.fileName, document.getText()) || (document.uri.scheme === 'file' && !/\.d\.[cm]?ts$/i.test(document.fileName) && isSetUp(dirname(document.uri.fsPath)));
  }

  /** A folder was set up for scripts. */
  refresh(): void {
    this.#look();
  }

  dispose(): void {
    this.#timer?.dispose();
    this.#store.dispose();
  }

  #lookSoon(): void {
    this.#timer?.dispose();
    this.#timer = this.#scheduler.after(SETTLE_MS, () => this.#look());
  }

  #look(): void {
    this.#timer?.dispose();
    this.#timer = null;
    const documents = vscode.window.visibleTextEditors.map((editor) => editor.document);
    const visible = documents.filter((document) => this.isScript(document)).map((document) => document.uri);
    if (visible.map(String).join('\n') === this.#visible.map(String).join('\n')) return;
    this.#visible = visible;
    this.#changed.fire();
  }
}

export function hasScriptLanguage(document: vscode.TextDocument): boolean {
  return SCRIPT_LANGUAGES.some((language) => language === document.languageId);
}

/** Whether a folder, or one above it, was set up by "Set Up Script Folder". */
function isSetUp(folder: string): boolean {
  for (let depth = 0, at = folder; depth < MAX_DEPTH; depth++, at = dirname(at)) {
    if (existsSync(join(at, SCRIPT_FOLDER))) return true;
    if (at === dirname(at)) return false;
  }
  return false;
}
