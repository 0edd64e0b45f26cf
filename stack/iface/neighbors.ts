/**
 * Who on the link has which address: ARP (RFC 826, RFC 1122 §2.3.2), with the states of neighbour
 * unreachability detection (RFC 4861 §7.3.2, as far as ARP carries them).
 *
 * Requests leave only in `poll`, where the time is known; a lookup marks what is owed.
 */
import type { ArpConfig } from '../config';
import type { Counters } from '../observer';
import { isUnicast, type Ipv4Address } from '../wire/address';
import { ARP_REPLY, ARP_REQUEST, parseArp, type ArpPacket } from '../wire/arp';
import { BROADCAST_MAC, isStationMac, macEquals, type MacAddress } from '../wire/ethernet';
import type { Routes } from './routes';

const ZERO_MAC: MacAddress = { high: 0, low: 0 };

type AskingState =
  /** Broadcast requests are out (or owed, `requests` being 0); packets wait. */
  | { readonly type: 'incomplete'; readonly requests: number; readonly nextAt: number }
  /** Used, while unicast requests are out. */
  | { readonly type: 'probing'; readonly requests: number; readonly nextAt: number };

type State =
  | AskingState
  /** Trusted until `untilMs`. */
  | { readonly type: 'reachable'; readonly untilMs: number }
  /** Used, but asked again, by unicast (RFC 1122 §2.3.2.1 (2)), at the next packet. */
  | { readonly type: 'stale' };

interface Neighbor {
  readonly address: Ipv4Address;
  mac: MacAddress;
  state: State;
  /** Order of use: the least is evicted. */
  used: number;
  /** Whole frames, copies of their own, whose Ethernet header is still to be written. Oldest first. */
  readonly queue: Uint8Array[];
}

export interface NeighborsOptions {
  readonly config: ArpConfig;
  readonly counters: Counters['arp'];
  readonly mac: MacAddress;
  readonly routes: Routes;
  /** Whether requests for our address are answered: not where a kernel has the same one, and does. */
  readonly answers: boolean;
  /** Sends an ARP packet to `destination` at once. */
  readonly sendArp: (destination: MacAddress, packet: ArpPacket) => void;
  /** Sends a frame that waited: its Ethernet header is written by the callee. */
  readonly sendQueued: (frame: Uint8Array, destination: MacAddress) => void;
  /** A frame that waited is dropped: the neighbour did not answer. */
  readonly onUnresolved: (frame: Uint8Array, address: Ipv4Address) => void;
  /** A request is owed: a poll is needed. */
  readonly onWork: () => void;
  /** Sees what other stations say before it is believed (RFC 5227). @returns whether they contest an address of ours */
  readonly observe: (packet: ArpPacket) => boolean;
  /** Another station claims our address (RFC 5227 §2.4), and `observe` has not dealt with it. */
  readonly onConflict: (mac: MacAddress) => void;
}

export class Neighbors {
  private readonly table = new Map<Ipv4Address, Neighbor>();
  /** Incomplete and probing neighbours: those with a deadline. */
  private readonly asking = new Set<Neighbor>();
  private nextAt = Infinity;
  private queuedBytes = 0;
  private uses = 0;
  private usesAtPoll = 0;
  private now = 0;
  /** The neighbour of the last packet: most packets go to the same one. */
  private last: Neighbor | null = null;

  constructor(private readonly options: NeighborsOptions) {}

  get size(): number {
    return this.table.size;
  }

  pollAt(): number {
    return this.nextAt;
  }

  /**
   * The station to send to now, or null: then the caller hands the frame to {@link enqueue}.
   * Stale entries are used and asked again meanwhile.
   */
  lookup(address: Ipv4Address): MacAddress | null {
    const neighbor = this.last !== null && this.last.address === address ? this.last : this.table.get(address);
    if (neighbor === undefined) return null;
    this.last = neighbor;
    neighbor.used = ++this.uses;
    if (neighbor.state.type === 'incomplete') return null;
    this.askAgain(neighbor);
    return neighbor.mac;
  }

