/**
 * One TcpLayer against a scripted peer, on a virtual clock: what the stack sends is read by the tests'
 * own codec, and the layer is polled as a host polls it, deadline by deadline.
 *
 * Times are milliseconds since the harness was made. `send`, `expect` and the user's calls first run
 * everything that falls due up to their time.
 */
import assert from 'node:assert/strict';
import { VirtualClock } from '../../stack/clock';
import { DEFAULT_CONFIG, type TcpConfig } from '../../stack/config';
import type { Ecn, Ipv4Egress, SendResult, TransportError, UnreachableCode } from '../../stack/egress';
import { createCounters } from '../../stack/observer';
import { SeededRandom } from '../../stack/random';
import { TcpLayer } from '../../stack/tcp/tcp-layer';
import type { TcpConnectOptions, TcpListener, TcpListenOptions, TcpSocket } from '../../stack/tcp/types';
import { firstDifference, pattern } from './patterns';
import {
  describeExpected, describeWire, differences, payloadOf, PEER_CLOCK, PEER_STREAM, relative, STACK_STREAM,
  type Expected, type Payload, type Seen, type Segment,
} from './segment-dsl';
import { decodeSegment, encodeSegment, parseFlags, type Timestamps, type WireSegment } from './tcp-segment';

export const LOCAL = 0x0a00_0002;
export const REMOTE = 0x0a00_0001;
export const ACTIVE_PORTS = { local: 50_000, remote: 80 } as const;
export const PASSIVE_PORTS = { local: 80, remote: 40_000 } as const;

/** The base protocol by itself: a test of a mechanism beyond it switches that on. */
const PLAIN: Partial<TcpConfig> = {
  sack: false, timestamps: false, congestion: 'reno', hystart: false, pacing: false, ecn: 'off', undo: false,
  autoTuning: false, quickAcks: 0, blackHoleDetection: false,
};

/** A time, or the earliest and the latest that will do. */
export type At = number | readonly [from: number, to: number];

export interface HarnessOptions {
  readonly config?: Partial<TcpConfig>;
  readonly seed?: number;
  readonly mtu?: number;
  /** What is known of the path when a connection begins, if it is narrower than the link. */
  readonly pathMtu?: number;
  /** The peer's initial sequence number. */
  readonly peerIss?: number;
  /** What the virtual clock shows at time 0. */
  readonly startMs?: number;
  /** Chooses the start so that the stack's ISS for the default ports comes within one of this (RFC 6528's clock makes that possible). */
  readonly iss?: { readonly near: number; readonly open: 'active' | 'passive' };
}

export interface EstablishOptions {
  /** When the peer's answer arrives; the connection is open from then on. */
  readonly rtt?: number;
  readonly mss?: number;
  readonly win?: number;
  readonly wscale?: number;
  /** Whether the peer permits SACK, takes part in timestamps and in ECN. */
  readonly sack?: boolean;
  readonly ts?: boolean;
  readonly ecn?: boolean;
}

/** Buffers small enough that no window needs scaling: `win` in tests is then in bytes. */
const SMALL_BUFFERS: Partial<TcpConfig> = { receiveBufferBytes: 65_535 };

export class TcpHarness {
  readonly clock: VirtualClock;
  readonly counters = createCounters().tcp;
  readonly config: TcpConfig;
  readonly tcp: TcpLayer;
  /** ICMP unreachable messages that the layer asked for. */
  readonly unreachables: UnreachableCode[] = [];
  /** Calls of `onWork` by the layer. */
  workCalls = 0;
  mtu: number;
  private readonly pathMtu: number;
  /** What `egress.send` gives; 'unreachable' loses the segment. */
  sendResult: SendResult = 'sent';
  /** Whether a source address for the remote exists. */
  hasRoute = true;
  /** The ports of segments that do not name theirs. */
  ports: { readonly local: number; readonly remote: number } = ACTIVE_PORTS;

