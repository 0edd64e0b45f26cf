/**
 * A stack under test on a segment with two hosts: a peer, with whom it has sessions of every kind whose frames
 * are recorded, spoilt and put in again, and a friend, with whom it shares a connection that must not notice.
 */
import { VirtualClock } from '../../../stack/clock';
import type { PartialStackConfig } from '../../../stack/config';
import { parseSubnet } from '../../../stack/gateway/subnet';
import { SeededRandom } from '../../../stack/random';
import { runStack } from '../../../stack/run-stack';
import type { AddressOptions } from '../../../stack/iface/addressing';
import type { UdpSocket } from '../../../stack/socket/udp';
import { Stack } from '../../../stack/stack';
import { Flow } from '../../support/net-sim/flow';
import type { Host } from '../../support/net-sim/network';
import { forge, type Forgery } from './forgeries';
import { layoutOf } from './frame-layout';
import { icmp, ipv4, ethernet } from './frames';
import { Hub, type Verdict } from './hub';
import { Ledger } from './ledger';
import { mutate, type Recipe } from './mutations';
import { CLOSED_PORT, DATAGRAM_PORT, EchoClient, LARGE_ECHO_BYTES, serveAddresses, serveEcho, serveNames } from './peer';

/** Numbers of the hosts on the hub. */
export const [SUBJECT, PEER, FRIEND, NEWCOMER] = [1, 2, 77, 4] as const;
export type Target = typeof SUBJECT | typeof NEWCOMER;

const SUBNET = parseSubnet('10.0.0.0/24');
export const PEER_ADDRESS = SUBNET.gateway;
const FRIEND_ADDRESS = SUBNET.network + FRIEND;
/** The friend's connections are so small that each is cheap, and so steady that a pause of this length is none of its own. */
const FRIEND_BUFFER_BYTES = 4_096;
export const STALL_MS = 3_000;

/** Bounds that the fuzzing reaches in seconds. */
const TIGHT: PartialStackConfig = {
  tcp: { listenBacklog: 8, maxConnections: 40, maxTimeWait: 8, mslMs: 500, totalBufferBytes: 512 << 10, connectTimeoutMs: 10_000, finWait2TimeoutMs: 2_000 },
  arp: { reachableMs: 500, maxNeighbors: 6, queuePackets: 4 },
  ipv4: { reassemblyTimeoutMs: 1_000, reassemblyBytes: 8_192 },
  udp: { queueDatagrams: 8, queueBytes: 8_192, maxSockets: 16 },
  dns: { cacheEntries: 8, maxQueries: 4, timeoutMs: 300 },
  dhcp: { initialTimeoutMs: 300 },
};

/** Frames of the last time, and a few of each earlier one: replays need both. */
const RECENT_FRAMES = 48;
const OLD_FRAMES = 48;

/** The next real frame for the target comes late, or with `holdMs` 0 not at all; a mutant of it comes first, or none. */
export interface Ambush {
  readonly target: Target;
  readonly recipe: Recipe | null;
  readonly holdMs: number;
}

export class World {
  readonly clock: VirtualClock;
  readonly subject: Host;
  readonly flows: readonly Flow[];
  private readonly hub: Hub;
  private readonly peer: Host;
  private readonly friend: Host;
  private newcomer: Host & { stop(): void };
  private readonly ledgers: Readonly<Record<Target, () => Ledger>>;
  private readonly clients: EchoClient[];
  private readonly recent: Readonly<Record<Target, Uint8Array[]>> = { [SUBJECT]: [], [NEWCOMER]: [] };
  private readonly old: Readonly<Record<Target, Uint8Array[]>> = { [SUBJECT]: [], [NEWCOMER]: [] };
  private recorded = 0;
  private ambush: Ambush | null = null;
  private busy = true;
  private readonly pings: UdpSocket;
  private readonly questions: UdpSocket;
  /** Answers to datagrams that came in fragments. */
  private largeEchoes = 0;
  private readonly random: SeededRandom;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.clock = new VirtualClock(seed % 1_000_000);
    this.hub = new Hub(this.clock);
    const still = (address: number): AddressOptions => ({ mode: 'static', address, prefixLength: SUBNET.prefixLength });
    this.peer = this.host(PEER, still(PEER_ADDRESS), { arp: { reachableMs: 500 } });
    this.friend = this.host(FRIEND, still(FRIEND_ADDRESS), { tcp: { sendBufferBytes: FRIEND_BUFFER_BYTES, receiveBufferBytes: FRIEND_BUFFER_BYTES } });
    serveEcho(this.peer.stack);
    serveNames(this.peer.stack);
    serveAddresses(this.peer.stack, this.clock, SUBNET);
    this.hub.tap = (frame, from, to) => this.tap(frame, from, to);

