/** The DHCP client (RFC 2131 §4.4): gets an address and keeps it. */
import type { DhcpConfig } from '../config';
import type { Counters } from '../observer';
import type { Random } from '../random';
import { BROADCAST_ADDRESS, formatIpv4, type Ipv4Address } from '../wire/address';
import {
  DHCP_ACK, DHCP_CLIENT_PORT, DHCP_DECLINE, DHCP_DISCOVER, DHCP_NAK, DHCP_OFFER, DHCP_RELEASE, DHCP_REQUEST, DHCP_SERVER_PORT,
  optionAddress, OPTION_REQUESTED_ADDRESS, OPTION_SERVER_ID, parseDhcp, words, type DhcpMessage,
} from '../wire/dhcp';
import { readLease, readOffer, usable, type DhcpLease, type DhcpLeaseStore, type DhcpOffer } from './dhcp-lease';
import { DhcpFaults, type DhcpFault } from './dhcp-faults';
import { DhcpOffers } from './dhcp-offers';
import { encodeRequest, seconds, type DhcpIdentity, type DhcpRequest } from './dhcp-request';
import type { DhcpState as State } from './dhcp-state';
import type { UdpLayer, UdpSocket } from './udp';

/** RFC 2131 §4.1: the wait between tries doubles up to this, ms. */
const MAX_TIMEOUT_MS = 64_000;
/** RFC 2131 §3.1.5: a request is repeated four times before the client begins anew. */
const MAX_REQUESTS = 5;
/** Where another server has offered an address too. */
const MAX_REQUESTS_OF_SEVERAL = 2;
/** For the last run's address it is asked only so often: its server may be far away, and another waits for a DISCOVER. */
const MAX_REBOOT_REQUESTS = 2;
/** RFC 2131 §4.4.5: between two requests to keep an address, at least, ms. */
const MIN_RENEW_MS = 60_000;
/** RFC 2131 §3.1.5: after declining an address, at least, ms. */
const DECLINE_WAIT_MS = 10_000;
/** RFC 5227 §2.1.1: after so many addresses in a row that others had, only one more a minute. */
const MAX_DECLINES = 10;
const MANY_DECLINES_WAIT_MS = 60_000;

/** What is counted when a message has left. */
const SENT = { [DHCP_DISCOVER]: 'txDiscovers', [DHCP_REQUEST]: 'txRequests', [DHCP_DECLINE]: 'txDeclines', [DHCP_RELEASE]: 'txReleases' } as const;

export interface DhcpClientOptions extends DhcpIdentity {
  readonly config: DhcpConfig;
  readonly counters: Counters['dhcp'];
  readonly random: Random;
  readonly udp: UdpLayer;
  /** Where the last lease is kept: its address is asked for first (RFC 2131 §3.2). */
  readonly store?: DhcpLeaseStore;
  /**
   * Why an address must not be taken (an interface of the computer has it, say), or null. Such an offer is left
   * without DECLINE or RELEASE: the address is in order, and its owner would lose it.
   */
  readonly refuse?: (address: Ipv4Address) => string | null;
  /** An address was refused: once per address and reason. */
  readonly onRefused?: (address: Ipv4Address, why: string) => void;
  /** A lease was granted, or renewed: then the address is the one before. */
  readonly onLease: (lease: DhcpLease) => void;
  /** The address must not be used any more. The client goes on to look for another. */
  readonly onLost: (reason: string) => void;
}

/**
 * Times come in through `start` and `poll`, messages through the UDP socket's `onChange`. It sends from
 * address 0 to the broadcast address until it has a lease, with the broadcast flag set unless
 * `dhcp.broadcastFlag` is off (RFC 2131 §4.1). What the network sends makes it answer at most once, and
 * each refusal in a row makes the next wait longer: no server can have it send without a pause.
 */
export class DhcpClient {
  private state: State = { name: 'stopped' };
  private socket: UdpSocket | null = null;
  /** NAKs, and addresses that others had, without a lease kept in between: each makes the next wait longer. */
  private naks = 0;
  private declines = 0;
  private lastRefusal = '';
  private readonly offers = new DhcpOffers();
  private readonly wrong = new DhcpFaults();

