/** ICMP messages (RFC 792; RFC 1122 §3.2.2; RFC 1191 §4 for the next hop's MTU). */
import { readU16, readU32, writeU16, writeU32 } from './bytes';
import { checksumAdd, checksumFinish, checksumValid } from './checksum';
import { IPV4_HEADER_BYTES, IPV4_MIN_MTU } from './ipv4';

export const ICMP_HEADER_BYTES = 8;

export const ICMP_ECHO_REPLY = 0;
export const ICMP_UNREACHABLE = 3;
export const ICMP_SOURCE_QUENCH = 4;
export const ICMP_REDIRECT = 5;
export const ICMP_ECHO_REQUEST = 8;
export const ICMP_TIME_EXCEEDED = 11;
export const ICMP_PARAMETER_PROBLEM = 12;

/** Codes of {@link ICMP_UNREACHABLE}. */
export const UNREACHABLE_NET = 0;
export const UNREACHABLE_HOST = 1;
export const UNREACHABLE_PROTOCOL = 2;
export const UNREACHABLE_PORT = 3;
export const UNREACHABLE_FRAGMENTATION_NEEDED = 4;
/** RFC 1812 §5.2.7.1: communication administratively prohibited. */
export const UNREACHABLE_PROHIBITED = 13;

/** Code of {@link ICMP_TIME_EXCEEDED}: the fragments of a packet did not all come in time. */
export const TIME_EXCEEDED_REASSEMBLY = 1;

export type IcmpFailure = 'rxTooShort' | 'rxBadChecksum';

export interface IcmpHeader {
  readonly type: number;
  readonly code: number;
  /** The four bytes after the checksum: identifier and sequence number, or the next hop's MTU in the low half. */
  readonly rest: number;
}

/** @returns the header of the message that `bytes` holds, or what is wrong with it. */
export function parseIcmp(bytes: Uint8Array): IcmpHeader | IcmpFailure {
  if (bytes.length < ICMP_HEADER_BYTES) return 'rxTooShort';
  if (!checksumValid(0, bytes, 0, bytes.length)) return 'rxBadChecksum';
  return { type: bytes[0] ?? 0, code: bytes[1] ?? 0, rest: readU32(bytes, 4) };
}

/** Writes the header at `at` over a body that is already in place after it; `length` counts both. Checksum last. */
export function writeIcmp(bytes: Uint8Array, at: number, length: number, header: IcmpHeader): void {
  bytes[at] = header.type;
  bytes[at + 1] = header.code;
  writeU16(bytes, at + 2, 0);
  writeU32(bytes, at + 4, header.rest);
  writeU16(bytes, at + 2, checksumFinish(checksumAdd(0, bytes, at, at + length)));
}

/** Errors quote the packet they are about; never is an error sent about one of these (RFC 1122 §3.2.2). */
export function isIcmpError(type: number): boolean {
  return (
    type === ICMP_UNREACHABLE ||
    type === ICMP_SOURCE_QUENCH ||
    type === ICMP_REDIRECT ||
    type === ICMP_TIME_EXCEEDED ||
    type === ICMP_PARAMETER_PROBLEM
  );
}

/** What an error quotes of the packet it is about. */
export interface QuotedPacket {
  readonly protocol: number;
  readonly source: number;
  readonly destination: number;
  readonly totalBytes: number;
  /** At least eight bytes of the packet's payload: a view. */
  readonly transport: Uint8Array;
}

/**
 * Reads the packet quoted in the error `message`. Its checksum and lengths are not verified: routers quote
 * what they made of it. @returns null if there is no whole header and eight bytes, or it is a later fragment,
 * which tells nothing about ports.
 */
export function parseQuoted(message: Uint8Array): QuotedPacket | null {
  const at = ICMP_HEADER_BYTES;
  const first = message[at] ?? 0;
  const headerBytes = (first & 15) * 4;
  if (first >>> 4 !== 4 || headerBytes < IPV4_HEADER_BYTES || message.length < at + headerBytes + 8) return null;
  if ((readU16(message, at + 6) & 0x1fff) !== 0) return null;
  return {
    protocol: message[at + 9] ?? 0,
    source: readU32(message, at + 12),
    destination: readU32(message, at + 16),
    totalBytes: readU16(message, at + 2),
    transport: message.subarray(at + headerBytes),
  };
}

/** RFC 1191 §7: MTUs that links have, from large to small. */
const PLATEAUS = [32_000, 17_914, 8_166, 4_352, 2_002, 1_492, 1_006, 508, 296];

/**
 * The next hop's MTU that a "fragmentation needed" tells (RFC 1191 §4), or, from a router too old to tell, the
 * next common one below the size of the packet that did not fit (§5). @returns bytes, at least 68
 */
export function nextHopMtu(header: IcmpHeader, quoted: QuotedPacket): number {
  const told = header.rest & 0xffff;
  const mtu = told !== 0 ? told : (PLATEAUS.find((plateau) => plateau < quoted.totalBytes) ?? IPV4_MIN_MTU);
  return Math.max(mtu, IPV4_MIN_MTU);
}