    const subject = this.host(SUBJECT, { mode: 'dhcp', hostname: 'subject' }, TIGHT);
    this.newcomer = this.host(NEWCOMER, { mode: 'dhcp' }, TIGHT);
    this.clock.advance(200);
    const address = subject.stack.addressInfo?.address;
    if (address === undefined) throw new Error('the subject got no address by DHCP');
    this.subject = { ...subject, address };
    serveEcho(this.subject.stack);
    const { clock, friend } = this;
    this.flows = [new Flow({ clock, from: friend, to: this.subject, port: 90 }), new Flow({ clock, from: this.subject, to: friend, port: 91 })];
    this.clients = [new EchoClient(this.peer.stack, clock, address), new EchoClient(this.subject.stack, clock, PEER_ADDRESS)];
    this.ledgers = { [SUBJECT]: () => new Ledger(this.subject), [NEWCOMER]: () => new Ledger(this.newcomer) };
    this.pings = this.peer.stack.udp.bind();
    this.questions = this.subject.stack.udp.bind();
    this.chatter(0);
    this.clock.advance(300);
  }

  /** The frames for `target` that there are to choose from, newest first. */
  frames(target: Target): readonly Uint8Array[] {
    return [...this.recent[target]].reverse().concat(this.old[target]);
  }

  /** Puts a frame before the target and has it handled alone. @throws Error if nothing counts it */
  inject(target: Target, frame: Uint8Array): void {
    if (this.isTreason(frame)) return;
    // Nothing else is to be handled in that poll.
    this.clock.advance(0);
    const ledger = this.ledgers[target]();
    this.hub.inject(target, frame);
    const { stack } = target === SUBJECT ? this.subject : this.newcomer;
    stack.poll(this.clock.now());
    ledger.close(frame);
  }

  /** Puts in what somebody off the path could send about the friend's connections. */
  forge(forgery: Forgery): void {
    const flow = this.flows[forgery.flow % this.flows.length];
    for (const socket of this.subject.stack.tcp.sockets) {
      if (socket.remoteAddress !== this.friend.address || socket.remotePort !== (flow?.sender.localAddress === this.subject.address ? flow.sender.remotePort : flow?.sender.localPort)) continue;
      const frame = forge(forgery, socket.snapshot());
      this.clock.advance(0);
      const ledger = this.ledgers[SUBJECT]();
      this.hub.inject(SUBJECT, frame);
      this.subject.stack.poll(this.clock.now());
      ledger.close(frame);
      return;
    }
    throw new Error('the connection with the friend is gone');
  }

  /** What is to happen to the next frame that the peer sends. */
  lieInWait(ambush: Ambush): void {
    this.ambush = ambush;
  }

  /** The newcomer leaves, and another comes: DHCP from the start. */
  renew(): void {
    this.newcomer.stack.close(this.clock.now());
    this.newcomer.stop();
    this.newcomer = this.host(NEWCOMER, { mode: 'dhcp' }, TIGHT);
  }

  pass(ms: number): void {
    this.hub.frames = 0;
    this.clock.advance(ms);
    for (const flow of this.flows) {
      if (flow.failure !== null) throw new Error(`an unrelated connection suffered: ${flow.failure}\n${flow.describe()}`);
      if (Math.max(flow.silenceMs, flow.longestSilenceMs) > STALL_MS) throw new Error(`an unrelated connection stalled\n${flow.describe()}`);
    }
  }

  /** Everything that was going on ends in its own time. @throws Error if the stack does not work as before, or something is left */
  settle(): void {
    const { clock, subject } = this;
    // Whatever the frames claimed about the peer's station is forgotten, then new sessions go through.
    this.ambush = null;
    this.pass(2_000);
    const before = this.clients.map(({ completed }) => completed);
    this.passUntil(() => this.clients.every(({ completed }, i) => completed > (before[i] ?? 0)), 'no new connection went through');
    let answer: string | null = null;
    subject.stack.dns.resolve(`after-${Math.round(clock.now())}.example`, clock.now(), (result) => {
      answer = 'addresses' in result ? result.addresses.join() : result.error.message;
    });
    this.passUntil(() => answer !== null, 'a name was not resolved');
    if (answer !== `${PEER_ADDRESS},${SUBNET.network + 9}`) throw new Error(`a name was resolved to ${String(answer)}`);
    this.largeEchoes = 0;
    this.passUntil(() => this.largeEchoes > 0, 'no datagram in fragments came through');
    this.passUntil(() => this.newcomer.stack.addressInfo !== null, 'the newcomer got no address by DHCP');

    for (const client of this.clients) client.stop();
    this.busy = false;
    for (const flow of this.flows) flow.finish();
    this.passUntil(() => this.flows.every(({ isComplete }) => isComplete), 'an unrelated connection did not come to its end');
    // TIME-WAIT, half-open connections, fragments, questions: all have a time limit.
    this.pass(200_000);
    const left = [...subject.stack.tcp.sockets].map((socket) => `${socket.localPort}-${socket.remotePort} ${socket.state}`);
    if (left.length > 0) throw new Error(`connections are left: ${left.join(', ')}`);
    if (!subject.stack.tcp.mayGrowBuffers) throw new Error('the account of buffer memory does not go back');
    if (subject.stack.tcp.pollAt() !== Infinity) throw new Error('a timer of TCP is left');
  }

  private passUntil(done: () => boolean, complaint: string): void {
    for (let waited = 0; !done(); waited += 100) {
      if (waited >= 20_000) throw new Error(complaint);
      this.pass(100);
    }
  }

  private host(n: number, address: AddressOptions, config: PartialStackConfig): Host & { stop(): void } {
    const device = this.hub.plug(n);
    const stack = new Stack({ device, random: new SeededRandom(this.random.u32()), config, address });
    const run = runStack(stack, this.clock);
    return { stack, device, stop: () => run.stop(), address: address.mode === 'static' ? address.address : 0 };
  }

  /** What goes on beside the connections, every 10 ms. */
  private chatter(n: number): void {
    if (!this.busy) return;
    const { clock, peer, subject, pings, questions } = this;
    if (n % 3 === 0) pings.send(subject.address, n % 4 === 0 ? CLOSED_PORT : DATAGRAM_PORT, new Uint8Array(20 + (n % 80)));
    if (n % 11 === 0) pings.send(subject.address, DATAGRAM_PORT, new Uint8Array(3_000)); // in fragments
    if (n % 7 === 0) questions.send(peer.address, n % 2 === 0 ? CLOSED_PORT : DATAGRAM_PORT, new Uint8Array(30));
    if (n % 5 === 0) subject.stack.dns.resolve(`${n % 15 === 0 ? 'no-' : ''}host-${n % 40}.example`, clock.now(), () => {});
    if (n % 13 === 0) this.ping(n);
    for (let echo = pings.receive(); echo; echo = pings.receive()) if (echo.data.length === LARGE_ECHO_BYTES) this.largeEchoes++;
    while (questions.receive());
    clock.at(clock.now() + 10, () => this.chatter(n + 1));
  }

  /** The peer's stack has no ping of its own. */
  private ping(n: number): void {
    const message = icmp(8, 0, n, Array.from({ length: 32 }, (_, i) => i));
    const packet = ipv4({ protocol: 1, source: this.peer.address, destination: this.subject.address, payload: message });
    const frame = ethernet(this.subject.device.mac, this.peer.device.mac, 0x0800, packet);
    this.record(SUBJECT, frame);
    this.hub.inject(SUBJECT, frame);
  }

  private tap(frame: Uint8Array, from: number, to: number): Verdict {
    if (from !== PEER || (to !== SUBJECT && to !== NEWCOMER)) return 'pass';
    this.record(to, frame);
    const { ambush } = this;
    if (ambush === null || ambush.target !== to) return 'pass';
    this.ambush = null;
    if (ambush.recipe !== null) this.inject(to, mutate(frame, ambush.recipe));
    return ambush.holdMs === 0 ? 'drop' : { holdMs: ambush.holdMs };
  }

  private record(target: Target, frame: Uint8Array): void {
    const recent = this.recent[target];
    recent.push(frame.slice());
    if (recent.length <= RECENT_FRAMES) return;
    const leaving = recent.shift();
    // Every fifth is kept for longer, over the oldest.
    if (leaving && this.recorded++ % 5 === 0) this.old[target][(this.recorded / 5) % OLD_FRAMES | 0] = leaving;
  }

  /**
   * Frames that nothing could defend against, so that what they do is no fault: ARP has no way to tell who
   * speaks for an address. (The other way to be the friend is to guess its sequence numbers: see forgeries.)
   */
  private isTreason(frame: Uint8Array): boolean {
    const { isArp, isIpv4 } = layoutOf(frame);
    const address = (at: number): number => (((frame[at] ?? 0) << 24) | ((frame[at + 1] ?? 0) << 16) | ((frame[at + 2] ?? 0) << 8) | (frame[at + 3] ?? 0)) >>> 0;
    return (isArp && address(28) === FRIEND_ADDRESS) || (isIpv4 && address(26) === FRIEND_ADDRESS);
  }
}
