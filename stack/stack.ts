/** The composition root: one interface, its address, and the protocols over it. Nothing happens outside `poll` but what a user calls. */
import { resolveConfig, type PartialStackConfig, type StackConfig } from './config';
import type { TransportError } from './egress';
import { Demux } from './iface/demux';
import { Icmp } from './iface/icmp';
import { Interface } from './iface/interface';
import { Ipv4Input } from './iface/ipv4';
import { Ipv4Output } from './iface/ipv4-output';
import { Neighbors } from './iface/neighbors';
import { Reassembly } from './iface/reassembly';
import { Routes, type InterfaceAddress } from './iface/routes';
import type { Device, LinkCounters } from './link/device';
import { createCounters, type Counters, type Observer } from './observer';
import { KeyedHash, type Random } from './random';
import { DhcpClient } from './socket/dhcp-client';
import type { DhcpLease } from './socket/dhcp-lease';
import type { DnsServer } from './socket/dns-query';
import { DnsResolver } from './socket/dns-resolver';
import { UdpLayer } from './socket/udp';
import { TcpLayer } from './tcp/tcp-layer';
import { formatIpv4, isLoopback, isUnicast, type Ipv4Address } from './wire/address';
import { ETHERNET_HEADER_BYTES, formatMacAddress, readMac } from './wire/ethernet';
import { Ipv4Header, parseIpv4 } from './wire/ipv4';

/** How the stack comes by its address. */
export type AddressOptions =
  | {
      readonly mode: 'static';
      readonly address: Ipv4Address;
      /** 0 … 32 */
      readonly prefixLength: number;
      /** The router for everything off the own network. Absent: there is none. */
      readonly gateway?: Ipv4Address;
      readonly dns?: readonly DnsServer[];
    }
  | {
      readonly mode: 'dhcp';
      /** RFC 2132 §3.14: 1 … 255 bytes of ASCII. */
      readonly hostname?: string;
      /** RFC 2132 §9.14: the type byte and the identifier. Default: the MAC address. */
      readonly clientId?: Uint8Array;
      /** Taken instead of the servers that DHCP names. */
      readonly dns?: readonly DnsServer[];
    };

export interface StackOptions {
  readonly device: Device;
  readonly random: Random;
  readonly config?: PartialStackConfig;
  readonly observer?: Observer;
  readonly address: AddressOptions;
  /** A router's mode: packets for every unicast address are taken as our own, and answered from that address. */
  readonly acceptAnyDestination?: boolean;
}

/** The address the stack has, and what came with it. */
export interface AddressInfo {
  readonly address: Ipv4Address;
  /** 0 … 32 */
  readonly prefixLength: number;
  readonly gateway: Ipv4Address | null;
  readonly dns: readonly DnsServer[];
}

/** Another station that claims our address is reported at most this often, ms (RFC 5227 §2.4: DEFEND_INTERVAL). */
const CONFLICT_REPORT_MS = 10_000;
const DNS_PORT = 53;

export class Stack {
  readonly tcp: TcpLayer;
  readonly udp: UdpLayer;
  readonly dns: DnsResolver;
  readonly counters: Counters = createCounters();
  /** Work arrived outside a poll: a frame was queued, or a user called. Must only schedule a poll. */
  onWork: (() => void) | null = null;
  /** The address came, changed or was lost: see {@link addressInfo}. */
  onAddress: (() => void) | null = null;

  private readonly config: StackConfig;
  private readonly observer: Observer;
  private readonly device: Device;
  private readonly routes: Routes;
  private readonly neighbors: Neighbors;
  private readonly iface: Interface;
  private readonly reassembly: Reassembly;
  private readonly icmp: Icmp;
  private readonly demux: Demux;
  private readonly dhcp: DhcpClient | null;
  private readonly ownDns: readonly DnsServer[] | null;
  private current: AddressInfo | null = null;
  private now = 0;
  private started = false;
  private polling = false;
  private closing = false;
  private closed = false;
  private conflictReportedAt = -Infinity;
  private readonly failedHeader = new Ipv4Header();

