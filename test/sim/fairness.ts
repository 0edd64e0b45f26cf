/** How two flows share one bottleneck. */
import { Flow } from '../support/net-sim/flow';
import { Network } from '../support/net-sim/network';
import { round } from './cells';
import { finishAll, watch } from './stalls';

export interface Contest {
  readonly queue: 'drop-tail' | 'codel';
  /** Round trips of the two flows, ms. */
  readonly rttsMs: readonly [number, number];
}

export interface Share extends Contest {
  /** Goodput of each, Mbit/s, mean of all starts. */
  readonly mbps: readonly [number, number];
  /** Jain's index of fairness, (Σx)² / (n·Σx²), 1 for equal shares, 1/2 if one takes all; mean of all starts. */
  readonly jain: number;
}

const RATE_MBPS = 50;
/**
 * The second flow comes late, when the first has the path for itself. Which of two flows without any randomness finds
 * a full queue hangs on how their starts fall together, for minutes: several are tried.
 */
const LATE_MS = [3_000, 3_007, 3_017, 3_029];
const FROM_MS = 20_000;
const UNTIL_MS = 60_000;

export const CONTESTS: readonly Contest[] = (['drop-tail', 'codel'] as const).flatMap((queue) => [
  { queue, rttsMs: [40, 40] as const },
  { queue, rttsMs: [80, 40] as const },
]);

export function nameOfContest({ queue, rttsMs }: Contest): string {
  return `two flows, ${rttsMs.join(' and ')} ms, ${queue}`;
}

/** @throws Error for a wrong byte, a broken connection or a stall */
export function runContest(contest: Contest): Share {
  const runs = LATE_MS.map((lateMs) => rates(contest, lateMs));
  const mean = (of: (run: readonly [number, number]) => number): number => round(runs.reduce((sum, run) => sum + of(run), 0) / runs.length);
  return { ...contest, mbps: [mean(([a]) => a), mean(([, b]) => b)], jain: mean(jain) };
}

/** @returns the goodput of each flow, Mbit/s, the second having started at `lateMs` */
function rates(contest: Contest, lateMs: number): readonly [number, number] {
  const { queue, rttsMs } = contest;
  const base = Math.min(...rttsMs);
  const bitsPerSecond = RATE_MBPS * 1e6;
  const network = new Network({
    seed: 1,
    // The access delay of the left host lies on the way out and on the way back.
    hosts: [...rttsMs.map((rttMs) => ({ side: 'left', accessDelayMs: (rttMs - base) / 2 }) as const), { side: 'right' }, { side: 'right' }],
    forward: { bitsPerSecond, delayMs: base / 2, queue: { kind: queue, bytes: (bitsPerSecond / 8_000) * base * (queue === 'codel' ? 4 : 1) } },
    backward: { bitsPerSecond, delayMs: base / 2 },
  });
  const start = (index: number): Flow => new Flow({ clock: network.clock, from: network.host(index), to: network.host(index + 2), port: 80 });
  const label = nameOfContest(contest);
  const first = start(0);
  watch(network, [first], lateMs, label);
  const second = start(1);
  const flows = [first, second];
  watch(network, flows, FROM_MS - lateMs, label);
  const before = flows.map(({ received }) => received);
  watch(network, flows, UNTIL_MS - FROM_MS, label);
  const [a = 0, b = 0] = flows.map(({ received }, i) => ((received - (before[i] ?? 0)) * 8) / (UNTIL_MS - FROM_MS) / 1_000);
  finishAll(network, flows, label);
  return [a, b];
}

export function jain(shares: readonly number[]): number {
  const sum = shares.reduce((total, rate) => total + rate, 0);
  return sum ** 2 / (shares.length * shares.reduce((total, rate) => total + rate ** 2, 0));
}
