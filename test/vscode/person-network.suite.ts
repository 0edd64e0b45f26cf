import * as vscode from 'vscode';
import { browser } from './browser';
import { activate } from './support';

/** As in `network.suite.ts`: the check ends before it would send anything. */
const NOWHERE = 'riftnet-none';

/** What a person sees of the check; needs the launcher that owns a browser. */
describe('a person with a network', () => {
  before(activate);
  afterEach(async () => {
    await vscode.workspace.getConfiguration('riftnet').update('interface', undefined, vscode.ConfigurationTarget.Global);
    await vscode.commands.executeCommand('notifications.clearAll');
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('checks its setup from the palette, and reads what is missing', async () => {
    await vscode.workspace.getConfiguration('riftnet').update('interface', NOWHERE, vscode.ConfigurationTarget.Global);
    await browser.press('F1');
    await browser.type('Riftnet: Check Network Setup');
    await browser.press('Enter');
    await browser.waitFor('.view-line >> text=Riftnet: network setup');
    await browser.waitFor('.notification-toast >> text=the report says what is missing');
    await browser.screenshot('network setup');
  });
});
