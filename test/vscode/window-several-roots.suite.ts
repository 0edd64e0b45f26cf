import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { RiftnetApi } from '../../extension/api';
import { printed, runOf, runToEnd, untilEvent, withExtension } from './support';

describe('a window with several folders', () => {
  let api: RiftnetApi;
  withExtension((active) => (api = active));

  it('runs the scripts of each with the settings of its own, and tells two of one name apart', async () => {
    const folders = await untilEvent('both folders', vscode.workspace.onDidChangeWorkspaceFolders, () => vscode.workspace.workspaceFolders?.length === 2 && vscode.workspace.workspaceFolders);
    const documents: vscode.TextDocument[] = [];
    for (const [index, { uri }] of folders.entries()) {
      writeFileSync(join(uri.fsPath, 'where.ts'), `import { name } from './name';\nprint(name, Engine.TICK_RATE);\nEvent.OnTick.on(() => {});\n`);
      writeFileSync(join(uri.fsPath, 'name.ts'), `export const name = 'root ${index + 1}';\n`);
      await vscode.workspace.getConfiguration('riftnet', uri).update('tickRate', 50 + index, vscode.ConfigurationTarget.WorkspaceFolder);
      await vscode.workspace.getConfiguration('riftnet', uri).update('timeout', 2, vscode.ConfigurationTarget.WorkspaceFolder);
      documents.push(await vscode.workspace.openTextDocument(join(uri.fsPath, 'where.ts')));
    }
    await Promise.all(documents.map((document) => vscode.commands.executeCommand('riftnet.runScript', document.uri)));
    const [first, second] = documents.map((document) => runOf(api, document));
    assert.ok(first && second);
    assert.notEqual(first.title, second.title);
    for (const document of documents) {
      await vscode.window.showTextDocument(document);
      await runToEnd(api, document);
    }
    const lines = ['where.ts', 'second-root/where.ts', 'first-root/where.ts'].flatMap((title) => printed(api, title));
    assert.ok(lines.includes('root 1 50') && lines.includes('root 2 51'), lines.join());
    assert.match(api.statusBarText, /Riftnet/);
    // Both folders have scripts, and none is set up: that is offered for one, and not again.
    assert.equal(api.said.filter((message) => /Shall the folder be set up/.test(message)).length, 1, api.said.join('\n'));
  });
});
