/** How tests describe segments: RFC names and sequence numbers counted from the initial ones. */
import type { Ecn } from '../../stack/egress';
import { formatIpv4 } from '../../stack/wire/address';
import { bytesOf, pattern } from './patterns';
import { formatFlags, parseFlags, type Block, type Spoil, type Timestamps, type WireSegment } from './tcp-segment';

/** The streams of {@link pattern}: what the stack's user writes, and what the test's peer sends. */
export const STACK_STREAM = 0;
export const PEER_STREAM = 1;

/** What the peer's timestamps show at time 0, unless a test says otherwise. */
export const PEER_CLOCK = 7_000_000;

/**
 * Text (latin1), bytes, or a number: so many bytes of the sender's pattern, beginning where the
 * segment's sequence number says (relative 1 is offset 0).
 */
export type Payload = string | Uint8Array | number;

/** A segment of the test's peer. What is absent is the ordinary: no payload, window 65535, no options. */
export interface Segment {
  /** For example 'SYN', 'SYN ACK', 'FIN ACK'. */
  readonly flags: string;
  /** Relative to the peer's initial sequence number: SYN is 0, the first byte 1. */
  readonly seq: number;
  /** Relative to the stack's initial sequence number. Absent: 0 on the wire. */
  readonly ack?: number;
  /** The field as it stands in the header, not scaled. */
  readonly win?: number;
  readonly mss?: number;
  readonly wscale?: number;
  readonly sackPermitted?: boolean;
  /** Relative to the stack's initial sequence number. */
  readonly sack?: readonly Block[];
  /**
   * `val` is the peer's own clock, `ecr` the stack's in ms since the harness began. Absent: where timestamps are
   * agreed, an ordinary peer's (its clock in ms from {@link PEER_CLOCK}, and what the stack sent last); null: none.
   */
  readonly ts?: Timestamps | null;
  /** The IPv4 header's ECN field. */
  readonly ecn?: Ecn;
  readonly payload?: Payload;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly source?: number;
  readonly destination?: number;
  readonly spoil?: Spoil;
}

/** A segment expected from the stack. What is absent may be anything, except `payload`: absent, there must be none. */
export interface Expected {
  /** PSH is compared only where it is named. */
  readonly flags: string;
  /** Relative to the stack's initial sequence number. */
  readonly seq?: number;
  /** Relative to the peer's. */
  readonly ack?: number;
  /** The field as it stands in the header, not scaled. */
  readonly win?: number;
  /** null: the option must be absent. */
  readonly mss?: number | null;
  readonly wscale?: number | null;
  readonly sackPermitted?: boolean;
  /** Relative to the peer's initial sequence number; null: the option must be absent. */
  readonly sack?: readonly Block[] | null;
  /** `val` in ms since the harness began, `ecr` as the peer sent it; null: the option must be absent. */
  readonly ts?: Partial<Timestamps> | null;
  readonly ecn?: Ecn;
  readonly dontFragment?: boolean;
  readonly payload?: Payload;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly destination?: number;
}

/** A segment the stack sent, with the test's time and both forms of its numbers. */
export interface Seen {
  readonly at: number;
  readonly source: number;
  readonly destination: number;
  readonly wire: WireSegment;
  readonly stackIss: number;
  readonly peerIss: number;
  /** What the stack's timestamps count from: its value when the harness began. */
  readonly stackTsBase: number;
  readonly ecn: Ecn;
  readonly dontFragment: boolean;
}

export function payloadOf(payload: Payload | undefined, relativeSeq: number, stream: number, syn: boolean): Uint8Array {
  if (payload === undefined) return new Uint8Array(0);
  if (typeof payload === 'string') return bytesOf(payload);
  if (typeof payload === 'number') return pattern(payload, syn ? relativeSeq : relativeSeq - 1, stream);
  return payload;
}

