/**
 * The tests' own reading and writing of TCP segments (RFC 9293 §3.1), written apart from the stack's
 * codec on purpose: a mistake made in both places would hide itself. Slow and plain.
 */
export type Flag = 'FIN' | 'SYN' | 'RST' | 'PSH' | 'ACK' | 'URG' | 'ECE' | 'CWR';

const FLAG_BITS: Record<Flag, number> = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16, URG: 32, ECE: 64, CWR: 128 };
const FLAG_ORDER: readonly Flag[] = ['SYN', 'FIN', 'RST', 'URG', 'PSH', 'ACK', 'ECE', 'CWR'];

/** A segment with absolute sequence numbers, as on the wire. */
export interface WireSegment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly seq: number;
  readonly ack: number;
  readonly flags: ReadonlySet<Flag>;
  /** The window field as it stands in the header: not scaled. */
  readonly win: number;
  readonly mss: number | null;
  readonly wscale: number | null;
  readonly sackPermitted: boolean;
  /** Left and right edges of each block in the order of the option (RFC 2018 §3), or null. */
  readonly sack: readonly Block[] | null;
  readonly ts: Timestamps | null;
  readonly payload: Uint8Array;
}

/** What a test encodes may leave out the options that later RFCs added. */
export type SegmentToEncode = Omit<WireSegment, 'sackPermitted' | 'sack' | 'ts'> & Partial<Pick<WireSegment, 'sackPermitted' | 'sack' | 'ts'>>;

export type Block = readonly [left: number, right: number];

/** RFC 7323 §3.2. */
export interface Timestamps {
  readonly val: number;
  readonly ecr: number;
}

/** Ways to spoil a segment, for tests of what must be dropped. */
export interface Spoil {
  /** Added to the checksum after it was computed. */
  readonly checksumOffBy?: number;
  /** The data offset field in 32-bit words, in place of the right one. */
  readonly dataOffset?: number;
  /** Raw bytes of options in place of the segment's own, padded with end-of-option to a multiple of four. */
  readonly rawOptions?: readonly number[];
  /** Only so many bytes of the segment are delivered. The checksum is made to fit what is left. */
  readonly cutTo?: number;
}

/** 'SYN ACK' or 'SYN,ACK' or 'SYN-ACK' → a set of flags. */
export function parseFlags(text: string): Set<Flag> {
  const flags = new Set<Flag>();
  for (const name of text.split(/[^A-Za-z]+/).filter(Boolean)) {
    const flag = FLAG_ORDER.find((known) => known === name.toUpperCase());
    if (!flag) throw new Error(`Unknown TCP flag "${name}" in "${text}"; known: ${FLAG_ORDER.join(' ')}`);
    flags.add(flag);
  }
  return flags;
}

export function formatFlags(flags: ReadonlySet<Flag>): string {
  return FLAG_ORDER.filter((flag) => flags.has(flag)).join(' ') || 'no flags';
}

/**
 * The Internet checksum (RFC 1071 §4.1) over the pseudo-header (RFC 9293 §3.1) and the segment, byte by
 * byte. Over a segment with its checksum in place the result is 0.
 */
