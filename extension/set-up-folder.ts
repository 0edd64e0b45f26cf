import { basename, dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { COMMANDS, SCRIPT_FOLDER } from './contributions';
import { DisposableStore } from './emitter';
import type { Disposable } from './emitter';
import { t } from './l10n';
import { reasonOf, showError, showInformation, showWarning } from './messages';
import { DECLARATION_FILE, declarationText, EXAMPLE_FILE, isOurDeclaration, planTsconfig, TSCONFIG_FILE } from './script-folder';
import type { ScriptPlaces } from './script-places';
import { isTrusted } from './trust';

/** Remembers, by workspace, that the set-up was offered, whatever was answered. */
const OFFERED = 'riftnet.setUpOffered';

/** In place of a folder: a person names one. */
const ELSEWHERE = 'elsewhere';

/** "Set Up Script Folder": the names of scripts made known to the editor, and kept up to date afterwards. */
export class FolderSetUp implements Disposable {
  readonly #store = new DisposableStore();
  readonly #context: vscode.ExtensionContext;
  readonly #places: ScriptPlaces;
  /** Folders whose declarations have been looked at in this window. */
  readonly #checked = new Set<string>();

  constructor(context: vscode.ExtensionContext, places: ScriptPlaces) {
    this.#context = context;
    this.#places = places;
    this.#store.add(vscode.commands.registerCommand(COMMANDS.setUpFolder, (folder: unknown) => this.#command(folder)));
    this.#store.add(places.onDidChange(() => void this.#look()));
    this.#store.add(vscode.workspace.onDidGrantWorkspaceTrust(() => void this.#look()));
    void this.#look();
  }

  dispose(): void {
    this.#store.dispose();
  }

  /** @returns whether the folder is set up now; why not has been said */
  async #command(given: unknown): Promise<boolean> {
    if (!isTrusted()) return false;
    const folder = given instanceof vscode.Uri ? await folderOf(given) : await chooseFolder(t('Set Up'), given === ELSEWHERE);
    if (!folder) return false;
    try {
      return await this.#setUp(folder);
    } catch (error) {
      showError(t('{0} cannot be set up for scripts: {1} Choose a folder that you may write to.', folder.fsPath, reasonOf(error)), { title: t('Choose Folder …'), command: COMMANDS.setUpFolder, arguments: [ELSEWHERE] });
      return false;
    }
  }

  async #setUp(folder: vscode.Uri): Promise<boolean> {
    const tsconfig = vscode.Uri.joinPath(folder, TSCONFIG_FILE);
    const plan = planTsconfig(await read(tsconfig));
    if (plan.kind === 'unreadable') {
      showError(t('{0} cannot be read, and is left as it is: {1}. Mend it, then set the folder up again.', tsconfig.fsPath, plan.message), { title: t('Open File'), command: 'vscode.open', arguments: [tsconfig] });
      return false;
    }
    await this.#writeDeclaration(folder);
    if (plan.text !== null) await write(tsconfig, plan.text);
    const example = vscode.Uri.joinPath(folder, EXAMPLE_FILE);
    if (!(await exists(example))) await write(example, await this.#own(join('snippets', 'templates', 'empty.ts')));
    this.#places.refresh();
    if (plan.conflicts.length > 0) {
      showWarning(t('{0} says otherwise than scripts need, and is left so: with {1} the editor knows their names.', tsconfig.fsPath, plan.conflicts.join(', ')), { title: t('Open File'), command: 'vscode.open', arguments: [tsconfig] });
    } else {
      showInformation(t('{0} is set up for scripts.', basename(folder.fsPath)));
    }
    return true;
  }

  /** Keeps the declarations of set-up folders current, and offers the set-up once where there is none. */
  async #look(): Promise<void> {
    if (!vscode.workspace.isTrusted) return;
    for (const uri of this.#places.visible) {
      if (uri.scheme !== 'file') continue;
      const folder = await setUpFolderOf(uri);
      if (folder === null) await this.#offer(uri);
      else if (!this.#checked.has(folder.toString())) {
        this.#checked.add(folder.toString());
        // A folder that may not be written to keeps what it has: the scripts run all the same.
        await this.#writeDeclaration(folder).catch(() => {});
      }
    }
  }

  async #offer(script: vscode.Uri): Promise<void> {
    const state = this.#context.workspaceState;
    if (state.get(OFFERED) === true || vscode.workspace.getWorkspaceFolder(script) === undefined) return;
    await state.update(OFFERED, true);
    showInformation(
      t('The editor does not know the names of Riftnet scripts in {0}: fetch, Network, Event and print seem wrong or missing. Shall the folder be set up? That adds to its tsconfig.json, and overwrites nothing.', basename(dirname(script.fsPath))),
      { title: t('Set Up'), command: COMMANDS.setUpFolder, arguments: [vscode.Uri.file(dirname(script.fsPath))] },
    );
  }

  async #writeDeclaration(folder: vscode.Uri): Promise<void> {
    const file = vscode.Uri.joinPath(folder, DECLARATION_FILE);
    const there = await read(file);
    const text = declarationText(await this.#own('riftnet.d.ts'));
    if (there === text || (there !== null && !isOurDeclaration(there))) return;
    await write(file, text);
  }

  #own(path: string): Promise<string> {
    return readOwn(this.#context, path);
  }
}

/** A file that comes with the extension. */
export async function readOwn(context: vscode.ExtensionContext, path: string): Promise<string> {
  return Buffer.from(await vscode.workspace.fs.readFile(vscode.Uri.joinPath(context.extensionUri, ...path.split(/[\\/]/)))).toString('utf8');
}

/** The folder that is meant: one that is open, or else one that a person names. @param elsewhere none of those that are open */
async function chooseFolder(label: string, elsewhere: boolean): Promise<vscode.Uri | null> {
  const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
  const [only] = folders;
  if (only && folders.length === 1 && !elsewhere) return only.uri;
  if (folders.length > 1 && !elsewhere) return (await vscode.window.showWorkspaceFolderPick({ placeHolder: t('Which folder is meant?') }))?.uri ?? null;
  return (await vscode.window.showOpenDialog({ canSelectFolders: true, canSelectFiles: false, openLabel: label }))?.[0] ?? null;
}

/** A folder itself, or the folder a file is in. */
export async function folderOf(uri: vscode.Uri): Promise<vscode.Uri> {
  const stat = await vscode.workspace.fs.stat(uri).then((found) => found, () => null);
  return stat?.type === vscode.FileType.File ? vscode.Uri.file(dirname(uri.fsPath)) : uri;
}

async function setUpFolderOf(script: vscode.Uri): Promise<vscode.Uri | null> {
  for (let at = dirname(script.fsPath); at !== dirname(at); at = dirname(at)) {
    const folder = vscode.Uri.file(at);
    if (await exists(vscode.Uri.joinPath(folder, SCRIPT_FOLDER))) return folder;
  }
  return null;
}

export function exists(file: vscode.Uri): Thenable<boolean> {
  return vscode.workspace.fs.stat(file).then(() => true, () => false);
}

async function read(file: vscode.Uri): Promise<string | null> {
  return (await exists(file)) ? Buffer.from(await vscode.workspace.fs.readFile(file)).toString('utf8') : null;
}

export function write(file: vscode.Uri, text: string): Thenable<void> {
  return vscode.workspace.fs.writeFile(file, Buffer.from(text, 'utf8'));
}
