import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import type { WorkerMessage } from '../../extension/protocol';
import { DEFAULT_WORKER_SETTINGS, PROTOCOL_VERSION } from '../../extension/protocol';
import { describeEnd, startWorkerProcess, workerArguments, workerEnvironment } from '../../extension/worker-process';
import type { WorkerEnd } from '../../extension/worker-process';

const FAKE_WORKER = resolve('test/extension/fixtures/fake-worker.js');

/** A real process that speaks the protocol; what it says can be waited for. */
function startFake(file = FAKE_WORKER) {
  const messages: WorkerMessage[] = [];
  const lines: string[] = [];
  let wake = (): void => undefined;
  let finish = (_end: WorkerEnd): void => undefined;
  const ended = new Promise<WorkerEnd>((resolveEnd) => (finish = resolveEnd));
  const handle = startWorkerProcess(file, {
    message: (message) => {
      messages.push(message as WorkerMessage);
      wake();
    },
    diagnostic: (line) => {
      lines.push(line);
      wake();
    },
    end: finish,
  });
  /** Bounded by mocha's limit for a test. */
  const until = async <T>(look: () => T | undefined): Promise<T> => {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      await new Promise<void>((next) => (wake = next));
    }
  };
  const message = <T extends WorkerMessage['type']>(type: T) => until(() => messages.find((candidate): candidate is Extract<WorkerMessage, { type: T }> => candidate.type === type));
  return { handle, message, until, lines, ended };
}

describe("a worker's process", () => {
  it('is started, talked with, and ends with all its messages delivered', async () => {
    const { handle, message, until, lines, ended } = startFake();
    handle.send({ type: 'configure', version: PROTOCOL_VERSION, settings: { ...DEFAULT_WORKER_SETTINGS, link: 'gateway' } });
    assert.equal((await message('ready')).pid, handle.pid);
    await until(() => lines.find((line) => line === 'the fake worker says hello'));
    handle.send({ type: 'run', runId: 'run-1', file: '/a.ts', source: 'hello', tickRate: 30, limits: { memoryMb: 64, outputBytesPerSecond: 1000 }, timeoutSeconds: null });
    assert.equal((await message('output')).text, 'hello');
    handle.send({ type: 'shutdown' });
    assert.deepEqual(await ended, { code: 0, signal: null, spawnError: null });
    handle.send({ type: 'shutdown' });
  });

  it('is killed at once', async () => {
    const { handle, message, ended } = startFake();
    handle.send({ type: 'configure', version: PROTOCOL_VERSION, settings: { ...DEFAULT_WORKER_SETTINGS, link: 'gateway' } });
    await message('ready');
    handle.kill();
    assert.deepEqual(await ended, { code: null, signal: 'SIGKILL', spawnError: null });
  });

  it('whose file is missing ends, and says so on the way', async () => {
    const { ended, until, lines } = startFake(resolve('test/extension/fixtures/missing.js'));
    assert.equal((await ended).code, 1);
    await until(() => lines.find((line) => line.includes('missing.js')));
  });

  it('is told that it is Node, and gets none of the options meant for other programs', () => {
    assert.deepEqual(workerEnvironment({ PATH: '/bin', NODE_OPTIONS: '--require=/tmp/hook.js', RIFTNET_INSPECT_WORKER: '9339' }), { PATH: '/bin', ELECTRON_RUN_AS_NODE: '1' });
    // The JavaScript debugger's own way in.
    assert.equal(workerEnvironment({ NODE_OPTIONS: '--require bootloader.js', VSCODE_INSPECTOR_OPTIONS: '{}' })['NODE_OPTIONS'], '--require bootloader.js');
  });

  it('opens its inspector only where a launch configuration names a port', () => {
    assert.deepEqual(workerArguments({}), []);
    assert.deepEqual(workerArguments({ RIFTNET_INSPECT_WORKER: '9339' }), ['--inspect=127.0.0.1:9339']);
    for (const wrong of ['', '0', '-1', '65536', '1.5', 'x', '0.0.0.0:9339']) assert.deepEqual(workerArguments({ RIFTNET_INSPECT_WORKER: wrong }), []);
  });

  it('has its end told in words', () => {
    assert.equal(describeEnd({ code: 3, signal: null, spawnError: null }), 'exit code 3');
    assert.equal(describeEnd({ code: null, signal: 'SIGABRT', spawnError: null }), 'signal SIGABRT');
    assert.equal(describeEnd({ code: null, signal: null, spawnError: 'spawn ENOENT' }), 'spawn ENOENT');
  });
});
