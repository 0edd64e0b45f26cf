/** What the extension host does, without a window: starts a worker in a Node that may capture, if there is one, and runs a script. */
import path from 'node:path';
import { DEFAULT_WORKER_SETTINGS, PROTOCOL_VERSION, type WorkerMessage } from '../../../extension/protocol';
import { launchWorker } from '../../../extension/worker-launch';

const [bundles = '', script = ''] = process.argv.slice(2);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const worker = launchWorker({ bundles: path.resolve(bundles), nodePath: null, wantsCapture: true, log: (_level, message) => say(`log ${message}`) }, {
  message(message) {
    // The worker is ours.
    const known = message as WorkerMessage;
    if (known.type === 'ready') {
      worker.send({ type: 'run', runId: '1', file: script, source: null, tickRate: 30, limits: { memoryMb: 512, outputBytesPerSecond: 1 << 20 }, timeoutSeconds: null });
    } else if (known.type === 'output') say(known.text);
    else if (known.type === 'log' || known.type === 'failed') say(`log ${known.message}`);
  },
  diagnostic: (line) => say(`log ${line}`),
  end: (end) => say(`end ${JSON.stringify(end)}`),
});
worker.send({ type: 'configure', version: PROTOCOL_VERSION, settings: { ...DEFAULT_WORKER_SETTINGS, link: 'gateway' } });
