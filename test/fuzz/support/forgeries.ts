/**
 * What somebody who knows a connection's addresses and ports, but not its sequence numbers, can send to disturb
 * it (RFC 5961, RFC 5927). All of it is made to miss: a guess that hits cannot be told from the peer.
 */
import fc from 'fast-check';
import type { TcpSnapshot } from '../../../stack/tcp/types';
import { ethernet, icmp, ipv4, tcp } from './frames';

const [FIN, SYN, RST, ACK] = [1, 2, 4, 16];

export interface Forgery {
  /** Which of the connections. */
  readonly flow: number;
  readonly what:
    /** RFC 5961 §3: a reset within the window, but not at its edge, or outside it. */
    | 'reset-in-window' | 'reset-outside'
    /** §4: a SYN, wherever. */
    | 'syn' | 'syn-ack'
    /** §5: data with an ACK that cannot be, or outside the window. */
    | 'data-with-bad-ack' | 'data-outside' | 'fin-outside'
    /** RFC 5927: ICMP that quotes a segment which is not in flight, and one that is. */
    | 'icmp-stray' | 'icmp-in-flight';
  /** Where in the range in question, 0 … 1. */
  readonly where: number;
  readonly icmpType: number;
  readonly icmpCode: number;
  /** The next hop's MTU, where the type and code say so. */
  readonly icmpMtu: number;
}

export const forgery: fc.Arbitrary<Forgery> = fc.record({
  flow: fc.nat({ max: 1 }),
  what: fc.constantFrom('reset-in-window', 'reset-outside', 'syn', 'syn-ack', 'data-with-bad-ack', 'data-outside', 'fin-outside', 'icmp-stray', 'icmp-in-flight'),
  where: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  icmpType: fc.constantFrom(3, 3, 3, 4, 5, 11, 12),
  icmpCode: fc.oneof(fc.constant(4), fc.nat({ max: 15 })),
  icmpMtu: fc.oneof(fc.constantFrom(0, 1, 67, 68, 296, 551, 552, 1_006, 1_500, 65_535), fc.nat({ max: 2_000 })),
});

/** @returns the frame, for the connection that the snapshot shows */
export function forge({ what, where, icmpType, icmpCode, icmpMtu }: Forgery, s: TcpSnapshot): Uint8Array {
  const { localAddress, remoteAddress, localPort, remotePort, rcvNxt, rcvWnd, sndUna, sndNxt, maxAhead } = { ...s, maxAhead: 1 << 24 };
  const frame = (protocol: number, payload: number[]): Uint8Array =>
    // Wherever it came from, the router's or the attacker's MAC is on it.
    ethernet([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 99], 0x0800, ipv4({ protocol, source: remoteAddress, destination: localAddress, payload }));
  const segment = (seq: number, ack: number, flags: number, payload: readonly number[] = []): Uint8Array =>
    frame(6, tcp(remoteAddress, localAddress, { sourcePort: remotePort, destinationPort: localPort, seq: seq >>> 0, ack: ack >>> 0, flags, window: 1_000, options: timestamps(s), payload }));
  // Half of the sequence space lies behind, and what the window can reach is far less than a quarter.
  const outside = rcvNxt + 0x4000_0000 + Math.floor(where * 0x8000_0000);
  const garbage = [0xde, 0xad, 0xbe, 0xef];
  switch (what) {
    case 'reset-in-window':
      return segment(rcvNxt + 1 + Math.floor(where * Math.max(0, rcvWnd - 2)), 0, RST);
    case 'reset-outside':
      return segment(outside, 0, RST | (where < 0.5 ? ACK : 0));
    case 'syn':
      return segment(rcvNxt - 0x8000_0000 + Math.floor(where * 0x1_0000_0000), 0, SYN);
    case 'syn-ack':
      return segment(rcvNxt - 0x8000_0000 + Math.floor(where * 0x1_0000_0000), sndNxt, SYN | ACK);
    case 'data-with-bad-ack':
      return segment(rcvNxt + Math.floor(where * Math.max(1, rcvWnd - 4)), sndNxt + maxAhead + Math.floor(where * 0x4000_0000), ACK, garbage);
    case 'data-outside':
      return segment(outside, sndNxt, ACK, garbage);
    case 'fin-outside':
      return segment(outside, sndNxt, FIN | ACK);
    case 'icmp-stray':
    case 'icmp-in-flight': {
      const inFlight = Math.max(1, (sndNxt - sndUna) >>> 0);
      const seq = what === 'icmp-stray' ? sndNxt + maxAhead + Math.floor(where * 0x4000_0000) : sndUna + Math.floor(where * inFlight);
      const quoted = ipv4({ protocol: 6, source: localAddress, destination: remoteAddress, payload: tcp(localAddress, remoteAddress, { sourcePort: localPort, destinationPort: remotePort, seq: seq >>> 0, ack: rcvNxt, flags: ACK, window: 1_000, options: [], payload: garbage }) });
      return frame(1, icmp(icmpType, icmpCode, icmpMtu, quoted.slice(0, 28)));
    }
  }
}

/** Without them a connection that agreed on timestamps takes nothing but resets. These are as old as can be. */
function timestamps(s: TcpSnapshot): number[] {
  return s.timestamps ? [1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0] : [];
}
