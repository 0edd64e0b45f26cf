import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { RiftnetApi } from '../../extension/api';
import { browser } from './browser';
import { openScript, runToEnd, until, withExtension } from './support';

const ROW = '.pane-body .monaco-list-row';

describe('a window in German', () => {
  let api: RiftnetApi;
  withExtension((active) => (api = active));

  it("is given the extension's German texts by VS Code", () => {
    assert.equal(vscode.env.language, 'de');
    assert.match(vscode.l10n.uri?.path ?? '', /\/l10n\/bundle\.l10n\.de\.json$/);
    const manifest = vscode.extensions.getExtension('riftnet.riftnet')?.packageJSON as { contributes: { commands: { command: string; title: { value: string } }[] } };
    const title = (command: string): string | undefined => manifest.contributes.commands.find((contributed) => contributed.command === command)?.title.value;
    assert.equal(title('riftnet.runScript'), 'Skript ausführen');
    assert.equal(title('riftnet.saveCapture'), 'Mitschnitt sichern');
  });

  it('says in them what happens, what failed and why, and has room for them', async () => {
    await vscode.commands.executeCommand('riftnet.stopScript');
    assert.equal(api.said.at(-1), 'Es läuft kein Skript.');
    await vscode.commands.executeCommand('riftnet.sockets.focus');
    await browser.waitFor('.welcome-view-content >> text=Skript ausführen');
    await browser.screenshot('german-welcome');
    const document = await openScript('german.ts', `const refused = Network.Connect('localhost', 1);\nwhile (refused.status === 'connecting') await Event.OnTick;\n`);
    await browser.waitFor('.codelens-decoration >> text=Ausführen');
    await runToEnd(api, document);
    assert.match(api.tree[0]?.description ?? '', /^beendet/);
    await until(api, 'the reasons', () => api.tree[0]?.children[0]?.children.some(({ label }) => label === 'Zurück kam:'));
    await browser.click(`${ROW}:has-text("localhost:1") .monaco-tl-twistie.collapsible.collapsed`);
    await browser.waitFor(`${ROW} >> text=Zurück kam:`);
    await browser.hoverUntil(`${ROW}:has-text("localhost:1")`, '.workbench-hover >> text=Wiederholungen');
    await browser.screenshot('german');
  });

  it('shows its settings in them', async () => {
    await vscode.commands.executeCommand('workbench.action.openSettings', 'riftnet.tickRate');
    await browser.waitFor('.settings-editor .setting-item-description >> text=Ticks');
    await browser.screenshot('german-settings');
  });
});
