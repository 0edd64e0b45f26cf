import assert from 'node:assert/strict';
import path from 'node:path';
import { scriptNodeOf } from '../../extension/node/script-node';
import type { HostMessage } from '../../extension/protocol';
import { launchWorker, type WorkerLaunchOptions } from '../../extension/worker-launch';
import type { WorkerEnd, WorkerHandle } from '../../extension/worker-process';

const STOP: HostMessage = { type: 'shutdown' };
const PROBE = { failure: 'not looked at' };

/** A launch whose choice and process are the test's. */
function launch(options: Partial<WorkerLaunchOptions>) {
  const starts: { file: string; node: string | undefined; scripts: string | null; sent: HostMessage[]; killed: boolean }[] = [];
  const ends: WorkerEnd[] = [];
  const logs: string[] = [];
  const handle = launchWorker(
    {
      bundles: '/ext/dist', nodePath: null, wantsCapture: true,
      log: (level, message) => void logs.push(`${level}: ${message}`),
      start: (file, _events, environment, node): WorkerHandle => {
        const start = { file, node, scripts: environment === undefined ? null : scriptNodeOf(environment).path, sent: [] as HostMessage[], killed: false };
        starts.push(start);
        return { pid: 7, send: (message) => void start.sent.push(message), kill: () => void (start.killed = true) };
      },
      ...options,
    },
    { message: () => undefined, diagnostic: () => undefined, end: (end) => void ends.push(end) },
  );
  return { handle, starts, ends, logs };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the start of the worker', () => {
  it('takes the Node that may capture, has scripts run in the own one, and delivers what was sent meanwhile', async () => {
    const { handle, starts, logs } = launch({ choose: () => Promise.resolve({ capturing: { path: '/granted/node', probe: PROBE }, reasons: [] }) });
    assert.equal(handle.pid, undefined);
    handle.send(STOP);
    await settled();
    assert.deepEqual(starts.map(({ file, node, scripts }) => [file, node, scripts]), [[path.join('/ext/dist', 'worker.js'), '/granted/node', process.execPath]]);
    assert.deepEqual(starts[0]?.sent, [STOP]);
    handle.send(STOP);
    assert.equal(starts[0]?.sent.length, 2);
    assert.equal(handle.pid, 7);
    assert.match(logs.join(), /info: The worker runs in \/granted\/node/);
    handle.kill();
    assert.equal(starts[0]?.killed, true);
  });

  it('takes the own Node where none may capture, and names the command that says what is missing', async () => {
    const reasons = ['the setting riftnet.nodePath (/x): there is no program /x', 'the Node that runs this (/y): it may not capture'];
    const { starts, logs } = launch({ nodePath: '/x', choose: () => Promise.resolve({ capturing: null, reasons }) });
    await settled();
    assert.deepEqual(starts.map(({ node, scripts }) => [node, scripts]), [[undefined, null]]);
    assert.deepEqual(logs, [
      `warn: Not for capturing: ${reasons[0] ?? ''}`,
      `debug: Not for capturing: ${reasons[1] ?? ''}`,
      'info: No Node here may capture: "Riftnet: Check Network Setup" says what is missing.',
    ]);
  });

  it('asks no Node for the gateway, and starts all the same when the choice fails', async () => {
    const direct = launch({ wantsCapture: false, choose: () => assert.fail('not to be asked') });
    assert.equal(direct.starts.length, 1);
    const broken = launch({ choose: () => Promise.reject(new Error('no disk')) });
    await settled();
    assert.equal(broken.starts.length, 1);
    assert.match(broken.logs.join(), /warn: .*no disk/);
  });

  it('that is killed before its Node is known starts nothing', async () => {
    const { handle, starts, ends } = launch({ choose: () => Promise.resolve({ capturing: null, reasons: [] }) });
    handle.kill();
    assert.equal(ends.length, 1, 'at once: the choice may hang');
    handle.kill();
    await settled();
    assert.deepEqual([starts.length, ends], [0, [{ code: null, signal: 'SIGKILL', spawnError: null }]]);
  });
});
