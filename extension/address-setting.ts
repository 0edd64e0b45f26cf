/** The stack's address as a person writes it: `dhcp`, `shared`, or `A.B.C.D/LEN` with a router of its own. */
import type { AddressSetting } from './protocol';

const OCTET = '(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)';
const IPV4 = `${OCTET}(?:\\.${OCTET}){3}`;
/** As in package.json. */
export const ADDRESS_PATTERN = `^${IPV4}$`;
export const SERVER_PATTERN = `^${IPV4}(?::\\d{1,5})?$`;
export const OWN_ADDRESS_PATTERN = `^(?:dhcp|shared|${IPV4}/(?:3[0-2]|[12]?\\d))$`;

const ADDRESS = new RegExp(ADDRESS_PATTERN);
const OWN_ADDRESS = new RegExp(OWN_ADDRESS_PATTERN);

export function isIpv4(text: string): boolean {
  return ADDRESS.test(text);
}

/** @returns null if the text is none of the three */
export function parseAddress(text: string): AddressSetting | null {
  if (!OWN_ADDRESS.test(text)) return null;
  if (text === 'dhcp') return { mode: 'dhcp' };
  if (text === 'shared') return { mode: 'shared', gateway: null };
  const [address = '', length] = text.split('/');
  return { mode: 'static', address, prefixLength: Number(length), gateway: null };
}
