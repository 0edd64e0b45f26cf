/** Starts the worker in a Node that may capture, if there is one: only the worker does, scripts run in the host's own. */
import { join } from 'node:path';
import { chooseNode, type ChosenNode } from './node/choose-node';
import { ownNode, withScriptNode } from './node/script-node';
import type { HostMessage } from './protocol';
import { startWorkerProcess, type WorkerEvents, type WorkerHandle } from './worker-process';

export interface WorkerLaunchOptions {
  /** Folder of the built bundles. */
  readonly bundles: string;
  /** The setting `riftnet.nodePath`; null: not set. */
  readonly nodePath: string | null;
  /** Whether the worker could use a real interface: not with the setting `gateway`. */
  readonly wantsCapture: boolean;
  readonly log: (level: 'info' | 'warn' | 'debug', message: string) => void;
  readonly choose?: (nodePath: string | null) => Promise<ChosenNode>;
  readonly start?: typeof startWorkerProcess;
}

/**
 * Returns at once; the process is started when it is known in which Node, and gets what was sent to it until then.
 * Which one is remembered between starts, so that this is rarely more than a look at a file.
 */
export function launchWorker(options: WorkerLaunchOptions, events: WorkerEvents): WorkerHandle {
  const { bundles, nodePath, wantsCapture, log, start = startWorkerProcess } = options;
  const file = join(bundles, 'worker.js');
  if (!wantsCapture) return start(file, events);
  const choose = options.choose ?? ((path) => chooseNode({ bundles, nodePath: path }));
  const waiting: HostMessage[] = [];
  let handle: WorkerHandle | null = null;
  let killed = false;

  const startIn = (node: string | null): void => {
    if (killed) return;
    handle = node === null ? start(file, events) : start(file, events, withScriptNode(process.env, ownNode()), node);
    for (const message of waiting.splice(0)) handle.send(message);
  };
  choose(nodePath).then(
    ({ capturing, reasons }) => {
      // A setting that cannot be followed is told; that nothing else may capture is the usual case.
      for (const reason of reasons) log(nodePath !== null && reason.startsWith('the setting') ? 'warn' : 'debug', `Not for capturing: ${reason}`);
      if (capturing !== null) log('info', `The worker runs in ${capturing.path}, which may capture.`);
      else log('info', 'No Node here may capture: "Riftnet: Check Network Setup" says what is missing.');
      startIn(capturing?.path ?? null);
    },
    (error: unknown) => {
      log('warn', `Which Node may capture could not be found out: ${error instanceof Error ? error.message : String(error)}`);
      startIn(null);
    },
  );
  return {
    get pid() {
      return handle?.pid;
    },
    send(message) {
      if (handle) handle.send(message);
      else waiting.push(message);
    },
    kill() {
      if (handle) return handle.kill();
      if (killed) return;
      // Whoever waits for its end does not wait for the choice, which may hang on a program that is no Node.
      killed = true;
      events.end({ code: null, signal: 'SIGKILL', spawnError: null });
    },
  };
}