/** The differences between what a test expects and what it saw, in words; empty when they agree. */
export function differences(expected: Expected, seen: Seen): string[] {
  const { wire } = seen;
  const found: string[] = [];
  const compare = (field: string, want: number | null | undefined, have: number | null) => {
    if (want !== undefined && want !== have) found.push(`${field}: expected ${want}, saw ${have}`);
  };
  const flags = parseFlags(expected.flags);
  const seenFlags = new Set(wire.flags);
  if (!flags.has('PSH')) seenFlags.delete('PSH');
  if (formatFlags(flags) !== formatFlags(seenFlags)) found.push(`flags: expected ${formatFlags(flags)}, saw ${formatFlags(wire.flags)}`);
  compare('seq', expected.seq, relative(wire.seq, seen.stackIss));
  compare('ack', expected.ack, relative(wire.ack, seen.peerIss));
  compare('win', expected.win, wire.win);
  compare('mss', expected.mss, wire.mss);
  compare('wscale', expected.wscale, wire.wscale);
  if (expected.sackPermitted !== undefined && expected.sackPermitted !== wire.sackPermitted) {
    found.push(`SACK permitted: expected ${expected.sackPermitted}, saw ${wire.sackPermitted}`);
  }
  if (expected.sack !== undefined) {
    const [want, have] = [describeBlocks(expected.sack), describeBlocks(sackOf(seen))];
    if (want !== have) found.push(`sack: expected ${want}, saw ${have}`);
  }
  if (expected.ts === null && wire.ts) found.push('ts: expected none, saw timestamps');
  if (expected.ts) {
    compare('ts val', expected.ts.val, wire.ts && relative(wire.ts.val, seen.stackTsBase));
    compare('ts ecr', expected.ts.ecr, wire.ts && wire.ts.ecr);
  }
  compare('ecn', expected.ecn, seen.ecn);
  if (expected.dontFragment !== undefined && expected.dontFragment !== seen.dontFragment) {
    found.push(`don't fragment: expected ${expected.dontFragment}, saw ${seen.dontFragment}`);
  }
  compare('source port', expected.sourcePort, wire.sourcePort);
  compare('destination port', expected.destinationPort, wire.destinationPort);
  if (expected.destination !== undefined && expected.destination !== seen.destination) {
    found.push(`destination: expected ${formatIpv4(expected.destination)}, saw ${formatIpv4(seen.destination)}`);
  }
  const want = payloadOf(expected.payload, expected.seq ?? relative(wire.seq, seen.stackIss), STACK_STREAM, flags.has('SYN'));
  if (want.length !== wire.payload.length) found.push(`payload: expected ${want.length} bytes, saw ${wire.payload.length}`);
  else {
    const at = want.findIndex((byte, index) => byte !== wire.payload[index]);
    if (at >= 0) found.push(`payload: byte ${at} of ${want.length}: expected ${want[at]}, saw ${wire.payload[at]}`);
  }
  return found;
}

/** A sequence number counted from `base`, signed, so that one before it shows as negative. */
export function relative(seq: number, base: number): number {
  return (seq - base) | 0;
}

/** The SACK blocks of a segment the stack sent, relative to the peer's initial sequence number. */
export function sackOf(seen: Seen): Block[] | null {
  return seen.wire.sack && seen.wire.sack.map(([left, right]) => [relative(left, seen.peerIss), relative(right, seen.peerIss)]);
}

function describeBlocks(blocks: readonly Block[] | null): string {
  return blocks ? blocks.map(([left, right]) => `${left}-${right}`).join(' ') : 'none';
}

export function describeWire(wire: WireSegment, seqBase: number, ackBase: number): string {
  const parts = [`${formatFlags(wire.flags)} seq ${relative(wire.seq, seqBase)}`];
  if (wire.flags.has('ACK')) parts.push(`ack ${relative(wire.ack, ackBase)}`);
  parts.push(`win ${wire.win}`);
  if (wire.mss !== null) parts.push(`mss ${wire.mss}`);
  if (wire.wscale !== null) parts.push(`wscale ${wire.wscale}`);
  if (wire.sackPermitted) parts.push('sackOK');
  if (wire.sack) parts.push(`sack ${describeBlocks(wire.sack.map(([left, right]) => [relative(left, ackBase), relative(right, ackBase)]))}`);
  if (wire.ts) parts.push(`ts ${wire.ts.val} ecr ${wire.ts.ecr}`);
  if (wire.payload.length) parts.push(`payload ${wire.payload.length}`);
  return `${parts.join(' ')} (${wire.sourcePort}→${wire.destinationPort})`;
}

export function describeExpected(expected: Expected): string {
  const parts = [expected.flags];
  for (const field of ['seq', 'ack', 'win', 'mss', 'wscale'] as const) {
    if (expected[field] !== undefined) parts.push(`${field} ${expected[field] ?? 'absent'}`);
  }
  if (expected.sack !== undefined) parts.push(`sack ${describeBlocks(expected.sack)}`);
  if (expected.ts !== undefined) parts.push(`ts ${expected.ts ? `${expected.ts.val ?? 'any'} ecr ${expected.ts.ecr ?? 'any'}` : 'none'}`);
  const { payload } = expected;
  parts.push(`payload ${payload === undefined ? 0 : typeof payload === 'number' ? payload : payload.length}`);
  return parts.join(' ');
}
