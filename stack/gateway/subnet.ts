/** The network on the cable between guest and gateway. */
import { StackError } from '../errors';
import { isLoopback, isUnicast, parseIpv4, prefixMask, type Ipv4Address } from '../wire/address';
import type { LocalNetwork } from './host-address';

export interface Subnet {
  readonly network: Ipv4Address;
  /** 8 … 29 */
  readonly prefixLength: number;
  /** The gateway's address. */
  readonly gateway: Ipv4Address;
  /** The addresses that are leased, both included. */
  readonly firstLease: Ipv4Address;
  readonly lastLease: Ipv4Address;
}

/** Private networks (RFC 1918) that homes and offices seldom use, the first as in QEMU and VirtualBox. */
const CANDIDATES = ['10.0.2.0/24', '10.213.86.0/24', '172.29.213.0/24', '192.168.213.0/24'];
/** More than one guest is never on the cable; a guest may come back with another identifier. */
const MAX_LEASES = 64;

/** @throws StackError EINVAL */
export function parseSubnet(text: string): Subnet {
  const match = /^([\d.]+)\/(\d{1,2})$/.exec(text);
  const network = parseIpv4(match?.[1] ?? '');
  const prefixLength = Number(match?.[2]);
  if (network === null || !(prefixLength >= 8 && prefixLength <= 29)) {
    throw new StackError('EINVAL', `subnet ${JSON.stringify(text)} is not a network such as 10.0.2.0/24, with a prefix from 8 to 29`);
  }
  if ((network & ~prefixMask(prefixLength)) !== 0) throw new StackError('EINVAL', `subnet ${JSON.stringify(text)} has bits beyond its prefix: give the network's own number`);
  if (!isUnicast(network) || isLoopback(network)) throw new StackError('EINVAL', `subnet ${JSON.stringify(text)} is not a network that hosts can be in`);
  const last = network + 2 ** (32 - prefixLength) - 2;
  // As in QEMU, where there is room: the gateway is host 2, guests start at 15.
  const roomy = prefixLength <= 27;
  const firstLease = network + (roomy ? 15 : 2);
  return {
    network,
    prefixLength,
    gateway: network + (roomy ? 2 : 1),
    firstLease,
    lastLease: Math.min(last, firstLease + MAX_LEASES - 1),
  };
}

export function isInSubnet(subnet: Subnet, address: Ipv4Address): boolean {
  return (address & prefixMask(subnet.prefixLength)) >>> 0 === subnet.network;
}

/** The first candidate that shares no address with a network of this computer; if all do, the first. */
export function chooseSubnet(networks: readonly LocalNetwork[]): Subnet {
  const subnets = CANDIDATES.map(parseSubnet);
  const free = subnets.find((subnet) => !networks.some((network) => overlap(subnet, network)));
  return free ?? parseSubnet('10.0.2.0/24');
}

function overlap(subnet: Subnet, network: LocalNetwork): boolean {
  const mask = prefixMask(Math.min(subnet.prefixLength, network.prefixLength));
  return (subnet.network & mask) === (network.address & mask);
}
