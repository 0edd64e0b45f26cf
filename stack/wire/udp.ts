/** UDP (RFC 768): the header in front of a datagram, read and written in place. */
import type { Ipv4Address } from './address';
import { readU16, writeU16 } from './bytes';
import { checksumAdd, checksumFinish, checksumIsPartial, checksumValid, pseudoHeaderSum } from './checksum';

export const UDP_HEADER_BYTES = 8;
const PROTOCOL_UDP = 17;

export interface UdpView {
  /** 0 where the sender wants no answer (RFC 768). */
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** A view of the input. */
  readonly data: Uint8Array;
}

/**
 * Named as the counters of UDP: fewer bytes than a header; a length field below eight or beyond what
 * arrived; a checksum that does not fit; destination port 0, which nobody can have.
 */
export type UdpFailure = 'rxTooShort' | 'rxBadLength' | 'rxBadChecksum' | 'rxNoPort';

/** Whether a datagram's checksum was left to hardware: it holds the pseudo-header's sum alone. */
export function udpChecksumIsPartial(source: Ipv4Address, destination: Ipv4Address, bytes: Uint8Array): boolean {
  return checksumIsPartial(pseudoHeaderSum(source, destination, PROTOCOL_UDP, readU16(bytes, 4)), readU16(bytes, 6));
}

/**
 * @param bytes the IPv4 payload @param checked its checksum need not be looked at
 * @returns the datagram, or why it is none
 */
export function parseUdp(source: Ipv4Address, destination: Ipv4Address, bytes: Uint8Array, checked = false): UdpView | UdpFailure {
  if (bytes.length < UDP_HEADER_BYTES) return 'rxTooShort';
  const length = readU16(bytes, 4);
  if (length < UDP_HEADER_BYTES || length > bytes.length) return 'rxBadLength';
  // RFC 768: a checksum of zero means that the sender made none; RFC 1122 §4.1.3.4 has us accept that.
  if (!checked && readU16(bytes, 6) !== 0 && !checksumValid(pseudoHeaderSum(source, destination, PROTOCOL_UDP, length), bytes, 0, length)) {
    return 'rxBadChecksum';
  }
  const destinationPort = readU16(bytes, 2);
  if (destinationPort === 0) return 'rxNoPort';
  return { sourcePort: readU16(bytes, 0), destinationPort, data: bytes.subarray(UDP_HEADER_BYTES, length) };
}

/**
 * Writes the header at `at`, in front of `dataLength` bytes of data that are already there, with its
 * checksum. @returns the datagram's length in bytes
 */
export function writeUdpHeader(
  buffer: Uint8Array,
  at: number,
  source: Ipv4Address,
  sourcePort: number,
  destination: Ipv4Address,
  destinationPort: number,
  dataLength: number,
): number {
  const length = UDP_HEADER_BYTES + dataLength;
  writeU16(buffer, at, sourcePort);
  writeU16(buffer, at + 2, destinationPort);
  writeU16(buffer, at + 4, length);
  writeU16(buffer, at + 6, 0);
  const checksum = checksumFinish(checksumAdd(pseudoHeaderSum(source, destination, PROTOCOL_UDP, length), buffer, at, at + length));
  // RFC 768: a computed zero goes out as all ones, since zero means "none".
  writeU16(buffer, at + 6, checksum === 0 ? 0xffff : checksum);
  return length;
}
