/** What a DHCP answer offers, checked before anything is believed (RFC 2131 §4.4.1). */
import { isLoopback, isUnicast, type Ipv4Address } from '../wire/address';
import {
  optionAddress, optionAddresses, optionU32, OPTION_DNS, OPTION_LEASE_TIME, OPTION_REBINDING_TIME, OPTION_RENEWAL_TIME, OPTION_ROUTER,
  OPTION_SERVER_ID, OPTION_SUBNET_MASK, type DhcpMessage,
} from '../wire/dhcp';

/** Name servers taken from a lease; more would only delay a query that nobody answers. */
const MAX_DNS = 8;
/** RFC 2131 §3.3: a lease without end. */
const INFINITE_LEASE = 0xffff_ffff;

export interface DhcpLease {
  readonly address: Ipv4Address;
  /** 1 … 32 */
  readonly prefixLength: number;
  /** The first router in the lease that is within its subnet. */
  readonly router: Ipv4Address | null;
  readonly dns: readonly Ipv4Address[];
  readonly server: Ipv4Address;
  /** ms of the stack's clock; `Infinity` for a lease without end. T1, T2 and the end (RFC 2131 §4.4.5). */
  readonly renewAt: number;
  readonly rebindAt: number;
  readonly expiresAt: number;
}

/** What is kept of a lease from one run to the next. */
export interface RememberedLease {
  readonly address: Ipv4Address;
  /** Who gave it; for whoever reads the file. */
  readonly server: Ipv4Address;
}

/** Where the embedder keeps the last lease. Neither method may throw: what cannot be read is null, what cannot be written is lost. */
export interface DhcpLeaseStore {
  load(): RememberedLease | null;
  /** @param lease null: the address must not be asked for again */
  save(lease: RememberedLease | null): void;
}

export interface DhcpOffer {
  readonly address: Ipv4Address;
  readonly server: Ipv4Address;
}

/** Whether one host can own `address`. */
export function usable(address: Ipv4Address): boolean {
  return isUnicast(address) && !isLoopback(address);
}

/** @returns null where it could not become a lease: who offers what it cannot give would only be asked in vain */
export function readOffer(message: DhcpMessage): DhcpOffer | null {
  const lease = readLease(message, 0, 0);
  return lease && { address: lease.address, server: lease.server };
}

/**
 * @param requestedAt when the request was sent, ms: the lease counts from there (RFC 2131 §4.4.1)
 * @param fuzz 0 … 1: how much earlier than needed to renew, so that hosts that started together part
 * @returns null where the answer cannot be used
 */
export function readLease(message: DhcpMessage, requestedAt: number, fuzz: number): DhcpLease | null {
  const { yiaddr: address } = message;
  const server = optionAddress(message, OPTION_SERVER_ID);
  const prefixLength = readPrefix(message);
  // RFC 2131 table 3: an OFFER and an ACK have a lease time. Less than a second would be lost before it is used.
  const seconds = optionU32(message, OPTION_LEASE_TIME);
  if (server === null || !usable(server) || !usable(address) || prefixLength === null || seconds === null || seconds === 0) return null;
  const routers = optionAddresses(message, OPTION_ROUTER);
  // The server has its own address, and a network's only router its.
  if (address === server || (routers.length > 0 && routers.every((router) => router === address))) return null;
  if (prefixLength < 31) {
    const hostBits = 2 ** (32 - prefixLength);
    const host = address % hostBits;
    // RFC 1122 §3.2.1.3: the network's own number and its broadcast address are no host's.
    if (host === 0 || host === hostBits - 1) return null;
  }
  const inSubnet = (other: Ipv4Address) => Math.floor(other / 2 ** (32 - prefixLength)) === Math.floor(address / 2 ** (32 - prefixLength));
  const router = routers.find((candidate) => usable(candidate) && inSubnet(candidate) && candidate !== address);
  const dns = [...new Set(optionAddresses(message, OPTION_DNS))].filter(usable).slice(0, MAX_DNS);
  const times = leaseTimes(message, seconds, fuzz);
  return {
    address,
    prefixLength,
    router: router ?? null,
    dns,
    server,
    renewAt: requestedAt + times.renew * 1000,
    rebindAt: requestedAt + times.rebind * 1000,
    expiresAt: requestedAt + times.end * 1000,
  };
}

function leaseTimes(message: DhcpMessage, seconds: number, fuzz: number): { renew: number; rebind: number; end: number } {
  if (seconds === INFINITE_LEASE) return { renew: Infinity, rebind: Infinity, end: Infinity };
  // RFC 2131 §4.4.5: T1 and T2 as the server says, else half and seven eighths; T1 < T2 < the end.
  let rebind = optionU32(message, OPTION_REBINDING_TIME) ?? 0;
  if (rebind <= 0 || rebind >= seconds) rebind = seconds * 0.875;
  let renew = optionU32(message, OPTION_RENEWAL_TIME) ?? 0;
  if (renew <= 0 || renew >= rebind) renew = Math.min(seconds * 0.5, rebind * 0.9);
  return { renew: renew * (1 - fuzz / 16), rebind, end: seconds };
}

/** @returns null for a mask with holes */
function readPrefix(message: DhcpMessage): number | null {
  if (!message.options.has(OPTION_SUBNET_MASK)) {
    // No mask: the address's class says it, as before RFC 950.
    const first = message.yiaddr >>> 24;
    return first < 128 ? 8 : first < 192 ? 16 : 24;
  }
  const mask = optionAddress(message, OPTION_SUBNET_MASK);
  if (mask === null || mask === 0) return null;
  const inverse = ~mask >>> 0;
  if ((inverse & (inverse + 1)) !== 0) return null;
  return Math.clz32(inverse);
}
