/** What the doctor has found: the shape of `riftnet doctor --json`, described in docs/doctor.md. */
import type { ProbeResult } from './node/probe-result';

/** Grows when a field changes its meaning or goes; new fields may come without. */
export const REPORT_FORMAT = 1;

/** `warning`: it works, and something should be known. `skipped`: not tried, since something before it is missing. */
export type CheckStatus = 'ok' | 'warning' | 'failed' | 'skipped';

/** Stable; a reader leaves out those it does not know. */
export type CheckId =
  | 'libpcap' | 'bindings' | 'permission' | 'interface'
  | 'capture' | 'kernel' | 'dhcp' | 'address' | 'router' | 'dns' | 'connection' | 'localhost'
  | 'forwarding';

export interface Check {
  readonly id: CheckId;
  /** A few words: what was looked at. */
  readonly title: string;
  readonly status: CheckStatus;
  /** One sentence: what came of it. */
  readonly summary: string;
  /** What was sent and seen, in order; bounded. */
  readonly details: readonly string[];
  /** What a person does next, a sentence each; empty where nothing need be done. */
  readonly next: readonly string[];
  /** Commands that mend it, to be run as they stand. */
  readonly commands: readonly string[];
  /** How long it took, ms. */
  readonly ms: number;
}

export interface NodeReport {
  readonly path: string;
  /** Why it is a candidate. */
  readonly from: string;
  /** What it said when it was run; null: it could not be. */
  readonly probe: ProbeResult | null;
  /** Why a worker cannot capture in it; null: it can. */
  readonly obstacle: string | null;
}

export interface InterfaceReport {
  readonly name: string;
  /** As `192.0.2.7/24`. */
  readonly addresses: readonly string[];
  readonly mac: string | null;
  readonly mtu: number | null;
  readonly up: boolean;
  readonly loopback: boolean;
  readonly wireless: boolean;
  /** Why the stack cannot be a host there; null: it can. */
  readonly obstacle: string | null;
  /** The one that the link takes where none is named. */
  readonly recommended: boolean;
}

export interface FixReport {
  readonly id: string;
  readonly title: string;
  readonly status: 'done' | 'unchanged' | 'needs-root' | 'failed' | 'not-applicable';
  readonly summary: string;
  /** What was run, or is to be run by root. */
  readonly commands: readonly string[];
}

/** From the doctor to whoever started it as a process, as the checks are made. */
export interface ProgressMessage {
  readonly progress: Check;
}

export interface Report {
  readonly format: typeof REPORT_FORMAT;
  readonly version: string;
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  /** No check failed: the stack can be a host of its own on the network. */
  readonly ok: boolean;
  /** In the order they are tried. */
  readonly nodes: readonly NodeReport[];
  readonly interfaces: readonly InterfaceReport[];
  /** In the order they were made. */
  readonly checks: readonly Check[];
  /** With `--fix`: what came of each. */
  readonly fixes: readonly FixReport[];
}

/** Whether what a doctor's process has printed is a report of this format: it is ours, so that the outermost shape is enough. */
export function isReport(value: unknown): value is Report {
  return typeof value === 'object' && value !== null && 'format' in value && value.format === REPORT_FORMAT && 'checks' in value && Array.isArray(value.checks);
}
