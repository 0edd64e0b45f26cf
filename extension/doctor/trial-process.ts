/** Starts the trial in a Node that may capture, and hands on what it finds. */
import { fork } from 'node:child_process';
import { plainEnvironment } from '../node/probe-node';
import type { Check } from '../network-report';
import type { TrialMessage, TrialRequest } from './trial';

/** The first argument of the process that makes the trial; what is tried follows as JSON. */
export const TRIAL_WORD = 'trial';
/** All steps' limits together, and a while. */
const LIMIT_MS = 150_000;

/** @param file this bundle @returns why it could not be brought to an end, or null */
export function startTrial(node: string, file: string, request: TrialRequest, signal: AbortSignal, onCheck: (check: Check) => void): Promise<string | null> {
  return new Promise((resolve) => {
    const child = fork(file, [TRIAL_WORD, JSON.stringify(request)], { execPath: node, execArgv: [], env: plainEnvironment(), stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    let failure: string | null = null;
    let words = '';
    // It ends by itself when it is let go of, and gives its address back in order.
    const stop = (): void => {
      if (child.connected) child.disconnect();
    };
    const timer = setTimeout(() => {
      failure = `it was not done within ${LIMIT_MS / 1_000} s`;
      child.kill('SIGKILL');
    }, LIMIT_MS);
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (words = (words + chunk).slice(-4_096)));
    child.on('message', (message: TrialMessage) => {
      if ('check' in message) onCheck(message.check);
      else failure = message.failure;
    });
    const finish = (why: string | null): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      resolve(failure ?? why);
    };
    child.on('error', (error) => finish(`${node} could not be started: ${error.message}`));
    // The last message has come when the channel is closed; `close` is not told where this side closes it.
    let left = 2;
    let why: string | null = null;
    const over = (): void => {
      if (--left === 0) finish(why);
    };
    child.on('disconnect', over);
    child.on('exit', (code, end) => {
      if (code !== 0) why = `it ended with ${end ?? `exit code ${code ?? 'unknown'}`}${words === '' ? '' : `: ${words.trim().split('\n')[0] ?? ''}`}`;
      over();
    });
  });
}