  private readonly startMs: number;
  private readonly peerIss: number;
  private readonly stackIss = new Map<string, number>();
  /** What the stack's timestamps stood at when the harness began, and the last one of each connection. */
  private readonly stackTs = new Map<string, { base: number; last: number }>();
  private peerTimestamps = false;
  private readonly unclaimed: Seen[] = [];
  private readonly timeline: string[] = [];
  private readonly written = new Map<TcpSocket, number>();
  private readonly consumed = new Map<TcpSocket, number>();
  private polling = false;
  private workPending = false;

  constructor(options: HarnessOptions = {}) {
    this.startMs = options.iss ? startForIss(options, options.iss) : (options.startMs ?? 0);
    this.clock = new VirtualClock(this.startMs);
    this.config = { ...DEFAULT_CONFIG.tcp, ...SMALL_BUFFERS, ...PLAIN, ...options.config };
    this.mtu = options.mtu ?? 1500;
    this.pathMtu = options.pathMtu ?? Infinity;
    this.peerIss = options.peerIss ?? 1_000_000;
    this.tcp = new TcpLayer({
      config: this.config,
      counters: this.counters,
      random: new SeededRandom(options.seed ?? 1),
      egress: this.egress(),
      observer: (event) => {
        if (event.type === 'tcp-state') this.note(`.. #${event.id} ${event.from} → ${event.to}`);
        else if (event.type === 'warning') this.note(`.. warning: ${event.message}`);
      },
      onWork: () => {
        this.workCalls++;
        this.workPending = true;
      },
    });
  }

  /** Time since the start, ms. */
  get now(): number {
    return this.clock.now() - this.startMs;
  }

  // ---- the user's side

  /** Opens from the default ports, at the present time, unless told otherwise. */
  connect(options: Partial<TcpConnectOptions> = {}): TcpSocket {
    const socket = this.tcp.connect({ address: REMOTE, port: ACTIVE_PORTS.remote, localPort: ACTIVE_PORTS.local, ...options }, this.clock.now());
    this.ports = { local: socket.localPort, remote: socket.remotePort };
    this.note(`.. user: connect from port ${socket.localPort}`);
    this.flush();
    return socket;
  }

  listen(options: Partial<TcpListenOptions> = {}): TcpListener {
    this.ports = PASSIVE_PORTS;
    return this.tcp.listen({ port: PASSIVE_PORTS.local, ...options });
  }

  /** Runs what falls due up to `at`, then calls `action` as a user would between polls, then polls. */
  user<T>(at: number, what: string, action: () => T): T {
    this.advance(at);
    const result = action();
    this.note(`.. user: ${what}${typeof result === 'number' ? ` = ${result}` : ''}`);
    this.flush();
    return result;
  }

  /** Writes a payload; a number stands for so many of the next bytes of the stack's pattern. All of it must be taken unless `partial`. */
  write(at: number, socket: TcpSocket, payload: Payload, how: 'all' | 'partial' = 'all'): number {
    const offset = this.written.get(socket) ?? 0;
    const data = payloadOf(payload, offset + 1, STACK_STREAM, false);
    const taken = this.user(at, `write ${data.length}`, () => socket.write(data));
    this.written.set(socket, offset + taken);
    if (how === 'all' && taken !== data.length) this.fail(`write took ${taken} of ${data.length} bytes`);
    return taken;
  }

  /** Reads up to `length` bytes. */
  read(at: number, socket: TcpSocket, length = 1 << 20): Uint8Array {
    const target = new Uint8Array(length);
    const got = this.user(at, 'read', () => socket.read(target));
    this.consumed.set(socket, (this.consumed.get(socket) ?? 0) + got);
    return target.subarray(0, got);
  }

  /** Reads exactly `length` bytes, which must be the next ones of the peer's pattern. */
  expectRead(at: number, socket: TcpSocket, length: number): void {
    const offset = this.consumed.get(socket) ?? 0;
    const got = this.read(at, socket, length);
    const wrong = firstDifference(got, pattern(length, offset, PEER_STREAM));
    if (wrong >= 0) this.fail(`read ${got.length} of ${length} bytes from stream offset ${offset}; first difference at ${offset + wrong}`);
  }

  close(at: number, socket: TcpSocket): void {
    this.user(at, 'close', () => socket.close());
  }

  abort(at: number, socket: TcpSocket): void {
    this.user(at, 'abort', () => socket.abort());
  }

