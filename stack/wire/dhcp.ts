/** DHCP messages (RFC 2131 §2) and their options (RFC 2132, RFC 3396). */
import type { Ipv4Address } from './address';
import { readU16, readU32, readU8, writeU16, writeU32 } from './bytes';

export const DHCP_SERVER_PORT = 67;
export const DHCP_CLIENT_PORT = 68;

/** RFC 2132 §9.6. */
export const DHCP_DISCOVER = 1;
export const DHCP_OFFER = 2;
export const DHCP_REQUEST = 3;
export const DHCP_DECLINE = 4;
export const DHCP_ACK = 5;
export const DHCP_NAK = 6;
export const DHCP_RELEASE = 7;
export const DHCP_INFORM = 8;

/** RFC 2132: the options that the stack reads or sends. */
export const OPTION_SUBNET_MASK = 1;
export const OPTION_ROUTER = 3;
export const OPTION_DNS = 6;
export const OPTION_HOST_NAME = 12;
export const OPTION_REQUESTED_ADDRESS = 50;
export const OPTION_LEASE_TIME = 51;
export const OPTION_OVERLOAD = 52;
export const OPTION_MESSAGE_TYPE = 53;
export const OPTION_SERVER_ID = 54;
export const OPTION_PARAMETER_LIST = 55;
export const OPTION_MESSAGE = 56;
export const OPTION_MAX_SIZE = 57;
export const OPTION_RENEWAL_TIME = 58;
export const OPTION_REBINDING_TIME = 59;
export const OPTION_CLIENT_ID = 61;

const OPTION_PAD = 0;
const OPTION_END = 255;

const SNAME_AT = 44;
const FILE_AT = 108;
const COOKIE_AT = 236;
const OPTIONS_AT = 240;
/** RFC 2131 §3: the first four bytes of the options field. */
const MAGIC_COOKIE = 0x6382_5363;
/** RFC 1542 §2.1: BOOTP messages are at least this long, and some relays and servers insist. */
const MIN_MESSAGE_BYTES = 300;

export interface DhcpMessage {
  /** BOOTREQUEST or BOOTREPLY. */
  readonly op: 'request' | 'reply';
  /** 1 … 8: DHCP_DISCOVER … DHCP_INFORM. */
  readonly type: number;
  readonly xid: number;
  /** Seconds since the client began. */
  readonly secs: number;
  /** The client cannot take unicast yet (RFC 2131 §4.1). */
  readonly broadcast: boolean;
  readonly ciaddr: Ipv4Address;
  readonly yiaddr: Ipv4Address;
  readonly siaddr: Ipv4Address;
  readonly giaddr: Ipv4Address;
  /** Six bytes. */
  readonly chaddr: Uint8Array;
  /** By code, without the message type. */
  readonly options: ReadonlyMap<number, Uint8Array>;
}

/** @param bytes the datagram's data @returns a message that owns its bytes, or null if this is no DHCP message over Ethernet */
export function parseDhcp(bytes: Uint8Array): DhcpMessage | null {
  if (bytes.length < OPTIONS_AT || readU32(bytes, COOKIE_AT) !== MAGIC_COOKIE) return null;
  const op = readU8(bytes, 0);
  // RFC 1700: hardware type 1 is Ethernet, with addresses of six bytes.
  if ((op !== 1 && op !== 2) || readU8(bytes, 1) !== 1 || readU8(bytes, 2) !== 6) return null;
  const options = new Map<number, Uint8Array>();
  if (!collectOptions(bytes, OPTIONS_AT, bytes.length, options)) return null;
  // RFC 2132 §9.3, RFC 3396 §5: the file field is read before the sname field.
  const overload = options.get(OPTION_OVERLOAD)?.[0] ?? 0;
  if ((overload & 1) !== 0 && !collectOptions(bytes, FILE_AT, COOKIE_AT, options)) return null;
  if ((overload & 2) !== 0 && !collectOptions(bytes, SNAME_AT, FILE_AT, options)) return null;
  const type = options.get(OPTION_MESSAGE_TYPE);
  const typeValue = type?.[0] ?? 0;
  if (type?.length !== 1 || typeValue < DHCP_DISCOVER || typeValue > DHCP_INFORM) return null;
  options.delete(OPTION_MESSAGE_TYPE);
  return {
    op: op === 1 ? 'request' : 'reply',
    type: typeValue,
    xid: readU32(bytes, 4),
    secs: readU16(bytes, 8),
    broadcast: (readU8(bytes, 10) & 0x80) !== 0,
    ciaddr: readU32(bytes, 12),
    yiaddr: readU32(bytes, 16),
    siaddr: readU32(bytes, 20),
    giaddr: readU32(bytes, 24),
    chaddr: bytes.slice(28, 34),
    options,
  };
}

