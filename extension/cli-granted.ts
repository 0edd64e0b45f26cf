/**
 * The terminal has no worker of its own: where its process may not capture and doctor's granted copy of Node may, it
 * runs the same command in that one, and stays only to pass on signals and the exit code.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import os from 'node:os';
import { probeCached } from './node/choose-node';
import { captureObstacle } from './node/permission';
import { grantedCopy } from './node/places';
import { ProbeCache } from './node/probe-cache';
import { plainEnvironment } from './node/probe-node';
import { isUsable } from './node/probe-result';
import { ownNode, SCRIPT_NODE_VARIABLE, withScriptNode } from './node/script-node';

/**
 * The Node to run the command in instead of this one, or null: this one may capture itself, or none may. Where no copy
 * was made, that is known after a look at two files.
 */
export async function nodeForCapture(bundles: string): Promise<string | null> {
  // Set: this is that other Node already.
  if (process.env[SCRIPT_NODE_VARIABLE] !== undefined || captureObstacle() === null) return null;
  const copy = grantedCopy();
  if (copy === null || !existsSync(copy)) return null;
  return isUsable(await probeCached(copy, bundles, new ProbeCache())) ? copy : null;
}

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs this very command in another Node, and ends as it ends. */
export function runIn(node: string): void {
  // A session of its own: Ctrl-C, which the terminal sends to the whole group, then reaches it once, through here.
  const child = spawn(node, process.argv.slice(1), {
    detached: true,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: withScriptNode(plainEnvironment(), ownNode()),
  });
  for (const signal of FORWARDED) process.on(signal, () => child.kill(signal));
  process.on('SIGTSTP', () => {
    child.kill('SIGSTOP');
    process.kill(process.pid, 'SIGSTOP');
  });
  process.on('SIGCONT', () => child.kill('SIGCONT'));
  child.on('error', (error) => {
    process.stderr.write(`riftnet: ${node} could not be started: ${error.message}; riftnet doctor says what is wrong with it\n`);
    process.exitCode = 2;
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (signal === null ? 0 : os.constants.signals[signal])));
}

/** In the other Node: the end of the process that started it must not leave this one running. */
export function watchStarter(onGone: () => void): void {
  if (process.env[SCRIPT_NODE_VARIABLE] === undefined || process.send === undefined) return;
  process.on('disconnect', onGone);
  // The channel alone must not keep the process alive.
  process.channel?.unref();
}
