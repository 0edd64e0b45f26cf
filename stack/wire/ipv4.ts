/** The IPv4 header (RFC 791 §3.1; ECN: RFC 3168 §5). */
import type { Ipv4Address } from './address';
import { readU16, readU32, writeU16, writeU32 } from './bytes';

/** Bytes of a header without options, the only kind that is sent. */
export const IPV4_HEADER_BYTES = 20;
export const IPV4_MAX_BYTES = 65_535;
/** RFC 791 §3.2: every host takes packets of this size, so no link fragments below it. */
export const IPV4_MIN_MTU = 68;

const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;
const OFFSET_MASK = 0x1fff;

/** Why bytes are no IPv4 header. The names are those of the counters. */
export type Ipv4Failure = 'rxTooShort' | 'rxBadVersion' | 'rxBadHeaderLength' | 'rxBadTotalLength' | 'rxBadChecksum';

/**
 * A parsed header. One object is filled again and again by {@link parseIpv4}: a packet costs no
 * allocation, and whoever keeps a header beyond the call copies the fields.
 */
export class Ipv4Header {
  headerBytes = 0;
  /** Header and payload, without the link's padding. */
  totalBytes = 0;
  /** 0 … 3 */
  ecn = 0;
  identification = 0;
  dontFragment = false;
  moreFragments = false;
  /** In bytes, a multiple of 8. */
  fragmentOffset = 0;
  ttl = 0;
  protocol = 0;
  source: Ipv4Address = 0;
  destination: Ipv4Address = 0;
}

/** The sum of 16-bit words at `at`, not folded; `length` is even. Too short for the unrolled sum to pay. */
function sumWords(bytes: Uint8Array, at: number, length: number): number {
  let sum = 0;
  for (let i = at; i < at + length; i += 2) sum += readU16(bytes, i);
  return sum;
}

function fold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

/**
 * Reads and verifies the header of the packet that fills `bytes` from `at` on, padding after it allowed.
 * @returns null and `header` filled, or what is wrong and `header` undefined in content.
 */
export function parseIpv4(bytes: Uint8Array, at: number, header: Ipv4Header): Ipv4Failure | null {
  const available = bytes.length - at;
  if (available < IPV4_HEADER_BYTES) return 'rxTooShort';
  const first = bytes[at] ?? 0;
  if (first >>> 4 !== 4) return 'rxBadVersion';
  const headerBytes = (first & 15) * 4;
  if (headerBytes < IPV4_HEADER_BYTES || headerBytes > available) return 'rxBadHeaderLength';
  const totalBytes = readU16(bytes, at + 2);
  if (totalBytes < headerBytes || totalBytes > available) return 'rxBadTotalLength';
  // RFC 1122 §3.2.1.2: verified for every packet. The sum over a good header, its checksum included, is all ones.
  if (fold(sumWords(bytes, at, headerBytes)) !== 0xffff) return 'rxBadChecksum';
  const fragment = readU16(bytes, at + 6);
  header.headerBytes = headerBytes;
  header.totalBytes = totalBytes;
  header.ecn = (bytes[at + 1] ?? 0) & 3;
  header.identification = readU16(bytes, at + 4);
  header.dontFragment = (fragment & DONT_FRAGMENT) !== 0;
  header.moreFragments = (fragment & MORE_FRAGMENTS) !== 0;
  header.fragmentOffset = (fragment & OFFSET_MASK) * 8;
  header.ttl = bytes[at + 8] ?? 0;
  header.protocol = bytes[at + 9] ?? 0;
  header.source = readU32(bytes, at + 12);
  header.destination = readU32(bytes, at + 16);
  return null;
}

/** What {@link writeIpv4Header} writes; the fields are those of {@link Ipv4Header}. */
export type Ipv4Fields = Omit<Ipv4Header, 'headerBytes'>;

/** Writes a 20-byte header at `at`, its checksum last. */
export function writeIpv4Header(bytes: Uint8Array, at: number, fields: Ipv4Fields): void {
  bytes[at] = 0x45;
  bytes[at + 1] = fields.ecn;
  writeU16(bytes, at + 2, fields.totalBytes);
  writeU16(bytes, at + 4, fields.identification);
  writeU16(
    bytes,
    at + 6,
    (fields.dontFragment ? DONT_FRAGMENT : 0) | (fields.moreFragments ? MORE_FRAGMENTS : 0) | (fields.fragmentOffset >>> 3),
  );
  bytes[at + 8] = fields.ttl;
  bytes[at + 9] = fields.protocol;
  writeU16(bytes, at + 10, 0);
  writeU32(bytes, at + 12, fields.source);
  writeU32(bytes, at + 16, fields.destination);
  writeU16(bytes, at + 10, ~fold(sumWords(bytes, at, IPV4_HEADER_BYTES)) & 0xffff);
}

const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_LOOSE_SOURCE_ROUTE = 131;
const OPTION_STRICT_SOURCE_ROUTE = 137;

/** Whether the options of the header at `at` (RFC 791 §3.1) ask for a source route. Malformed options end the search. */
export function hasSourceRoute(bytes: Uint8Array, at: number, headerBytes: number): boolean {
  const end = at + headerBytes;
  for (let i = at + IPV4_HEADER_BYTES; i < end; ) {
    const kind = bytes[i];
    if (kind === OPTION_END) return false;
    if (kind === OPTION_LOOSE_SOURCE_ROUTE || kind === OPTION_STRICT_SOURCE_ROUTE) return true;
    const length = kind === OPTION_NOP ? 1 : (bytes[i + 1] ?? 0);
    if (kind !== OPTION_NOP && length < 2) return false;
    i += length;
  }
  return false;
}
