import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { RiftnetApi } from '../../extension/api';
import { browser } from './browser';
import { openScript, printed, runOf, runToEnd, until, untilEvent, withExtension } from './support';

const RUN_BUTTON = '.editor-actions .action-label[aria-label^="Run Script"]';

describe('a person who runs scripts', () => {
  let api: RiftnetApi;
  withExtension((active) => (api = active));

  it('finds Run in the title of a script and above its first line, and in no other TypeScript', async () => {
    await openScript('plain.ts', `export const answer = 42;\n`);
    await browser.waitFor('.editor-instance .view-line >> text=answer');
    assert.deepEqual(await browser.texts(RUN_BUTTON), []);
    const document = await openScript('titled.ts', `print('from the title');\nawait Event.OnTick;\nprint('and the line');\n`);
    await browser.waitFor('.codelens-decoration >> text=Run');
    await browser.screenshot('code-lens');
    await browser.click(RUN_BUTTON);
    await until(api, 'its end', () => runOf(api, document)?.phase === 'ended');
    assert.deepEqual(printed(api, 'titled.ts'), ['from the title', 'and the line']);
    const first = runOf(api, document)?.id;
    await browser.click('.codelens-decoration a >> text=Run');
    await until(api, 'another end', () => runOf(api, document)?.id !== first && runOf(api, document)?.phase === 'ended');
  });

  it('runs and stops with the keys', async () => {
    const document = await openScript('keys.ts', `print('runs');\nEvent.OnTick.on(() => {});\n`);
    await browser.click('.editor-instance .view-lines');
    await browser.press('Control+K');
    await browser.press('Shift+R');
    await until(api, 'it to run', () => runOf(api, document)?.phase === 'running');
    // The keys mean Stop from when the window knows that something runs.
    await browser.waitFor('.editor-actions .action-label[aria-label^="Stop Script"]');
    // The output was shown, and took no focus.
    await browser.type('// typed meanwhile');
    await untilEvent('the text in the script', vscode.workspace.onDidChangeTextDocument, () => document.getText().includes('// typed meanwhile'));
    await browser.press('Control+K');
    await browser.press('Shift+X');
    await until(api, 'its end', () => runOf(api, document)?.outcome?.kind === 'stopped');
    await document.save();
  });

  it('sees what a slow start waits for, and cancels it', async () => {
    await runToEnd(api, await openScript('quick.ts', `print('quick');\n`));
    const { pid } = api.worker;
    assert.ok(pid !== null);
    const document = await openScript('slow-start.ts', `print('late');\n`);
    // A worker that does not get on: as a busy machine makes it.
    process.kill(pid, 'SIGSTOP');
    try {
      await vscode.commands.executeCommand('riftnet.runScript');
      await browser.waitFor('.notification-list-item >> text=starting its process');
      await browser.screenshot('slow-start');
      await browser.click('.notification-list-item .monaco-button >> text=Cancel');
      await until(api, 'it to be stopping', () => runOf(api, document)?.phase === 'stopping');
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await until(api, 'its end', () => runOf(api, document)?.outcome?.kind === 'stopped');
    assert.deepEqual(printed(api, 'slow-start.ts'), []);
  });
});
