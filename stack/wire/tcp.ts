/** The TCP header (RFC 9293 §3.1). */
import { readU8, readU16, readU32, writeU16, writeU32 } from './bytes';
import { checksumAdd, checksumFinish, checksumIsPartial, checksumValid, pseudoHeaderSum } from './checksum';
import { parseTcpOptions, TcpOptions } from './tcp-options';

export const TCP_HEADER_BYTES = 20;

export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;
export const URG = 0x20;
export const ECE = 0x40;
export const CWR = 0x80;

const PROTOCOL = 6;
const CHECKSUM_OFFSET = 16;

export type TcpParseFailure = 'too-short' | 'bad-offset' | 'bad-checksum' | 'bad-options';

/** One received segment. One instance is parsed into again and again: nothing in it outlives its handling. */
export class TcpSegment {
  source = 0;
  destination = 0;
  sourcePort = 0;
  destinationPort = 0;
  seq = 0;
  ack = 0;
  flags = 0;
  /** The window field as it came, not scaled. */
  window = 0;
  /** The whole segment; the payload is `bytes[payloadStart, bytes.length)`. A view the link owns. */
  bytes: Uint8Array = new Uint8Array(0);
  payloadStart = 0;
  payloadLength = 0;
  /** Taken with the pseudo-header's sum alone for a checksum. */
  hasPartialChecksum = false;
  readonly options = new TcpOptions();

  /** SEG.LEN: payload plus one each for SYN and FIN (RFC 9293 §3.3.1). */
  get length(): number {
    return this.payloadLength + (this.flags & SYN ? 1 : 0) + (this.flags & FIN ? 1 : 0);
  }

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  /**
   * @param acceptPartial the link delivers segments whose checksum was left to hardware
   * @returns null if the segment is sound, else why it must be dropped.
   */
  parse(source: number, destination: number, bytes: Uint8Array, acceptPartial = false): TcpParseFailure | null {
    if (bytes.length < TCP_HEADER_BYTES) return 'too-short';
    const headerLength = (readU8(bytes, 12) >>> 4) * 4;
    if (headerLength < TCP_HEADER_BYTES || headerLength > bytes.length) return 'bad-offset';
    const sum = pseudoHeaderSum(source, destination, PROTOCOL, bytes.length);
    this.hasPartialChecksum = acceptPartial && checksumIsPartial(sum, readU16(bytes, CHECKSUM_OFFSET));
    // MUST-3: every segment is verified, whatever it says. One that never left this machine's memory has no sum yet.
    if (!this.hasPartialChecksum && !checksumValid(sum, bytes, 0, bytes.length)) return 'bad-checksum';
    this.source = source;
    this.destination = destination;
    this.sourcePort = readU16(bytes, 0);
    this.destinationPort = readU16(bytes, 2);
    this.seq = readU32(bytes, 4);
    this.ack = readU32(bytes, 8);
    this.flags = readU8(bytes, 13);
    this.window = readU16(bytes, 14);
    this.bytes = bytes;
    this.payloadStart = headerLength;
    this.payloadLength = bytes.length - headerLength;
    return parseTcpOptions(bytes, TCP_HEADER_BYTES, headerLength, this.options) ? null : 'bad-options';
  }

  /** Cuts `count` bytes off the front of the payload, as if they had not been sent. */
  trimFront(count: number): void {
    this.seq = (this.seq + count) >>> 0;
    this.payloadStart += count;
    this.payloadLength -= count;
  }
}

/**
 * Writes the fixed header; options are written behind it by the caller, who then calls
 * {@link writeTcpChecksum}. The checksum and urgent fields are left zero.
 * @param headerLength with options, a multiple of 4 @param window the field's value, already scaled
 */
export function writeTcpHeader(
  bytes: Uint8Array, at: number, sourcePort: number, destinationPort: number,
  seq: number, ack: number, headerLength: number, flags: number, window: number,
): void {
  writeU16(bytes, at, sourcePort);
  writeU16(bytes, at + 2, destinationPort);
  writeU32(bytes, at + 4, seq);
  writeU32(bytes, at + 8, ack);
  bytes[at + 12] = (headerLength >>> 2) << 4;
  bytes[at + 13] = flags;
  writeU16(bytes, at + 14, window);
  writeU32(bytes, at + CHECKSUM_OFFSET, 0);
}

/** MUST-2: computes and stores the checksum of the segment `bytes[at, at + length)`. */
export function writeTcpChecksum(bytes: Uint8Array, at: number, length: number, source: number, destination: number): void {
  const sum = checksumAdd(pseudoHeaderSum(source, destination, PROTOCOL, length), bytes, at, at + length);
  writeU16(bytes, at + CHECKSUM_OFFSET, checksumFinish(sum));
}
