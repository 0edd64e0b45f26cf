/** Runs `riftnet doctor` as a process of its own: what it tries must not run in the window's. */
import { fork } from 'node:child_process';
import { isReport, type Check, type Report } from './network-report';
import { plainEnvironment } from './node/probe-node';
import type { WorkerSettings } from './protocol';
import { t } from './l10n';

/** All its steps have limits of their own, 115 s together. */
const LIMIT_MS = 180_000;
/** How long it may take to give its address back when it is stopped. */
const STOP_MS = 5_000;
/** A report is a few kilobytes. */
const MAX_REPORT_CHARACTERS = 1 << 20;

/** The doctor's arguments for the settings that a worker would have. */
export function doctorArguments({ dns, pcap }: Pick<WorkerSettings, 'dns' | 'pcap'>, nodePath: string | null): string[] {
  const { address } = pcap;
  return [
    'doctor', '--json',
    ...(nodePath === null ? [] : [`--node=${nodePath}`]),
    ...(pcap.interface === null ? [] : [`--interface=${pcap.interface}`]),
    ...(address.mode === 'static' ? [`--address=${address.address}/${address.prefixLength}`] : []),
    ...(address.mode === 'shared' ? ['--address=shared'] : []),
    ...(address.mode !== 'dhcp' && address.gateway !== null ? [`--gateway=${address.gateway}`] : []),
    ...dns.map((server) => `--dns=${server}`),
    ...(pcap.binding === 'auto' ? [] : [`--capture-binding=${pcap.binding}`]),
    ...(pcap.localhost === 'relay' ? [] : [`--localhost=${pcap.localhost}`]),
  ];
}

export interface NetworkCheckOptions {
  /** Absolute path of the doctor's bundle. */
  readonly file: string;
  readonly args: readonly string[];
  /** Each check as it is made. */
  readonly onCheck: (check: Check) => void;
  readonly signal: AbortSignal;
}

/** @returns the report; null: it was stopped @throws Error in plain words if there is none */
export function runNetworkCheck({ file, args, onCheck, signal }: NetworkCheckOptions): Promise<Report | null> {
  return new Promise((resolve, reject) => {
    const child = fork(file, args, { env: plainEnvironment(), execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    let output = '';
    let words = '';
    let late = false;
    let killer: NodeJS.Timeout | null = null;
    const stop = (): void => {
      // It stops in order when it is let go of.
      if (child.connected) child.disconnect();
      killer ??= setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    };
    const timer = setTimeout(() => {
      late = true;
      stop();
    }, LIMIT_MS);
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      if (killer !== null) clearTimeout(killer);
      signal.removeEventListener('abort', stop);
      finish();
    };
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (output = (output + chunk).slice(0, MAX_REPORT_CHARACTERS)));
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (words = (words + chunk).slice(-4_096)));
    child.on('message', (message) => {
      if (typeof message === 'object' && message !== null && 'progress' in message) onCheck(message.progress as Check);
    });
    child.on('error', (error) => settle(() => reject(error)));
    child.on('exit', (code, end) => {
      // What it printed may still be in the pipe.
      const read = (): void => settle(() => {
        const report = parse(output);
        if (signal.aborted) resolve(null);
        else if (report !== null) resolve(report);
        else if (late) reject(new Error(t('it was not done within {0} s', LIMIT_MS / 1_000)));
        else reject(new Error(words.trim() || (end === null ? t('exit code {0}', code ?? '?') : t('signal {0}', end))));
      });
      if (!child.stdout || child.stdout.readableEnded) read();
      else child.stdout.on('close', read);
    });
  });
}

function parse(output: string): Report | null {
  try {
    const value: unknown = JSON.parse(output);
    return isReport(value) ? value : null;
  } catch {
    return null;
  }
}