  constructor(private readonly options: DhcpClientOptions) {}

  /** RFC 2131's name of the state, in lower case. */
  get stateName(): State['name'] {
    return this.state.name;
  }

  /** What servers did wrong since an address was last kept: the latest of each, of at most four. */
  get faults(): readonly DhcpFault[] {
    return this.wrong.all;
  }

  /**
   * Begins at once: the random delay of 1–10 s that RFC 2131 §4.4.1 suggests against many hosts that
   * start together would keep every script waiting. @throws StackError EADDRINUSE if port 68 is taken
   */
  start(now: number): void {
    if (this.state.name !== 'stopped') return;
    const socket = this.options.udp.bind({ port: DHCP_CLIENT_PORT });
    socket.onChange = (_, at) => this.receive(at);
    this.socket = socket;
    const last = this.options.store?.load() ?? null;
    if (last !== null && usable(last.address) && !this.isRefused(last.address, null)) this.sendReboot(now, this.options.random.u32(), now, last.address, 0);
    else this.discover(now);
  }

  poll(now: number): void {
    // A late poll may pass more than one deadline: renewal, then the end of the lease.
    while (now >= this.pollAt()) this.step(now);
  }

  /** When `poll` has something to do, ms; `Infinity` if never. */
  pollAt(): number {
    switch (this.state.name) {
      case 'stopped':
        return Infinity;
      case 'init':
        return this.state.startAt;
      case 'bound':
        return this.state.lease.renewAt;
      case 'renewing':
        return Math.min(this.state.retryAt, this.state.lease.rebindAt);
      case 'rebinding':
        return Math.min(this.state.retryAt, this.state.lease.expiresAt);
      default:
        return this.state.retryAt;
    }
  }

  /** Gives the address back (RFC 2131 §4.4.6), if there is one, and stops. Idempotent. `onLost` is not called. */
  release(): void {
    const { state } = this;
    if (state.name === 'bound' || state.name === 'renewing' || state.name === 'rebinding') {
      const { address, server } = state.lease;
      // RFC 2131 §4.4.4 sends it to the server alone. A stack that ends has no time to ask for the server's MAC address,
      // which nothing else may have made known; the option says which server is meant.
      this.send(DHCP_RELEASE, { ciaddr: address, to: BROADCAST_ADDRESS, options: [[OPTION_SERVER_ID, words(server)]] });
    }
    this.options.store?.save(null);
    this.stop();
  }

  /** Stops and keeps the lease for the next run, which is as good (RFC 2131 §4.4.6). Idempotent. `onLost` is not called. */
  stop(): void {
    this.state = { name: 'stopped' };
    this.socket?.close();
    this.socket = null;
  }

  /** The computer has the address itself now: begins anew, without a word to the server, whose lease is in order. `onLost` is not called. */
  abandon(now: number): void {
    const { state } = this;
    if (state.name !== 'bound' && state.name !== 'renewing' && state.name !== 'rebinding') return;
    this.options.store?.save(null);
    this.state = { name: 'init', startAt: now + this.timeout(0) };
  }

  /** What stood against an address is gone: asks at once, rather than at the end of a wait that has grown meanwhile. */
  askAgain(now: number): void {
    if (this.state.name === 'selecting') this.discover(now);
  }

  /** The address is in use by another host: tells the server (RFC 2131 §3.1.5) and begins anew after 10 s. */
  decline(now: number): void {
    const { state } = this;
    if (state.name !== 'bound' && state.name !== 'renewing' && state.name !== 'rebinding') return;
    const { address, server } = state.lease;
    // Whose ARP was heard can be this computer's own.
    if (this.isRefused(address, server)) {
      this.abandon(now);
      return this.options.onLost(`the DHCP lease cannot be kept: ${this.lastRefusal}`);
    }
    this.send(DHCP_DECLINE, { options: [[OPTION_REQUESTED_ADDRESS, words(address)], [OPTION_SERVER_ID, words(server)]] });
    this.wrong.note(server, 'taken');
    this.options.store?.save(null);
    this.declines++;
    this.state = { name: 'init', startAt: now + (this.declines >= MAX_DECLINES ? MANY_DECLINES_WAIT_MS : DECLINE_WAIT_MS) };
    this.options.onLost(`the address ${formatIpv4(address)} that DHCP gave is in use by another host`);
  }

