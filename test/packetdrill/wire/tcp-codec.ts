/**
 * TCP segments as bytes (RFC 9293 §3.1), for the runner's side of the wire: slow and plain, and apart from
 * the stack's codec, so that a mistake there cannot hide behind itself.
 */
import { ACK, type TcpOption } from '../syntax/ast';

export interface WireSegment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly seq: number;
  readonly ack: number;
  readonly flags: number;
  readonly window: number;
  readonly urgent: number;
  readonly options: readonly TcpOption[];
  readonly payload: Uint8Array;
}

export interface Addresses {
  readonly source: number;
  readonly destination: number;
}

export function optionBytes(option: TcpOption): number {
  switch (option.kind) {
    case 'nop':
    case 'eol':
      return 1;
    case 'mss':
      return 4;
    case 'wscale':
      return 3;
    case 'sackOK':
      return 2;
    case 'sack':
      return 2 + 4 * option.edges.length;
    case 'TS':
      return 10;
    case 'other':
      return 2 + option.data.length;
  }
}

export function encodeSegment(addresses: Addresses, segment: WireSegment): Uint8Array {
  const options = segment.options.flatMap(encodeOption);
  while (options.length % 4) options.push(0);
  const headerBytes = 20 + options.length;
  const bytes = new Uint8Array(headerBytes + segment.payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, segment.sourcePort);
  view.setUint16(2, segment.destinationPort);
  view.setUint32(4, segment.seq);
  view.setUint32(8, segment.ack);
  // The ninth flag lies in the byte of the data offset.
  view.setUint16(12, (headerBytes << 10) | segment.flags);
  view.setUint16(14, segment.window);
  view.setUint16(18, segment.urgent);
  bytes.set(options, 20);
  bytes.set(segment.payload, headerBytes);
  view.setUint16(16, checksum(addresses, bytes));
  return bytes;
}

function encodeOption(option: TcpOption): number[] {
  switch (option.kind) {
    case 'eol':
      return [0];
    case 'nop':
      return [1];
    case 'mss':
      return [2, 4, option.bytes >> 8, option.bytes & 255];
    case 'wscale':
      return [3, 3, option.shift];
    case 'sackOK':
      return [4, 2];
    case 'sack':
      return [5, optionBytes(option), ...option.edges.flatMap(word)];
    case 'TS':
      return [8, 10, ...word(option.val), ...word(option.ecr)];
    case 'other':
      return [option.number, optionBytes(option), ...option.data];
  }
}

function word(value: number): number[] {
  return [(value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

/** @returns the segment, or what is wrong with it. The payload is a view. */
export function decodeSegment(addresses: Addresses, bytes: Uint8Array): WireSegment | string {
  if (bytes.length < 20) return `a segment of ${bytes.length} bytes, less than a TCP header`;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const offsetAndFlags = view.getUint16(12);
  const headerBytes = (offsetAndFlags >> 12) * 4;
  if (headerBytes < 20 || headerBytes > bytes.length) return `a data offset of ${headerBytes} bytes in a segment of ${bytes.length}`;
  if (offsetAndFlags & 0x0e00) return 'reserved header bits set (RFC 9293 §3.1)';
  if (checksum(addresses, bytes) !== 0) return 'a wrong TCP checksum';
  const flags = offsetAndFlags & 0x1ff;
  if (!(flags & ACK) && view.getUint32(8) !== 0) return 'an acknowledgment number without the ACK flag';
  const options = decodeOptions(view, headerBytes);
  if (typeof options === 'string') return options;
  return {
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    seq: view.getUint32(4),
    ack: view.getUint32(8),
    flags,
    window: view.getUint16(14),
    urgent: view.getUint16(18),
    options,
    payload: bytes.subarray(headerBytes),
  };
}

function decodeOptions(view: DataView, end: number): TcpOption[] | string {
  const options: TcpOption[] = [];
  for (let at = 20; at < end; ) {
    const number = view.getUint8(at);
    if (number <= 1) {
      options.push({ kind: number === 0 ? 'eol' : 'nop' });
      at++;
      continue;
    }
    const length = at + 1 < end ? view.getUint8(at + 1) : 0;
    if (length < 2 || at + length > end) return `option ${number} with length ${length}`;
    options.push(decodeOption(view, at, number, length));
    at += length;
  }
  return options;
}

function decodeOption(view: DataView, at: number, number: number, length: number): TcpOption {
  if (number === 2 && length === 4) return { kind: 'mss', bytes: view.getUint16(at + 2) };
  if (number === 3 && length === 3) return { kind: 'wscale', shift: view.getUint8(at + 2) };
  if (number === 4 && length === 2) return { kind: 'sackOK' };
  if (number === 5 && length % 8 === 2) {
    const edges: number[] = [];
    for (let edge = at + 2; edge < at + length; edge += 4) edges.push(view.getUint32(edge));
    return { kind: 'sack', edges };
  }
  if (number === 8 && length === 10) return { kind: 'TS', val: view.getUint32(at + 2), ecr: view.getUint32(at + 6) };
  const data = new Uint8Array(length - 2);
  for (let i = 0; i < data.length; i++) data[i] = view.getUint8(at + 2 + i);
  return { kind: 'other', number, data };
}

/** RFC 9293 §3.1: over pseudo-header and segment; 0 over a segment whose checksum is right. */
function checksum({ source, destination }: Addresses, segment: Uint8Array): number {
  let sum = (source >>> 16) + (source & 0xffff) + (destination >>> 16) + (destination & 0xffff) + 6 + segment.length;
  for (let i = 0; i < segment.length; i += 2) sum += ((segment[i] ?? 0) << 8) | (segment[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum >>> 16) + (sum & 0xffff);
  return 0xffff - sum;
}