  /** @throws RangeError for a setting or an address out of range */
  constructor(options: StackOptions) {
    const { device, random, address } = options;
    const { counters } = this;
    const config = resolveConfig(options.config);
    const observer = options.observer ?? ((): void => {});
    const onWork = (): void => this.work();
    const mac = readMac(device.mac, 0);
    this.config = config;
    this.observer = observer;
    this.device = device;
    this.ownDns = address.dns ?? null;

    // The parts know each other in circles (a packet that cannot be sent is an event that may send another);
    // closures over `this` join them, and none runs before all are there.
    this.routes = new Routes(options.acceptAnyDestination ?? false);
    this.neighbors = new Neighbors({
      config: config.arp, counters: counters.arp, mac, routes: this.routes, onWork,
      sendArp: (destination, packet) => this.iface.sendArp(destination, packet),
      sendQueued: (frame, destination) => this.iface.sendQueued(frame, destination),
      onUnresolved: (frame) => this.unresolved(frame),
      onConflict: (other) => this.conflict(formatMacAddress(other)),
    });
    this.iface = new Interface(device, counters.ethernet, this.routes, this.neighbors, (frame, at, linkGroup) => ipv4.input(frame, at, linkGroup, this.now));
    const egress = new Ipv4Output({
      config: config.ipv4, counters: counters.ipv4, hash: new KeyedHash(random), routes: this.routes, iface: this.iface,
      sendUnreachable: (code, offender) => this.icmp.sendUnreachable(code, offender),
    });
    this.tcp = new TcpLayer({ config: config.tcp, counters: counters.tcp, random, egress, observer, onWork });
    this.udp = new UdpLayer({ config: config.udp, counters: counters.udp, random, egress, onWork });
    this.dns = new DnsResolver({ config: config.dns, counters: counters.dns, random, udp: this.udp, onWork });
    this.icmp = new Icmp({
      config: config.icmp, counters: counters.icmp, routes: this.routes, egress,
      onError: (protocol, error, now) => this.demux.error(protocol, error, now),
    });
    this.demux = new Demux(counters, this.tcp, this.udp, this.icmp);
    this.reassembly = new Reassembly(config.ipv4, counters.ipv4, (first) => this.icmp.reassemblyExpired(first));
    const ipv4 = new Ipv4Input(counters.ipv4, this.routes, this.reassembly, (arrival, now) => this.demux.deliver(arrival, now));

    device.onFrame = onWork;
    if (address.mode === 'static') {
      checkAddress(address.address, address.prefixLength, address.gateway);
      this.dhcp = null;
      this.setAddress({ address: address.address, prefixLength: address.prefixLength, gateway: address.gateway ?? null, dns: address.dns ?? [] }, 'static');
    } else {
      const { hostname, clientId } = address;
      this.dhcp = new DhcpClient({
        config: config.dhcp, counters: counters.dhcp, random, udp: this.udp, mac: device.mac,
        ...(hostname !== undefined && { hostname }),
        ...(clientId !== undefined && { clientId }),
        onLease: (lease) => this.leased(lease),
        onLost: (reason) => this.lost(reason),
      });
    }
  }

  /** What the device under the stack has counted. */
  get linkCounters(): Readonly<LinkCounters> {
    return this.device.counters;
  }

  /** The address the stack has now, or null: then only DHCP can use the link. */
  get addressInfo(): AddressInfo | null {
    return this.current;
  }

  /**
   * Does everything that is due at `now`: timers, then at most a batch of frames, then what the transports owe
   * and the callbacks of their users. @returns whether more work waits already
   */
  poll(now: number): boolean {
    if (this.closed || this.polling) return false;
    this.polling = true;
    this.now = now;
    try {
      this.step(now);
    } finally {
      this.polling = false;
    }
    // A callback may have asked for the end.
    if (this.closing) this.close(now);
    return !this.closed && (this.device.hasFrames || this.pollAt() <= now);
  }

  /** When `poll` has something to do, ms; `Infinity`: not before something arrives. */
  pollAt(): number {
    if (this.closed) return Infinity;
    if (!this.started) return -Infinity;
    return Math.min(this.tcp.pollAt(), this.dns.pollAt(), this.dhcp?.pollAt() ?? Infinity, this.neighbors.pollAt(), this.reassembly.pollAt());
  }

  /** Resets every connection, gives a leased address back and closes the device. Idempotent; within a callback, done when the poll ends. */
  close(now: number): void {
    if (this.closed) return;
    if (this.polling) {
      this.closing = true;
      return;
    }
    this.closed = true;
    this.now = now;
    for (const socket of [...this.tcp.sockets]) socket.abort();
    this.tcp.poll(now);
    this.dhcp?.release();
    this.dns.close();
    this.device.onFrame = null;
    this.device.close();
    this.routes.local = null;
    this.current = null;
    this.neighbors.clear();
    this.reassembly.clear();
  }

