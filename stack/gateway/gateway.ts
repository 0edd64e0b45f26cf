/**
 * The embedded default link: a user-mode router in this process. The guest, a stack of ours, is cabled to a
 * second stack of ours that accepts packets for any destination and relays what they carry through the
 * operating system's sockets. It needs no privileges and no native code.
 */
import type { Clock } from '../clock';
import type { PartialStackConfig } from '../config';
import { createCable } from '../link/cable';
import type { Device } from '../link/device';
import { systemInterfaces } from '../link/interfaces';
import type { Observer } from '../observer';
import type { Random } from '../random';
import { runStack } from '../run-stack';
import { Stack } from '../stack';
import { formatIpv4, isLoopback, isUnicast, type Ipv4Address } from '../wire/address';
import { DNS_PORT } from '../wire/dns';
import { DhcpServer } from './dhcp-server';
import { DnsForwarder } from './dns-forwarder';
import { DEFAULT_GATEWAY_CONFIG, type GatewayConfig } from './gateway-config';
import { chooseHostAddress, localNetworks, type HostAddress, type NetworkInterfaces } from './host-address';
import type { RelayTarget } from './relayed-connection';
import { chooseSubnet, isInSubnet, parseSubnet, type Subnet } from './subnet';
import { readTcpTable, type ReadTcpTable } from './silence-watch';
import { TcpRelay } from './tcp-relay';
import { UdpRelay } from './udp-relay';
import { formatUpstream, Upstreams, UPSTREAM_SYSTEM, type UpstreamSystem } from './upstream/upstreams';

/** How the gateway asks the operating system about itself; tests put their own in its place. */
export interface GatewaySystem extends UpstreamSystem {
  /** As `os.networkInterfaces()`. */
  readonly networkInterfaces: () => NetworkInterfaces;
  readonly readTcpTable: ReadTcpTable;
}

const SYSTEM: GatewaySystem = { ...UPSTREAM_SYSTEM, networkInterfaces: systemInterfaces, readTcpTable };

export interface GatewayOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly config?: Partial<GatewayConfig>;
  /** For the gateway's own stack. */
  readonly stackConfig?: PartialStackConfig;
  readonly observer?: Observer;
  readonly system?: Partial<GatewaySystem>;
}

export class Gateway {
  /** The guest's end of the cable. Closing it is the guest's business. */
  readonly device: Device;
  /** The gateway's own stack; its counters hold those of the gateway. */
  readonly stack: Stack;
  /** The gateway's address on the cable: router, DHCP server and name server of the guest. */
  readonly address: Ipv4Address;
  /** The address that the guest's `localhost` is to be mapped to. */
  readonly hostAddressInside: Ipv4Address;
  /** The address outside that it is relayed to. */
  readonly hostAddress: Ipv4Address;

  private readonly subnet: Subnet;
  private readonly host: HostAddress;
  private readonly clock: Clock;
  private readonly upstreams: Upstreams;
  private readonly tcpRelay: TcpRelay;
  private readonly forwarder: DnsForwarder;
  private readonly parts: readonly { close(): void }[];
  private readonly end: Device;
  private readonly runner: { stop(): void };
  private lastNameServers: string | null = null;
  private closed = false;