  /** Keeps a copy of the frame until the neighbour has answered, starting to ask if need be. */
  enqueue(address: Ipv4Address, frame: Uint8Array): void {
    const { config, counters } = this.options;
    let neighbor = this.table.get(address);
    if (neighbor === undefined) {
      const state = { type: 'incomplete', requests: 0, nextAt: this.now } as const;
      neighbor = this.insert(address, ZERO_MAC, state);
      this.ask(neighbor, state);
    }
    // RFC 1122 §2.3.2.2: when there is no room, the latest packet is the one to keep.
    const { queue } = neighbor;
    while (queue.length > 0 && (queue.length >= config.queuePackets || this.queuedBytes + frame.length > config.queueBytes)) {
      this.queuedBytes -= queue.shift()?.length ?? 0;
      counters.queueFull++;
    }
    if (this.queuedBytes + frame.length > config.queueBytes) {
      counters.queueFull++;
      return;
    }
    queue.push(frame.slice());
    this.queuedBytes += frame.length;
  }

  /** Takes a received ARP packet, at `at` in the frame (RFC 826, "Packet Reception"). */
  input(frame: Uint8Array, at: number): void {
    const { counters, routes, mac, sendArp } = this.options;
    const packet = parseArp(frame, at);
    if (packet === null || !isStationMac(packet.senderMac)) {
      counters.rxMalformed++;
      return;
    }
    if (packet.operation === ARP_REQUEST) counters.rxRequests++;
    else counters.rxReplies++;
    if (macEquals(packet.senderMac, mac) || this.options.observe(packet)) {
      counters.rxIgnored++;
      return;
    }
    const { local } = routes;
    if (local === null) {
      counters.rxIgnored++;
      return;
    }
    if (packet.senderAddress === local.address) {
      counters.rxIgnored++;
      this.options.onConflict(packet.senderMac);
      return;
    }
    const forUs = packet.targetAddress === local.address;
    // RFC 5227 §2.1.1: a probe has no sender address, so nothing is learnt from it.
    const isProbe = packet.senderAddress === 0;
    if (!isProbe && !this.learn(packet, forUs)) counters.rxIgnored++;
    // RFC 826 asks nothing of the sender: a router may ask from an address of another network of the link, and a
    // station may take the network for larger than we do.
    if (packet.operation === ARP_REQUEST && forUs && this.options.answers && (isProbe || isUnicast(packet.senderAddress))) {
      // Our own computer asks, and hears nothing that is injected on its interface.
      if (routes.goesViaGateway(packet.senderAddress)) {
        counters.rxUnanswerable++;
        return;
      }
      counters.txReplies++;
      sendArp(packet.senderMac, {
        operation: ARP_REPLY,
        senderMac: mac,
        senderAddress: local.address,
        targetMac: packet.senderMac,
        targetAddress: packet.senderAddress,
      });
    }
  }

  /** Sends the requests that are owed or due, and gives up on neighbours that did not answer. */
  poll(now: number): void {
    this.now = now;
    // A packet sent between polls was judged by the time of the last one: judge it again.
    if (this.last !== null && this.last.used > this.usesAtPoll) this.askAgain(this.last);
    this.usesAtPoll = this.uses;
    if (now < this.nextAt) return;
    let nextAt = Infinity;
    for (const neighbor of this.asking) {
      const { state } = neighbor;
      if (state.type !== 'incomplete' && state.type !== 'probing') continue;
      if (now >= state.nextAt && !this.request(neighbor, state, now)) continue;
      nextAt = Math.min(nextAt, 'nextAt' in neighbor.state ? neighbor.state.nextAt : Infinity);
    }
    this.nextAt = nextAt;
  }

  /** Forgets everything, as when our address is lost. Packets that wait are dropped. */
  clear(): void {
    for (const neighbor of [...this.table.values()]) this.remove(neighbor);
    this.nextAt = Infinity;
  }

