/** Hands what arrived for us to the transport it is for. */
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP, type Ecn, type TransportError } from '../egress';
import type { Counters } from '../observer';
import type { Ipv4Address } from '../wire/address';
import { ETHERNET_HEADER_BYTES } from '../wire/ethernet';
import { Ipv4Header, parseIpv4 } from '../wire/ipv4';
import type { Ownership } from './ownership';

/**
 * A whole packet that was addressed to us. One object is filled again for each packet: everything in it is
 * valid only during the call.
 */
export interface Arrival {
  source: Ipv4Address;
  destination: Ipv4Address;
  protocol: number;
  ecn: Ecn;
  /** Sent to more than one host, by its IPv4 or its Ethernet address: no error is ever sent about it. */
  isGroup: boolean;
  /** A view of the IPv4 payload. */
  payload: Uint8Array;
  /** Where the IPv4 header stands, for errors that quote it. */
  headerIn: Uint8Array;
  headerAt: number;
  headerBytes: number;
}

/** What the demultiplexer needs of TCP. */
export interface TcpInput {
  input(source: Ipv4Address, destination: Ipv4Address, segment: Uint8Array, ecn: Ecn, now: number): void;
  /** @returns whether the error was about something that is on its way: then it can be believed of the path too */
  error(error: TransportError, now: number): boolean;
}

/** What the demultiplexer needs of UDP. */
export interface UdpInput {
  /** @returns false if nobody listens on the port */
  input(source: Ipv4Address, destination: Ipv4Address, datagram: Uint8Array, now: number): boolean;
  error(error: TransportError): void;
}

/** What the demultiplexer needs of ICMP. */
export interface IcmpInput {
  input(arrival: Arrival, now: number): void;
  /** Tells the sender that we have nobody for its packet. */
  reject(code: 'protocol' | 'port', arrival: Arrival): void;
}

export class Demux {
  private readonly failed = new Ipv4Header();

  constructor(
    private readonly counters: Counters,
    private readonly tcp: TcpInput,
    private readonly udp: UdpInput,
    private readonly icmp: IcmpInput,
    private readonly ownership: Ownership,
    /** A path is narrower than our link, as a transport has verified. */
    private readonly onNarrowPath: (remote: Ipv4Address, mtu: number, now: number) => void,
  ) {}

  deliver(arrival: Arrival, now: number): void {
    if (!this.ownership.owns(arrival.protocol, arrival.payload)) {
      this.counters.ipv4.rxNotOurs++;
      return;
    }
    switch (arrival.protocol) {
      case PROTOCOL_TCP:
        // RFC 9293 §3.9.2.3: a segment to a broadcast or multicast address is dropped without a word.
        if (arrival.isGroup) this.counters.tcp.rxBadBroadcast++;
        else this.tcp.input(arrival.source, arrival.destination, arrival.payload, arrival.ecn, now);
        return;
      case PROTOCOL_UDP:
        // RFC 1122 §4.1.3.1: port unreachable where nobody listens.
        if (!this.udp.input(arrival.source, arrival.destination, arrival.payload, now)) this.icmp.reject('port', arrival);
        return;
      case PROTOCOL_ICMP:
        this.icmp.input(arrival, now);
        return;
      default:
        // RFC 1122 §3.2.2.1: protocol unreachable.
        this.counters.ipv4.rxUnknownProtocol++;
        this.icmp.reject('protocol', arrival);
    }
  }

  /** A frame of ours has waited in vain for its neighbour: its transport is told, if the part with the ports is in it. */
  unresolved(frame: Uint8Array, nextHop: Ipv4Address, now: number): void {
    const { failed } = this;
    const at = ETHERNET_HEADER_BYTES;
    // The neighbour table has counted the drop.
    if (parseIpv4(frame, at, failed) !== null || failed.fragmentOffset !== 0) return;
    const transport = frame.subarray(at + failed.headerBytes, at + failed.totalBytes);
    this.error(failed.protocol, { local: failed.source, remote: failed.destination, kind: { type: 'neighbor-unresolved', nextHop }, transport }, now);
  }

  /** Tells the transport that sent a packet what became of it. @returns false if that was none of them. */
  error(protocol: number, error: TransportError, now: number): boolean {
    const { kind } = error;
    if (protocol === PROTOCOL_TCP) {
      // RFC 5927 §7: the check of the sequence number is TCP's; what fails it says nothing of the path either.
      if (this.tcp.error(error, now) && kind.type === 'fragmentation-needed') this.onNarrowPath(error.remote, kind.nextHopMtu, now);
      return true;
    }
    if (protocol !== PROTOCOL_UDP) return false;
    // Our datagrams may be fragmented: no router has a reason to say otherwise, so such a message is not believed.
    this.udp.error(error);
    return true;
  }
}