  // ---- the peer's side

  /** A segment arrives from the peer and the layer is polled. */
  send(at: number, segment: Segment): void {
    this.sendAll(at, [segment]);
  }

  /** Several segments arrive in one batch: the layer is polled once, after the last. */
  sendAll(at: number, segments: readonly Segment[]): void {
    this.advance(at);
    for (const segment of segments) this.input(segment);
    this.workPending = true;
    this.flush();
  }

  /** An ICMP error (or silence of a neighbour) about the segment of the default connection that began at `seq`. */
  icmp(at: number, kind: TransportError['kind'], seq: number): void {
    this.advance(at);
    const transport = new Uint8Array(8);
    const view = new DataView(transport.buffer);
    view.setUint16(0, this.ports.local);
    view.setUint16(2, this.ports.remote);
    view.setUint32(4, (this.issOf(this.ports.local, this.ports.remote) + seq) >>> 0);
    this.note(`<- ${kind.type}${'code' in kind ? ` code ${kind.code}` : ''} about seq ${seq}`);
    this.tcp.error({ local: LOCAL, remote: REMOTE, transport, kind }, this.clock.now());
    this.workPending = true;
    this.flush();
  }

  /** The next segment the stack sends must be this one, at this time. */
  expect(at: At, expected: Expected): Seen {
    const [from, to] = typeof at === 'number' ? [at, at] : at;
    if (typeof at === 'number') this.advance(at);
    else this.runUntil(() => this.unclaimed.length > 0, to);
    const seen = this.unclaimed[0];
    if (!seen) return this.fail(`expected at ${describeAt(at)}: ${describeExpected(expected)}\nseen: nothing`);
    const found = differences(expected, seen);
    if (seen.at < from - 1e-6 || seen.at > to + 1e-6) found.unshift(`time: expected ${describeAt(at)}, saw ${round(seen.at)}`);
    if (found.length) {
      this.fail(`expected at ${describeAt(at)}: ${describeExpected(expected)}\nseen at ${round(seen.at)}: ${this.describeSeen(seen)}\n  ${found.join('\n  ')}`);
    }
    this.unclaimed.shift();
    return seen;
  }

  /** Nothing that was not expected yet has been sent, nor is until `at`. */
  expectNothing(at: number): void {
    this.advance(at);
    const seen = this.unclaimed[0];
    if (seen) this.fail(`expected nothing up to ${at}\nseen at ${round(seen.at)}: ${this.describeSeen(seen)}`);
  }

  /** Runs up to `at` and takes everything the stack sent that was not expected yet. */
  take(at: number): Seen[] {
    this.advance(at);
    return this.unclaimed.splice(0);
  }

  // ---- ready-made beginnings

  /** An open connection by active open; both sequence numbers stand at 1. */
  establish(options: EstablishOptions = {}): TcpSocket {
    const { rtt = 0 } = options;
    const began = this.now;
    const socket = this.connect();
    this.expect(began, { flags: this.config.ecn === 'on' ? 'SYN ECE CWR' : 'SYN', seq: 0 });
    this.send(began + rtt, { flags: options.ecn ? 'SYN ACK ECE' : 'SYN ACK', seq: 0, ack: 1, ...this.peerSyn(options) });
    this.expect(began + rtt, { flags: 'ACK', seq: 1, ack: 1 });
    this.assertEqual(socket.state, 'ESTABLISHED', 'state after the handshake');
    return socket;
  }

  /** An open connection by passive open on port 80; both sequence numbers stand at 1. */
  establishPassive(options: EstablishOptions = {}): { socket: TcpSocket; listener: TcpListener } {
    const { rtt = 0, win = 65_535 } = options;
    const began = this.now;
    const listener = this.listen();
    this.send(began, { flags: options.ecn ? 'SYN ECE CWR' : 'SYN', seq: 0, ...this.peerSyn(options) });
    this.expect(began, { flags: options.ecn && this.config.ecn !== 'off' ? 'SYN ACK ECE' : 'SYN ACK', seq: 0, ack: 1 });
    this.send(began + rtt, { flags: 'ACK', seq: 1, ack: 1, win });
    const socket = listener.accept() ?? this.fail('the listener has no connection to accept after the handshake');
    this.assertEqual(socket.state, 'ESTABLISHED', 'state after the handshake');
    return { socket, listener };
  }