  /** @throws StackError EINVAL for a setting that cannot be, naming it */
  constructor(options: GatewayOptions) {
    const { clock, random, observer = () => {} } = options;
    const config: GatewayConfig = { ...DEFAULT_GATEWAY_CONFIG, ...options.config };
    const system: GatewaySystem = { ...SYSTEM, ...options.system };
    this.clock = clock;
    const networks = localNetworks(system.networkInterfaces());
    this.subnet = config.subnet === null ? chooseSubnet(networks) : parseSubnet(config.subnet);
    const { subnet } = this;
    this.address = subnet.gateway;
    this.host = chooseHostAddress(config.hostAddress, networks, subnet.gateway, (address) => isInSubnet(subnet, address));
    this.hostAddress = this.host.outside;
    this.hostAddressInside = this.host.inside[0];
    this.upstreams = new Upstreams(config.dnsServers, system);

    const [device, end] = createCable({ mtu: config.mtu, queueBytes: config.queueBytes });
    this.device = device;
    this.end = end;
    this.stack = new Stack({
      device: end,
      random,
      // Its addresses and connections are the gateway's own affair, and mirror the guest's.
      observer: (event) => {
        if (event.type === 'warning') observer(event);
      },
      // Nagle would hold back the end of each message until the guest's delayed ACK (RFC 9293 §3.7.4).
      config: { ...options.stackConfig, tcp: { nagle: false, ...options.stackConfig?.tcp } },
      address: { mode: 'static', address: subnet.gateway, prefixLength: subnet.prefixLength },
      acceptAnyDestination: true,
    });
    const { tcp, udp } = this.stack;
    const counters = this.stack.counters.gateway;
    this.tcpRelay = new TcpRelay({
      clock, tcp, counters, observer, translate: (destination, port) => this.tcpTarget(destination, port),
      backlog: config.tcpBacklog, connectTimeoutMs: config.tcpConnectTimeoutMs, resetDrainMs: config.tcpResetDrainMs,
      lingerMs: config.tcpLingerMs, silenceMs: config.tcpSilenceMs, readTable: system.readTcpTable,
    });
    this.forwarder = new DnsForwarder({
      clock, random, udp, counters, observer, upstreams: this.upstreams, address: subnet.gateway,
      maxQueries: config.dnsMaxQueries, attemptMs: config.dnsAttemptMs, limitMs: config.dnsLimitMs,
    });
    this.parts = [
      this.tcpRelay,
      this.forwarder,
      new DhcpServer({ clock, udp, counters, subnet, leaseSeconds: config.leaseSeconds }),
      new UdpRelay({
        clock, udp, counters, translate: (destination) => this.translate(destination),
        idleMs: config.udpIdleMs, maxFlows: config.udpMaxFlows,
      }),
    ];
    this.runner = runStack(this.stack, clock);
    if (this.host.warning !== null) observer({ type: 'warning', message: this.host.warning });
  }

  /**
   * Why a connection of the guest's that was open ended with a reset, if the peer did not reset it itself.
   * @returns the code of what happened outside, such as ETIMEDOUT; once for each connection
   */
  whyReset(guestPort: number, destination: Ipv4Address, port: number): string | null {
    return this.tcpRelay.reasonOf(guestPort, destination, port);
  }

  /** TCP connections being opened or relayed. */
  get openConnections(): number {
    return this.tcpRelay.connectionCount;
  }

  /** The name servers outside that are asked for the guest, as text with a port where it is not 53. */
  get nameServers(): readonly string[] {
    return this.upstreams.current(this.clock.now()).servers.map(formatUpstream);
  }

  /**
   * Whether other name servers are asked for the guest than when this was called last: the computer is in another
   * network, where names may stand for other addresses, and the guest, whose name server is the gateway, cannot know.
   */
  nameServersChanged(): boolean {
    const servers = this.nameServers.join(' ');
    const changed = this.lastNameServers !== null && servers !== this.lastNameServers;
    this.lastNameServers = servers;
    return changed;
  }

  /** Resets what is relayed, and leaves nothing open: sockets, timers, the gateway's end of the cable. Idempotent. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const part of this.parts) part.close();
    const now = this.clock.now();
    // The resets leave before the cable does.
    this.stack.poll(now);
    this.stack.close(now);
    this.runner.stop();
    this.end.close();
  }

  /** Where outside a destination of the guest's leads; null: nowhere. */
  private translate(destination: Ipv4Address): Ipv4Address | null {
    // What means this computer goes to the address it was given, whichever that is.
    if (this.host.inside.includes(destination)) return this.host.outside;
    // 127.0.0.0/8 is the guest's own, never this computer's (RFC 1122 §3.2.1.3); groups are not relayed.
    if (!isUnicast(destination) || isLoopback(destination) || isInSubnet(this.subnet, destination)) return null;
    return destination;
  }

  private tcpTarget(destination: Ipv4Address, port: number): RelayTarget | null {
    // The gateway's name server by TCP, for answers too long for a datagram (RFC 7766).
    if (destination === this.address && port === DNS_PORT) return this.forwarder.tcpServer;
    const target = this.translate(destination);
    return target === null ? null : { address: formatIpv4(target), port };
  }
}
