/**
 * Address conflict detection (RFC 5227): nobody may have an address that we begin to use (probe), everybody
 * is told that it is ours now (announce), and it is defended once before it is given up (§2.4 (b)).
 *
 * It sees every ARP packet of another station, and sends only in `poll`.
 */
import type { ArpConfig } from '../config';
import type { Counters } from '../observer';
import type { Random } from '../random';
import type { Ipv4Address } from '../wire/address';
import { ARP_REQUEST, type ArpPacket } from '../wire/arp';
import { BROADCAST_MAC, type MacAddress } from '../wire/ethernet';

/** RFC 5227 §1.1. */
const ANNOUNCE_COUNT = 2;
const ANNOUNCE_INTERVAL_MS = 2_000;
const DEFEND_INTERVAL_MS = 10_000;
const MAX_CONFLICTS = 10;
const RATE_LIMIT_INTERVAL_MS = 60_000;

const ZERO_MAC: MacAddress = { high: 0, low: 0 };

type State =
  | { readonly name: 'idle' }
  /** Asked for outside a poll, where the time is not known. */
  | { readonly name: 'starting'; readonly address: Ipv4Address; readonly waitMs: number }
  /** §2.1.1: the address was lost to another, and is not looked at before `nextAt`: whatever its owner says meanwhile is no news. */
  | { readonly name: 'waiting'; readonly address: Ipv4Address; readonly nextAt: number }
  /** §2.1.1: `probes` are out, the next, or the verdict, is due. */
  | { readonly name: 'probing'; readonly address: Ipv4Address; readonly probes: number; readonly nextAt: number }
  /** §2.3, §2.4: ours. `nextAt` is Infinity once it was announced often enough. */
  | { readonly name: 'holding'; readonly address: Ipv4Address; readonly announced: number; readonly nextAt: number; readonly conflictAt: number };

export interface ConflictsOptions {
  readonly config: ArpConfig;
  readonly counters: Counters['arp'];
  readonly random: Random;
  readonly mac: MacAddress;
  readonly sendArp: (destination: MacAddress, packet: ArpPacket) => void;
  /** Nobody has the address: use it. It is announced from now on. */
  readonly onClear: (address: Ipv4Address) => void;
  /** Another station has the address that was probed, or claims ours for the second time: it must not be used. */
  readonly onConflict: (address: Ipv4Address, mac: MacAddress, now: number) => void;
  /** Another station claims our address; we have said that it is ours. */
  readonly onDefended: (address: Ipv4Address, mac: MacAddress, now: number) => void;
  /** Something is due: a poll is needed. */
  readonly onWork: () => void;
}

export class Conflicts {
  private state: State = { name: 'idle' };
  private now = 0;
  /** Addresses lost to others without one kept in between. */
  private conflicts = 0;

  constructor(private readonly options: ConflictsOptions) {}

  /** The address that is being probed, or will be, or null. */
  get probing(): Ipv4Address | null {
    return this.state.name === 'idle' || this.state.name === 'holding' ? null : this.state.address;
  }

  /**
   * Begins to probe; `onClear` or `onConflict` follows.
   * @param waitMs before the probing begins: for an address that was lost to another
   */
  probe(address: Ipv4Address, waitMs = 0): void {
    // §2.1.1, MAX_CONFLICTS: not for ever and at once.
    const limit = this.conflicts >= MAX_CONFLICTS ? RATE_LIMIT_INTERVAL_MS : 0;
    this.state = { name: 'starting', address, waitMs: Math.max(waitMs, limit) };
    this.options.onWork();
  }

  /** Forgets the address, probed or held. */
  stop(): void {
    this.state = { name: 'idle' };
  }

  pollAt(): number {
    if (this.state.name === 'idle') return Infinity;
    return this.state.name === 'starting' ? -Infinity : this.state.nextAt;
  }

  poll(now: number): void {
    this.now = now;
    if (this.state.name === 'starting') this.state = { name: 'waiting', address: this.state.address, nextAt: now + this.state.waitMs };
    const { config, random, counters } = this.options;
    // §2.1.1, PROBE_WAIT: hosts that are switched on together must not probe together.
    if (this.state.name === 'waiting' && now >= this.state.nextAt) this.state = { name: 'probing', address: this.state.address, probes: 0, nextAt: now + random.uniform() * config.probeWaitMs };
    const { state } = this;
    if (state.name === 'idle' || state.name === 'waiting' || now < state.nextAt) return;
    if (state.name === 'holding') return this.announce(state);
    const { address, probes } = state;
    if (probes >= config.probes) {
      this.state = { name: 'holding', address, announced: 0, nextAt: now, conflictAt: -Infinity };
      this.options.onClear(address);
      this.poll(now);
      return;
    }
    counters.txProbes++;
    // §2.1.1: the sender's address is zero, so that no neighbour learns what may be another's.
    this.request(0, address);
    const last = probes + 1 >= config.probes;
    const wait = last ? config.announceWaitMs : config.probeMinMs + random.uniform() * Math.max(0, config.probeMaxMs - config.probeMinMs);
    this.state = { name: 'probing', address, probes: probes + 1, nextAt: now + wait };
  }

  /** An ARP packet of another station. @returns whether it was about an address that is ours or may become so */
  observe(packet: ArpPacket, now: number): boolean {
    this.now = now;
    const { state } = this;
    if (state.name === 'idle') return false;
    const { senderAddress, senderMac } = packet;
    if (state.name === 'holding') {
      if (senderAddress !== state.address) return false;
      this.defend(state, senderMac);
      return true;
    }
    // §2.1.1: whoever has it, or probes for it as we do.
    const rival = senderAddress === 0 && packet.operation === ARP_REQUEST && packet.targetAddress === state.address;
    if (senderAddress !== state.address && !rival) return false;
    if (state.name === 'probing' || (state.name === 'starting' && state.waitMs === 0)) this.lost(state.address, senderMac);
    return true;
  }

  /** §2.3: twice, so that caches that have the address of its last owner learn ours. */
  private announce(state: State & { readonly name: 'holding' }): void {
    const announced = state.announced + 1;
    const done = announced >= ANNOUNCE_COUNT;
    this.state = { ...state, announced, nextAt: done ? Infinity : this.now + ANNOUNCE_INTERVAL_MS };
    this.claim(state.address);
    if (done) this.conflicts = 0;
  }

  /** §2.4 (b): one claim in ten seconds is answered by one announcement, a second gives the address up: else two hosts would quarrel for ever. */
  private defend(state: State & { readonly name: 'holding' }, mac: MacAddress): void {
    if (this.now < state.conflictAt + DEFEND_INTERVAL_MS) {
      this.lost(state.address, mac);
      return;
    }
    this.state = { ...state, conflictAt: this.now };
    this.options.counters.defended++;
    this.claim(state.address);
    this.options.onDefended(state.address, mac, this.now);
  }

  private lost(address: Ipv4Address, mac: MacAddress): void {
    this.conflicts++;
    this.options.counters.conflicts++;
    this.state = { name: 'idle' };
    this.options.onConflict(address, mac, this.now);
  }

  private claim(address: Ipv4Address): void {
    this.options.counters.txAnnouncements++;
    this.request(address, address);
  }

  private request(senderAddress: Ipv4Address, targetAddress: Ipv4Address): void {
    const { mac, sendArp } = this.options;
    sendArp(BROADCAST_MAC, { operation: ARP_REQUEST, senderMac: mac, senderAddress, targetMac: ZERO_MAC, targetAddress });
  }
}
