/** The worker as the extension host starts it: a Runtime behind Node's IPC channel. */
import { PROTOCOL_VERSION, type HostMessage, type WorkerMessage } from '../protocol';
import { Runtime } from './runtime';

/** How long connections may take to close when the worker is told to end; the supervisor waits 2 s in all. */
const SHUTDOWN_GRACE_MS = 1_000;

let runtime: Runtime | null = null;
let closing = false;

function emit(message: WorkerMessage): void {
  // Without a channel there is nobody left to tell.
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

async function shutDown(code: number): Promise<void> {
  if (closing) return;
  closing = true;
  await runtime?.close(SHUTDOWN_GRACE_MS);
  process.exit(code);
}

/** Says why the worker cannot go on, and ends it once that has been said. */
function fail(message: string): void {
  const failed: WorkerMessage = { type: 'failed', message };
  if (!process.connected || process.send === undefined) return process.exit(1);
  process.send(failed, undefined, undefined, () => process.exit(1));
}

function configure(message: Extract<HostMessage, { type: 'configure' }>): void {
  if (runtime !== null) return;
  if (message.version !== PROTOCOL_VERSION) {
    return fail(`The extension speaks version ${message.version} of the protocol, its worker version ${PROTOCOL_VERSION}: reload the window`);
  }
  try {
    runtime = new Runtime({ settings: message.settings, emit });
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
  }
}

// The host is the extension that started this process with its own build of the protocol: its messages are as typed.
process.on('message', (message: HostMessage) => {
  if (message.type === 'configure') configure(message);
  else if (message.type === 'shutdown') void shutDown(0);
  else runtime?.handle(message);
});
process.on('disconnect', () => void shutDown(0));
process.on('SIGTERM', () => void shutDown(0));
// Ctrl-C in a terminal reaches every process of its group: the host decides, not this one.
process.on('SIGINT', () => {});
process.on('uncaughtException', (error) => fail(`An error of Riftnet itself, please report it: ${error.stack ?? error.message}`));
process.on('unhandledRejection', (error) => fail(`An error of Riftnet itself, please report it: ${error instanceof Error ? error.stack : String(error)}`));

if (process.send === undefined) {
  process.stderr.write('This is the worker of the Riftnet extension, which starts it itself. To run a script: riftnet run FILE\n');
  process.exitCode = 2;
}
