/** Starts the process a script runs in: without privileges, and with nothing of this one's but two pipes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { Socket } from 'node:net';
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { ScriptNode } from '../node/script-node';
import { openFailure } from './descriptors';
import { Reaper } from './reaper';

export interface ScriptProcessOptions {
  /** Folder of the built bundles: those of `READABLE`. */
  readonly bundles: string;
  readonly memoryMb: number;
  readonly node: ScriptNode;
  /** Words before the command, that take this process's own rights from it. */
  readonly prefix: readonly string[];
  /** The process waits for a debugger; called once with where. null: there is no debugger. */
  readonly onDebuggable: ((url: string) => void) | null;
}

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last of what the process wrote to its standard error: V8's own words, if it aborted. */
  readonly errorOutput: string;
  /** The process could not be started. */
  readonly spawnError: string | null;
}

/** What is kept of a process's standard error. */
const MAX_ERROR_OUTPUT = 16 * 1024;
/** What of the environment a script's process gets: how to read the clock and the language. */
const KEPT_VARIABLES = ['TZ', 'LANG', 'LC_ALL', 'SYSTEMROOT'];

/** The files that a script's process may read: its own code. */
const READABLE = ['script.js', 'script-main.js', 'script-http.js'];

/** A free port, on this computer only. */
const INSPECT = '--inspect-brk=127.0.0.1:0';
/** What Node says of its debugger on standard error; the first with where it listens. */
const DEBUGGER_WORDS = /^(?:Debugger listening on (?<url>ws:\/\/\S+)|For help, see: \S+|Debugger attached\.|Waiting for the debugger to disconnect\.\.\.|Debugger ending on \S+)\r?\n/gm;

export class ScriptProcess {
  readonly pid: number | null;
  /** Descriptor 3 of the process: the network. */
  readonly pipe: Socket | null;
  /** Descriptor 1: what it prints and reports. */
  readonly reports: Readable | null;
  /** null: the system did not even try to start it. */
  private readonly child: ChildProcess | null;
  private reaper: Reaper | null = null;
  private errorOutput = '';

  /** @param onEnd called once, after the last of the reports has been read */
  constructor(options: ScriptProcessOptions, onEnd: (end: ProcessEnd) => void) {
    let ended = false;
    const end = (code: number | null, signal: NodeJS.Signals | null, spawnError: string | null) => {
      if (ended) return;
      ended = true;
      onEnd({ code, signal, errorOutput: this.errorOutput, spawnError });
    };
    const child = start(options);
    if (child instanceof Error) {
      this.child = this.pid = this.pipe = this.reports = null;
      process.nextTick(() => end(null, null, openFailure(child)));
      return;
    }
    this.child = child;
    this.pid = child.pid ?? null;
    // Where no descriptor was free for them there are no streams, whatever the types say: an event tells that nothing was started.
    const pipe = this.pid === null ? null : child.stdio[3];
    this.pipe = pipe instanceof Socket ? pipe : null;
    this.reports = this.pid === null ? null : child.stdout;
    let { onDebuggable } = options;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.errorOutput = (this.errorOutput + text).slice(-MAX_ERROR_OUTPUT);
      if (options.onDebuggable === null) return;
      const url = DEBUGGER_WORDS.exec(this.errorOutput)?.groups?.['url'];
      DEBUGGER_WORDS.lastIndex = 0;
      this.errorOutput = this.errorOutput.replace(DEBUGGER_WORDS, '');
      if (url === undefined) return;
      onDebuggable?.(url);
      onDebuggable = null;
    });
    child.on('exit', () => this.reaper?.release());
    child.on('close', (code, signal) => end(code, signal, null));
    child.on('error', (error) => {
      if (child.pid === undefined) end(null, null, openFailure(error));
    });
  }

  /**
   * Sees to it that the process cannot outlive this one, to be called before it is given a program: until
   * then it ends by itself when its pipe closes, and a start without this is the faster.
   */
  guard(): void {
    if (this.pid !== null) this.reaper ??= new Reaper(this.pid);
  }

  /** Ends the process at once, whatever it is doing. */
  kill(): void {
    this.child?.kill('SIGKILL');
  }
}

/** Some failures to start a program are told by an event, others thrown. */
function start(options: ScriptProcessOptions): ChildProcess | Error {
  try {
    const [command = options.node.path, ...words] = [...options.prefix, options.node.path, ...argumentsFor(options)];
    return spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe', 'pipe'], env: environment(process.env), windowsHide: true });
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function argumentsFor({ bundles, memoryMb, node, onDebuggable }: ScriptProcessOptions): string[] {
  // The permission model compares real paths.
  const folder = realpathSync(bundles);
  const debugged = onDebuggable !== null;
  // Node's permission model has no place for a debugger: who has one can do anything in the process as it is.
  const permission = debugged ? null : node.permissionFlag;
  return [
    ...(debugged ? [INSPECT] : []),
    ...(permission === null ? [] : [permission, ...READABLE.map((name) => `--allow-fs-read=${path.join(folder, name)}`)]),
    '--no-warnings',
    // V8's own limit is only a backstop to the watch on resident memory: it must not be the lower one.
    `--max-old-space-size=${memoryMb}`,
    path.join(folder, 'script.js'),
  ];
}

function environment(own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  // The Node can be Electron, which is Node only when told so.
  const env: NodeJS.ProcessEnv = { ELECTRON_RUN_AS_NODE: '1' };
  for (const name of KEPT_VARIABLES) if (own[name] !== undefined) env[name] = own[name];
  return env;
}

/** Whether a process was ended by V8 because its heap was full or a structure could not grow. */
export function ranOutOfHeap({ errorOutput }: ProcessEnd): boolean {
  return /FATAL ERROR: .*(heap|allocation failed|invalid (array|table) (length|size)|out of memory)/i.test(errorOutput) || /Fatal process out of memory/i.test(errorOutput);
}
