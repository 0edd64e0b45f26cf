import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { t } from './l10n';
import type { HostMessage } from './protocol';

/** Why a worker's process is gone. */
export interface WorkerEnd {
  readonly code: number | null;
  readonly signal: string | null;
  /** The process could not be started at all. */
  readonly spawnError: string | null;
}

export interface WorkerEvents {
  message(message: unknown): void;
  /** A line the worker wrote to stdout or stderr: not part of the protocol, kept for diagnosis. */
  diagnostic(line: string): void;
  /** Exactly once, after the last message. */
  end(end: WorkerEnd): void;
}

export interface WorkerHandle {
  /** undefined if the process could not be started. */
  readonly pid: number | undefined;
  /** Sends if the process can still be reached; what is sent to a dead worker is answered by `end`. */
  send(message: HostMessage): void;
  /** Ends the process at once. */
  kill(): void;
}

/** After the process's exit its last messages may still be in the pipe: how long they are waited for. */
const DRAIN_MS = 250;
/** A longer line is cut: diagnosis must not grow without a bound. */
const MAX_DIAGNOSTIC_LINE = 4096;

/** Set by `.vscode/launch.json`, so that a debugger can attach to the worker. */
const INSPECT_VARIABLE = 'RIFTNET_INSPECT_WORKER';

/**
 * The environment a worker gets.
 *
 * VS Code's extension host may be Electron, whose executable is Node only when told so. `NODE_OPTIONS` is
 * dropped unless the JavaScript debugger put it there: what a user sets for other programs (a loader, a hook)
 * must not run in the process that holds the network.
 */
export function workerEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const result: NodeJS.ProcessEnv = { ...environment, ELECTRON_RUN_AS_NODE: '1' };
  if (environment['VSCODE_INSPECTOR_OPTIONS'] === undefined) delete result['NODE_OPTIONS'];
  delete result[INSPECT_VARIABLE];
  return result;
}

/** Node's own arguments for the worker: nothing of the extension host's, whose inspector port is taken. */
export function workerArguments(environment: NodeJS.ProcessEnv): string[] {
  const port = Number(environment[INSPECT_VARIABLE]);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? [`--inspect=127.0.0.1:${port}`] : [];
}

/** Starts a worker. @param file absolute path of the worker's bundle @param node the program to run it in */
export function startWorkerProcess(file: string, events: WorkerEvents, environment: NodeJS.ProcessEnv = process.env, node = process.execPath): WorkerHandle {
  const child = fork(file, [], {
    execPath: node,
    env: workerEnvironment(environment),
    execArgv: workerArguments(environment),
    serialization: 'json',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let ended = false;
  let exit: WorkerEnd | null = null;
  let channelOpen = true;
  const finish = (end: WorkerEnd): void => {
    if (ended) return;
    ended = true;
    events.end(end);
  };
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on('line', (line) => events.diagnostic(line.slice(0, MAX_DIAGNOSTIC_LINE)));
  }
  child.on('message', (message) => {
    if (!ended) events.message(message);
  });
  child.on('disconnect', () => {
    channelOpen = false;
    if (exit) finish(exit);
  });
  child.on('exit', (code, signal) => {
    exit = { code, signal, spawnError: null };
    if (!channelOpen) finish(exit);
    else setTimeout(finish, DRAIN_MS, exit);
  });
  // Also a failed kill or send ends up here; only a process that never was has no exit to come.
  child.on('error', (error) => {
    if (child.pid === undefined) finish({ code: null, signal: null, spawnError: error.message });
    else events.diagnostic(`worker process: ${error.message}`);
  });
  return {
    get pid() {
      return child.pid;
    },
    send(message) {
      if (!child.connected) return;
      child.send(message, (error) => {
        if (error && !ended) events.diagnostic(`message ${message.type} not delivered: ${error.message}`);
      });
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

/** `code 1`, `signal SIGKILL`, or why it could not start: for messages to people. */
export function describeEnd(end: WorkerEnd): string {
  if (end.spawnError !== null) return end.spawnError;
  return end.signal === null ? t('exit code {0}', end.code ?? '?') : t('signal {0}', end.signal);
}
