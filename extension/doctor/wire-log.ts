/** What was sent and seen on the interface that concerns us, in words; bounded. */
import { describeFrame } from '../../stack';

/** Of one step; the rest is counted. */
const MAX_LINES = 16;
const ARP_AT = 14;
const IPV4_AT = 14;
const ETHERTYPE_ARP = 0x0806;
/** RFC 863: whatever arrives there is thrown away. A datagram to it makes the stack ask for the router's MAC address. */
export const DISCARD_PORT = 9;

export class WireLog {
  private lines: string[] = [];
  private more = 0;
  /** The stack's own address, if no other station has it too: who asks for it, and what comes back from it, is told. */
  own: number | null = null;

  /** Takes a frame that passes the link. */
  add(frame: Uint8Array, direction: 'sent' | 'seen', mac: Uint8Array): void {
    if (direction === 'seen' && !concerns(frame, mac) && !(this.own !== null && isAbout(frame, this.own))) return;
    if (direction === 'seen' && refusesDiscard(frame)) return;
    const words = describeFrame(frame);
    if (words === null) return;
    if (this.lines.length < MAX_LINES) this.lines.push(`${direction} ${words}`);
    else this.more++;
  }

  /** A line of ours among them. */
  note(text: string): void {
    if (this.lines.length < MAX_LINES) this.lines.push(text);
    else this.more++;
  }

  /** @returns what has come since the last call */
  take(): string[] {
    const taken = this.more === 0 ? this.lines : [...this.lines, `and ${this.more} more`];
    this.lines = [];
    this.more = 0;
    return taken;
  }
}

/** The link's other stations talk too: of what goes to all of them only DHCP, and ARP that answers, is about us. */
function concerns(frame: Uint8Array, mac: Uint8Array): boolean {
  if (mac.every((byte, i) => frame[i] === byte)) return true;
  if (((frame[12] ?? 0) << 8 | (frame[13] ?? 0)) === ETHERTYPE_ARP) return mac.every((byte, i) => frame[ARP_AT + 18 + i] === byte);
  // IPv4, UDP to port 68: a DHCP server that answers by broadcast.
  return frame[23] === 17 && ((frame[36] ?? 0) << 8 | (frame[37] ?? 0)) === 68;
}

/**
 * ICMP that refuses a datagram to the discard port: of no interest, and it comes when the next step is under way, whose
 * failure it would seem to explain.
 */
function refusesDiscard(frame: Uint8Array): boolean {
  const icmpAt = IPV4_AT + 20;
  const quotedAt = icmpAt + 8;
  if (frame.length < quotedAt + 24 || frame[12] !== 0x08 || frame[13] !== 0x00 || frame[IPV4_AT] !== 0x45 || frame[IPV4_AT + 9] !== 1) return false;
  // Destination unreachable (RFC 792), about UDP without IP options.
  if (frame[icmpAt] !== 3 || frame[quotedAt] !== 0x45 || frame[quotedAt + 9] !== 17) return false;
  return ((frame[quotedAt + 22] ?? 0) << 8 | (frame[quotedAt + 23] ?? 0)) === DISCARD_PORT;
}

/** ARP that asks for the address, or IPv4 that was sent from it and came back past us. */
function isAbout(frame: Uint8Array, address: number): boolean {
  const at = frame[12] === 0x08 && frame[13] === 0x06 ? ARP_AT + 24 : IPV4_AT + 12;
  return frame.length >= at + 4 && new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getUint32(at) === address;
}
