/** TCP options (RFC 9293 §3.2, RFC 7323, RFC 2018). */
import { readU8, readU16, readU32, writeU16, writeU32 } from './bytes';

const KIND_END = 0;
const KIND_NOP = 1;
const KIND_MSS = 2;
const KIND_WINDOW_SCALE = 3;
const KIND_SACK_PERMITTED = 4;
const KIND_SACK = 5;
const KIND_TIMESTAMPS = 8;

/** Room for options in a header: the data offset counts up to 15 words, five of them are fixed. */
export const MAX_OPTION_BYTES = 40;
/** Four blocks fit (RFC 2018 §3); three beside timestamps. */
export const MAX_SACK_BLOCKS = 4;

/** The options of one segment. One instance is parsed into again and again. */
export class TcpOptions {
  /** Bytes, or -1. */
  mss = -1;
  /** Shift 0 … 255 as it came, or -1. RFC 7323 §2.3 caps what is used at 14. */
  windowScale = -1;
  sackPermitted = false;
  hasTimestamps = false;
  tsVal = 0;
  tsEcr = 0;
  sackCount = 0;
  /** Left and right edges in turn, `2 * sackCount` of them. */
  readonly sackEdges = new Uint32Array(2 * MAX_SACK_BLOCKS);

  clear(): void {
    this.mss = -1;
    this.windowScale = -1;
    this.sackPermitted = false;
    this.hasTimestamps = false;
    this.sackCount = 0;
  }
}

/**
 * Parses `bytes[start, end)`. Unknown options are skipped by their length (RFC 9293 MUST-6); a known one
 * with a wrong length is ignored. @returns false if a length runs over the end or is below 2 (MUST-7).
 */
export function parseTcpOptions(bytes: Uint8Array, start: number, end: number, out: TcpOptions): boolean {
  out.clear();
  let at = start;
  while (at < end) {
    const kind = readU8(bytes, at);
    if (kind === KIND_END) return true;
    if (kind === KIND_NOP) {
      at++;
      continue;
    }
    const length = at + 1 < end ? readU8(bytes, at + 1) : 0;
    if (length < 2 || at + length > end) return false;
    if (kind === KIND_MSS && length === 4) out.mss = readU16(bytes, at + 2);
    else if (kind === KIND_WINDOW_SCALE && length === 3) out.windowScale = readU8(bytes, at + 2);
    else if (kind === KIND_SACK_PERMITTED && length === 2) out.sackPermitted = true;
    else if (kind === KIND_TIMESTAMPS && length === 10) {
      out.hasTimestamps = true;
      out.tsVal = readU32(bytes, at + 2);
      out.tsEcr = readU32(bytes, at + 6);
    } else if (kind === KIND_SACK && length % 8 === 2) {
      out.sackCount = Math.min(MAX_SACK_BLOCKS, (length - 2) / 8);
      for (let edge = 0; edge < 2 * out.sackCount; edge++) out.sackEdges[edge] = readU32(bytes, at + 2 + 4 * edge);
    }
    at += length;
  }
  return true;
}

/** Each writer returns the offset behind what it wrote. All lengths are whole words (RFC 7323 App. A). */
export function writeMssOption(bytes: Uint8Array, at: number, mss: number): number {
  bytes[at] = KIND_MSS;
  bytes[at + 1] = 4;
  writeU16(bytes, at + 2, mss);
  return at + 4;
}

export function writeWindowScaleOption(bytes: Uint8Array, at: number, shift: number): number {
  bytes[at] = KIND_NOP;
  bytes[at + 1] = KIND_WINDOW_SCALE;
  bytes[at + 2] = 3;
  bytes[at + 3] = shift;
  return at + 4;
}

export function writeSackPermittedOption(bytes: Uint8Array, at: number): number {
  bytes[at] = KIND_NOP;
  bytes[at + 1] = KIND_NOP;
  bytes[at + 2] = KIND_SACK_PERMITTED;
  bytes[at + 3] = 2;
  return at + 4;
}

/** Puts SACK-permitted in place of the two NOPs that pad the timestamps written at `at`. */
export function writeSackPermittedInPadding(bytes: Uint8Array, at: number): void {
  bytes[at] = KIND_SACK_PERMITTED;
  bytes[at + 1] = 2;
}

export function writeTimestampsOption(bytes: Uint8Array, at: number, tsVal: number, tsEcr: number): number {
  bytes[at] = KIND_NOP;
  bytes[at + 1] = KIND_NOP;
  bytes[at + 2] = KIND_TIMESTAMPS;
  bytes[at + 3] = 10;
  writeU32(bytes, at + 4, tsVal);
  writeU32(bytes, at + 8, tsEcr);
  return at + 12;
}

/** @param edges left and right edges in turn @param count blocks, 1 … 4 */
export function writeSackOption(bytes: Uint8Array, at: number, edges: Uint32Array, count: number): number {
  bytes[at] = KIND_NOP;
  bytes[at + 1] = KIND_NOP;
  bytes[at + 2] = KIND_SACK;
  bytes[at + 3] = 2 + 8 * count;
  for (let edge = 0; edge < 2 * count; edge++) writeU32(bytes, at + 4 + 4 * edge, edges[edge] ?? 0);
  return at + 4 + 8 * count;
}
