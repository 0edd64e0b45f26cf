import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activate } from './support';

/** An interface that is nowhere: the check ends before it would send anything. */
const NOWHERE = 'riftnet-none';

describe('the check of the network setup', () => {
  before(async () => {
    await activate();
    await vscode.workspace.getConfiguration('riftnet').update('interface', NOWHERE, vscode.ConfigurationTarget.Global);
    // Without it the check would be made on this machine's own network.
    assert.equal(vscode.workspace.getConfiguration('riftnet').get('interface'), NOWHERE);
  });
  after(async () => {
    await vscode.workspace.getConfiguration('riftnet').update('interface', undefined, vscode.ConfigurationTarget.Global);
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
    assert.match(text, /^- lo: .*, loopback$/m);
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', document?.uri);
    const commands = text.split('\n').filter((line) => line.startsWith('    '));
    assert.equal(lenses.length, 2 * commands.length);
  });

  it('makes it anew in the same document', async () => {
    await vscode.commands.executeCommand('riftnet.checkNetwork');
    assert.equal(vscode.workspace.textDocuments.filter(({ uri }) => uri.scheme === 'riftnet-network').length, 1);
  });
});
