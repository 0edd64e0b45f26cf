/** The table of goodput: what one connection carries over which path. */
import { Flow } from '../support/net-sim/flow';
import { Network } from '../support/net-sim/network';
import { finishAll, watch } from './stalls';

/** One path. Loss hits both directions alike. */
export interface Path {
  readonly rttMs: number;
  readonly lossPercent: number;
  readonly rateMbps: number;
}

/** One path, and what a connection carried over it. */
export interface Cell extends Path {
  /** Goodput of a whole transfer, its opening included: mean over the seeds. */
  readonly mbps: number;
  /** Standard error of that mean; 0 where one seed says it all. */
  readonly standardError: number;
  /** The longest time in which nothing arrived, over all seeds, ms. */
  readonly longestSilenceMs: number;
}

const RTTS_MS = [1, 20, 100, 300];
const LOSSES_PERCENT = [0, 0.1, 1, 5];
const RATES_MBPS = [10, 100, 1_000];

/** A router's buffer: one bandwidth-delay product, and on short or slow paths what any router has. */
const LEAST_QUEUE_BYTES = 64 << 10;
const PORT = 80;

export const PATHS: readonly Path[] = RTTS_MS.flatMap((rttMs) =>
  LOSSES_PERCENT.flatMap((lossPercent) => RATES_MBPS.map((rateMbps) => ({ rttMs, lossPercent, rateMbps }))),
);

/** Long enough for congestion avoidance to show, not only slow start. */
export function secondsOf({ rttMs, lossPercent }: Path): number {
  if (rttMs === 1) return 5;
  if (lossPercent === 0) return rttMs <= 20 ? 5 : 30;
  return rttMs <= 100 ? 30 : 60;
}

/** Without random loss every run is the same; with it, only a mean says anything. */
export function seedsOf({ rttMs, lossPercent }: Path): number {
  if (lossPercent === 0) return 1;
  if (rttMs === 1) return lossPercent < 5 ? 4 : 12;
  // What a rare loss costs depends much on when it comes.
  return lossPercent < 1 ? 24 : 16;
}

export function nameOf({ rttMs, lossPercent, rateMbps }: Path): string {
  return `${rttMs} ms, ${lossPercent} % loss, ${rateMbps} Mbit/s`;
}

/** @throws Error for a wrong byte, a broken connection or a stall */
export function runCell(path: Path): Cell {
  const runs = Array.from({ length: seedsOf(path) }, (_, i) => runOnce(path, i + 1));
  const mean = runs.reduce((sum, { mbps }) => sum + mbps, 0) / runs.length;
  const variance = runs.length > 1 ? runs.reduce((sum, { mbps }) => sum + (mbps - mean) ** 2, 0) / (runs.length - 1) : 0;
  return {
    ...path,
    mbps: round(mean),
    standardError: round(Math.sqrt(variance / runs.length)),
    longestSilenceMs: Math.round(Math.max(...runs.map(({ longestSilenceMs }) => longestSilenceMs))),
  };
}

function runOnce(path: Path, seed: number): { mbps: number; longestSilenceMs: number } {
  const { rttMs, lossPercent, rateMbps } = path;
  const bitsPerSecond = rateMbps * 1e6;
  const network = new Network({
    seed,
    hosts: [{ side: 'left' }, { side: 'right' }],
    forward: {
      bitsPerSecond,
      delayMs: rttMs / 2,
      loss: lossPercent / 100,
      queue: { kind: 'drop-tail', bytes: Math.max(LEAST_QUEUE_BYTES, (bitsPerSecond / 8_000) * rttMs) },
    },
  });
  const flow = new Flow({ clock: network.clock, from: network.host(0), to: network.host(1), port: PORT });
  const seconds = secondsOf(path);
  const label = `${nameOf(path)}, seed ${seed}`;
  watch(network, [flow], seconds * 1_000, label);
  const { received, longestSilenceMs } = flow;
  finishAll(network, [flow], label);
  return { mbps: (received * 8) / seconds / 1e6, longestSilenceMs };
}

/** Four digits: no more is ever compared, and a table of them can be read. */
export function round(value: number): number {
  return Number(value.toPrecision(4));
}
