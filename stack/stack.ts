/** The composition root: one interface, its address, and the protocols over it. Nothing happens outside `poll` but what a user calls. */
import { checkPortRange, resolveConfig, type PartialStackConfig, type PortRange, type StackConfig } from './config';
import { StackError } from './errors';
import { Addressing, type AddressInfo, type AddressOptions, type GivenAddress } from './iface/addressing';
import { Conflicts } from './iface/conflicts';
import { Demux } from './iface/demux';
import { Groups } from './iface/groups';
import { Icmp } from './iface/icmp';
import { Interface } from './iface/interface';
import { Ipv4Input } from './iface/ipv4';
import { Ipv4Output } from './iface/ipv4-output';
import { Neighbors } from './iface/neighbors';
import { Ownership } from './iface/ownership';
import { PathMtus } from './iface/path-mtus';
import { Reassembly } from './iface/reassembly';
import { Routes } from './iface/routes';
import type { Device, LinkChange, LinkCounters } from './link/device';
import { createCounters, type Counters, type Observer } from './observer';
import { KeyedHash, type Random } from './random';
import { DhcpClient } from './socket/dhcp-client';
import type { DhcpFault } from './socket/dhcp-faults';
import { DnsResolver } from './socket/dns-resolver';
import { UdpLayer } from './socket/udp';
import { TcpLayer } from './tcp/tcp-layer';
import { formatIpv4, type Ipv4Address } from './wire/address';
import type { ArpPacket } from './wire/arp';
import { readMac, type MacAddress } from './wire/ethernet';

/** Changes of the link that wait for a poll, at most. */
const MAX_LINK_CHANGES = 16;

export interface StackOptions {
  readonly device: Device;
  readonly random: Random;
  readonly config?: PartialStackConfig;
  readonly observer?: Observer;
  readonly address: AddressOptions;
  /** A router's mode: packets for every unicast address are taken as our own, and answered from that address. */
  readonly acceptAnyDestination?: boolean;
  /**
   * Checks that nobody else has the address before it is used, announces and defends it (RFC 5227): for links with
   * other stations. It takes 4 to 7 s, in which there is no address yet. Default false.
   */
  readonly conflictDetection?: boolean;
}

export class Stack {
  readonly tcp: TcpLayer;
  readonly udp: UdpLayer;
  readonly dns: DnsResolver;
  readonly counters: Counters = createCounters();
  /** The multicast groups of the link whose packets are taken; UDP sockets get them. */
  readonly groups = new Groups();
  /** Work arrived outside a poll: a frame was queued, or a user called. Must only schedule a poll. */
  onWork: (() => void) | null = null;
  /** The address came, changed or was lost: see {@link addressInfo}. */
  onAddress: (() => void) | null = null;

  private readonly config: StackConfig;
  private readonly ports: PortRange | null;
  private readonly routes: Routes;
  private readonly device: Device;
  private readonly neighbors: Neighbors;
  private readonly iface: Interface;
  private readonly reassembly: Reassembly;
  private readonly icmp: Icmp;
  private readonly paths: PathMtus;
  private readonly conflicts: Conflicts | null;
  private readonly demux: Demux;
  private readonly dhcp: DhcpClient | null;
  private readonly addressing: Addressing;
  private readonly observer: Observer;
  /** What the device has told since the last poll. */
  private readonly linkChanges: LinkChange[] = [];
  /** A closed stack does not give its lease back: the next run asks for it. */
  private readonly keepsLease: boolean;
  private now = 0;
  private started = false;
  private polling = false;
  /** Closed within a callback. */
  private closing: { readonly reason: string | null } | null = null;
  private closed = false;