  private step(now: number): void {
    const { state } = this;
    switch (state.name) {
      case 'stopped':
        return;
      case 'init':
        return this.discover(now);
      case 'rebooting':
        if (state.tries >= MAX_REBOOT_REQUESTS) return this.discover(now);
        return this.sendReboot(now, state.xid, state.startedAt, state.address, state.tries);
      case 'selecting': {
        // Nobody has offered anything but servers that did not keep their word before.
        const offer = this.offers.next();
        if (offer !== null) return this.sendRequest(now, state, offer, 0);
        return this.sendDiscover(now, state.xid, state.startedAt, state.tries);
      }
      case 'requesting':
        // RFC 2131 §3.1.5: the server that offered does not answer: another may, or all is begun anew.
        if (state.tries >= (this.offers.waits ? MAX_REQUESTS_OF_SEVERAL : MAX_REQUESTS)) {
          this.offers.fail(state.offer.server);
          this.wrong.note(state.offer.server, 'silent');
          return this.requestNext(state, now) ? undefined : this.discover(now);
        }
        return this.sendRequest(now, state, state.offer, state.tries);
      case 'bound':
        return this.extend(now, 'renewing', state.lease, this.options.random.u32(), now);
      case 'renewing':
        if (now >= state.lease.rebindAt) return this.extend(now, 'rebinding', state.lease, state.xid, state.startedAt);
        return this.extend(now, 'renewing', state.lease, state.xid, state.startedAt);
      case 'rebinding':
        if (now >= state.lease.expiresAt) return this.expire(now, state.lease);
        return this.extend(now, 'rebinding', state.lease, state.xid, state.startedAt);
    }
  }

  private discover(now: number): void {
    this.offers.clear();
    this.sendDiscover(now, this.options.random.u32(), now, 0);
  }

  private sendDiscover(now: number, xid: number, startedAt: number, tries: number): void {
    const secs = seconds(now - startedAt);
    this.state = { name: 'selecting', xid, startedAt, secs, tries: tries + 1, retryAt: now + this.timeout(tries) };
    this.send(DHCP_DISCOVER, { xid, secs });
  }

  private sendReboot(now: number, xid: number, startedAt: number, address: Ipv4Address, tries: number): void {
    // Half the usual wait: the whole of it is spent before anything new is tried.
    this.state = { name: 'rebooting', xid, startedAt, address, tries: tries + 1, sentAt: now, retryAt: now + this.timeout(0) / 2 };
    // RFC 2131 §4.3.2 (INIT-REBOOT): the address is named, no server is, ciaddr stays 0.
    this.send(DHCP_REQUEST, { xid, secs: seconds(now - startedAt), options: [[OPTION_REQUESTED_ADDRESS, words(address)]] });
  }

  /** RFC 2131 §3.1 (3): `secs` is that of the DISCOVER, so that relays pass both on to the same servers. */
  private sendRequest(now: number, { xid, secs }: Pick<State & { name: 'selecting' | 'requesting' }, 'xid' | 'secs'>, offer: DhcpOffer, tries: number): void {
    this.state = { name: 'requesting', xid, secs, offer, tries: tries + 1, sentAt: now, retryAt: now + this.timeout(tries) };
    // RFC 2131 §4.3.2 (SELECTING): the server and the address are named, ciaddr stays 0.
    this.send(DHCP_REQUEST, {
      xid,
      secs,
      options: [[OPTION_REQUESTED_ADDRESS, words(offer.address)], [OPTION_SERVER_ID, words(offer.server)]],
    });
  }

