import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { RiftnetApi } from '../../extension/api';
import { openScript, printed, runOf, runToEnd, until, untilEvent, withExtension } from './support';

/** A folder that nobody may write to, root neither: the kernel's own takes no files. */
function forbiddenFolder(): vscode.Uri {
  if (process.getuid?.() === 0) return vscode.Uri.file('/sys/kernel');
  const folder = join(vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '', 'forbidden');
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o555);
  return vscode.Uri.file(folder);
}

describe('what goes wrong around a script', () => {
  let api: RiftnetApi;
  withExtension((active) => (api = active));

  const said = (what: RegExp): boolean => api.said.some((message) => what.test(message));

  it('a file that is deleted while it runs: it goes on, is stopped as always, and what cannot be opened any more is said', async () => {
    const document = await openScript('deleted.ts', `print('runs');\nEvent.OnTick.on(() => {});\n`);
    await vscode.commands.executeCommand('riftnet.runScript');
    await until(api, 'it to run', () => printed(api, 'deleted.ts').length > 0);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    rmSync(document.uri.fsPath);
    const closed = vscode.workspace.textDocuments.every(({ uri }) => uri.toString() !== document.uri.toString());
    const id = api.tree[0]?.id;
    if (closed) {
      await vscode.commands.executeCommand('riftnet.revealScript', id);
      assert.ok(said(/deleted\.ts cannot be opened: it was deleted/), api.said.join('\n'));
    }
    assert.equal(runOf(api, document)?.phase, 'running');
    await vscode.commands.executeCommand('riftnet.stopRun', id);
    await until(api, 'its end', () => runOf(api, document)?.outcome?.kind === 'stopped');
  });

  it('a new document that is closed while it runs: it goes on, and Run Again and Open Script make no empty one in its place', async () => {
    const document = await vscode.workspace.openTextDocument({ language: 'typescript', content: `Event.OnTick.on(() => {});\n` });
    await vscode.window.showTextDocument(document);
    await vscode.commands.executeCommand('riftnet.runScript');
    const run = await until(api, 'it to run', () => (runOf(api, document)?.phase === 'running' ? runOf(api, document) : undefined));
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
    await untilEvent('the document to close', vscode.workspace.onDidCloseTextDocument, () => document.isClosed);
    for (const command of ['riftnet.revealScript', 'riftnet.runAgain']) {
      await vscode.commands.executeCommand(command, api.tree[0]?.id);
      assert.match(api.said.at(-1) ?? '', /Untitled-\d+ cannot be opened: .*closed without being saved/);
      assert.ok(vscode.workspace.textDocuments.every(({ uri }) => uri.toString() !== document.uri.toString()));
    }
    assert.deepEqual(api.runs.map(({ id, phase }) => [id, phase]), [[run.id, 'running']]);
  });

  it('a script that is not there: Run says so, and starts nothing', async () => {
    const missing = vscode.Uri.joinPath(vscode.workspace.workspaceFolders?.[0]?.uri ?? vscode.Uri.file('/'), 'missing.ts');
    assert.equal(await vscode.commands.executeCommand('riftnet.runScript', missing), null);
    assert.ok(said(/missing\.ts cannot be opened/));
    assert.deepEqual(api.runs, []);
  });

  it('a document from elsewhere: Run says what to do', async () => {
    const document = await vscode.workspace.openTextDocument(vscode.Uri.from({ scheme: 'vscode', authority: 'schemas', path: '/settings/user' }));
    assert.equal(await vscode.commands.executeCommand('riftnet.runScript', document.uri), null);
    assert.ok(said(/neither a file on this machine nor a new document. Save it/));
  });

  it('a folder without write permission: Set Up Script Folder, New Script and Save Capture say which file, and offer another place', async () => {
    const folder = forbiddenFolder();
    assert.equal(await vscode.commands.executeCommand('riftnet.setUpFolder', folder), false);
    assert.match(api.said.at(-1) ?? '', new RegExp(`^${folder.fsPath} cannot be set up for scripts: .*(EACCES|EPERM|EROFS|permission|read-only).* Choose a folder that you may write to\\.$`, 'i'));
    assert.equal(await vscode.commands.executeCommand('riftnet.newScript', folder, 'empty', 'first'), null);
    assert.match(api.said.at(-1) ?? '', new RegExp(`^${folder.fsPath}/first\\.ts cannot be made: .*(EACCES|EPERM|EROFS|permission|read-only)`, 'i'));
    assert.deepEqual(readdirSync(folder.fsPath).filter((name) => name === 'first.ts' || name === '.riftnet'), []);
    await runToEnd(api, await openScript('forbidden.ts', `print('ran');\n`));
    assert.equal(await vscode.commands.executeCommand('riftnet.saveCapture', vscode.Uri.joinPath(folder, 'x.pcapng')), null);
    assert.match(api.said.at(-1) ?? '', new RegExp(`${folder.fsPath}/x\\.pcapng cannot be written: .*(EACCES|EPERM|EROFS)`));
  });

  it('a wrong setting: it is named with its value once, and what is used instead', async () => {
    const configuration = vscode.workspace.getConfiguration('riftnet');
    await configuration.update('tickRate', 100_000, vscode.ConfigurationTarget.Workspace);
    try {
      const document = await openScript('rate.ts', `print(Engine.TICK_RATE);\n`);
      await runToEnd(api, document);
      await runToEnd(api, document);
      assert.deepEqual(printed(api, 'rate.ts').slice(-2), ['30', '30']);
      const messages = api.said.filter((message) => /riftnet\.tickRate is 100000; it must be a number from 1 to 1000\. 30 is used/.test(message));
      assert.equal(messages.length, 1, api.said.join('\n'));
    } finally {
      await configuration.update('tickRate', undefined, vscode.ConfigurationTarget.Workspace);
    }
  });

  it('a worker that cannot start: why is said, the script is marked, and the next run works once it is mended', async () => {
    const document = await openScript('start.ts', `print('started');\n`);
    await runToEnd(api, document);
    const worker = api.worker.pid;
    const configuration = vscode.workspace.getConfiguration('riftnet');
    await configuration.update('captureFile', '/nonexistent/folder/x.pcapng', vscode.ConfigurationTarget.Global);
    try {
      await until(api, 'the worker to close', () => api.worker.pid !== worker);
      const run = await runToEnd(api, document);
      assert.ok(run.outcome?.kind === 'crashed');
      assert.match(run.outcome.message, /could not start: .*\/nonexistent\/folder\/x\.pcapng cannot be written/);
      assert.match(api.tree[0]?.description ?? '', /^crashed: /);
      assert.ok(said(/could not start/));
      assert.match(api.statusBarText, /warning/);
    } finally {
      await configuration.update('captureFile', undefined, vscode.ConfigurationTarget.Global);
    }
    assert.deepEqual((await runToEnd(api, document)).outcome, { kind: 'finished' });
  });
});
