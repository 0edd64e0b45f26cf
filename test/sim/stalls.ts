/** A transfer must never stand still: how runs are watched. */
import { DEFAULT_CONFIG } from '../../stack/config';
import type { Flow } from '../support/net-sim/flow';
import type { Network } from '../support/net-sim/network';

/** Time for a retransmission to cross the slowest path and its queue, ms. */
const CROSSING_MS = 5_000;

/** Nothing arrives for longer than the longest retransmission timeout, while data waits: that is a stall. */
export const STALL_MS = DEFAULT_CONFIG.tcp.maxRtoMs + CROSSING_MS;

/** How often a run is looked at, ms. */
const STEP_MS = 250;

/** Lets `ms` pass. @throws Error if a flow fails or stalls */
export function watch(network: Network, flows: readonly Flow[], ms: number, label: string): void {
  const end = network.clock.now() + ms;
  while (network.clock.now() < end) {
    network.clock.runUntil(Math.min(end, network.clock.now() + STEP_MS));
    check(flows, label);
  }
}

/** Ends the flows, and waits until all that was sent has arrived. @throws Error if a flow fails or stalls */
export function finishAll(network: Network, flows: readonly Flow[], label: string): void {
  for (const flow of flows) flow.finish();
  while (!flows.every((flow) => flow.isComplete)) {
    network.clock.advance(STEP_MS);
    check(flows, label);
  }
  check(flows, label);
}

function check(flows: readonly Flow[], label: string): void {
  for (const flow of flows) {
    const problem = flow.failure ?? (Math.max(flow.silenceMs, flow.longestSilenceMs) > STALL_MS ? 'the transfer has stalled' : null);
    if (problem !== null) throw new Error(`${label}: ${problem}\n${flow.describe()}`);
  }
}
