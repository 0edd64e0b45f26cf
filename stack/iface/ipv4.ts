/** Packets in: verified, checked against our addresses, put together from fragments, handed on (RFC 791, RFC 1122 §3.2.1). */
import { PROTOCOL_UDP, type Ecn } from '../egress';
import type { Counters } from '../observer';
import { BROADCAST_ADDRESS, isLoopback, isMulticast, isUnicast, type Ipv4Address } from '../wire/address';
import { readU16 } from '../wire/bytes';
import { hasSourceRoute, IPV4_HEADER_BYTES, Ipv4Header, parseIpv4 } from '../wire/ipv4';
import type { Arrival } from './demux';
import type { Groups } from './groups';
import type { Reassembly } from './reassembly';
import type { Routes } from './routes';

const ECN: readonly Ecn[] = [0, 1, 2, 3];
/** RFC 2131 §4.1: the port a DHCP client listens on. */
const DHCP_CLIENT_PORT = 68;

export class Ipv4Input {
  private readonly header = new Ipv4Header();
  private readonly arrival: Arrival = {
    source: 0, destination: 0, protocol: 0, ecn: 0, isGroup: false, payload: new Uint8Array(0), headerIn: new Uint8Array(0), headerAt: 0, headerBytes: 0,
  };

  constructor(
    private readonly counters: Counters['ipv4'],
    private readonly routes: Routes,
    private readonly groups: Groups,
    private readonly reassembly: Reassembly,
    private readonly deliver: (arrival: Arrival, now: number) => void,
  ) {}

  /** Takes the packet at `at` in the frame. `linkGroup`: its Ethernet address was that of a group. */
  input(frame: Uint8Array, at: number, linkGroup: boolean, now: number): void {
    const { counters, header, arrival } = this;
    counters.rxPackets++;
    const failure = parseIpv4(frame, at, header);
    if (failure !== null) {
      counters[failure]++;
      return;
    }
    const isBroadcast = this.routes.isBroadcast(header.destination);
    if (!this.isForUs(frame, at, linkGroup, isBroadcast)) {
      // Where our MAC address is the computer's, too.
      if (this.routes.cameBack(header.source, header.destination)) counters.rxCameBack++;
      else counters.rxNotForUs++;
      return;
    }
    if (!this.isGoodSource(header.source, header.destination, header.protocol)) {
      counters.rxBadSource++;
      return;
    }
    // Source routes lead round filters; nobody has an honest use for them (RFC 7126 §4.3, §4.4: drop).
    if (header.headerBytes > IPV4_HEADER_BYTES && hasSourceRoute(frame, at, header.headerBytes)) {
      counters.rxSourceRoute++;
      return;
    }
    arrival.source = header.source;
    arrival.destination = header.destination;
    arrival.protocol = header.protocol;
    arrival.isGroup = isBroadcast || linkGroup;
    if (header.moreFragments || header.fragmentOffset !== 0) {
      this.inputFragment(frame, at, now);
      return;
    }
    arrival.ecn = ECN[header.ecn] ?? 0;
    // The total length rules: what follows it is the link's padding.
    arrival.payload = frame.subarray(at + header.headerBytes, at + header.totalBytes);
    arrival.headerIn = frame;
    arrival.headerAt = at;
    arrival.headerBytes = header.headerBytes;
    this.deliver(arrival, now);
  }

  private inputFragment(frame: Uint8Array, at: number, now: number): void {
    const { counters, header, arrival } = this;
    counters.rxFragments++;
    const whole = this.reassembly.add(header, frame, at, now);
    if (whole === null) return;
    arrival.ecn = ECN[whole.ecn] ?? 0;
    arrival.payload = whole.payload;
    arrival.headerIn = whole.header;
    arrival.headerAt = 0;
    arrival.headerBytes = whole.header.length;
    this.deliver(arrival, now);
  }

  private isForUs(frame: Uint8Array, at: number, linkGroup: boolean, isBroadcast: boolean): boolean {
    const { header, routes } = this;
    if (routes.local === null) {
      // A server answers to the address it offers, or to everybody: without an address we take both (RFC 2131 §4.1).
      return (
        header.protocol === PROTOCOL_UDP &&
        header.fragmentOffset === 0 &&
        header.totalBytes >= header.headerBytes + 8 &&
        readU16(frame, at + header.headerBytes + 2) === DHCP_CLIENT_PORT &&
        (isBroadcast || isUnicast(header.destination))
      );
    }
    if (isMulticast(header.destination)) return linkGroup && this.groups.has(header.destination);
    // RFC 1122 §3.3.6: a unicast packet in a frame for everybody is dropped.
    return isBroadcast || (!linkGroup && routes.isOurs(header.destination));
  }

  /** RFC 1122 §3.2.1.3: the source is one host's address, and not ours. */
  private isGoodSource(source: Ipv4Address, destination: Ipv4Address, protocol: number): boolean {
    // A host without an address has none to give; only DHCP speaks so.
    if (source === 0) return destination === BROADCAST_ADDRESS && protocol === PROTOCOL_UDP;
    const { routes } = this;
    return isUnicast(source) && !isLoopback(source) && !routes.isBroadcast(source) && source !== routes.local?.address;
  }
}
