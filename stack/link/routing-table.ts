/** The system's default routes, from Linux's routing table; elsewhere none is told. */
import fs from 'node:fs';
import os from 'node:os';
import type { Ipv4Address } from '../wire/address';
import { lastKnown } from './last-known';

export interface DefaultRoute {
  readonly router: Ipv4Address;
  /** Of several routes the system takes the one with the least. */
  readonly metric: number;
}

/** How the system is asked; tests put their own in its place. */
export interface RoutingSystem {
  /** The table as text; null: the system has no such file. */
  readonly routes: () => string | null;
  /** Whether 32-bit words are printed with their bytes swapped. */
  readonly littleEndian: boolean;
}

const ROUTES_FILE = '/proc/net/route';
/** route.h: RTF_UP, RTF_GATEWAY. */
const FLAG_UP = 0x1;
const FLAG_GATEWAY = 0x2;

export const ROUTING_SYSTEM: RoutingSystem = {
  routes: lastKnown<string | null>(() => fs.readFileSync(ROUTES_FILE, 'utf8'), null),
  littleEndian: os.endianness() === 'LE',
};

/** @returns by interface, the route over a router that the system prefers */
export function defaultRoutes({ routes, littleEndian }: RoutingSystem = ROUTING_SYSTEM): Map<string, DefaultRoute> {
  const best = new Map<string, DefaultRoute>();
  // Iface Destination Gateway Flags RefCnt Use Metric Mask …; words are as they lie in memory, read as the machine does.
  for (const line of (routes() ?? '').split('\n').slice(1)) {
    const [name = '', destination, gateway = '', flags = '', , , metric = '', mask] = line.trim().split(/\s+/);
    if (destination !== '00000000' || mask !== '00000000') continue;
    const isWanted = (parseInt(flags, 16) & (FLAG_UP | FLAG_GATEWAY)) === (FLAG_UP | FLAG_GATEWAY);
    if (!isWanted || Number(metric) >= (best.get(name)?.metric ?? Infinity)) continue;
    const word = parseInt(gateway, 16) >>> 0;
    best.set(name, { router: littleEndian ? swapped(word) : word, metric: Number(metric) });
  }
  return best;
}

function swapped(word: number): number {
  return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}
