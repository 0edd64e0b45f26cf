import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activate } from './support';

/** An interface that is nowhere: the check ends before it would send anything. */
const NOWHERE = 'riftnet-none';

describe('the check of the network setup', () => {
  const configuration = vscode.workspace.getConfiguration('riftnet');

  before(async () => {
    await activate();
    await configuration.update('interface', NOWHERE, vscode.ConfigurationTarget.Workspace);
  });
  after(async () => {
    await configuration.update('interface', undefined, vscode.ConfigurationTarget.Workspace);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('shows what the doctor found in a document that cannot be changed, with each command ready to be copied', async () => {
    await vscode.commands.executeCommand('riftnet.checkNetwork');
    const document = vscode.window.activeTextEditor?.document;
    assert.equal(document?.uri.scheme, 'riftnet-network');
    const text = document?.getText() ?? '';
    assert.match(text, /^# Riftnet: network setup$/m);
    assert.match(text, new RegExp(`^## ✖ an interface: there is no interface "${NOWHERE}": there are `, 'm'));
    assert.match(text, /^## [✔✖] libpcap: /m);
    assert.match(text, /^- lo: .*loopback/m);
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', document?.uri);
    const commands = text.split('\n').filter((line) => line.startsWith('    '));
    assert.equal(lenses.length, 2 * commands.length);
    assert.equal(vscode.workspace.fs.isWritableFileSystem('riftnet-network'), undefined);
  });

  it('makes it anew in the same document', async () => {
    await vscode.commands.executeCommand('riftnet.checkNetwork');
    assert.equal(vscode.workspace.textDocuments.filter(({ uri }) => uri.scheme === 'riftnet-network').length, 1);
  });
});
