/**
 * What of the packets for our address is ours. With an address of our own, all of it. With the computer's, only
 * what names a port of the range that was set aside for us: everything else is the kernel's, which answers it, and
 * a word of ours (a reset, a port unreachable, an echo reply) would harm its connections.
 */
import type { PortRange } from '../config';
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../egress';
import { readU16 } from '../wire/bytes';
import { ICMP_REDIRECT, isIcmpError, parseQuoted } from '../wire/icmp';

/** Source and destination port. */
const PORTS_BYTES = 4;

export class Ownership {
  /** @param ports null: the address is ours alone */
  constructor(private readonly ports: PortRange | null) {}

  /** Whether a kernel has the same address: then ARP about it is the kernel's affair, too. */
  get isShared(): boolean {
    return this.ports !== null;
  }

  /** @param payload the whole of a packet for our address, behind its IPv4 header, or at least its first bytes */
  owns(protocol: number, payload: Uint8Array): boolean {
    if (this.ports === null) return true;
    switch (protocol) {
      case PROTOCOL_TCP:
      case PROTOCOL_UDP:
        return payload.length >= PORTS_BYTES && this.ownsPort(readU16(payload, 2));
      case PROTOCOL_ICMP:
        return this.ownsError(payload);
      default:
        return false;
    }
  }

  /** Of ICMP only errors about packets that left from a port of ours; a redirect is about the kernel's routes. */
  private ownsError(message: Uint8Array): boolean {
    const type = message[0] ?? 0;
    if (!isIcmpError(type) || type === ICMP_REDIRECT) return false;
    const quoted = parseQuoted(message);
    if (quoted === null || (quoted.protocol !== PROTOCOL_TCP && quoted.protocol !== PROTOCOL_UDP)) return false;
    return this.ownsPort(readU16(quoted.transport, 0));
  }

  private ownsPort(port: number): boolean {
    const { ports } = this;
    return ports === null || (port >= ports.first && port <= ports.last);
  }
}