/** @returns false if an option runs over the end of its field */
function collectOptions(bytes: Uint8Array, start: number, end: number, options: Map<number, Uint8Array>): boolean {
  for (let at = start; at < end; ) {
    const code = readU8(bytes, at++);
    if (code === OPTION_PAD) continue;
    if (code === OPTION_END) return true;
    if (at >= end) return false;
    const length = readU8(bytes, at++);
    if (at + length > end) return false;
    const part = bytes.slice(at, at + length);
    const before = options.get(code);
    // RFC 3396 §7: an option that comes more than once is the concatenation of its parts.
    options.set(code, before ? concat(before, part) : part);
    at += length;
  }
  // RFC 2131 §4.1 wants an end option; where a sender left it out, nothing is missing.
  return true;
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

/** Options longer than 255 bytes are not sent by the stack, and cut off here. */
export function encodeDhcp(message: DhcpMessage): Uint8Array {
  let length = OPTIONS_AT + 3 + 1;
  for (const value of message.options.values()) length += 2 + Math.min(value.length, 255);
  const bytes = new Uint8Array(Math.max(length, MIN_MESSAGE_BYTES));
  bytes[0] = message.op === 'request' ? 1 : 2;
  bytes[1] = 1;
  bytes[2] = 6;
  writeU32(bytes, 4, message.xid);
  writeU16(bytes, 8, message.secs);
  writeU16(bytes, 10, message.broadcast ? 0x8000 : 0);
  writeU32(bytes, 12, message.ciaddr);
  writeU32(bytes, 16, message.yiaddr);
  writeU32(bytes, 20, message.siaddr);
  writeU32(bytes, 24, message.giaddr);
  bytes.set(message.chaddr.subarray(0, 6), 28);
  writeU32(bytes, COOKIE_AT, MAGIC_COOKIE);
  bytes.set([OPTION_MESSAGE_TYPE, 1, message.type], OPTIONS_AT);
  let at = OPTIONS_AT + 3;
  for (const [code, value] of message.options) {
    const part = value.subarray(0, 255);
    bytes[at] = code;
    bytes[at + 1] = part.length;
    bytes.set(part, at + 2);
    at += 2 + part.length;
  }
  bytes[at] = OPTION_END;
  return bytes;
}

/** @returns the option as one address, or null if it is absent or not four bytes */
export function optionAddress(message: DhcpMessage, code: number): Ipv4Address | null {
  const value = message.options.get(code);
  return value?.length === 4 ? readU32(value, 0) : null;
}

/** @returns the option as a list of addresses; empty if it is absent or not a multiple of four bytes */
export function optionAddresses(message: DhcpMessage, code: number): Ipv4Address[] {
  const value = message.options.get(code);
  if (!value || value.length % 4 !== 0) return [];
  return Array.from({ length: value.length / 4 }, (_, i) => readU32(value, i * 4));
}

/** @returns the option as a whole number of 32 bits, or null */
export function optionU32(message: DhcpMessage, code: number): number | null {
  return optionAddress(message, code);
}

/** The value of an option of 32-bit words: an address, a time, or several. */
export function words(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  values.forEach((value, i) => writeU32(bytes, i * 4, value));
  return bytes;
}
