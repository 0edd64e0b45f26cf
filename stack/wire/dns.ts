/** DNS messages (RFC 1035 §4), coded by `dns-packet`; what is decoded is checked and narrowed here. */
import { decode, encode, RECURSION_DESIRED, type Answer, type DecodedPacket } from 'dns-packet';
import { parseIpv4, type Ipv4Address } from './address';
import { readU16, readU8, writeU16 } from './bytes';

export const DNS_PORT = 53;
export const DNS_HEADER_BYTES = 12;
/** TC (RFC 1035 §4.1.1). */
const TRUNCATED = 0x0200;
/** RFC 1035 §4.1.1. */
export const RCODE_NO_ERROR = 0;
export const RCODE_FORMAT_ERROR = 1;
export const RCODE_SERVER_FAILURE = 2;
export const RCODE_NO_NAME = 3;
export const RCODE_NOT_IMPLEMENTED = 4;
/** What a server says by its code, for people (RFC 1035 §4.1.1); `code N` for one without a name here. */
export function rcodeName(rcode: number): string {
  return RCODE_NAMES[rcode] ?? `code ${rcode}`;
}
const RCODE_NAMES: Readonly<Record<number, string>> = {
  [RCODE_FORMAT_ERROR]: 'format error', [RCODE_SERVER_FAILURE]: 'server failure', [RCODE_NO_NAME]: 'no such name', [RCODE_NOT_IMPLEMENTED]: 'not implemented', 5: 'refused',
};

export interface DnsAddressRecord {
  readonly type: 'A';
  /** In lower case. */
  readonly name: string;
  readonly address: Ipv4Address;
  readonly ttlSeconds: number;
}

export interface DnsAliasRecord {
  readonly type: 'CNAME';
  readonly name: string;
  readonly target: string;
  readonly ttlSeconds: number;
}

export interface DnsResponse {
  readonly id: number;
  readonly truncated: boolean;
  readonly rcode: number;
  /** The one question, in lower case and as it came; null if there is none or more than one. */
  readonly question: { readonly name: string; readonly asWritten: string; readonly isAddress: boolean } | null;
  readonly answers: readonly (DnsAddressRecord | DnsAliasRecord)[];
  /** How long to remember that there is no answer: the least of the SOA's TTL and minimum (RFC 2308 §5); null without SOA. */
  readonly negativeTtlSeconds: number | null;
  /** It only names servers that may know, for a resolver to ask: the one that was asked is none (RFC 2308 §2.2). */
  readonly isReferral: boolean;
}

/**
 * A recursive query for the IPv4 addresses of `name` (letters, digits, `-`, `_`, joined by dots).
 * @param ednsPayloadBytes how large an answer may be (RFC 6891); null: not said, and answers are cut at 512 bytes
 */
export function encodeDnsQuery(id: number, name: string, ednsPayloadBytes: number | null): Uint8Array {
  const message = encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED,
    questions: [{ type: 'A', class: 'IN', name }],
    additionals: ednsPayloadBytes !== null
      ? [{ type: 'OPT', name: '.', udpPayloadSize: ednsPayloadBytes, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] }]
      : [],
  });
  // Not a Buffer: its `slice` makes a view where everything else in the stack makes a copy.
  return new Uint8Array(message);
}

/**
 * @returns null if the bytes are no DNS response to a standard query. One that says that it is cut short may be cut
 * anywhere behind the question (RFC 2181 §9): of one that is cut within a record only header and question are read.
 */
export function decodeDnsResponse(bytes: Uint8Array): DnsResponse | null {
  const packet = decodeWhole(bytes) ?? decodeCut(bytes);
  if (packet === null || !packet.flag_qr) return null;
  const flags = readU16(bytes, 2);
  if (((flags >>> 11) & 15) !== 0) return null;
  const questions = packet.questions ?? [];
  const [question] = questions;
  const authorities = packet.authorities ?? [];
  return {
    id: packet.id ?? 0,
    truncated: packet.flag_tc,
    rcode: flags & 15,
    question:
      question && questions.length === 1
        ? { name: question.name.toLowerCase(), asWritten: question.name, isAddress: question.type === 'A' && question.class === 'IN' }
        : null,
    answers: (packet.answers ?? []).flatMap(narrow),
    negativeTtlSeconds: negativeTtl(authorities),
    isReferral: (flags & 15) === RCODE_NO_ERROR && !packet.flag_aa && (packet.answers ?? []).length === 0 &&
      authorities.some(({ type }) => type === 'NS') && !authorities.some(({ type }) => type === 'SOA'),
  };
}