  private work(): void {
    // Within a poll nothing need be scheduled: its end looks at everything.
    if (!this.polling && !this.closed) this.onWork?.();
  }

  private step(now: number): void {
    if (!this.started) {
      this.started = true;
      this.dhcp?.start(now);
    }
    this.icmp.poll(now);
    this.neighbors.poll(now);
    this.reassembly.poll(now);
    this.dhcp?.poll(now);
    this.iface.receive(this.config.ipv4.rxBatch);
    // UDP first: an answer from DNS can open a connection, whose SYN then leaves in the same poll.
    this.udp.poll(now);
    this.dns.poll(now);
    this.tcp.poll(now);
    // What was sent above may need a neighbour that nobody has asked for yet.
    this.neighbors.poll(now);
  }

  private leased(lease: DhcpLease): void {
    const dns = this.ownDns ?? lease.dns.map((address) => ({ address, port: DNS_PORT }));
    const { current } = this;
    const isSame = current !== null && current.address === lease.address && current.prefixLength === lease.prefixLength && current.gateway === lease.router;
    if (current !== null && !isSame) this.lost(`DHCP gave the address ${formatIpv4(lease.address)} in place of ${formatIpv4(current.address)}`);
    if (isSame) this.updateDns(current, dns);
    else this.setAddress({ address: lease.address, prefixLength: lease.prefixLength, gateway: lease.router, dns }, 'dhcp');
  }

  /** A renewed lease can name other servers. */
  private updateDns(current: AddressInfo, dns: readonly DnsServer[]): void {
    this.current = { ...current, dns };
    this.dns.servers = dns;
  }

  private setAddress(info: AddressInfo, source: 'static' | 'dhcp'): void {
    const local: InterfaceAddress = { address: info.address, prefixLength: info.prefixLength, gateway: info.gateway };
    this.current = info;
    this.routes.local = local;
    this.dns.servers = info.dns;
    this.observer({
      type: 'address', address: formatIpv4(info.address), prefixLength: info.prefixLength,
      gateway: info.gateway === null ? null : formatIpv4(info.gateway),
      dns: info.dns.map(({ address, port }) => (port === DNS_PORT ? formatIpv4(address) : `${formatIpv4(address)}:${port}`)), source,
    });
    this.onAddress?.();
  }

  private lost(reason: string): void {
    if (this.current === null) return;
    this.current = null;
    this.tcp.addressLost(this.now, reason);
    this.routes.local = null;
    this.neighbors.clear();
    this.reassembly.clear();
    this.dns.servers = null;
    this.observer({ type: 'address-lost', reason });
    this.onAddress?.();
  }

  /** A packet waited for a neighbour that did not answer: its transport is told, if the part with the ports is there. */
  private unresolved(frame: Uint8Array): void {
    const header = this.failedHeader;
    if (parseIpv4(frame, ETHERNET_HEADER_BYTES, header) !== null || header.fragmentOffset !== 0) return;
    const error: TransportError = {
      local: header.source, remote: header.destination, kind: { type: 'neighbor-unresolved' },
      transport: frame.subarray(ETHERNET_HEADER_BYTES + header.headerBytes, ETHERNET_HEADER_BYTES + header.totalBytes),
    };
    this.demux.error(header.protocol, error, this.now);
  }

  private conflict(mac: string): void {
    if (this.current === null || this.now < this.conflictReportedAt + CONFLICT_REPORT_MS) return;
    this.conflictReportedAt = this.now;
    this.observer({ type: 'warning', message: `${mac} on the link claims our address ${formatIpv4(this.current.address)}: give one of the two another` });
  }
}

/** @throws RangeError */
function checkAddress(address: Ipv4Address, prefixLength: number, gateway: Ipv4Address | undefined): void {
  if (!Number.isInteger(prefixLength) || prefixLength < 0 || prefixLength > 32) {
    throw new RangeError(`a prefix length of ${prefixLength} is not 0 to 32`);
  }
  for (const [what, value] of [['address', address], ['gateway', gateway]] as const) {
    if (value !== undefined && (!isUnicast(value) || isLoopback(value))) {
      throw new RangeError(`the ${what} ${formatIpv4(value)} is not one that a host on a link can have`);
    }
  }
}