  /** @throws RangeError for a setting or an address out of range */
  constructor(options: StackOptions) {
    const { device, random, address } = options;
    const { counters } = this;
    const config = resolveConfig(options.config);
    const ports = address.mode === 'shared' ? address.ports : null;
    if (ports !== null) checkPortRange(ports);
    const ownership = new Ownership(ports);
    const observer = options.observer ?? ((): void => {});
    const onWork = (): void => this.work();
    const mac = readMac(device.mac, 0);
    const acceptsPartialChecksums = device.acceptsPartialChecksums ?? false;
    this.observer = observer;
    const sendArp = (destination: MacAddress, packet: ArpPacket): void => this.iface.sendArp(destination, packet);
    this.config = config;
    this.keepsLease = address.mode === 'dhcp' && address.leaseStore !== undefined;
    this.device = device;

    // The parts know each other in circles (a packet that cannot be sent is an event that may send another);
    // closures over `this` join them, and none runs before all are there.
    const routes = new Routes(options.acceptAnyDestination ?? false);
    this.routes = routes;
    this.neighbors = new Neighbors({
      config: config.arp, counters: counters.arp, mac, routes, answers: !ownership.isShared, onWork, sendArp,
      sendQueued: (frame, destination) => this.iface.sendQueued(frame, destination),
      onUnresolved: (frame, nextHop) => this.demux.unresolved(frame, nextHop, this.now),
      observe: (packet) => this.conflicts?.observe(packet, this.now) ?? false,
      onConflict: (other) => this.addressing.conflict(other, this.now),
    });
    this.iface = new Interface(device, counters.ethernet, routes, this.neighbors, this.groups, (frame, at, linkGroup) => ipv4.input(frame, at, linkGroup, this.now));
    this.paths = new PathMtus(config.ipv4, counters.ipv4);
    const egress = new Ipv4Output({
      config: config.ipv4, counters: counters.ipv4, hash: new KeyedHash(random), routes, iface: this.iface, paths: this.paths,
      sendUnreachable: (code, offender) => this.icmp.sendUnreachable(code, offender),
    });
    const tcpConfig = ports === null ? config.tcp : { ...config.tcp, ephemeralFirst: ports.first, ephemeralLast: ports.last };
    this.tcp = new TcpLayer({ config: tcpConfig, ports, counters: counters.tcp, random, egress, observer, onWork, acceptsPartialChecksums });
    this.udp = new UdpLayer({ config: config.udp, ports, counters: counters.udp, random, egress, onWork, acceptsPartialChecksums });
    this.dns = new DnsResolver({
      config: config.dns, counters: counters.dns, random, udp: this.udp, onWork,
      connect: (server, port, now) => this.tcp.connect({ address: server, port }, now),
      isOnLink: (source) => routes.isOnLink(source),
    });
    this.icmp = new Icmp({
      config: config.icmp, counters: counters.icmp, routes, egress,
      onError: (protocol, error, now) => this.demux.error(protocol, error, now),
    });
    this.demux = new Demux(counters, this.tcp, this.udp, this.icmp, ownership, (remote, mtu, now) => this.paths.narrow(remote, mtu, device.mtu, now));
    this.reassembly = new Reassembly(config.ipv4, counters.ipv4, (first) => {
      if (ownership.owns(first.protocol, first.payload)) this.icmp.reassemblyExpired(first);
    });
    const ipv4 = new Ipv4Input(counters.ipv4, routes, this.groups, this.reassembly, (arrival, now) => this.demux.deliver(arrival, now));

    this.conflicts = (options.conflictDetection ?? false) && !ownership.isShared
      ? new Conflicts({
          config: config.arp, counters: counters.arp, random, mac, sendArp, onWork,
          onClear: (clear) => this.addressing.clear(clear),
          onConflict: (contested, other, now) => this.addressing.contested(contested, other, now),
          onDefended: (_, other, now) => this.addressing.conflict(other, now),
        })
      : null;
    this.addressing = new Addressing({
      detector: this.conflicts,
      onContested: (now) => this.dhcp?.decline(now),
      routes, observer, ownDns: address.dns ?? null,
      onDns: (servers) => (this.dns.servers = servers),
      onLost: (reason) => this.forget(reason),
      onChange: () => {
        this.claim();
        this.onAddress?.();
      },
    });
    device.onFrame = onWork;
    if (device.onStateChange !== undefined) device.onStateChange = (change) => this.linkChanged(change);
    this.ports = ports;
    if (address.mode !== 'dhcp') {
      this.dhcp = null;
      this.addressing.assign(address, address.mode);
    } else {
      const { hostname, clientId, leaseStore, refuse } = address;
      this.dhcp = new DhcpClient({
        config: config.dhcp, counters: counters.dhcp, random, udp: this.udp, mac: device.mac,
        ...(hostname !== undefined && { hostname }),
        ...(clientId !== undefined && { clientId }),
        ...(leaseStore && { store: leaseStore }),
        ...(refuse && { refuse }),
        onRefused: (offered, why) => observer({ type: 'warning', message: `DHCP offers ${formatIpv4(offered)}, which is not taken: ${why}` }),
        onLease: (lease) => this.addressing.leased(lease),
        onLost: (reason) => this.addressing.lose(reason),
      });
    }
  }

  /** What DHCP servers did wrong since an address was last kept; none without DHCP. */
  get dhcpFaults(): readonly DhcpFault[] {
    return this.dhcp?.faults ?? [];
  }

  /** The address that is checked for another owner before it is used (RFC 5227), or null. */
  get checkedAddress(): Ipv4Address | null {
    return this.conflicts?.probing ?? null;
  }

  /** What the device under the stack has counted. */
  get linkCounters(): Readonly<LinkCounters> {
    return this.device.counters;
  }

