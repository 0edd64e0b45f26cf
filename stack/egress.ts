/**
 * How `tcp` and `socket` send without knowing interfaces, neighbours or links: they write a transport
 * header and payload in place and hand them down. Types only.
 */
import type { Ipv4Address } from './wire/address';

export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;

/** ECN field of the IPv4 header (RFC 3168 §5): not capable, ECT(1), ECT(0), congestion experienced. */
export type Ecn = 0 | 1 | 2 | 3;

/**
 * - `sent`: handed to the link, or queued until the neighbour's address is resolved.
 * - `unreachable`: no address of our own, or no route; nothing was sent.
 * - `too-big`: larger than an IPv4 packet can be, or than the MTU with `dontFragment`.
 */
export type SendResult = 'sent' | 'unreachable' | 'too-big';

/** RFC 792 and RFC 1812 §5.2.7.1: the codes of ICMP destination unreachable that the stack sends. */
export type UnreachableCode = 'net' | 'host' | 'protocol' | 'port' | 'fragmentation-needed' | 'prohibited';

export interface Ipv4Egress {
  /**
   * The one transmit buffer. The payload of the next packet is written from `payloadOffset` on; the
   * space before it is for the headers of the layers below. Valid until the next `send`.
   */
  readonly buffer: Uint8Array;
  readonly payloadOffset: number;
  /** Bytes of IPv4 payload that the buffer holds. */
  readonly maxPayload: number;
  /** Our address toward `remote`, or null while there is none or no route leads there. */
  sourceFor(remote: Ipv4Address): Ipv4Address | null;
  /** Largest IPv4 packet in bytes that the link toward `remote` carries. */
  linkMtu(remote: Ipv4Address): number;
  /** Largest one that the whole path carries, as far as is known (RFC 1191). */
  pathMtu(remote: Ipv4Address): number;
  /**
   * Sends `length` bytes of payload from the buffer. The transport checksum is already in place.
   * A packet over the path's MTU is fragmented unless `dontFragment`.
   */
  send(
    protocol: number,
    source: Ipv4Address,
    destination: Ipv4Address,
    length: number,
    options?: { readonly ecn?: Ecn; readonly dontFragment?: boolean; readonly ttl?: number },
  ): SendResult;
  /**
   * Answers a packet we received with ICMP destination unreachable (RFC 1122 §3.2.2.1), quoting the
   * IPv4 header as it was and the first bytes of its payload. Rate-limited and counted by the sender.
   */
  sendUnreachable(
    code: UnreachableCode,
    offender: { readonly protocol: number; readonly source: Ipv4Address; readonly destination: Ipv4Address; readonly payload: Uint8Array },
  ): void;
}

/** What an ICMP error, or a neighbour that does not answer, says about a packet of ours. */
export interface TransportError {
  /** Source of the packet of ours that failed. */
  readonly local: Ipv4Address;
  readonly remote: Ipv4Address;
  /** At least the first eight bytes of the failed packet's transport header. A view, valid during the call. */
  readonly transport: Uint8Array;
  readonly kind:
    | { readonly type: 'unreachable'; readonly code: number }
    | { readonly type: 'fragmentation-needed'; readonly nextHopMtu: number }
    | { readonly type: 'time-exceeded'; readonly code: number }
    | { readonly type: 'parameter-problem' }
    | { readonly type: 'source-quench' }
    /** No answer to ARP of the destination, or of the router on the way to it: nothing came from the network, the stack itself gave up. */
    | { readonly type: 'neighbor-unresolved'; readonly nextHop: Ipv4Address };
}
