/** Runs the built terminal command as a person would, and tells all that it did. */
import { spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Host } from './namespaces';
import { DescendantWatch } from './processes';

export interface CliResult {
  /** null if a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
  /** Command lines of processes that outlived the command by more than ten seconds. */
  readonly leftRunning: readonly string[];
  readonly seconds: number;
}

export interface RunningCli {
  readonly pid: number;
  /** Text on stdout until now. */
  readonly stdout: () => string;
  /** Descendants that live now. */
  readonly descendants: () => number[];
}

export interface CliOptions {
  /** The run is ended and fails after this; default 60 s. */
  readonly limitMs?: number;
  /** Called once when `text` has been printed, on stdout unless told. */
  readonly when?: { readonly text: string; readonly on?: 'stdout' | 'stderr'; readonly run: (cli: RunningCli) => void };
  readonly cwd?: string;
  /** Runs it in this namespace. */
  readonly host?: Host;
  readonly env?: NodeJS.ProcessEnv;
  /** Runs it with this Node instead of the test's own. */
  readonly node?: string;
  /** Words before the command, of a program that becomes it. */
  readonly prefix?: readonly string[];
}

const CLI = path.resolve('dist/cli.js');
/** After the command's end, its processes have this long to be gone: on a busy machine even the end of one takes its time. */
const GONE_MS = 10_000;

/** `riftnet ARGS…` */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const started = performance.now();
  // A group of its own: a signal to the test's group must not reach it, and one to its group reaches all of it.
  const [command, ...rest] = args;
  // Root may capture: outside of a namespace nothing that a test runs may go out on the machine's own interfaces.
  const isSafe = command !== 'run' || options.host !== undefined || args.includes('--link');
  const words = [...(options.prefix ?? []), options.node ?? process.execPath, CLI, ...(isSafe ? args : [command, '--link', 'gateway', ...rest])];
  const { host, cwd = process.cwd(), env = process.env } = options;
  const spawnOptions: SpawnOptions = { detached: true, stdio: ['ignore', 'pipe', 'pipe'], cwd, env };
  const child = host ? host.start(words, spawnOptions) : spawn(words[0] ?? '', words.slice(1), spawnOptions);
  const { pid } = child;
  if (pid === undefined) throw new Error(`node ${CLI} could not be started`);
  const watch = new DescendantWatch(pid);
  const out: Buffer[] = [];
  let stderr = '';
  let pending = options.when;
  const limit = options.limitMs ?? 60_000;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, limit);

  const printed = () => {
    if (!pending) return;
    const text = pending.on === 'stderr' ? stderr : Buffer.concat(out).toString();
    if (!text.includes(pending.text)) return;
    const { run } = pending;
    pending = undefined;
    watch.look();
    run({ pid, stdout: () => Buffer.concat(out).toString(), descendants: () => watch.living() });
  };
  const { stdout: standardOutput, stderr: standardError } = child;
  if (standardOutput === null || standardError === null) throw new Error('the command has no output');
  standardOutput.on('data', (chunk: Buffer) => {
    out.push(chunk);
    printed();
  });
  standardError.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
    printed();
  });

  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (exitCode, exitSignal) => resolve([exitCode, exitSignal]));
  });
  clearTimeout(timer);
  const leftRunning = await watch.end(GONE_MS);
  // Whoever held the other end of the pipes is gone now.
  for (const stream of [standardOutput, standardError]) if (!stream.closed) await once(stream, 'close');
  const stdout = Buffer.concat(out);
  if (late) throw new Error(`riftnet ${args.join(' ')} was not done after ${limit} ms.\nstdout: ${stdout.toString()}\nstderr: ${stderr}`);
  return { code, signal, stdout, stderr, leftRunning, seconds: (performance.now() - started) / 1_000 };
}

/** The arguments every test uses: the gateway, and `localhost` as the loopback address, where the tests' servers are. */
export const LOCAL = ['--link', 'gateway', '--host-address', '127.0.0.1'];

export function runScript(file: string, args: readonly string[] = [], options?: CliOptions): Promise<CliResult> {
  return runCli(['run', file, ...LOCAL, ...args], options);
}

/** What a failed assertion should show of a run. */
export function describeRun({ code, signal, stdout, stderr, leftRunning, seconds }: CliResult): string {
  return `exit ${code ?? signal} after ${seconds.toFixed(1)} s\nstdout: ${stdout.toString().slice(0, 4_000)}\nstderr: ${stderr.slice(0, 4_000)}\nleft running: ${leftRunning.join('; ') || 'nothing'}`;
}
