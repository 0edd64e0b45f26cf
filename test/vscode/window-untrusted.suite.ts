import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { RiftnetApi } from '../../extension/api';
import { browser } from './browser';
import { activate } from './support';

describe('a window whose folder is not trusted', () => {
  let api: RiftnetApi;
  let document: vscode.TextDocument;
  const folder = (): vscode.Uri => vscode.workspace.workspaceFolders?.[0]?.uri ?? vscode.Uri.file('/');

  before(async () => {
    // The question itself is a dialog, which VS Code shows no test: it stays unanswered.
    assert.equal(vscode.workspace.isTrusted, false);
    writeFileSync(join(folder().fsPath, 'script.ts'), `print('must not run');\n`);
    document = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder(), 'script.ts'));
    await vscode.window.showTextDocument(document);
    api = await activate();
  });

  it('runs nothing, whichever way it is asked, and says why', async () => {
    for (const [command, argument] of [['riftnet.runScript', document.uri], ['riftnet.restartScript', document.uri], ['riftnet.runAgain', 'run/run-1']] as const) {
      await vscode.commands.executeCommand(command, argument);
      assert.deepEqual(api.runs, [], command);
    }
    assert.equal(api.worker.state, 'idle', 'not even the network is started');
    assert.match(api.said.at(-1) ?? '', /only in a trusted workspace/);
  });

  it('is given nothing that writes into it, and no capture', async () => {
    assert.notEqual(await vscode.commands.executeCommand('riftnet.setUpFolder', folder()), true);
    assert.equal(existsSync(join(folder().fsPath, '.riftnet')), false);
    assert.equal(await vscode.commands.executeCommand('riftnet.saveCapture', vscode.Uri.joinPath(folder(), 'x.pcapng')), null);
  });

  it('offers no Run above the line nor in the title, and says what would mend it', async () => {
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', document.uri, 10);
    assert.deepEqual(lenses.filter(({ command }) => command?.command.startsWith('riftnet.')), []);
    await vscode.commands.executeCommand('riftnet.sockets.focus');
    await browser.waitFor('.welcome-view-content >> text=Manage Workspace Trust');
    await browser.screenshot('untrusted');
  });

  it('does not let the folder change how the network is reached', async () => {
    const configuration = vscode.workspace.getConfiguration('riftnet');
    await configuration.update('hostAddress', '192.0.2.9', vscode.ConfigurationTarget.Workspace);
    assert.equal(vscode.workspace.getConfiguration('riftnet').get('hostAddress'), '');
  });
});
