/** Asks a Node what it could do as a worker, by running it. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { parseProbe, type Probe } from './probe-result';

/** A Node that has not answered by then is no Node, or hangs. A cold disk takes a second. */
export const PROBE_TIMEOUT_MS = 10_000;
/** More than this is no answer of ours. */
const MAX_OUTPUT = 64 * 1024;

/** The environment of a Node that is to run a program of ours: nothing that changes what it does. */
export function plainEnvironment(environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const result: NodeJS.ProcessEnv = { ...environment, ELECTRON_RUN_AS_NODE: '1' };
  delete result['NODE_OPTIONS'];
  return result;
}

/** @param bundles folder of `probe.js` */
export function probeNode(node: string, bundles: string, timeoutMs = PROBE_TIMEOUT_MS): Promise<Probe> {
  return new Promise((resolve) => {
    const child = start(node, path.join(bundles, 'probe.js'));
    if (child instanceof Error) return resolve({ failure: startFailure(node, child) });
    let output = '';
    let words = '';
    let settled = false;
    const settle = (probe: Probe): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      resolve(probe);
    };
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      settle({ failure: `${node} did not answer within ${timeoutMs / 1000} s: is it Node?` });
    }, timeoutMs);
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output = (output + chunk).slice(-MAX_OUTPUT)));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (words = (words + chunk).slice(-MAX_OUTPUT)));
    child.on('error', (error) => settle({ failure: startFailure(node, error) }));
    child.on('close', (code, signal) => settle(readAnswer(node, output, words, signal ?? `exit code ${code ?? 'unknown'}`)));
  });
}

/** Some failures to start a program are told by an event, others thrown. */
function start(node: string, file: string): ChildProcessByStdio<null, Readable, Readable> | Error {
  try {
    return spawn(node, [file], { env: plainEnvironment(), stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function startFailure(node: string, error: Error): string {
  const code = 'code' in error ? error.code : null;
  if (code === 'ENOENT') return `there is no program ${node}`;
  if (code === 'EACCES') return `${node} may not be executed by you`;
  // capabilities(7), "safety checking for capability-dumb binaries": not all that the file grants could be given.
  if (code === 'EPERM') return `the system refuses to start ${node}: its capabilities cannot be granted here, as in a container without CAP_NET_RAW`;
  return `${node} could not be started: ${error.message}`;
}

function readAnswer(node: string, output: string, words: string, end: string): Probe {
  try {
    const result = parseProbe(JSON.parse(output));
    if (result !== null) return { result };
  } catch {
    // Told below.
  }
  const said = words.trim().split('\n')[0] ?? '';
  return { failure: `${node} is no Node that can run the worker (${end}${said === '' ? '' : `: ${said}`})` };
}