  private peerSyn({ mss = 1460, win = 65_535, wscale, sack = false, ts = false }: EstablishOptions): Partial<Segment> {
    this.peerTimestamps = ts && this.config.timestamps;
    const own = ts ? { ts: { val: PEER_CLOCK + Math.floor(this.now), ecr: Math.floor(this.now) } } : {};
    return { win, mss, sackPermitted: sack, ...(wscale === undefined ? {} : { wscale }), ...(this.peerTimestamps ? {} : own) };
  }

  // ---- time

  /** Runs what falls due up to `at`. */
  advance(at: number): void {
    if (at < this.now - 1e-6) throw new Error(`A test cannot go back in time: it is ${round(this.now)}, asked for ${at}`);
    this.runUntil(() => false, at);
  }

  assertEqual<T>(seen: T, expected: T, what: string): void {
    if (!Object.is(seen, expected)) this.fail(`${what}: expected ${String(expected)}, saw ${String(seen)}`);
  }

  /** Fails with the whole timeline. */
  fail(message: string): never {
    assert.fail(`${message}\n\ntimeline (ms; -> the stack, <- the peer):\n${this.timeline.join('\n')}`);
  }

  private runUntil(done: () => boolean, at: number): void {
    const target = this.startMs + at;
    this.flush();
    for (let rounds = 0; !done(); ) {
      const due = this.tcp.pollAt();
      if (Number.isNaN(due)) this.fail('pollAt() is NaN');
      if (due > target) break;
      const before = this.clock.now();
      this.clock.runUntil(due);
      this.poll();
      rounds = this.clock.now() > before ? 0 : rounds + 1;
      if (rounds > 100) this.fail(`pollAt() stays at ${round(this.tcp.pollAt() - this.startMs)}, which is due, poll after poll: a host would spin`);
    }
    if (!done()) this.clock.runUntil(target);
  }

  private flush(): void {
    for (let rounds = 0; this.workPending; rounds++) {
      if (rounds > 100) this.fail('onWork() is called again by every poll: a host would spin');
      this.poll();
    }
  }

  private poll(): void {
    if (this.polling) this.fail('onWork() polled from within a poll');
    this.polling = true;
    this.workPending = false;
    this.tcp.poll(this.clock.now());
    this.polling = false;
  }

  private input(segment: Segment): void {
    const sourcePort = segment.sourcePort ?? this.ports.remote;
    const destinationPort = segment.destinationPort ?? this.ports.local;
    const flags = parseFlags(segment.flags);
    const stackIss = this.issOf(destinationPort, sourcePort);
    const wire: WireSegment = {
      sourcePort,
      destinationPort,
      seq: (this.peerIss + segment.seq) >>> 0,
      ack: segment.ack === undefined ? 0 : (stackIss + segment.ack) >>> 0,
      flags,
      win: segment.win ?? 65_535,
      mss: segment.mss ?? null,
      wscale: segment.wscale ?? null,
      sackPermitted: segment.sackPermitted ?? false,
      sack: segment.sack?.map(([left, right]) => [(stackIss + left) >>> 0, (stackIss + right) >>> 0]) ?? null,
      ts: this.timestampsOf(segment, flags.has('ACK'), tuple(destinationPort, sourcePort)),
      payload: payloadOf(segment.payload, segment.seq, PEER_STREAM, flags.has('SYN')),
    };
    this.note(`<- ${describeWire(wire, this.peerIss, stackIss)}`);
    const source = segment.source ?? REMOTE;
    const destination = segment.destination ?? LOCAL;
    const bytes = encodeSegment(source, destination, wire, segment.spoil);
    this.tcp.input(source, destination, bytes, segment.ecn ?? 0, this.clock.now());
    // The view belongs to the link again: whoever kept it would now read rubbish.
    bytes.fill(0xa5);
  }

