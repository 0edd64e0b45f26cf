/**
 * Ethernet II frames (RFC 894): 14 bytes of header, no frame check sequence (the hardware's affair).
 * A MAC address is kept as two numbers where it is compared: six byte comparisons cost more than two.
 */
import { formatMac } from './address';
import { readU16, readU32, writeU16, writeU32 } from './bytes';

export const ETHERNET_HEADER_BYTES = 14;
export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;

/** A MAC address as numbers: the first two bytes, the last four. */
export interface MacAddress {
  /** 0 … 2¹⁶−1 */
  readonly high: number;
  /** 0 … 2³²−1 */
  readonly low: number;
}

export const BROADCAST_MAC: MacAddress = { high: 0xffff, low: 0xffff_ffff };

export function readMac(bytes: Uint8Array, at: number): MacAddress {
  return { high: readU16(bytes, at), low: readU32(bytes, at + 2) };
}

export function writeMac(bytes: Uint8Array, at: number, mac: MacAddress): void {
  writeU16(bytes, at, mac.high);
  writeU32(bytes, at + 2, mac.low);
}

export function macEquals(a: MacAddress, b: MacAddress): boolean {
  return a.low === b.low && a.high === b.high;
}

/** The low bit of the first byte marks groups, broadcast among them (IEEE 802 §8.2.2). */
export function isGroupMac(mac: MacAddress): boolean {
  return (mac.high & 0x0100) !== 0;
}

/** A station's own address: neither a group nor all zeros. */
export function isStationMac(mac: MacAddress): boolean {
  return !isGroupMac(mac) && (mac.high !== 0 || mac.low !== 0);
}

/** RFC 1112 §6.4: 01-00-5e and the low 23 bits of the group's IPv4 address. */
export function multicastMac(group: number): MacAddress {
  return { high: 0x0100, low: (0x5e00_0000 | (group & 0x007f_ffff)) >>> 0 };
}

/** Writes the 14-byte header at `at`. */
export function writeEthernetHeader(
  bytes: Uint8Array,
  at: number,
  destination: MacAddress,
  source: MacAddress,
  etherType: number,
): void {
  writeMac(bytes, at, destination);
  writeMac(bytes, at + 6, source);
  writeU16(bytes, at + 12, etherType);
}

export function formatMacAddress(mac: MacAddress): string {
  const bytes = new Uint8Array(6);
  writeMac(bytes, 0, mac);
  return formatMac(bytes);
}