  /** Asks for more time: the server that gave the lease, or, once T2 is past, any (RFC 2131 §4.4.5). */
  private extend(now: number, name: 'renewing' | 'rebinding', lease: DhcpLease, xid: number, startedAt: number): void {
    const until = name === 'renewing' ? lease.rebindAt : lease.expiresAt;
    const retryAt = Math.min(until, now + Math.max((until - now) / 2, MIN_RENEW_MS));
    this.state = { name, lease, xid, startedAt, sentAt: now, retryAt };
    // RFC 2131 §4.3.2 (RENEWING, REBINDING): the address stands in ciaddr, no server and no wish is named.
    this.send(DHCP_REQUEST, {
      xid,
      secs: seconds(now - startedAt),
      ciaddr: lease.address,
      to: name === 'renewing' ? lease.server : BROADCAST_ADDRESS,
    });
  }

  private expire(now: number, lease: DhcpLease): void {
    this.options.counters.expired++;
    this.discover(now);
    this.options.onLost(`the DHCP lease of ${formatIpv4(lease.address)} ended: no server renewed it`);
  }

  /** RFC 2131 §4.1: 4 s, doubling to 64 s, each ±1 s: here ±¼ of the first wait, so that it scales. */
  private timeout(tries: number): number {
    const { config, random } = this.options;
    const base = Math.min(config.initialTimeoutMs * 2 ** tries, Math.max(MAX_TIMEOUT_MS, config.initialTimeoutMs));
    return base + ((random.uniform() * 2 - 1) * config.initialTimeoutMs) / 4;
  }

  private receive(now: number): void {
    for (;;) {
      const datagram = this.socket?.receive();
      if (!datagram) return;
      if (datagram.sourcePort !== DHCP_SERVER_PORT) {
        this.options.counters.rxUnexpected++;
        continue;
      }
      const message = parseDhcp(datagram.data);
      if (message) this.handle(message, datagram.source, now);
      else {
        this.options.counters.rxMalformed++;
        if (!('lease' in this.state)) this.wrong.note(datagram.source, 'malformed');
      }
    }
  }

  private handle(message: DhcpMessage, from: Ipv4Address, now: number): void {
    const { counters } = this.options;
    const { state } = this;
    if (message.op !== 'reply' || state.name === 'stopped' || state.name === 'init' || state.name === 'bound') {
      counters.rxUnexpected++;
      return;
    }
    // RFC 2131 §4.4.1: answers to others, and to older questions of ours, are silently discarded.
    if (message.xid !== state.xid || message.chaddr.some((byte, i) => byte !== this.options.mac[i])) {
      counters.rxWrongTransaction++;
      return;
    }
    if (message.type === DHCP_OFFER && (state.name === 'selecting' || state.name === 'requesting')) return this.offered(message, from, state, now);
    if (state.name === 'selecting') {
      counters.rxUnexpected++;
      return;
    }
    if (message.type === DHCP_NAK) return this.refused(message, from, state, now);
    if (message.type !== DHCP_ACK) {
      counters.rxUnexpected++;
      return;
    }
    const lease = readLease(message, state.sentAt, this.options.random.uniform());
    const expected = state.name === 'requesting' ? state.offer.address : state.name === 'rebooting' ? state.address : state.lease.address;
    // An ACK of the server that was not asked is another client's business, or a rogue's. REBINDING asks all.
    if (!lease || lease.address !== expected || (state.name === 'requesting' && lease.server !== state.offer.server) || now >= lease.expiresAt) {
      counters.rxUnusable++;
      this.wrong.note(from, 'unusable');
      if (state.name !== 'requesting' || optionAddress(message, OPTION_SERVER_ID) !== state.offer.server) return;
      // It will answer no better when it is asked again; the others have withdrawn their offers meanwhile.
      this.offers.fail(state.offer.server);
      if (!this.requestNext(state, now)) this.state = this.beginAnew(now);
      return;
    }
    // What was in order when it was offered need not be so still: an interface of the computer can have come up.
    if (this.isRefused(lease.address, from)) {
      this.state = { name: 'init', startAt: now + this.timeout(0) };
      this.options.store?.save(null);
      if ('lease' in state) this.options.onLost(`the DHCP lease cannot be kept: ${this.lastRefusal}`);
      return;
    }
    this.state = { name: 'bound', lease };
    this.offers.settle();
    counters.leases++;
    this.naks = 0;
    if ('lease' in state) this.declines = 0;
    this.wrong.leased('lease' in state);
    this.options.store?.save({ address: lease.address, server: lease.server });
    this.options.onLease(lease);
  }

