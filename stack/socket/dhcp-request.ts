/** What a DHCP client sends, as bytes (RFC 2131 §4.4.1, table 5). */
import type { DhcpConfig } from '../config';
import type { Ipv4Address } from '../wire/address';
import {
  DHCP_DISCOVER, DHCP_REQUEST, encodeDhcp, OPTION_CLIENT_ID, OPTION_DNS, OPTION_HOST_NAME, OPTION_LEASE_TIME, OPTION_MAX_SIZE, OPTION_PARAMETER_LIST,
  OPTION_REBINDING_TIME, OPTION_RENEWAL_TIME, OPTION_ROUTER, OPTION_SERVER_ID, OPTION_SUBNET_MASK,
} from '../wire/dhcp';

/** The largest message we take, bytes: an Ethernet frame's worth without IP and UDP headers. */
const MAX_MESSAGE_BYTES = 1_472;

const WANTED_OPTIONS = [
  OPTION_SUBNET_MASK, OPTION_ROUTER, OPTION_DNS, OPTION_LEASE_TIME, OPTION_SERVER_ID, OPTION_RENEWAL_TIME, OPTION_REBINDING_TIME,
] as const;

/** Who the client is. */
export interface DhcpIdentity {
  /** Six bytes. */
  readonly mac: Uint8Array;
  /** RFC 2132 §9.14: the type byte and the identifier, 2 … 255 bytes. Default: hardware type 1 and the MAC. */
  readonly clientId?: Uint8Array;
  /** RFC 2132 §3.14: 1 … 255 bytes of ASCII. */
  readonly hostname?: string;
}

export interface DhcpRequest {
  readonly xid: number;
  /** Seconds since the client began. Default 0. */
  readonly secs?: number;
  /** The address it has. Default: none yet. */
  readonly ciaddr?: Ipv4Address;
  readonly options?: readonly (readonly [number, Uint8Array])[];
}

export function encodeRequest(
  { config, mac, clientId, hostname }: DhcpIdentity & { readonly config: Pick<DhcpConfig, 'broadcastFlag'> },
  type: number,
  { xid, secs = 0, ciaddr = 0, options: given }: DhcpRequest,
): Uint8Array {
  const options = new Map<number, Uint8Array>(given);
  // RFC 2131 §4.2: a client that names itself does so in every message.
  options.set(OPTION_CLIENT_ID, clientId ?? Uint8Array.of(1, ...mac));
  const isAnswered = type === DHCP_DISCOVER || type === DHCP_REQUEST;
  if (isAnswered) {
    options.set(OPTION_PARAMETER_LIST, Uint8Array.from(WANTED_OPTIONS));
    options.set(OPTION_MAX_SIZE, Uint8Array.of(MAX_MESSAGE_BYTES >>> 8, MAX_MESSAGE_BYTES & 255));
    if (hostname) options.set(OPTION_HOST_NAME, asciiBytes(hostname));
  }
  return encodeDhcp({
    op: 'request', type, xid, secs, broadcast: isAnswered && ciaddr === 0 && config.broadcastFlag, ciaddr, yiaddr: 0, siaddr: 0, giaddr: 0, chaddr: mac, options,
  });
}

/** As the field `secs` has room for. */
export function seconds(ms: number): number {
  return Math.min(0xffff, Math.floor(ms / 1000));
}

function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text.slice(0, 255), (char) => char.charCodeAt(0) & 0x7f);
}