  /** Sends the next request of a neighbour that is asked. @returns false if that was the last and it is gone. */
  private request(neighbor: Neighbor, state: AskingState, now: number): boolean {
    const { config, counters, mac, routes, sendArp } = this.options;
    const { local } = routes;
    if (local === null || state.requests >= config.maxRequests) {
      if (state.type === 'incomplete') counters.failed++;
      else counters.expired++;
      this.remove(neighbor);
      return false;
    }
    counters.txRequests++;
    sendArp(state.type === 'probing' ? neighbor.mac : BROADCAST_MAC, {
      operation: ARP_REQUEST,
      senderMac: mac,
      senderAddress: local.address,
      targetMac: ZERO_MAC,
      targetAddress: neighbor.address,
    });
    neighbor.state = { ...state, requests: state.requests + 1, nextAt: now + config.retransmitMs };
    return true;
  }

  /** RFC 826: what is known is updated; a new entry is made only for a station that asks for us. @returns whether it was of use. */
  private learn(packet: ArpPacket, forUs: boolean): boolean {
    const { counters } = this.options;
    const neighbor = this.table.get(packet.senderAddress);
    if (neighbor === undefined) {
      // Replies that nobody asked for make no entries: a flood of them could push out those in use.
      if (!forUs || packet.operation !== ARP_REQUEST || !this.isNeighbor(packet.senderAddress)) return false;
      // Not yet confirmed both ways, so asked again when it is used (RFC 4861 §7.2.3).
      this.insert(packet.senderAddress, packet.senderMac, { type: 'stale' });
      return true;
    }
    const { state } = neighbor;
    const answersUs = forUs && packet.operation === ARP_REPLY && (state.type === 'incomplete' || state.type === 'probing');
    const known = macEquals(neighbor.mac, packet.senderMac);
    neighbor.mac = packet.senderMac;
    if (answersUs) {
      counters.resolved++;
      this.settle(neighbor, { type: 'reachable', untilMs: this.now + this.options.config.reachableMs });
    } else if (state.type === 'incomplete' || (!known && state.type === 'reachable')) {
      if (state.type === 'incomplete') counters.resolved++;
      this.settle(neighbor, { type: 'stale' });
    }
    return true;
  }

  private isNeighbor(address: Ipv4Address): boolean {
    const { routes } = this.options;
    return routes.isOnLink(address) && !routes.isBroadcast(address);
  }

  /** Ends asking, and sends what waited. */
  private settle(neighbor: Neighbor, state: State): void {
    this.asking.delete(neighbor);
    neighbor.state = state;
    for (const frame of neighbor.queue.splice(0)) {
      this.queuedBytes -= frame.length;
      this.options.sendQueued(frame, neighbor.mac);
    }
  }

  /** A neighbour that is used, but no longer trusted, is asked again. */
  private askAgain(neighbor: Neighbor): void {
    const { state } = neighbor;
    if (state.type === 'stale' || (state.type === 'reachable' && this.now >= state.untilMs)) {
      this.ask(neighbor, { type: 'probing', requests: 0, nextAt: this.now });
    }
  }

  private ask(neighbor: Neighbor, state: AskingState): void {
    neighbor.state = state;
    this.asking.add(neighbor);
    this.nextAt = Math.min(this.nextAt, state.nextAt);
    this.options.onWork();
  }

  private insert(address: Ipv4Address, mac: MacAddress, state: State): Neighbor {
    if (this.table.size >= this.options.config.maxNeighbors) this.evict();
    const neighbor: Neighbor = { address, mac, state, used: ++this.uses, queue: [] };
    this.table.set(address, neighbor);
    return neighbor;
  }

  /** A full table is rare: looking through all of it then costs less than keeping it in order for every packet. */
  private evict(): void {
    let oldest: Neighbor | null = null;
    for (const neighbor of this.table.values()) {
      if (oldest === null || neighbor.used < oldest.used) oldest = neighbor;
    }
    this.options.counters.tableFull++;
    if (oldest !== null) this.remove(oldest);
  }

  private remove(neighbor: Neighbor): void {
    this.table.delete(neighbor.address);
    this.asking.delete(neighbor);
    if (this.last === neighbor) this.last = null;
    for (const frame of neighbor.queue.splice(0)) {
      this.queuedBytes -= frame.length;
      this.options.counters.txUnresolved++;
      this.options.onUnresolved(frame, neighbor.address);
    }
  }
}
