/** A station made by hand at the other end of a stack's cable: it sends any bytes, and sees every frame. */
import type { PartialStackConfig } from '../../stack/config';
import { VirtualClock } from '../../stack/clock';
import type { AddressOptions } from '../../stack/iface/addressing';
import { createCable } from '../../stack/link/cable';
import type { Device } from '../../stack/link/device';
import type { StackEvent } from '../../stack/observer';
import { SeededRandom } from '../../stack/random';
import { runStack } from '../../stack/run-stack';
import { Stack } from '../../stack/stack';
import { ARP_REPLY, ARP_REQUEST, parseArp, writeArp, type ArpPacket } from '../../stack/wire/arp';
import { BROADCAST_MAC, ETHERTYPE_ARP, ETHERTYPE_IPV4, readMac, writeEthernetHeader, type MacAddress } from '../../stack/wire/ethernet';
import { writeIcmp } from '../../stack/wire/icmp';
import { Ipv4Header, parseIpv4, writeIpv4Header, type Ipv4Fields } from '../../stack/wire/ipv4';
import { ip } from './two-stacks';

export const STACK_ADDRESS = ip('10.0.0.1');
export const PEER_ADDRESS = ip('10.0.0.2');

export interface SentPacket {
  readonly header: Ipv4Header;
  readonly payload: Uint8Array;
  readonly destinationMac: MacAddress;
}

export interface RawPeerOptions {
  readonly config?: PartialStackConfig;
  readonly mtu?: number;
  readonly acceptAnyDestination?: boolean;
  readonly gateway?: string;
  readonly conflictDetection?: boolean;
  readonly address?: AddressOptions;
}

/** The cable takes any frame; the stack is told a smaller MTU. */
function withMtu(device: Device, mtu: number): Device {
  return {
    mac: device.mac,
    mtu,
    counters: device.counters,
    send: (buffer, length) => device.send(buffer, length),
    receive: (budget, handler) => device.receive(budget, handler),
    get hasFrames() {
      return device.hasFrames;
    },
    get onFrame() {
      return device.onFrame;
    },
    set onFrame(onFrame) {
      device.onFrame = onFrame;
    },
    close: () => device.close(),
  };
}

export class RawPeer {
  readonly clock = new VirtualClock();
  readonly events: StackEvent[] = [];
  readonly stack: Stack;
  readonly mac: MacAddress;
  readonly stackMac: MacAddress;
  private readonly device: Device;

  constructor(options: RawPeerOptions = {}) {
    const { config = {}, mtu = 1500, acceptAnyDestination = false, conflictDetection = false, gateway } = options;
    const [device, stackEnd] = createCable({ mtu: 65_535, queueBytes: 1 << 20 });
    const stackDevice = withMtu(stackEnd, mtu);
    this.device = device;
    this.mac = readMac(device.mac, 0);
    this.stackMac = readMac(stackDevice.mac, 0);
    this.stack = new Stack({
      device: stackDevice, random: new SeededRandom(7), config, acceptAnyDestination, conflictDetection, observer: (event) => this.events.push(event),
      address: options.address ?? { mode: 'static', address: STACK_ADDRESS, prefixLength: 24, ...(gateway !== undefined && { gateway: ip(gateway) }) },
    });
    runStack(this.stack, this.clock);
  }

  /** Sends a frame as it is and lets the stack take it. */
  frame(bytes: Uint8Array): void {
    this.device.send(bytes, bytes.length);
    this.clock.advance(0);
  }

  /** Sends an IPv4 packet; every field can be given. Headers that are wrong on purpose go through `mangle`. */
  ipv4(fields: Partial<Ipv4Fields>, payload: Uint8Array, options: { destinationMac?: MacAddress; sourceMac?: MacAddress; mangle?: (frame: Uint8Array) => void } = {}): void {
    const frame = new Uint8Array(34 + payload.length);
    writeEthernetHeader(frame, 0, options.destinationMac ?? this.stackMac, options.sourceMac ?? this.mac, ETHERTYPE_IPV4);
    writeIpv4Header(frame, 14, {
      totalBytes: 20 + payload.length, ecn: 0, identification: 1, dontFragment: false, moreFragments: false, fragmentOffset: 0, ttl: 64, protocol: 17,
      source: PEER_ADDRESS, destination: STACK_ADDRESS, ...fields,
    });
    frame.set(payload, 34);
    options.mangle?.(frame);
    this.frame(frame);
  }

  icmp(type: number, code: number, rest: number, body: Uint8Array, fields: Partial<Ipv4Fields> = {}, destinationMac?: MacAddress): void {
    const message = new Uint8Array(8 + body.length);
    message.set(body, 8);
    writeIcmp(message, 0, message.length, { type, code, rest });
    this.ipv4({ protocol: 1, ...fields }, message, destinationMac ? { destinationMac } : {});
  }

  arp(packet: Partial<ArpPacket>, destinationMac: MacAddress = this.stackMac): void {
    const frame = new Uint8Array(60);
    const senderMac = packet.senderMac ?? this.mac;
    writeEthernetHeader(frame, 0, destinationMac, senderMac, ETHERTYPE_ARP);
    writeArp(frame, 14, {
      operation: ARP_REPLY, senderMac, senderAddress: PEER_ADDRESS, targetMac: this.stackMac, targetAddress: STACK_ADDRESS, ...packet,
    });
    this.frame(frame);
  }

  /** Asks for the stack's address as a neighbour would: afterwards the stack knows the peer. */
  introduce(address = PEER_ADDRESS): void {
    this.arp({ operation: ARP_REQUEST, senderAddress: address, targetMac: { high: 0, low: 0 } }, BROADCAST_MAC);
    this.arps();
  }

  /** Every frame the stack has sent since the last call. */
  sent(): Uint8Array[] {
    const frames: Uint8Array[] = [];
    this.device.receive(1_000, (frame) => frames.push(frame.slice()));
    return frames;
  }

  /** The ARP packets among them (the others are gone), each with the address its frame was sent to. */
  arps(): { readonly packet: ArpPacket; readonly destinationMac: MacAddress }[] {
    return this.sent().flatMap((frame) => {
      const packet = frame[12] === 8 && frame[13] === 6 ? parseArp(frame, 14) : null;
      return packet ? [{ packet, destinationMac: readMac(frame, 0) }] : [];
    });
  }

  /** The IPv4 packets among them (the others are gone). Their headers are verified. */
  packets(): SentPacket[] {
    return this.sent().flatMap((frame) => {
      if (frame[12] !== 8 || frame[13] !== 0) return [];
      const header = new Ipv4Header();
      const failure = parseIpv4(frame, 14, header);
      if (failure !== null) throw new Error(`the stack sent a bad header: ${failure}`);
      return [{ header, payload: frame.slice(14 + header.headerBytes, 14 + header.totalBytes), destinationMac: readMac(frame, 0) }];
    });
  }
}
