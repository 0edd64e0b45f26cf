import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { RiftnetApi } from '../../extension/api';
import { openScript, printed, runOf, until, withExtension } from './support';

async function lensTitles(document: vscode.TextDocument): Promise<string[]> {
  const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', document.uri, 100);
  return lenses.flatMap(({ command }) => (command?.command.startsWith('riftnet.') ? [command.title] : []));
}

describe('Run above the first line', () => {
  let api: RiftnetApi;
  withExtension((active) => (api = active));

  it('is there for a script, and becomes Stop and Restart while it runs', async () => {
    const document = await openScript('lens.ts', `print('runs');\nEvent.OnTick.on(() => {});\n`);
    assert.deepEqual(await lensTitles(document), ['$(play) Run', '$(debug-alt) Debug']);
    const [lens] = await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', document.uri, 100);
    assert.ok(lens?.command);
    await vscode.commands.executeCommand(lens.command.command, ...((lens.command.arguments ?? []) as unknown[]));
    await until(api, 'the script to print', () => printed(api, 'lens.ts').includes('runs'));
    assert.deepEqual(await lensTitles(document), ['$(debug-stop) Stop', '$(debug-restart) Restart']);
    const first = runOf(api, document);
    await vscode.commands.executeCommand('riftnet.restartScript', document.uri);
    await until(api, 'another run', () => runOf(api, document)?.id !== first?.id && runOf(api, document)?.phase === 'running');
    assert.deepEqual(first?.outcome, { kind: 'stopped' });
    await vscode.commands.executeCommand('riftnet.stopScript', document.uri);
    await until(api, 'its end', () => runOf(api, document)?.phase === 'ended');
    assert.deepEqual(await lensTitles(document), ['$(play) Run', '$(debug-alt) Debug']);
  });

  it('is not there for other TypeScript, nor for a declaration file', async () => {
    assert.deepEqual(await lensTitles(await openScript('other.ts', `import fs from 'node:fs';\nfs.existsSync('x');\n`)), []);
    assert.deepEqual(await lensTitles(await openScript('names.d.ts', `declare const x: number;\n`)), []);
  });

  it('can be turned off', async () => {
    const document = await openScript('lens.ts', `print('runs');\n`);
    const configuration = vscode.workspace.getConfiguration('riftnet');
    await configuration.update('codeLens', false, vscode.ConfigurationTarget.Workspace);
    try {
      assert.deepEqual(await lensTitles(document), []);
    } finally {
      await configuration.update('codeLens', undefined, vscode.ConfigurationTarget.Workspace);
    }
  });

  it('runs twice beside itself where the settings say so, and restarts all the same when asked to', async () => {
    const document = await openScript('twice.ts', `print('runs');\nEvent.OnTick.on(() => {});\n`);
    const configuration = vscode.workspace.getConfiguration('riftnet');
    await configuration.update('whenRunning', 'parallel', vscode.ConfigurationTarget.Workspace);
    try {
      await vscode.commands.executeCommand('riftnet.runScript', document.uri);
      await vscode.commands.executeCommand('riftnet.runScript', document.uri);
      await until(api, 'both', () => api.runs.filter((run) => run.phase === 'running').length === 2);
      assert.deepEqual(api.tree.map(({ label }) => label), ['twice.ts', 'twice.ts #2']);
      await vscode.commands.executeCommand('riftnet.restartScript', document.uri);
      await until(api, 'one again', () => api.runs.filter((run) => run.phase === 'running').length === 1);
    } finally {
      await configuration.update('whenRunning', undefined, vscode.ConfigurationTarget.Workspace);
    }
  });
});
