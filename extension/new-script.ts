import * as vscode from 'vscode';
import { COMMANDS } from './contributions';
import { DisposableStore } from './emitter';
import type { Disposable } from './emitter';
import { t } from './l10n';
import { reasonOf, showError } from './messages';
import { TEMPLATES } from './new-script-templates';
import type { Template } from './new-script-templates';
import { newScriptFile } from './script-title';
import { exists, folderOf, readOwn, write } from './set-up-folder';

/** "New Script" with templates, and the documentation that comes with the extension. */
export function registerWritingCommands(context: vscode.ExtensionContext): Disposable {
  const store = new DisposableStore();
  store.add(vscode.commands.registerCommand(COMMANDS.newScript, (folder: unknown, template: unknown, name: unknown) => newScript(context, folder, template, name)));
  store.add(vscode.commands.registerCommand(COMMANDS.openApiDocs, () => vscode.commands.executeCommand('markdown.showPreview', vscode.Uri.joinPath(context.extensionUri, 'docs', 'scripts.md'))));
  return store;
}

/**
 * Asks for what it is not given. Without a folder the script is a new document, to be saved wherever.
 * @param given the folder, or a file in it; null: none; anything else: where the active editor's file is
 * @returns the script's URI, or null if it was not made
 */
async function newScript(context: vscode.ExtensionContext, given: unknown, template: unknown, name: unknown): Promise<vscode.Uri | null> {
  const chosen = TEMPLATES.find((candidate) => candidate === template) ?? (await chooseTemplate());
  if (!chosen) return null;
  const text = await readOwn(context, `snippets/templates/${chosen}.ts`);
  const folder = given instanceof vscode.Uri ? await folderOf(given) : given === null ? null : openFolder();
  if (!folder) {
    const document = await vscode.workspace.openTextDocument({ language: 'typescript', content: text });
    await vscode.window.showTextDocument(document);
    return document.uri;
  }
  const file = typeof name === 'string' ? name : await chooseName(folder, chosen);
  if (file === undefined) return null;
  const uri = vscode.Uri.joinPath(folder, newScriptFile(file));
  try {
    if (await exists(uri)) throw new Error(t('A file of that name exists already.'));
    await write(uri, text);
  } catch (error) {
    showError(t('{0} cannot be made: {1}', uri.fsPath, reasonOf(error)), { title: t('Open as New Document'), command: COMMANDS.newScript, arguments: [null, chosen] });
    return null;
  }
  await vscode.window.showTextDocument(uri);
  return uri;
}

/** Where the active editor's file is, or the first folder that is open. */
function openFolder(): vscode.Uri | null {
  const active = vscode.window.activeTextEditor?.document.uri;
  const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
  if (active?.scheme === 'file' && vscode.workspace.getWorkspaceFolder(active)) return vscode.Uri.joinPath(active, '..');
  return folders[0]?.uri ?? null;
}

async function chooseTemplate(): Promise<Template | undefined> {
  const words: Record<Template, readonly [label: string, detail: string]> = {
    fetch: [t('Fetch a page'), t('One request, and what came back')],
    json: [t('Talk JSON'), t('Asks for JSON, and sends some back')],
    socket: [t('Open a socket'), t('A connection that is looked at once a tick')],
    ticks: [t('Run with the loop'), t('A handler for each tick, and a timer')],
    empty: [t('Say hello'), t('One line, to begin with')],
  };
  const items = TEMPLATES.map((template) => ({ label: words[template][0], detail: words[template][1], template }));
  return (await vscode.window.showQuickPick(items, { placeHolder: t('What shall the script do?') }))?.template;
}

function chooseName(folder: vscode.Uri, template: Template): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    prompt: t('Name of the script in {0}', folder.fsPath),
    value: `${template === 'empty' ? 'hello' : template}.ts`,
    valueSelection: [0, template === 'empty' ? 5 : template.length],
    validateInput: async (value) => {
      if (!/^[^\\/:*?"<>|]+$/.test(value.trim())) return t('A file name, without folders.');
      return (await exists(vscode.Uri.joinPath(folder, newScriptFile(value)))) ? t('A file of that name exists already.') : null;
    },
  });
}
