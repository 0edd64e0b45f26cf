/** The gateway's DHCP server (RFC 2131 §4.3) for the guest on the cable. */
import type { Clock } from '../clock';
import type { Counters } from '../observer';
import type { UdpLayer, UdpSocket } from '../socket/udp';
import { ANY_ADDRESS, BROADCAST_ADDRESS, prefixMask, type Ipv4Address } from '../wire/address';
import {
  DHCP_ACK, DHCP_CLIENT_PORT, DHCP_DECLINE, DHCP_DISCOVER, DHCP_INFORM, DHCP_NAK, DHCP_OFFER, DHCP_RELEASE, DHCP_REQUEST, DHCP_SERVER_PORT,
  encodeDhcp, optionAddress, OPTION_CLIENT_ID, OPTION_DNS, OPTION_LEASE_TIME, OPTION_REQUESTED_ADDRESS, OPTION_ROUTER, OPTION_SERVER_ID,
  OPTION_SUBNET_MASK, parseDhcp, words, type DhcpMessage,
} from '../wire/dhcp';
import type { Subnet } from './subnet';

/** How long an address that was offered is kept for its client, ms. */
const OFFER_MS = 60_000;
/** How long an address that a client found in use is not given out, ms. */
const DECLINED_MS = 600_000;

interface Binding {
  /** Whose: the client identifier, or the MAC where there is none (RFC 2131 §4.2); null: nobody may have it. */
  readonly client: string | null;
  readonly expiresAt: number;
}

export interface DhcpServerOptions {
  readonly clock: Clock;
  readonly udp: UdpLayer;
  readonly counters: Counters['gateway'];
  readonly subnet: Subnet;
  readonly leaseSeconds: number;
}

export class DhcpServer {
  /** At most as many as the subnet leases. */
  private readonly bindings = new Map<Ipv4Address, Binding>();
  private readonly socket: UdpSocket;

  constructor(private readonly options: DhcpServerOptions) {
    this.socket = options.udp.bind({ port: DHCP_SERVER_PORT });
    this.socket.onChange = () => this.receive();
  }

  close(): void {
    this.socket.close();
  }

  private receive(): void {
    for (let datagram = this.socket.receive(); datagram; datagram = this.socket.receive()) {
      const message = parseDhcp(datagram.data);
      // Relay agents have no place on a cable.
      if (message?.op === 'request' && message.giaddr === ANY_ADDRESS) this.handle(message);
      else this.options.counters.dhcpMalformed++;
    }
  }

  private handle(message: DhcpMessage): void {
    switch (message.type) {
      case DHCP_DISCOVER:
        return this.discover(message);
      case DHCP_REQUEST:
        return this.request(message);
      case DHCP_DECLINE:
        return this.withdraw(message, optionAddress(message, OPTION_REQUESTED_ADDRESS), true);
      case DHCP_RELEASE:
        return this.withdraw(message, message.ciaddr, false);
      case DHCP_INFORM:
        // RFC 2131 §4.3.5: the parameters without an address and without a lease.
        return this.reply(message, DHCP_ACK, ANY_ADDRESS, 0);
      default:
        this.options.counters.dhcpMalformed++;
    }
  }

  private discover(message: DhcpMessage): void {
    const client = clientOf(message);
    const address = this.choose(client, optionAddress(message, OPTION_REQUESTED_ADDRESS));
    if (address === null) {
      this.options.counters.dhcpIgnored++;
      return;
    }
    const now = this.options.clock.now();
    const held = this.bindings.get(address);
    this.bindings.set(address, { client, expiresAt: Math.max(held?.client === client ? held.expiresAt : 0, now + OFFER_MS) });
    this.reply(message, DHCP_OFFER, address, this.options.leaseSeconds);
  }

