/** Which addresses this computer has, and which of them `localhost` stands for. */
import type { NetworkInterfaceInfo } from 'node:os';
import { StackError } from '../errors';
import { formatIpv4, isLoopback, isUnicast, parseIpv4, type Ipv4Address } from '../wire/address';

/** As `os.networkInterfaces()` gives it. */
export type NetworkInterfaces = { readonly [name: string]: readonly NetworkInterfaceInfo[] | undefined };

/** Bridges, tunnels and cables to virtual machines: others rarely know this computer by their addresses. */
const VIRTUAL_NAME = /^(docker|br-|veth|virbr|vmnet|vboxnet|vEthernet|lxc|lxd|cni|flannel|podman|tun|tap|utun|wg|tailscale|zt|ham)/i;

export interface LocalNetwork {
  readonly name: string;
  readonly address: Ipv4Address;
  readonly prefixLength: number;
}

/** The IPv4 networks that this computer is in, without the loopback. */
export function localNetworks(interfaces: NetworkInterfaces): LocalNetwork[] {
  const found: LocalNetwork[] = [];
  for (const [name, infos] of Object.entries(interfaces)) {
    for (const info of infos ?? []) {
      if (info.family !== 'IPv4' || info.internal) continue;
      const address = parseIpv4(info.address);
      const prefixLength = Number(info.cidr?.split('/')[1] ?? 32);
      if (address !== null && isUnicast(address)) found.push({ name, address, prefixLength });
    }
  }
  return found;
}

/** @returns the address that others most likely know this computer by, or null if it has none */
export function primaryAddress(networks: readonly LocalNetwork[]): Ipv4Address | null {
  const isLinkLocal = (address: Ipv4Address) => address >>> 16 === 0xa9fe;
  // RFC 3927: a link-local address means that nobody gave one.
  const rank = (network: LocalNetwork) => (isLinkLocal(network.address) ? 2 : 0) + (VIRTUAL_NAME.test(network.name) ? 1 : 0);
  let best: LocalNetwork | null = null;
  for (const network of networks) if (!best || rank(network) < rank(best)) best = network;
  return best?.address ?? null;
}

export interface HostAddress {
  /** What the guest's `localhost` is relayed to. */
  readonly outside: Ipv4Address;
  /** Every address by which the guest means this computer; the first is what `localhost` is mapped to. */
  readonly inside: readonly [Ipv4Address, ...Ipv4Address[]];
  /** Something the user should know, or null. */
  readonly warning: string | null;
}

/**
 * @param wanted the setting, or null for the computer's primary address
 * @param gatewayAddress the gateway's own address on the cable, which always means this computer
 * @param isOnCable whether an address lies in the cable's network, where the gateway is never asked
 * @throws StackError EINVAL for a setting that is not one host's IPv4 address
 */
export function chooseHostAddress(
  wanted: string | null,
  networks: readonly LocalNetwork[],
  gatewayAddress: Ipv4Address,
  isOnCable: (address: Ipv4Address) => boolean,
): HostAddress {
  const primary = primaryAddress(networks);
  let outside = primary;
  let warning: string | null = null;
  if (wanted !== null) {
    outside = parseIpv4(wanted);
    if (outside === null || !isUnicast(outside)) {
      throw new StackError('EINVAL', `hostAddress ${JSON.stringify(wanted)} is not the IPv4 address of one host: give one as 192.0.2.1`);
    }
  } else if (outside === null) {
    outside = 0x7f00_0001;
    warning = 'this computer has no IPv4 address besides the loopback: localhost is relayed to 127.0.0.1';
  }
  const inside: [Ipv4Address, ...Ipv4Address[]] = [gatewayAddress];
  for (const address of [primary, outside]) {
    // A loopback address never leaves the guest; one on the cable's network never comes to the gateway.
    if (address !== null && !isLoopback(address) && !isOnCable(address) && !inside.includes(address)) inside.unshift(address);
  }
  if (isOnCable(outside)) warning = `hostAddress ${formatIpv4(outside)} lies in the gateway's own network: scripts reach it as localhost only`;
  return { outside, inside, warning };
}
