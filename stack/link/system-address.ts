/** What the computer itself has on an interface: its address and its router, for a stack that shares them. */
import type os from 'node:os';
import { parseIpv4, type Ipv4Address } from '../wire/address';
import { systemInterfaces } from './interfaces';
import { defaultRoutes, ROUTING_SYSTEM, type RoutingSystem } from './routing-table';

export interface SystemAddress {
  readonly address: Ipv4Address;
  readonly prefixLength: number;
  /** The router of the interface's default route; null where there is none, or the system does not tell. */
  readonly gateway: Ipv4Address | null;
}

/** How the system is asked; tests put their own in its place. */
export interface AddressSystem extends RoutingSystem {
  /** As `os.networkInterfaces()`. */
  readonly networkInterfaces: () => NodeJS.Dict<os.NetworkInterfaceInfo[]>;
}

const SYSTEM: AddressSystem = { ...ROUTING_SYSTEM, networkInterfaces: systemInterfaces };

/** @returns the first IPv4 address of the interface with its router, or null if it has none (now) */
export function readSystemAddress(interfaceName: string, system: AddressSystem = SYSTEM): SystemAddress | null {
  for (const info of system.networkInterfaces()[interfaceName] ?? []) {
    const address = info.family === 'IPv4' ? parseIpv4(info.address) : null;
    if (address === null) continue;
    return {
      address,
      prefixLength: Number(info.cidr?.split('/')[1] ?? 32),
      gateway: defaultRoutes(system).get(interfaceName)?.router ?? null,
    };
  }
  return null;
}