  private request(message: DhcpMessage): void {
    const { counters, subnet, clock, leaseSeconds } = this.options;
    const server = optionAddress(message, OPTION_SERVER_ID);
    // RFC 2131 §4.3.2: the client took another server's offer.
    if (server !== null && server !== subnet.gateway) {
      counters.dhcpIgnored++;
      return;
    }
    const client = clientOf(message);
    const wanted = message.ciaddr === ANY_ADDRESS ? optionAddress(message, OPTION_REQUESTED_ADDRESS) : message.ciaddr;
    // A lease from before this gateway was made (RFC 2131 §4.3.2, INIT-REBOOT) is granted again if it is free.
    if (wanted === null || !this.isFree(wanted, client)) {
      counters.dhcpNaks++;
      return this.reply(message, DHCP_NAK, ANY_ADDRESS, 0);
    }
    this.bindings.set(wanted, { client, expiresAt: clock.now() + leaseSeconds * 1000 });
    counters.dhcpLeases++;
    this.reply(message, DHCP_ACK, wanted, leaseSeconds);
  }

  private withdraw(message: DhcpMessage, address: Ipv4Address | null, inUse: boolean): void {
    if (address === null || this.bindings.get(address)?.client !== clientOf(message)) {
      this.options.counters.dhcpIgnored++;
      return;
    }
    if (inUse) this.bindings.set(address, { client: null, expiresAt: this.options.clock.now() + DECLINED_MS });
    else this.bindings.delete(address);
  }

  /** RFC 2131 §4.3.1: what the client has, else what it wishes, else any that is free. */
  private choose(client: string, wish: Ipv4Address | null): Ipv4Address | null {
    const { firstLease, lastLease } = this.options.subnet;
    for (const [address, binding] of this.bindings) if (binding.client === client) return address;
    if (wish !== null && this.isFree(wish, client)) return wish;
    for (let address = firstLease; address <= lastLease; address++) if (this.isFree(address, client)) return address;
    return null;
  }

  private isFree(address: Ipv4Address, client: string): boolean {
    const { subnet, clock } = this.options;
    if (address < subnet.firstLease || address > subnet.lastLease) return false;
    const binding = this.bindings.get(address);
    return !binding || binding.client === client || clock.now() >= binding.expiresAt;
  }

  private reply(message: DhcpMessage, type: number, address: Ipv4Address, leaseSeconds: number): void {
    const { subnet } = this.options;
    const options = new Map<number, Uint8Array>([[OPTION_SERVER_ID, words(subnet.gateway)]]);
    if (type !== DHCP_NAK) {
      options.set(OPTION_SUBNET_MASK, words(prefixMask(subnet.prefixLength)));
      options.set(OPTION_ROUTER, words(subnet.gateway));
      options.set(OPTION_DNS, words(subnet.gateway));
      if (leaseSeconds > 0) options.set(OPTION_LEASE_TIME, words(leaseSeconds));
    }
    // RFC 6842 §3: the client's identifier comes back.
    const clientId = message.options.get(OPTION_CLIENT_ID);
    if (clientId) options.set(OPTION_CLIENT_ID, clientId);
    // RFC 2131 §4.1: to the client's own address if it has one, else to all, for it cannot answer ARP yet.
    const unicast = type !== DHCP_NAK && message.ciaddr !== ANY_ADDRESS;
    const ciaddr = type === DHCP_NAK ? ANY_ADDRESS : message.ciaddr;
    const bytes = encodeDhcp({
      op: 'reply', type, xid: message.xid, secs: 0, broadcast: message.broadcast || !unicast, ciaddr, yiaddr: address, siaddr: 0,
      giaddr: 0, chaddr: message.chaddr, options,
    });
    this.socket.send(unicast ? message.ciaddr : BROADCAST_ADDRESS, DHCP_CLIENT_PORT, bytes, { source: subnet.gateway });
  }
}

function clientOf(message: DhcpMessage): string {
  const id = message.options.get(OPTION_CLIENT_ID);
  return id && id.length > 0 ? `id ${hex(id)}` : `mac ${hex(message.chaddr)}`;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
