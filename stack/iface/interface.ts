/**
 * The Ethernet level of the one interface: frames in from the device to ARP and IPv4, packets out of the one
 * transmit buffer to the station they are for.
 */
import type { Device } from '../link/device';
import type { Counters } from '../observer';
import { isMulticast, type Ipv4Address } from '../wire/address';
import { ARP_BYTES, writeArp, type ArpPacket } from '../wire/arp';
import { readU16, readU32 } from '../wire/bytes';
import {
  BROADCAST_MAC, ETHERNET_HEADER_BYTES, ETHERTYPE_ARP, ETHERTYPE_IPV4, multicastMac, readMac, writeEthernetHeader, type MacAddress,
} from '../wire/ethernet';
import { IPV4_HEADER_BYTES, IPV4_MAX_BYTES } from '../wire/ipv4';
import type { Groups } from './groups';
import type { Neighbors } from './neighbors';
import type { Routes } from './routes';

/** Takes an IPv4 packet that starts at `at` in the frame. `linkGroup`: it was sent to more than one station. */
export type PacketHandler = (frame: Uint8Array, at: number, linkGroup: boolean) => void;

export class Interface {
  /**
   * The one transmit buffer, Ethernet header first. It starts two bytes into its memory, so that the IPv4
   * header and what follows it lie on multiples of four.
   */
  readonly buffer = new Uint8Array(new ArrayBuffer(2 + ETHERNET_HEADER_BYTES + IPV4_MAX_BYTES), 2);
  readonly mac: MacAddress;
  private readonly arpFrame = new Uint8Array(ETHERNET_HEADER_BYTES + ARP_BYTES);
  private readonly handle = (frame: Uint8Array): void => this.input(frame);

  constructor(
    private readonly device: Device,
    private readonly counters: Counters['ethernet'],
    private readonly routes: Routes,
    private readonly neighbors: Neighbors,
    private readonly groups: Groups,
    private readonly onPacket: PacketHandler,
  ) {
    this.mac = readMac(device.mac, 0);
  }

  get mtu(): number {
    return this.device.mtu;
  }

  /** Takes at most `budget` frames from the device. @returns how many. */
  receive(budget: number): number {
    return this.device.receive(budget, this.handle);
  }

  /**
   * Sends the packet in the buffer whose Ethernet header goes to `at`; `length` counts both. If the station
   * is not known yet, a copy waits for it.
   */
  send(nextHop: Ipv4Address, at: number, length: number): void {
    const mac = this.station(nextHop);
    if (mac === null) {
      this.neighbors.enqueue(nextHop, this.buffer.subarray(at, at + length));
      return;
    }
    writeEthernetHeader(this.buffer, at, mac, this.mac, ETHERTYPE_IPV4);
    this.device.send(at === 0 ? this.buffer : this.buffer.subarray(at, at + length), length);
  }

  /** Sends a frame that has waited for its station. */
  sendQueued(frame: Uint8Array, destination: MacAddress): void {
    writeEthernetHeader(frame, 0, destination, this.mac, ETHERTYPE_IPV4);
    this.device.send(frame, frame.length);
  }

  sendArp(destination: MacAddress, packet: ArpPacket): void {
    writeEthernetHeader(this.arpFrame, 0, destination, this.mac, ETHERTYPE_ARP);
    writeArp(this.arpFrame, ETHERNET_HEADER_BYTES, packet);
    this.device.send(this.arpFrame, this.arpFrame.length);
  }

  private station(nextHop: Ipv4Address): MacAddress | null {
    if (this.routes.isBroadcast(nextHop)) return BROADCAST_MAC;
    if (isMulticast(nextHop)) return multicastMac(nextHop);
    return this.neighbors.lookup(nextHop);
  }

  private isOurGroup(high: number, low: number): boolean {
    return (high === BROADCAST_MAC.high && low === BROADCAST_MAC.low) || (high === 0x0100 && this.groups.hasMac(low));
  }

  private cameBack(frame: Uint8Array): boolean {
    const at = ETHERNET_HEADER_BYTES;
    if (frame.length < at + IPV4_HEADER_BYTES || readU16(frame, 12) !== ETHERTYPE_IPV4) return false;
    return this.routes.cameBack(readU32(frame, at + 12), readU32(frame, at + 16));
  }

  private input(frame: Uint8Array): void {
    const { counters, mac } = this;
    if (frame.length < ETHERNET_HEADER_BYTES) {
      counters.rxTooShort++;
      return;
    }
    const high = readU16(frame, 0);
    const isGroup = (high & 0x0100) !== 0;
    // A capture in promiscuous mode shows the whole segment: most of it is not for us.
    if (!isGroup && (high !== mac.high || readU32(frame, 2) !== mac.low)) {
      if (this.cameBack(frame)) counters.rxCameBack++;
      else counters.rxNotForUs++;
      return;
    }
    // Where the capture shows every group's frames, those of groups we are in.
    if (isGroup && !this.isOurGroup(high, readU32(frame, 2))) {
      counters.rxNotForUs++;
      return;
    }
    // A second handle on the interface, or a bridge, can give our own frames back to us.
    if (readU32(frame, 8) === mac.low && readU16(frame, 6) === mac.high) {
      counters.rxOwnEcho++;
      return;
    }
    switch (readU16(frame, 12)) {
      case ETHERTYPE_IPV4:
        this.onPacket(frame, ETHERNET_HEADER_BYTES, isGroup);
        return;
      case ETHERTYPE_ARP:
        this.neighbors.input(frame, ETHERNET_HEADER_BYTES);
        return;
      default:
        counters.rxUnknownType++;
    }
  }
}