  /** The address the stack has now, or null: then only DHCP can use the link. */
  get addressInfo(): AddressInfo | null {
    return this.addressing.current;
  }

  /**
   * Addresses of the own network that are reached by the gateway all the same: the computer's, whose kernel receives
   * nothing that is injected on its interface. Default: none.
   */
  get viaGateway(): readonly Ipv4Address[] {
    return this.routes.viaGateway;
  }

  set viaGateway(addresses: readonly Ipv4Address[]) {
    this.routes.viaGateway = addresses;
    this.claim();
  }

  /**
   * The computer's address, which the stack shares, is another now; null: it has none. What was built on the old one
   * ends with `reason`. @throws RangeError for an address that a host cannot have, and if the address is not shared
   */
  shareAddress(address: GivenAddress | null, reason: string, now: number): void {
    if (this.ports === null) throw new RangeError('the stack shares no address: it was made with one of its own');
    this.now = now;
    if (address === null) this.addressing.lose(reason);
    else this.addressing.share(address, reason);
    this.work();
  }

  /**
   * The computer's kernel has the stack's address itself now, and two would answer: it is not used any more, and what
   * was built on it ends. A leased one is left without DECLINE or RELEASE, and another is asked for; a given one waits
   * for {@link reclaimAddress}. Without an address nothing is done.
   * @param message names the address, where the computer has it, and the next step @param retryMs when the embedder looks again
   */
  yieldAddress(message: string, retryMs: number, now: number): void {
    this.now = now;
    if (this.addressing.yield(message, retryMs)) this.dhcp?.abandon(now);
    this.work();
  }

  /** The computer has the address no longer: a given one is checked and used again, a leased one asked for at once. */
  reclaimAddress(now: number): void {
    this.now = now;
    this.addressing.reclaim();
    this.dhcp?.askAgain(now);
    this.work();
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
    if (this.closing !== null) this.close(now, this.closing.reason);
    return !this.closed && (this.device.hasFrames || this.pollAt() <= now);
  }

  /** When `poll` has something to do, ms; `Infinity`: not before something arrives. */
  pollAt(): number {
    if (this.closed) return Infinity;
    if (!this.started) return -Infinity;
    return Math.min(this.tcp.pollAt(), this.dns.pollAt(), this.dhcp?.pollAt() ?? Infinity, this.neighbors.pollAt(), this.reassembly.pollAt(), this.conflicts?.pollAt() ?? Infinity);
  }

  /**
   * Resets every connection, gives a leased address back (unless it is kept for the next run) and closes the device.
   * Idempotent; within a callback, done when the poll ends.
   * @param reason told to the connections' users, as ENETDOWN; null: whoever closes it knows
   */
  close(now: number, reason: string | null = null): void {
    if (this.closed) return;
    if (this.polling) {
      this.closing = { reason };
      return;
    }
    this.closed = true;
    this.now = now;
    for (const socket of [...this.tcp.sockets]) socket.abort(reason === null ? null : new StackError('ENETDOWN', reason));
    this.tcp.poll(now);
    if (this.keepsLease) this.dhcp?.stop();
    else this.dhcp?.release();
    this.dns.close();
    this.device.onFrame = null;
    if (this.device.onStateChange) this.device.onStateChange = null;
    this.device.close();
    this.addressing.end();
    this.neighbors.clear();
    this.reassembly.clear();
  }

  /** Tells the link what to take. */
  private claim(): void {
    const address = this.addressing.current?.address ?? null;
    this.device.use?.(address === null ? null : { address, ports: this.ports, viaGateway: this.viaGateway });
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
    for (const change of this.linkChanges.splice(0)) this.takeLinkChange(change, now);
    this.icmp.poll(now);
    this.paths.poll(now);
    this.conflicts?.poll(now);
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

  private linkChanged(change: LinkChange): void {
    // A stack that nobody polls must not collect them: the latest few tell where the link stands.
    if (this.linkChanges.push(change) > MAX_LINK_CHANGES) this.linkChanges.shift();
    this.work();
  }

  /** Without the link nothing that was open can go on; back on it, which may be another network, a lease is asked for again. */
  private takeLinkChange({ type, message }: LinkChange, now: number): void {
    this.observer({ type: 'link', change: type, message });
    if (type === 'up') {
      this.dhcp?.start(now);
      this.addressing.recheck(message);
    } else if (type !== 'mtu-changed') {
      this.dhcp?.stop();
      if (this.dhcp) return this.addressing.lose(message);
      this.addressing.pauseCheck();
      this.forget(message);
    }
  }

  /** Ends what was built on the address that is gone. */
  private forget(reason: string): void {
    this.tcp.addressLost(this.now, reason);
    this.neighbors.clear();
    this.reassembly.clear();
    this.paths.clear();
  }
}