  /** RFC 2131 §4.4.1 leaves the choice among offers open: the first that can be used, of a server that has not failed. */
  private offered(message: DhcpMessage, from: Ipv4Address, state: State & { name: 'selecting' | 'requesting' }, now: number): void {
    const { counters } = this.options;
    const offer = readOffer(message);
    if (offer === null) {
      counters.rxUnusable++;
      return this.wrong.note(from, 'unusable');
    }
    if (this.isRefused(offer.address, from)) return;
    if (state.name === 'selecting' && !this.offers.hasFailed(offer.server)) return this.sendRequest(now, state, offer, 0);
    const isAsked = state.name === 'requesting' && state.offer.server === offer.server;
    if (isAsked || !this.offers.keep(offer)) counters.rxUnexpected++;
    else if (state.name === 'requesting' && this.offers.hasFailed(state.offer.server)) this.requestNext(state, now);
  }

  /** Asks for another offer of this exchange. @returns whether there was one */
  private requestNext(state: State & { name: 'requesting' }, now: number): boolean {
    const offer = this.offers.next();
    if (offer !== null) this.sendRequest(now, state, offer, 0);
    return offer !== null;
  }

  private refused(message: DhcpMessage, from: Ipv4Address, state: State & { name: 'rebooting' | 'requesting' | 'renewing' | 'rebinding' }, now: number): void {
    const server = optionAddress(message, OPTION_SERVER_ID);
    const asked = state.name === 'requesting' ? state.offer.server : state.name === 'renewing' ? state.lease.server : null;
    // RFC 2131 table 3: a NAK names its server; one that was not asked has nothing to refuse.
    if (server === null || (asked !== null && server !== asked)) {
      this.options.counters.rxUnusable++;
      return;
    }
    this.options.counters.rxNaks++;
    if (state.name === 'requesting') {
      this.offers.fail(state.offer.server);
      this.wrong.note(from, 'refuses');
      if (this.requestNext(state, now)) return;
    }
    // RFC 2131 §3.1.5 begins anew; not at once, or a server that always refuses is asked without a pause.
    // The address of the last run is refused wherever the computer was moved to another network: that is in order, once.
    this.state = state.name === 'rebooting' ? { name: 'init', startAt: now } : this.beginAnew(now);
    this.options.store?.save(null);
    if ('lease' in state) {
      this.options.onLost(`the DHCP server ${formatIpv4(server)} refused to extend the lease of ${formatIpv4(state.lease.address)}`);
    }
  }

  /** After a refusal, and longer after each in a row. */
  private beginAnew(now: number): State {
    return { name: 'init', startAt: now + this.timeout(this.naks++) / 4 };
  }

  /** @param from the server that gives it; null: none has yet */
  private isRefused(address: Ipv4Address, from: Ipv4Address | null): boolean {
    const why = this.options.refuse?.(address) ?? null;
    if (why === null) return false;
    this.options.counters.rxRefused++;
    if (from !== null) this.wrong.note(from, 'own');
    const refusal = `${formatIpv4(address)}: ${why}`;
    if (refusal !== this.lastRefusal) this.options.onRefused?.(address, why);
    this.lastRefusal = refusal;
    return true;
  }

  private send(type: keyof typeof SENT, fields: Partial<DhcpRequest> & { readonly to?: Ipv4Address }): void {
    const { random, counters } = this.options;
    const { to = BROADCAST_ADDRESS, xid = random.u32(), ...rest } = fields;
    const bytes = encodeRequest(this.options, type, { xid, ...rest });
    const from = (source: Ipv4Address): boolean => this.socket?.send(to, DHCP_SERVER_PORT, bytes, { source }) === 'sent';
    // An address that is still checked for another owner is no source yet: a RELEASE then leaves without one. Whatever
    // else cannot be sent is lost like any datagram: the retransmission comes.
    if (from(fields.ciaddr ?? 0) || (type === DHCP_RELEASE && from(0))) counters[SENT[type]]++;
  }
}
