/** IPv4 addresses are numbers 0 … 2³²−1, MAC addresses six bytes. Text only at the edges. */
export type Ipv4Address = number;

export const ANY_ADDRESS: Ipv4Address = 0;
/** RFC 919: limited broadcast. */
export const BROADCAST_ADDRESS: Ipv4Address = 0xffff_ffff;

/** @returns the address, or null if `text` is not four decimal numbers 0–255 joined by dots. */
export function parseIpv4(text: string): Ipv4Address | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (!match) return null;
  let address = 0;
  for (let i = 1; i <= 4; i++) {
    const part = match[i] ?? '';
    // A leading zero is octal to some systems and decimal to others: refuse rather than guess.
    if (Number(part) > 255 || (part.length > 1 && part.startsWith('0'))) return null;
    address = address * 256 + Number(part);
  }
  return address;
}

export function formatIpv4(address: Ipv4Address): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

export function formatMac(mac: Uint8Array): string {
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** @param prefixLength 0 … 32 */
export function prefixMask(prefixLength: number): number {
  return prefixLength === 0 ? 0 : (0xffff_ffff << (32 - prefixLength)) >>> 0;
}

/** 127.0.0.0/8 (RFC 1122 §3.2.1.3). */
export function isLoopback(address: Ipv4Address): boolean {
  return address >>> 24 === 127;
}

/** 224.0.0.0/4 (RFC 1112 §4). */
export function isMulticast(address: Ipv4Address): boolean {
  return address >>> 28 === 14;
}

/** An address that one host can own: not this-network (RFC 1122 §3.2.1.3), multicast, reserved or broadcast. */
export function isUnicast(address: Ipv4Address): boolean {
  return address >>> 24 !== 0 && address < 0xe000_0000;
}
