/** What a router changes in, or reads from, a frame. */
import { readU16, writeU16 } from '../../../stack/wire/bytes';
import { ETHERNET_HEADER_BYTES, ETHERTYPE_IPV4 } from '../../../stack/wire/ethernet';

const ECN_MASK = 3;

export function isIpv4(frame: Uint8Array): boolean {
  return frame.length >= ETHERNET_HEADER_BYTES + 20 && readU16(frame, 12) === ETHERTYPE_IPV4;
}

/** Sets "congestion experienced" (RFC 3168 §5). @returns false if the packet is not ECN-capable */
export function markCongestion(frame: Uint8Array): boolean {
  if (!isIpv4(frame)) return false;
  const at = ETHERNET_HEADER_BYTES;
  const before = readU16(frame, at);
  if ((before & ECN_MASK) === 0) return false;
  const after = before | ECN_MASK;
  writeU16(frame, at, after);
  // RFC 1624 eq. 3: HC' = ~(~HC + ~m + m')
  let sum = (~readU16(frame, at + 10) & 0xffff) + (~before & 0xffff) + after;
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  writeU16(frame, at + 10, ~sum & 0xffff);
  return true;
}
