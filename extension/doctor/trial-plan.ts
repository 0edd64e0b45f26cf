/** What a trial is about, beside the address. */
import type { PcapResult } from '../../stack';
import type { RouterPath } from '../worker/link/router-path';

export interface TrialTarget {
  readonly host: string;
  readonly port: number;
}

export interface TrialInterface {
  readonly name: string;
  /** Wi-Fi: it carries only frames from the interface's own MAC address. */
  readonly wireless: boolean;
  readonly mac: Uint8Array;
  /** Why the link `auto` has gone without it until now; null: it has not. */
  readonly remembered: { readonly at: string; readonly reason: string } | null;
}

export interface TrialPlan {
  /** What is connected to at the end. */
  readonly target: TrialTarget;
  /** The way to this computer by the router; null: it is not asked for. */
  readonly byRouter: RouterPath | null;
  /** Commands that mend what stands in the way. */
  readonly fixes: { readonly shared: string; readonly router: string };
}

export function describeFailures(result: PcapResult): string {
  return [...new Set(result.failures.map(({ binding, reason }) => `${binding}: ${reason}`))].join('; ');
}
