/** ARP for IPv4 over Ethernet (RFC 826): always 28 bytes, whatever padding follows. */
import type { Ipv4Address } from './address';
import { readU16, readU32, writeU16, writeU32 } from './bytes';
import { ETHERTYPE_IPV4, readMac, writeMac, type MacAddress } from './ethernet';

export const ARP_BYTES = 28;
export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;

const HARDWARE_ETHERNET = 1;

export interface ArpPacket {
  readonly operation: typeof ARP_REQUEST | typeof ARP_REPLY;
  readonly senderMac: MacAddress;
  readonly senderAddress: Ipv4Address;
  /** Zeros in a request. */
  readonly targetMac: MacAddress;
  readonly targetAddress: Ipv4Address;
}

/** @returns null if the bytes from `at` on are not a request or reply for IPv4 over Ethernet. */
export function parseArp(bytes: Uint8Array, at = 0): ArpPacket | null {
  if (bytes.length - at < ARP_BYTES) return null;
  if (readU16(bytes, at) !== HARDWARE_ETHERNET || readU16(bytes, at + 2) !== ETHERTYPE_IPV4) return null;
  if (bytes[at + 4] !== 6 || bytes[at + 5] !== 4) return null;
  const operation = readU16(bytes, at + 6);
  if (operation !== ARP_REQUEST && operation !== ARP_REPLY) return null;
  return {
    operation,
    senderMac: readMac(bytes, at + 8),
    senderAddress: readU32(bytes, at + 14),
    targetMac: readMac(bytes, at + 18),
    targetAddress: readU32(bytes, at + 24),
  };
}

/** Writes the 28 bytes at `at`. */
export function writeArp(bytes: Uint8Array, at: number, packet: ArpPacket): void {
  writeU16(bytes, at, HARDWARE_ETHERNET);
  writeU16(bytes, at + 2, ETHERTYPE_IPV4);
  bytes[at + 4] = 6;
  bytes[at + 5] = 4;
  writeU16(bytes, at + 6, packet.operation);
  writeMac(bytes, at + 8, packet.senderMac);
  writeU32(bytes, at + 14, packet.senderAddress);
  writeMac(bytes, at + 18, packet.targetMac);
  writeU32(bytes, at + 24, packet.targetAddress);
}
