/** Which connection a frame belongs to, for whoever picks frames out of a capture. */
import type { Ipv4Address } from '../wire/address';
import { readU16, readU32 } from '../wire/bytes';
import { ETHERNET_HEADER_BYTES, ETHERTYPE_IPV4 } from '../wire/ethernet';
import { isIcmpError, parseQuoted } from '../wire/icmp';
import { IPV4_HEADER_BYTES } from '../wire/ipv4';

const ICMP = 1;
const TCP = 6;
const UDP = 17;
const OFFSET_MASK = 0x1fff;

/** The ends of a TCP or UDP conversation, from the frame's sender to its receiver. */
export interface Flow {
  readonly protocol: 'tcp' | 'udp';
  readonly source: Ipv4Address;
  readonly sourcePort: number;
  readonly destination: Ipv4Address;
  readonly destinationPort: number;
}

/**
 * Nothing but the addresses is judged: a capture may hold only the beginning of a frame, and one that is damaged is
 * worth seeing.
 * @returns the conversation an Ethernet frame is part of; for an ICMP error that of the packet it quotes, as that
 * packet travelled; null for anything else, and for fragments after the first, which name no ports
 */
export function readFlow(frame: Uint8Array): Flow | null {
  const at = ETHERNET_HEADER_BYTES;
  const first = frame[at] ?? 0;
  const headerBytes = (first & 15) * 4;
  if (readU16(frame, 12) !== ETHERTYPE_IPV4 || first >>> 4 !== 4 || headerBytes < IPV4_HEADER_BYTES) return null;
  if ((readU16(frame, at + 6) & OFFSET_MASK) !== 0) return null;
  const protocol = frame[at + 9] ?? 0;
  const payload = frame.subarray(at + headerBytes);
  if (protocol !== ICMP) return flow(protocol, readU32(frame, at + 12), readU32(frame, at + 16), payload);
  if (!isIcmpError(payload[0] ?? 0)) return null;
  const quoted = parseQuoted(payload);
  return quoted && flow(quoted.protocol, quoted.source, quoted.destination, quoted.transport);
}

function flow(protocol: number, source: Ipv4Address, destination: Ipv4Address, transport: Uint8Array): Flow | null {
  if ((protocol !== TCP && protocol !== UDP) || transport.length < 4) return null;
  return { protocol: protocol === TCP ? 'tcp' : 'udp', source, sourcePort: readU16(transport, 0), destination, destinationPort: readU16(transport, 2) };
}
