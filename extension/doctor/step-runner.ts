/** Steps one after the other, each with a time limit; what builds on a step that failed is skipped. */
import type { Clock, Timer } from '../../stack';
import type { Check, CheckId } from '../network-report';

/** What a step comes to; the runner adds the rest. */
export type StepResult = Pick<Check, 'status' | 'summary'> & Partial<Pick<Check, 'next' | 'commands'>>;

export function failed(summary: string, ...next: string[]): StepResult {
  return { status: 'failed', summary, next };
}

/** @param missing what it builds on */
export function notTried(missing: CheckId): StepResult {
  return { status: 'skipped', summary: `not tried: '${missing}' comes first` };
}

export interface Step {
  readonly id: CheckId;
  readonly title: string;
  readonly limitMs: number;
  /** Not to be tried without these. */
  readonly needs: readonly CheckId[];
  /**
   * @param limit aborted when the time is over, or the whole is given up: then it must settle at once
   * @returns its result; what it throws is an error of ours, told as such
   */
  run(limit: AbortSignal): Promise<StepResult>;
  /** What is said when it was not done in time. */
  timedOut(): StepResult;
}

export interface StepRunnerOptions {
  readonly clock: Pick<Clock, 'now' | 'at'>;
  /** Lines that were gathered since the last call: what was sent and seen. */
  readonly takeDetails: () => string[];
  readonly onCheck: (check: Check) => void;
  /** Gives up: the step under way ends, and no other is begun. */
  readonly signal: AbortSignal;
}

/** @returns every step's check, in order; each has been told to `onCheck` too */
export async function runSteps(steps: readonly Step[], options: StepRunnerOptions): Promise<Check[]> {
  const { clock, takeDetails, onCheck, signal } = options;
  const checks: Check[] = [];
  for (const step of steps) {
    const missing = step.needs.find((id) => checks.some((check) => check.id === id && (check.status === 'failed' || check.status === 'skipped')));
    const started = clock.now();
    takeDetails();
    const result: StepResult = signal.aborted
      ? { status: 'skipped', summary: 'not tried: the check was stopped' }
      : missing !== undefined
        ? notTried(missing)
        : await attempt(step, clock, signal);
    const { status, summary, next = [], commands = [] } = result;
    const check: Check = { id: step.id, title: step.title, status, summary, details: takeDetails(), next, commands, ms: Math.round(clock.now() - started) };
    checks.push(check);
    onCheck(check);
  }
  return checks;
}

async function attempt(step: Step, clock: Pick<Clock, 'now' | 'at'>, signal: AbortSignal): Promise<StepResult> {
  const limit = new AbortController();
  const stop = (): void => limit.abort();
  signal.addEventListener('abort', stop);
  let timer: Timer | null = null;
  const late = new Promise<StepResult>((resolve) => {
    timer = clock.at(clock.now() + step.limitMs, () => resolve(step.timedOut()));
    signal.addEventListener('abort', () => resolve({ status: 'skipped', summary: 'stopped' }), { once: true });
  });
  try {
    return await Promise.race([step.run(limit.signal), late]);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    return { status: 'failed', summary: `an error of Riftnet itself: ${words}`, next: ['Please report this, with the whole output of riftnet doctor --json.'] };
  } finally {
    (timer as Timer | null)?.cancel();
    signal.removeEventListener('abort', stop);
    limit.abort();
  }
}
