/** Whether what the stack sent is what the script says. */
import { ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, URG, type EcnSpec, type TcpOption, type TcpPacketSpec } from '../syntax/ast';
import type { Captured, Flow } from './flow';
import { formatPacket, type Described } from '../syntax/format';
import type { Settings } from '../settings';
import type { WireSegment } from './tcp-codec';

const ECN_NAMES: readonly EcnSpec[] = ['noecn', 'ect1', 'ect0', 'ce'];
const FLAG_NAMES: readonly (readonly [number, string])[] = [[FIN, 'FIN'], [SYN, 'SYN'], [RST, 'RST'], [PSH, 'PSH'], [ACK, 'ACK'], [URG, 'URG'], [ECE, 'ECE'], [CWR, 'CWR'], [AE, 'AE']];

/** Segments in a row that make up one packet of the script, joined. */
export interface SeenPacket {
  readonly segment: WireSegment;
  readonly ecn: number;
  readonly ttl: number;
  /** When the first of them went out, µs. */
  readonly us: number;
  /** Why they cannot be one packet, or null. */
  readonly disjoint: string | null;
  /** Whether there are several. Linux marks with PSH what it hands to segmentation offload, wherever the queue ends: it is not compared then. */
  readonly isJoined: boolean;
}

/** Joins segments as a sender with segmentation offload would show them: the first one's header, the last one's FIN and PSH. */
export function joinSegments(parts: readonly Captured[]): SeenPacket | null {
  const [first] = parts;
  const last = parts.at(-1);
  if (!first || !last) return null;
  let disjoint: string | null = null;
  const payload = new Uint8Array(parts.reduce((sum, part) => sum + part.segment.payload.length, 0));
  let at = 0;
  parts.forEach((part, index) => {
    const before = parts[index - 1]?.segment;
    payload.set(part.segment.payload, at);
    at += part.segment.payload.length;
    if (!before) return;
    if (part.segment.seq !== (before.seq + before.payload.length) >>> 0) disjoint ??= 'segments not in sequence';
    if ((part.segment.flags & ~(FIN | PSH | CWR)) !== (before.flags & ~(FIN | PSH | CWR))) disjoint ??= 'segments with different flags';
    if (part !== last && part.segment.payload.length !== before.payload.length) disjoint ??= 'segments of different sizes';
  });
  const flags = first.segment.flags | (last.segment.flags & (FIN | PSH));
  return { segment: { ...first.segment, flags, payload }, ecn: first.ecn, ttl: first.ttl, us: first.us, disjoint, isJoined: parts.length > 1 };
}

/**
 * Compares, in the script's numbers, and learns what the script calls the stack's timestamp.
 * @returns the differences, none if it is the same packet
 */
export function comparePacket(flow: Flow, spec: TcpPacketSpec, seen: SeenPacket, settings: Settings): string[] {
  const expectedTs = spec.options?.find((option) => option.kind === 'TS');
  const liveTs = seen.segment.options.find((option) => option.kind === 'TS');
  if (expectedTs?.kind === 'TS' && liveTs?.kind === 'TS') flow.noteTimestamp(expectedTs.val, liveTs.val);
  const actual = flow.outbound(seen.segment);
  const found: string[] = [];
  if (seen.disjoint) found.push(seen.disjoint);
  for (const [bit, name] of FLAG_NAMES) {
    if (bit === PSH && seen.isJoined) continue;
    if ((spec.flags & bit) !== (actual.flags & bit)) found.push(spec.flags & bit ? `no ${name}` : `${name}`);
  }
  if (actual.seq !== spec.seq) found.push(`sequence number ${actual.seq}`);
  if (actual.payload.length !== spec.payloadBytes) found.push(`${actual.payload.length} bytes`);
  if (actual.flags & ACK && spec.flags & ACK && actual.ack !== spec.ack) found.push(`ack ${actual.ack}`);
  if (spec.window !== null && actual.window !== spec.window) found.push(`win ${actual.window}`);
  if (actual.urgent !== spec.urgent) found.push(`urg ${actual.urgent}`);
  if (spec.options) found.push(...compareOptions(spec.options, actual.options, settings));
  found.push(...compareIp(spec, seen));
  const wrong = flow.firstWrongByte(seen.segment);
  if (wrong >= 0) found.push(`byte ${wrong} of the payload is not what was written`);
  return found;
}

function compareIp({ ip }: TcpPacketSpec, { ecn, ttl }: SeenPacket): string[] {
  const found: string[] = [];
  const name = ECN_NAMES[ecn] ?? 'noecn';
  if (ip.ecn === 'ect01' ? name !== 'ect0' && name !== 'ect1' : ip.ecn !== null && ip.ecn !== name) found.push(`[${name}]`);
  // The stack sets nothing of the TOS byte but the ECN field.
  if (ip.tos !== null && ip.tos !== ecn) found.push(`tos 0x${ecn.toString(16)}`);
  if (ip.ttl !== null && ip.ttl !== ttl) found.push(`ttl ${ttl}`);
  return found;
}

function compareOptions(expected: readonly TcpOption[], actual: readonly TcpOption[], settings: Settings): string[] {
  const same = expected.length === actual.length && expected.every((option, index) => {
    const other = actual[index];
    return other !== undefined && sameOption(option, other, settings);
  });
  return same ? [] : ['options'];
}

function sameOption(expected: TcpOption, actual: TcpOption, settings: Settings): boolean {
  switch (expected.kind) {
    case 'nop':
    case 'eol':
    case 'sackOK':
      return actual.kind === expected.kind;
    case 'mss':
      return actual.kind === 'mss' && actual.bytes === expected.bytes;
    case 'wscale':
      return actual.kind === 'wscale' && actual.shift === expected.shift;
    case 'sack':
      return actual.kind === 'sack' && sameNumbers(expected.edges, actual.edges);
    case 'TS':
      return actual.kind === 'TS' && actual.ecr === expected.ecr && withinTicks((actual.val - expected.val) | 0, settings);
    case 'other':
      return actual.kind === 'other' && actual.number === expected.number && sameNumbers([...expected.data], [...actual.data]);
  }
}

/** packetdrill checks the stack's timestamps only when told how long a tick is. */
function withinTicks(ticks: number, { timestampTickUs, toleranceUs }: Settings): boolean {
  return timestampTickUs === 0 || Math.abs(ticks) * timestampTickUs <= toleranceUs;
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

/** For messages: what was seen, in the script's notation; options and window only if the script speaks of them. */
export function formatSeen(flow: Flow, spec: TcpPacketSpec | null, seen: SeenPacket): string {
  const actual = flow.outbound(seen.segment);
  const described: Described = {
    flags: actual.flags,
    seq: actual.seq,
    payloadBytes: actual.payload.length,
    ack: actual.ack,
    window: spec && spec.window === null ? null : actual.window,
    urgent: actual.urgent,
    options: spec && spec.options === null ? [] : actual.options,
    ecn: ECN_NAMES[seen.ecn] ?? null,
  };
  return formatPacket(described);
}

export function formatExpected(spec: TcpPacketSpec): string {
  return formatPacket({ ...spec, ecn: spec.ip.ecn });
}
