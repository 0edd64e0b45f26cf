/** Runs scripts one at a time in a thread of its own, which can be ended whatever the stack does. */
import { parentPort } from 'node:worker_threads';
import type { TcpConfig } from '../../stack/config';
import { runScript, type ScriptOutcome } from './run-script';
import type { ScriptOption } from './syntax/ast';

export interface Job {
  readonly path: string;
  readonly text: string;
  readonly scriptOptions: readonly ScriptOption[];
  /** Settings of the stack that nothing in the script can change. */
  readonly mutation?: Partial<TcpConfig>;
}

export interface Done {
  readonly outcome: ScriptOutcome;
  /** Commands without an effect, with their lines. */
  readonly ignored: readonly { readonly line: number; readonly command: string }[];
}

parentPort?.on('message', (job: Job) => {
  const ignored: { line: number; command: string }[] = [];
  const outcome = runScript(job.text, job.path, {
    scriptOptions: job.scriptOptions,
    mutation: job.mutation ?? {},
    onIgnored: (line, command) => ignored.push({ line, command }),
  });
  parentPort?.postMessage({ outcome, ignored: ignored.slice(0, 100) } satisfies Done);
});