function decodeWhole(bytes: Uint8Array): DecodedPacket | null {
  try {
    const packet = decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    // For the last record's data the library does not look whether they are all there.
    return decode.bytes > bytes.length ? null : packet;
  } catch {
    // It throws for whatever is cut short or points nowhere.
    return null;
  }
}

/** Header and question of an answer with TC set. */
function decodeCut(bytes: Uint8Array): DecodedPacket | null {
  const end = questionEnd(bytes);
  if (end === null || (readU16(bytes, 2) & TRUNCATED) === 0) return null;
  const head = bytes.slice(0, end);
  // No answers, no authorities, nothing additional.
  head.fill(0, 6, DNS_HEADER_BYTES);
  return decodeWhole(head);
}

function narrow(answer: Answer): (DnsAddressRecord | DnsAliasRecord)[] {
  if (answer.type === 'A' && answer.class === 'IN') {
    const address = parseIpv4(answer.data);
    return address === null ? [] : [{ type: 'A', name: answer.name.toLowerCase(), address, ttlSeconds: sanitizeTtl(answer.ttl) }];
  }
  if (answer.type === 'CNAME' && answer.class === 'IN') {
    return [{ type: 'CNAME', name: answer.name.toLowerCase(), target: answer.data.toLowerCase(), ttlSeconds: sanitizeTtl(answer.ttl) }];
  }
  return [];
}

/** RFC 2181 §8: a TTL with its top bit set counts as zero. */
function sanitizeTtl(ttl: number | undefined): number {
  return ttl === undefined || ttl > 0x7fff_ffff ? 0 : ttl;
}

function negativeTtl(authorities: readonly Answer[]): number | null {
  for (const record of authorities) {
    if (record.type === 'SOA') return Math.min(sanitizeTtl(record.ttl), sanitizeTtl(record.data.minimum));
  }
  return null;
}

/**
 * @returns where the question section of a query or answer with exactly one question ends; null if there is
 * not one, or it is cut short. Its name must not be compressed: there is nothing before it to point to.
 */
export function questionEnd(message: Uint8Array): number | null {
  if (message.length < DNS_HEADER_BYTES || readU16(message, 4) !== 1) return null;
  let at = DNS_HEADER_BYTES;
  for (;;) {
    if (at >= message.length) return null;
    const length = readU8(message, at);
    if (length > 63) return null;
    at += 1 + length;
    if (length === 0) break;
  }
  at += 4;
  // RFC 1035 §3.1: a name has at most 255 bytes.
  return at <= message.length && at - DNS_HEADER_BYTES <= 255 + 4 ? at : null;
}

/** Whether the first `end` bytes hold the same question, letters of either case being equal (RFC 4343). */
export function sameQuestion(a: Uint8Array, b: Uint8Array, end: number): boolean {
  if (questionEnd(b) !== end) return false;
  // Length bytes are at most 63, below the letters: only the name's letters are folded.
  for (let at = DNS_HEADER_BYTES; at < end - 4; at++) if (lower(readU8(a, at)) !== lower(readU8(b, at))) return false;
  return readU16(a, end - 4) === readU16(b, end - 4) && readU16(a, end - 2) === readU16(b, end - 2);
}

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}

/** An answer to `query` that says the server failed (RFC 1035 §4.1.1), with the question up to `end` repeated. */
export function serverFailure(query: Uint8Array, end: number): Uint8Array {
  const answer = Uint8Array.from(query.subarray(0, end));
  // Response, same opcode and RD; recursion available; RCODE 2.
  writeU16(answer, 2, 0x8000 | (readU16(query, 2) & 0x7900) | 0x0080 | RCODE_SERVER_FAILURE);
  writeU16(answer, 6, 0);
  writeU16(answer, 8, 0);
  writeU16(answer, 10, 0);
  return answer;
}
