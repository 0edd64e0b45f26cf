import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { RiftnetApi } from '../../extension/api';
import { isAlive, openScript, printed, runOf, until, withExtension } from './support';

const SPIN = `print('spinning');\nwhile (true) {}\n`;

describe('Stop Script', () => {
  let api: RiftnetApi;
  withExtension((active) => (api = active));

  it('stops a script that spins, and leaves no process', async () => {
    const document = await openScript('spin.ts', SPIN);
    await vscode.commands.executeCommand('riftnet.runScript');
    const pid = await until(api, 'the script to run', () => runOf(api, document)?.pid ?? undefined);
    await until(api, 'its first line', () => printed(api, 'spin.ts').length > 0);
    assert.ok(isAlive(pid));
    await vscode.commands.executeCommand('riftnet.stopScript');
    const run = await until(api, 'its end', () => {
      const latest = runOf(api, document);
      return latest?.phase === 'ended' ? latest : undefined;
    });
    assert.deepEqual(run.outcome, { kind: 'stopped' });
    assert.equal(isAlive(pid), false);
    assert.match(api.tree[0]?.description ?? '', /^stopped/);
  });

  it('running again stops the old run first', async () => {
    const document = await openScript('again.ts', `print('begin');\nEvent.OnTick.on(() => {});\n`);
    await vscode.commands.executeCommand('riftnet.runScript');
    const first = await until(api, 'the first run', () => (runOf(api, document)?.phase === 'running' ? runOf(api, document) : undefined));
    await vscode.commands.executeCommand('riftnet.runScript');
    const second = await until(api, 'the second run', () => {
      const run = runOf(api, document);
      return run && run.id !== first.id && run.phase === 'running' ? run : undefined;
    });
    assert.deepEqual(first.outcome, { kind: 'stopped' });
    assert.notEqual(second.pid, first.pid);
    assert.equal(api.tree.length, 1, 'the ended run made room');
  });
});
