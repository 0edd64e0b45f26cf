/** The addresses that the stack has had here: those leased to its instances, and those that a fix was made for. */
import fs from 'node:fs';
import path from 'node:path';
import { parseIpv4 } from '../../stack';
import { folderFor, makeFolder, owner, type Owner } from '../node/places';

const FIXES_FILE = 'fixes.json';
const LEASE_SUFFIX = '.lease.json';
/** More instances nobody runs at once. */
const MAX_ADDRESSES = 64;

export interface Network {
  readonly address: number;
  /** 0 … 32 */
  readonly prefixLength: number;
}

function addressesIn(file: string): string[] {
  try {
    const value: unknown = JSON.parse(fs.readFileSync(file, 'utf8'));
    const found = Array.isArray(value) ? value : typeof value === 'object' && value !== null && 'address' in value ? [value.address] : [];
    return found.filter((one): one is string => typeof one === 'string' && parseIpv4(one) !== null);
  } catch {
    return [];
  }
}

/** @param network leave out what lies in another; null: the computer has no address there to tell by */
export function ownAddresses(network: Network | null, whose: Owner = owner()): string[] {
  const folder = folderFor('state', whose);
  if (folder === null) return [];
  let names: string[] = [];
  try {
    names = fs.readdirSync(folder).filter((name) => name.endsWith(LEASE_SUFFIX) || name === FIXES_FILE);
  } catch {
    // Nothing was ever kept.
  }
  const all = new Set(names.flatMap((name) => addressesIn(path.join(folder, name))));
  return [...all].filter((address) => network === null || contains(network, parseIpv4(address) ?? 0)).slice(0, MAX_ADDRESSES);
}

/** Keeps for which addresses a fix was made, so that it can be taken back when the lease is another. */
export function rememberFixed(addresses: readonly string[], whose: Owner = owner()): void {
  const folder = folderFor('state', whose);
  if (folder === null || addresses.length === 0) return;
  const file = path.join(folder, FIXES_FILE);
  const all = [...new Set([...addressesIn(file), ...addresses])].slice(-MAX_ADDRESSES);
  try {
    makeFolder(folder, whose);
    fs.writeFileSync(file, `${JSON.stringify(all)}\n`, { mode: 0o600 });
    if (!whose.isSelf) fs.chownSync(file, whose.uid, whose.gid);
  } catch {
    // Then the address has to be named when it is taken back.
  }
}

function contains({ address, prefixLength }: Network, other: number): boolean {
  return prefixLength === 0 || (address ^ other) >>> (32 - prefixLength) === 0;
}
