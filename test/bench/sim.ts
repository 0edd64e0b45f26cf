/** How well one connection uses simulated paths. Virtual time: the figures are the same on every machine. */
import { Flow } from '../support/net-sim/flow';
import { Network } from '../support/net-sim/network';
import type { Benchmark } from './support/harness';

const MSS_BYTES = 1_448;
const FRAME_BYTES = 1_514;
const PORT = 5_001;

/** Carries all it can over a drop-tail queue. @returns Mbit/s of payload between the two times */
function goodput(path: { rttMs: number; mbps: number; queueBytes: number; loss?: number; seed: number }, fromMs: number, untilMs: number): number {
  const { rttMs, mbps, queueBytes, loss = 0, seed } = path;
  const way = { bitsPerSecond: mbps * 1e6, delayMs: rttMs / 2, queue: { kind: 'drop-tail', bytes: queueBytes } as const };
  const network = new Network({ seed, hosts: [{ side: 'left' }, { side: 'right' }], forward: { ...way, loss }, backward: way });
  const flow = new Flow({ clock: network.clock, from: network.host(0), to: network.host(1), port: PORT });
  network.clock.runUntil(fromMs);
  const before = flow.received;
  network.clock.runUntil(untilMs);
  if (flow.failure !== null) throw new Error(`seed ${seed}: ${flow.failure}`);
  return ((flow.received - before) * 8) / (untilMs - fromMs) / 1_000;
}

const LONG_MBPS = 100;
const LONG_RTT_MS = 100;

/** 100 Mbit/s and 100 ms, with a queue of one bandwidth-delay product, between seconds 5 and 30. */
function longPath(): Promise<number> {
  return Promise.resolve(goodput({ rttMs: LONG_RTT_MS, mbps: LONG_MBPS, queueBytes: (LONG_MBPS * 1e6 * LONG_RTT_MS) / 8_000, seed: 1 }, 5_000, 30_000));
}

const LOSS = 0.01;
const LOSSY_RTT_MS = 20;
const SEEDS = 100;
const LOSSY_MS = 30_000;

/** 1 % loss toward the receiver, 20 ms; the path is never full. Mean over the seeds. */
function lossyPath(): Promise<number> {
  let sum = 0;
  for (let seed = 1; seed <= SEEDS; seed++) sum += goodput({ rttMs: LOSSY_RTT_MS, mbps: 100, queueBytes: 1 << 20, loss: LOSS, seed }, 0, LOSSY_MS);
  return Promise.resolve(sum / SEEDS);
}

/** RFC 9438 §4.3: AVG_W_est = sqrt(3/2) / sqrt(p) segments, the same as Reno's, which at this loss and RTT is above CUBIC's own (§5.1). */
function friendlyRate(): Promise<number> {
  return Promise.resolve((Math.sqrt(1.5 / LOSS) * MSS_BYTES * 8) / LOSSY_RTT_MS / 1_000);
}

export const benchmarks: readonly Benchmark[] = [
  {
    name: 'sim/100ms',
    unit: 'Mbit/s',
    run: longPath,
    against: { what: "the link's payload capacity", run: () => Promise.resolve((LONG_MBPS * MSS_BYTES) / FRAME_BYTES) },
    target: 'at least 0.95 of it',
  },
  {
    name: 'sim/1-percent',
    unit: 'Mbit/s',
    run: lossyPath,
    against: { what: "RFC 9438's Reno-friendly rate", run: friendlyRate },
    target: 'at least 0.80 of it',
  },
];
