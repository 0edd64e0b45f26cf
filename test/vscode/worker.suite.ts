import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { RiftnetApi } from '../../extension/api';
import { isAlive, openScript, printed, runOf, runToEnd, until, withExtension } from './support';

describe('the worker', () => {
  let api: RiftnetApi;
  withExtension((active) => (api = active));

  it('when it is killed, its scripts are reported and ended, and it is restarted', async () => {
    const spinning = await openScript('lost-spin.ts', `print('spinning');\nwhile (true) {}\n`);
    await vscode.commands.executeCommand('riftnet.runScript');
    const ticking = await openScript('lost-tick.ts', `print('ticking');\nEvent.OnTick.on(() => {});\n`);
    await vscode.commands.executeCommand('riftnet.runScript');
    await until(api, 'both to print', () => printed(api, 'lost-spin.ts').length > 0 && printed(api, 'lost-tick.ts').length > 0);
    const pids = [spinning, ticking].map((document) => runOf(api, document)?.pid ?? 0);
    const worker = api.worker.pid;
    assert.ok(worker !== null && pids.every((pid) => pid > 0));

    process.kill(worker, 'SIGKILL');
    const killedAt = performance.now();
    await until(api, 'the loss of both', () => [spinning, ticking].every((document) => runOf(api, document)?.outcome?.kind === 'crashed'));
    for (const name of ['lost-spin.ts', 'lost-tick.ts']) {
      assert.ok(api.output.some((entry) => entry.includes(`[${name}] ✖ Riftnet's network worker ended unexpectedly (signal SIGKILL)`)), `${name} is reported in the output`);
    }
    assert.ok(api.tree.every((node) => node.description.startsWith('crashed: ')), 'both are marked in the tree');
    await until(api, 'another worker', () => api.worker.pid !== null && api.worker.pid !== worker);
    // The delay itself is under a second, which a unit test holds; the rest is a busy machine's.
    assert.ok(performance.now() - killedAt < 10_000, 'soon');
    assert.ok(api.worker.restarts > 0);
    await until(api, 'the processes to be gone', () => pids.every((pid) => !isAlive(pid)));

    const document = await openScript('after.ts', `print('works again');\n`);
    assert.deepEqual((await runToEnd(api, document)).outcome, { kind: 'finished' });
    assert.deepEqual(printed(api, 'after.ts'), ['works again']);
  });

  it('takes over changed network settings once no script runs', async () => {
    const document = await openScript('settings.ts', `print('runs');\n`);
    await runToEnd(api, document);
    const worker = api.worker.pid;
    const configuration = vscode.workspace.getConfiguration('riftnet');
    await configuration.update('dns', ['127.0.0.1:5399'], vscode.ConfigurationTarget.Workspace);
    try {
      await until(api, 'the worker to close', () => api.worker.pid !== worker);
      await runToEnd(api, document);
      assert.notEqual(api.worker.pid, worker);
    } finally {
      await configuration.update('dns', undefined, vscode.ConfigurationTarget.Workspace);
    }
  });
});
