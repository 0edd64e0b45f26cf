import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { RiftnetApi } from '../../extension/api';
import { activate, printed, runToEnd, stopEverything, untilEvent } from './support';

describe('a window without a folder', () => {
  let api: RiftnetApi;

  before(async () => {
    api = await activate();
  });

  // Not after each: VS Code's back-up of a closed document may outlive it, and the next Untitled-1 would open with its text.
  after(() => stopEverything(api));

  it('runs a script that was never saved', async () => {
    assert.equal(vscode.workspace.workspaceFolders, undefined);
    const document = await vscode.workspace.openTextDocument({ language: 'typescript', content: `print('no folder');\nawait Event.OnTick;\nprint('needed');\n` });
    await vscode.window.showTextDocument(document);
    assert.deepEqual((await runToEnd(api, document)).outcome, { kind: 'finished' });
    assert.deepEqual(printed(api, 'Untitled-1.ts'), ['no folder', 'needed']);
  });

  it('makes a new script as a document to be saved wherever', async () => {
    const made = await vscode.commands.executeCommand<vscode.Uri>('riftnet.newScript', undefined, 'ticks');
    assert.equal(made.scheme, 'untitled');
    const editor = await untilEvent('its editor', vscode.window.onDidChangeActiveTextEditor, () => {
      const active = vscode.window.activeTextEditor;
      return active?.document.uri.toString() === made.toString() && active;
    });
    assert.match(editor.document.getText(), /Event\.OnTick\.on/);
  });

  it('says what to do when there is no script to run', async () => {
    await stopEverything(api);
    assert.equal(await vscode.commands.executeCommand('riftnet.runScript'), null);
    assert.deepEqual(api.runs, []);
    assert.match(api.said.at(-1) ?? '', /open the script first/);
  });
});
