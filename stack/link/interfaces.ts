/** The machine's network interfaces: from sysfs where there is one (Linux), else from what Node tells. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseIpv4, type Ipv4Address } from '../wire/address';
import { lastKnown } from './last-known';
import { defaultRoutes, type DefaultRoute } from './routing-table';

export interface NetworkInterface {
  readonly name: string;
  readonly addresses: readonly { readonly address: Ipv4Address; readonly prefixLength: number }[];
  /** Six bytes; null where the interface has none, or it is not known. */
  readonly mac: Uint8Array | null;
  /** Bytes; null where it is not known. */
  readonly mtu: number | null;
  /** Administratively up, with a carrier, and let in where the network asks who we are (802.1X). */
  readonly up: boolean;
  readonly loopback: boolean;
  /** Wi-Fi: it carries only frames from the interface's own MAC address. */
  readonly wireless: boolean;
  /** Its frames are Ethernet's, as far as the system tells. */
  readonly ethernet: boolean;
  /** The system's default route over it; null: none, or the system does not tell (it does on Linux). */
  readonly defaultRoute: DefaultRoute | null;
}

/** What of an interface can change under a link. */
export interface InterfaceState {
  /** The system's number: an interface made anew under the old name has another. */
  readonly index: number;
  readonly mtu: number | null;
  readonly up: boolean;
  /** Grows with each change of the carrier: tells a change that came and went between two looks. */
  readonly carrierChanges: number;
}

/** As `os.networkInterfaces()`, which throws where no descriptor is free. */
export const systemInterfaces = lastKnown(() => os.networkInterfaces(), {});

const SYSFS = '/sys/class/net';
/** Linux: IFF_UP, IFF_LOOPBACK. */
const FLAG_UP = 0x1;
const FLAG_LOOPBACK = 0x8;
/** ARPHRD_ETHER: the only kind whose frames are ours to speak. */
const TYPE_ETHERNET = 1;

/** There is no such interface, or no more; `bonding_masters` beside them is a file; the driver has no answer while down. */
const ABSENT = ['ENOENT', 'ENOTDIR', 'ENODEV', 'EINVAL'];

/** @returns a file's text without the line's end, or null: it is not there, or has no answer @throws Error for what says nothing of the interface, as that no descriptor is free */
function read(name: string, file: string, sysfs: string): string | null {
  try {
    return fs.readFileSync(path.join(sysfs, name, file), 'utf8').trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && ABSENT.includes(String(error.code))) return null;
    throw error;
  }
}

/** @returns the same, and null too for what could not be read */
function attribute(name: string, file: string): string | null {
  try {
    return read(name, file, SYSFS);
  } catch {
    return null;
  }
}

function hasSysfs(sysfs = SYSFS): boolean {
  return process.platform === 'linux' && fs.existsSync(sysfs);
}

/** A name goes into a path: nothing that leads out of the folder. */
function isName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('/') && !name.includes('\0');
}

/** @param sysfs another folder to look in, for tests @returns null if there is no such interface; `unknown`: it could not be looked at */
export function readInterfaceState(name: string, sysfs = SYSFS): InterfaceState | 'unknown' | null {
  if (!isName(name)) return null;
  if (!hasSysfs(sysfs)) {
    // Node lists interfaces that run and have an address; of the others it cannot tell why they are missing.
    return name in systemInterfaces() ? { index: 0, mtu: null, up: true, carrierChanges: 0 } : null;
  }
  try {
    return readState(name, sysfs);
  } catch {
    return 'unknown';
  }
}

function readState(name: string, sysfs: string): InterfaceState | null {
  const index = read(name, 'ifindex', sysfs);
  if (index === null) return null;
  const isSwitchedOn = (Number(read(name, 'flags', sysfs) ?? 0) & FLAG_UP) !== 0;
  // `carrier` tells at once. `operstate` follows up to a second later (the kernel's linkwatch), and alone knows of an
  // interface with a carrier whose network has not let us in yet (RFC 2863 §3.1.12: dormant).
  const up = isSwitchedOn && read(name, 'carrier', sysfs) === '1' && read(name, 'operstate', sysfs) !== 'dormant';
  return {
    index: Number(index),
    mtu: Number(read(name, 'mtu', sysfs) ?? 0) || null,
    up,
    carrierChanges: Number(read(name, 'carrier_changes', sysfs) ?? 0),
  };
}

function parseMac(text: string | null): Uint8Array | null {
  if (text === null || !/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) return null;
  const bytes = Uint8Array.from(text.split(':'), (part) => parseInt(part, 16));
  return bytes.every((byte) => byte === 0) ? null : bytes;
}

/** @returns six bytes, or null: the interface has none, or it is not known */
export function readMac(name: string): Uint8Array | null {
  return parseMac((hasSysfs() ? attribute(name, 'address') : systemInterfaces()[name]?.[0]?.mac) ?? null);
}

/** Every interface, in the system's order; on Linux also those that are down or have no address. */
export function listInterfaces(): NetworkInterface[] {
  const known = systemInterfaces();
  const routes = defaultRoutes();
  const linux = hasSysfs();
  // The folder can hold files beside interfaces (`bonding_masters`).
  const names = linux ? fs.readdirSync(SYSFS).filter((name) => attribute(name, 'ifindex') !== null) : Object.keys(known);
  return names.map((name) => {
    const entries = known[name] ?? [];
    const found = readInterfaceState(name);
    const state = found === 'unknown' ? null : found;
    return {
      name,
      addresses: entries.flatMap((entry) => {
        const address = entry.family === 'IPv4' ? parseIpv4(entry.address) : null;
        return address === null ? [] : [{ address, prefixLength: Number(entry.cidr?.split('/')[1] ?? 32) }];
      }),
      mac: readMac(name),
      mtu: state?.mtu ?? null,
      up: state?.up ?? false,
      loopback: linux ? (Number(attribute(name, 'flags') ?? 0) & FLAG_LOOPBACK) !== 0 : (entries[0]?.internal ?? false),
      wireless: linux && fs.existsSync(path.join(SYSFS, name, 'phy80211')),
      ethernet: unsuitable(name) === null,
      defaultRoute: routes.get(name) ?? null,
    };
  });
}

/** @returns why frames of the interface are none that the stack can speak, or null. Unknown kinds are left to the capture to judge. */
export function unsuitable(name: string): string | null {
  if (!hasSysfs()) return null;
  const type = attribute(name, 'type');
  if (type === null || Number(type) === TYPE_ETHERNET) return null;
  return `${name} carries no Ethernet frames (type ${type}): take an Ethernet or Wi-Fi interface`;
}