  private timestampsOf(segment: Segment, isAck: boolean, key: string): Timestamps | null {
    const { base, last } = this.stackTs.get(key) ?? { base: 0, last: 0 };
    if (segment.ts) return { val: segment.ts.val, ecr: isAck ? (base + segment.ts.ecr) >>> 0 : 0 };
    if (segment.ts === null || !this.peerTimestamps) return null;
    return { val: (PEER_CLOCK + Math.floor(this.now)) >>> 0, ecr: isAck ? last : 0 };
  }

  private egress(): Ipv4Egress {
    const buffer = new Uint8Array(34 + 65_515);
    return {
      buffer,
      payloadOffset: 34,
      maxPayload: 65_515,
      sourceFor: () => (this.hasRoute ? LOCAL : null),
      linkMtu: () => this.mtu,
      pathMtu: () => Math.min(this.pathMtu, this.mtu),
      send: (protocol, source, destination, length, options) => {
        assert.equal(protocol, 6, 'TCP is protocol 6');
        this.output(source, destination, buffer.slice(34, 34 + length), options?.ecn ?? 0, options?.dontFragment ?? false);
        buffer.fill(0x5a, 0, 34 + length);
        return this.sendResult;
      },
      sendUnreachable: (code) => {
        this.unreachables.push(code);
        this.note(`-> ICMP unreachable: ${code}`);
      },
    };
  }

  private output(source: number, destination: number, bytes: Uint8Array, ecn: Ecn, dontFragment: boolean): void {
    if (this.sendResult !== 'sent') return this.note(`-> lost: ${this.sendResult}`);
    const wire = decodeSegment(source, destination, bytes);
    const key = tuple(wire.sourcePort, wire.destinationPort);
    if (wire.flags.has('SYN')) this.stackIss.set(key, wire.seq);
    if (wire.ts) {
      const base = wire.flags.has('SYN') ? (wire.ts.val - Math.floor(this.now)) >>> 0 : (this.stackTs.get(key)?.base ?? 0);
      this.stackTs.set(key, { base, last: wire.ts.val });
    }
    const stackTsBase = this.stackTs.get(key)?.base ?? 0;
    const seen: Seen = { at: this.now, source, destination, wire, stackIss: this.stackIss.get(key) ?? 0, peerIss: this.peerIss, stackTsBase, ecn, dontFragment };
    this.note(`-> ${this.describeSeen(seen)}`);
    this.unclaimed.push(seen);
    if (bytes.length > this.mtu - 20) this.fail(`the stack sent ${bytes.length} bytes: more than the path's MTU of ${this.mtu} holds`);
    if (source !== LOCAL && source >>> 24 === 0) this.fail('the stack sent from no address');
  }

  private issOf(localPort: number, remotePort: number): number {
    return this.stackIss.get(tuple(localPort, remotePort)) ?? 0;
  }

  private describeSeen(seen: Seen): string {
    return describeWire(seen.wire, seen.stackIss, seen.peerIss);
  }

  private note(line: string): void {
    this.timeline.push(`${round(this.now).toFixed(3).padStart(12)} ${line}`);
  }
}

/** The stack's relative sequence number of a segment it sent. */
export function seqOf(seen: Seen): number {
  return relative(seen.wire.seq, seen.stackIss);
}

/** The relative acknowledgment number of a segment the stack sent. */
export function ackOf(seen: Seen): number {
  return relative(seen.wire.ack, seen.peerIss);
}

function startForIss(options: HarnessOptions, wanted: { near: number; open: 'active' | 'passive' }): number {
  const { iss: _, ...rest } = options;
  const probe = new TcpHarness({ ...rest, startMs: 0 });
  if (wanted.open === 'active') probe.connect();
  else {
    probe.listen();
    probe.send(0, { flags: 'SYN', seq: 0 });
  }
  const [first] = probe.take(0);
  assert.ok(first, 'the probe for an ISS sent nothing');
  // RFC 6528 §3: ISN = M + F(tuple, key), and M counts 4 µs.
  return ((wanted.near - first.wire.seq) >>> 0) * 0.004;
}

function tuple(localPort: number, remotePort: number): string {
  return `${localPort}:${remotePort}`;
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

function describeAt(at: At): string {
  return typeof at === 'number' ? `${at}` : `${at[0]}…${at[1]}`;
}
