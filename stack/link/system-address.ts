/** What the computer itself has on an interface: its address and its router, for a stack that shares them. */
import fs from 'node:fs';
import os from 'node:os';
import { parseIpv4, type Ipv4Address } from '../wire/address';

export interface SystemAddress {
  readonly address: Ipv4Address;
  readonly prefixLength: number;
  /** The router of the interface's default route; null where there is none, or the system does not tell. */
  readonly gateway: Ipv4Address | null;
}

/** How the system is asked; tests put their own in its place. */
export interface AddressSystem {
  /** As `os.networkInterfaces()`. */
  readonly networkInterfaces: () => NodeJS.Dict<os.NetworkInterfaceInfo[]>;
  /** Linux's routing table as text; null elsewhere. */
  readonly routes: () => string | null;
  /** Whether 32-bit words are printed with their bytes swapped. */
  readonly littleEndian: boolean;
}

const ROUTES_FILE = '/proc/net/route';
/** route.h: RTF_UP, RTF_GATEWAY. */
const FLAG_UP = 0x1;
const FLAG_GATEWAY = 0x2;

const SYSTEM: AddressSystem = {
  networkInterfaces: () => os.networkInterfaces(),
  routes() {
    try {
      return fs.readFileSync(ROUTES_FILE, 'utf8');
    } catch {
      return null;
    }
  },
  littleEndian: os.endianness() === 'LE',
};

/** @returns the first IPv4 address of the interface with its router, or null if it has none (now) */
export function readSystemAddress(interfaceName: string, system: AddressSystem = SYSTEM): SystemAddress | null {
  for (const info of system.networkInterfaces()[interfaceName] ?? []) {
    const address = info.family === 'IPv4' ? parseIpv4(info.address) : null;
    if (address === null) continue;
    const routes = system.routes();
    return {
      address,
      prefixLength: Number(info.cidr?.split('/')[1] ?? 32),
      gateway: routes === null ? null : defaultRouter(routes, interfaceName, system.littleEndian),
    };
  }
  return null;
}

/** The router of the default route with the least metric, or null. */
function defaultRouter(table: string, interfaceName: string, littleEndian: boolean): Ipv4Address | null {
  let best: Ipv4Address | null = null;
  let bestMetric = Infinity;
  // Iface Destination Gateway Flags RefCnt Use Metric Mask …; words are as they lie in memory, read as the machine does.
  for (const line of table.split('\n').slice(1)) {
    const [name, destination, gateway = '', flags = '', , , metric = '', mask] = line.trim().split(/\s+/);
    if (name !== interfaceName || destination !== '00000000' || mask !== '00000000') continue;
    if ((parseInt(flags, 16) & (FLAG_UP | FLAG_GATEWAY)) !== (FLAG_UP | FLAG_GATEWAY) || Number(metric) >= bestMetric) continue;
    bestMetric = Number(metric);
    const word = parseInt(gateway, 16) >>> 0;
    best = littleEndian ? swapped(word) : word;
  }
  return best;
}

function swapped(word: number): number {
  return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}