export function naiveTcpChecksum(source: number, destination: number, segment: Uint8Array): number {
  const bytes = [
    source >>> 24, (source >>> 16) & 255, (source >>> 8) & 255, source & 255,
    destination >>> 24, (destination >>> 16) & 255, (destination >>> 8) & 255, destination & 255,
    0, 6, segment.length >>> 8, segment.length & 255,
    ...segment,
  ];
  if (bytes.length % 2) bytes.push(0);
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += (bytes[i] ?? 0) * 256 + (bytes[i + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return 0xffff - sum;
}

export function encodeSegment(source: number, destination: number, segment: SegmentToEncode, spoil: Spoil = {}): Uint8Array {
  const options: number[] = [];
  if (spoil.rawOptions) options.push(...spoil.rawOptions);
  else {
    if (segment.mss !== null) options.push(2, 4, segment.mss >> 8, segment.mss & 255);
    if (segment.sackPermitted) options.push(1, 1, 4, 2);
    if (segment.ts) options.push(1, 1, 8, 10, ...word(segment.ts.val), ...word(segment.ts.ecr));
    if (segment.wscale !== null) options.push(1, 3, 3, segment.wscale);
    if (segment.sack) options.push(1, 1, 5, 2 + 8 * segment.sack.length, ...segment.sack.flat().flatMap(word));
  }
  while (options.length % 4) options.push(0);
  const headerLength = 20 + options.length;
  let bytes = new Uint8Array(headerLength + segment.payload.length);
  let view = new DataView(bytes.buffer);
  view.setUint16(0, segment.sourcePort);
  view.setUint16(2, segment.destinationPort);
  view.setUint32(4, segment.seq);
  view.setUint32(8, segment.ack);
  bytes[12] = (spoil.dataOffset ?? headerLength / 4) << 4;
  for (const flag of segment.flags) bytes[13] = (bytes[13] ?? 0) | FLAG_BITS[flag];
  view.setUint16(14, segment.win);
  bytes.set(options, 20);
  bytes.set(segment.payload, headerLength);
  if (spoil.cutTo !== undefined) {
    bytes = bytes.slice(0, spoil.cutTo);
    view = new DataView(bytes.buffer);
  }
  if (bytes.length >= 18) {
    view.setUint16(16, 0);
    view.setUint16(16, (naiveTcpChecksum(source, destination, bytes) + (spoil.checksumOffBy ?? 0)) & 0xffff);
  }
  return bytes;
}

function word(value: number): number[] {
  return [(value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

/** @throws Error for anything that the stack must never put on the wire. */
export function decodeSegment(source: number, destination: number, bytes: Uint8Array): WireSegment {
  if (bytes.length < 20) throw new Error(`The stack sent ${bytes.length} bytes: shorter than a TCP header`);
  const sum = naiveTcpChecksum(source, destination, bytes);
  if (sum !== 0) throw new Error(`The stack sent a bad checksum: the sum over all is 0x${sum.toString(16)}, not 0`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = (view.getUint8(12) >> 4) * 4;
  if (headerLength < 20 || headerLength > bytes.length) throw new Error(`The stack sent a data offset of ${headerLength} bytes in ${bytes.length}`);
  if (view.getUint8(12) & 15) throw new Error('The stack set reserved bits (RFC 9293 §3.1: must be zero)');
  const flags = new Set<Flag>();
  for (const flag of FLAG_ORDER) if (view.getUint8(13) & FLAG_BITS[flag]) flags.add(flag);
  let mss: number | null = null;
  let wscale: number | null = null;
  let sackPermitted = false;
  let sack: Block[] | null = null;
  let ts: Timestamps | null = null;
  for (let at = 20; at < headerLength; ) {
    const kind = view.getUint8(at);
    if (kind === 0) break;
    if (kind === 1) {
      at++;
      continue;
    }
    const length = at + 1 < headerLength ? view.getUint8(at + 1) : 0;
    if (length < 2 || at + length > headerLength) throw new Error(`The stack sent option ${kind} with length ${length}`);
    if (kind === 2 && length === 4) mss = view.getUint16(at + 2);
    if (kind === 3 && length === 3) wscale = view.getUint8(at + 2);
    if (kind === 4 && length === 2) sackPermitted = true;
    if (kind === 5) {
      if (length % 8 !== 2 || length < 10) throw new Error(`The stack sent a SACK option of ${length} bytes`);
      sack = [];
      for (let edge = at + 2; edge < at + length; edge += 8) sack.push([view.getUint32(edge), view.getUint32(edge + 4)]);
    }
    if (kind === 8 && length === 10) ts = { val: view.getUint32(at + 2), ecr: view.getUint32(at + 6) };
    at += length;
  }
  if (!flags.has('ACK') && view.getUint32(8) !== 0) throw new Error('The stack sent an acknowledgment number without ACK');
  return {
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    seq: view.getUint32(4),
    ack: view.getUint32(8),
    flags,
    win: view.getUint16(14),
    mss,
    wscale,
    sackPermitted,
    sack,
    ts,
    payload: bytes.slice(headerLength),
  };
}
