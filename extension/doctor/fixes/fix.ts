/** What the doctor can mend: each change is told before it is made, can be made again, and can be taken back. */
import { spawnSync } from 'node:child_process';
import type { FixReport } from '../../network-report';
import { shellWords } from '../shell-words';

export const FIX_IDS = ['capture', 'shared', 'router', 'forwarding'] as const;
export type FixId = (typeof FIX_IDS)[number];

/** Commands that root runs, in order; each is harmless where it has been run already. */
export interface RootWork {
  readonly commands: readonly (readonly string[])[];
  /** Whether nothing need be run: as far as this account can tell. */
  readonly isDone: boolean;
  /** One sentence: what is so afterwards. */
  readonly summary: string;
}

export type FixPlan =
  | { readonly kind: 'work'; readonly work: RootWork }
  /** Nothing is left for root: it is done, there was nothing to do, or it cannot be done and what comes next. */
  | { readonly kind: 'none'; readonly status: 'done' | 'unchanged' | 'not-applicable' | 'failed'; readonly summary: string };

/** Runs a program to its end. */
export interface RunResult {
  readonly status: number | null;
  readonly stdout: string;
  /** What it said, or why it could not be started. */
  readonly words: string;
}

export type Run = (words: readonly string[]) => RunResult;

/** A hung program must not hold the command up. */
const RUN_LIMIT_MS = 20_000;

export function runProgram(words: readonly string[]): RunResult {
  const [command = '', ...args] = words;
  // Root's tools are in sbin, which an account's PATH often leaves out.
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' };
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: RUN_LIMIT_MS, env });
  const missing = error && 'code' in error && error.code === 'ENOENT';
  return { status, stdout: stdout ?? '', words: missing ? `there is no program ${command}: install it (${PACKAGES[command] ?? command})` : (error?.message ?? stderr.trim()) };
}

/** Which package brings a program, on Debian and most others. */
const PACKAGES: Readonly<Record<string, string>> = { setcap: 'libcap2-bin', nft: 'nftables', ip: 'iproute2' };

export interface FixContext {
  readonly isRoot: boolean;
  readonly run: Run;
  /** Told before a command is run. */
  readonly onCommand: (command: string) => void;
}

/** Makes a planned change, or says how root makes it. */
export function carryOut(id: FixId, title: string, plan: FixPlan, { isRoot, run, onCommand }: FixContext): FixReport {
  if (plan.kind === 'none') return { id, title, status: plan.status, summary: plan.summary, commands: [] };
  const { commands, isDone, summary } = plan.work;
  if (isDone) return { id, title, status: 'unchanged', summary, commands: [] };
  const typed = commands.map((words) => shellWords(isRoot ? words : ['sudo', ...words]));
  if (!isRoot) return { id, title, status: 'needs-root', summary: `to be run by root; then ${summary}`, commands: typed };
  for (const [i, words] of commands.entries()) {
    onCommand(typed[i] ?? '');
    const { status, words: said } = run(words);
    if (status !== 0) return { id, title, status: 'failed', summary: `${typed[i] ?? ''}: ${said || `exit code ${status ?? 'unknown'}`}`, commands: typed };
  }
  return { id, title, status: 'done', summary, commands: typed };
}
