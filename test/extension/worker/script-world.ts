/**
 * Scripts' sockets from end to end without processes and without time: a script's side and the worker's joined by a
 * pipe in memory, over a stack that is cabled to a second one, the peers', on a virtual clock.
 */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import dnsPacket from 'dns-packet';
import {
  addFaults, createCable, parseIpv4, runStack, SeededRandom, Stack, StackError, VirtualClock,
  type Device, type FaultOptions, type LinkChange, type PartialStackConfig, type TcpSocket,
} from '../../../stack';
import type { SocketReport } from '../../../extension/protocol';
import type { Connection, ConnectionNetwork } from '../../../extension/worker/connection';
import { FIRST_WINDOW_BYTES } from '../../../extension/worker/script/channel';
import { NetworkPipe } from '../../../extension/worker/script/network-pipe';
import { createNetwork, type Socket, type WatchForgotten } from '../../../extension/worker/script/socket';
import { encodeLoad, Op } from '../../../extension/worker/script/wire';
import { ScriptNetwork } from '../../../extension/worker/script-network';

export const CLIENT = '10.0.0.1';
export const SERVER = '10.0.0.2';
/** In the same network, but no host has it. */
export const NOBODY = '10.0.0.77';

export interface WorldOptions {
  readonly seed?: number;
  readonly mtu?: number;
  /** Both ways. */
  readonly faults?: Omit<FaultOptions, 'clock' | 'random'>;
  readonly clientConfig?: PartialStackConfig;
  readonly serverConfig?: PartialStackConfig;
  /** As a link does that ends connections on others' behalf. */
  readonly explainReset?: (socket: TcpSocket) => StackError | null;
  /** Who tells that sockets are forgotten, in the collector's place. */
  readonly watchForgotten?: WatchForgotten;
  /** What the name server at SERVER answers: dotted addresses, or nothing for NXDOMAIN; null: it does not answer. */
  readonly names?: Readonly<Record<string, readonly string[] | null>>;
}

function ip(text: string): number {
  const address = parseIpv4(text);
  if (address === null) throw new Error(`${text} is no IPv4 address`);
  return address;
}

/** Frames of the peers can be dropped from a moment on, and the client's link can be lost. */
export class ScriptWorld {
  readonly clock = new VirtualClock();
  readonly client: Stack;
  readonly server: Stack;
  /** Set: nothing passes in either direction. */
  cut = false;
  readonly watchForgotten: WatchForgotten | undefined;
  private readonly clientDevice: Device;
  private readonly explainReset: (socket: TcpSocket) => StackError | null;
  private scripts = 0;

  constructor(options: WorldOptions = {}) {
    const { seed = 1, mtu = 1_500, faults = {}, names = {} } = options;
    const [left, right] = createCable({ mtu });
    // ARP gives up after three losses, which is no news: loss is for what ARP carries.
    const isIpv4 = (frame: Uint8Array): boolean => frame[12] === 8 && frame[13] === 0;
    const wrap = (device: Device, n: number): Device => {
      const random = new SeededRandom(seed * 4 + n);
      const lost = (): boolean => random.below(1_000_000) < (faults.loss ?? 0) * 1_000_000;
      const drop = (frame: Uint8Array, index: number): boolean => this.cut || (isIpv4(frame) && lost()) || (faults.drop?.(frame, index) ?? false);
      return addFaults(device, { ...faults, clock: this.clock, random, loss: 0, drop });
    };
    this.watchForgotten = options.watchForgotten;
    this.explainReset = options.explainReset ?? (() => null);
    this.clientDevice = Object.assign(wrap(left, 0), { onStateChange: null });
    const dns = [{ address: ip(SERVER), port: 53 }];
    this.client = new Stack({ device: this.clientDevice, random: new SeededRandom(seed * 4 + 2), config: options.clientConfig ?? {}, address: { mode: 'static', address: ip(CLIENT), prefixLength: 24, dns } });
    this.server = new Stack({ device: wrap(right, 1), random: new SeededRandom(seed * 4 + 3), config: options.serverConfig ?? {}, address: { mode: 'static', address: ip(SERVER), prefixLength: 24 } });
    runStack(this.client, this.clock);
    runStack(this.server, this.clock);
    this.serveNames(names);
  }

  /** What connections need of it. */
  get network(): ConnectionNetwork {
    const { clock, client } = this;
    const link = { thisComputer: { address: ip(SERVER), outside: SERVER }, loopbackAdvice: '', explainLookup: (error: StackError) => error, explainReset: this.explainReset };
    return {
      clock,
      whenReady: (_, done) => {
        done(client.addressInfo === null ? new StackError('ENETDOWN', 'The stack has no address') : { stack: client, link });
        return () => {};
      },
    };
  }

  /** A new script with its side of the pipe and the worker's. */
  script(memoryMb = 512): ScriptUnderTest {
    return new ScriptUnderTest(this, `run-${++this.scripts}`, memoryMb);
  }

  /** Listens at SERVER. `accepted` gets each connection; what it sets as `onChange` is called as the stack does. */
  listen(port: number, accepted: (socket: TcpSocket) => void): void {
    this.server.tcp.listen({ port }).onAccept = accepted;
  }

  advance(ms: number): void {
    this.clock.advance(ms);
  }

  /** Lets time pass until `done()` holds; fails after `limitMs`. */
  until(done: () => boolean, what: string, limitMs = 300_000): void {
    // What was asked for within this turn leaves at its end.
    if (!this.clock.runWhile(done, this.clock.now() + limitMs)) throw new Error(`not within ${limitMs} ms: ${what}`);
  }

  /** Waits until the socket is connected. */
  open(script: ScriptUnderTest, port: number): Socket {
    const socket = script.Connect(SERVER, port);
    this.until(() => socket.status !== 'connecting', 'an answer to SYN');
    if (socket.status !== 'connected') throw new Error(`${socket.status}: ${socket.error?.message}`);
    return socket;
  }

  changeLink(change: LinkChange): void {
    this.clientDevice.onStateChange?.(change);
  }

  private serveNames(names: NonNullable<WorldOptions['names']>): void {
    const udp = this.server.udp.bind({ port: 53 });
    udp.onChange = () => {
      for (let datagram = udp.receive(); datagram !== null; datagram = udp.receive()) {
        const query = dnsPacket.decode(Buffer.from(datagram.data));
        const question = query.questions?.[0];
        if (question === undefined) continue;
        const found = names[question.name.toLowerCase()];
        if (found === null) continue;
        const answer = dnsPacket.encode({
          type: 'response', id: query.id ?? 0, questions: [question], flags: dnsPacket.RECURSION_AVAILABLE | dnsPacket.RECURSION_DESIRED | (found === undefined ? 3 : 0),
          answers: (found ?? []).map((data) => ({ type: 'A' as const, name: question.name, ttl: 60, data })),
        });
        udp.send(datagram.source, datagram.sourcePort, answer);
      }
    };
  }
}

/** One way of a pipe: what is written arrives, a copy, soon. */
class MemoryPipe {
  other: MemoryPipe | null = null;
  writable = true;
  paused = false;
  refs = 0;
  ended = false;
  private readonly waiting: Buffer[] = [];
  private readonly listeners = new Map<string, ((chunk: Buffer) => void)[]>();

  constructor(private readonly clock: VirtualClock) {}

  write(bytes: Uint8Array, done: () => void): void {
    const copy = Buffer.from(bytes);
    this.clock.soon(() => {
      done();
      this.other?.emit('data', copy);
    });
  }

  on(event: string, listener: (chunk: Buffer) => void): void {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener]);
  }

  emit(event: string, chunk: Buffer = Buffer.alloc(0)): void {
    if (this.paused && event === 'data') return void this.waiting.push(chunk);
    for (const listener of this.listeners.get(event) ?? []) listener(chunk);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    for (const chunk of this.waiting.splice(0)) this.emit('data', chunk);
  }

  ref(): void {
    this.refs++;
  }

  unref(): void {
    this.refs--;
  }

  end(): void {
    this.ended = true;
  }

  destroy(): void {
    this.writable = false;
  }
}

export class ScriptUnderTest {
  readonly pipe: NetworkPipe;
  readonly worker: ScriptNetwork;
  readonly violations: string[] = [];
  /** What was said of sockets that were closed in vain. */
  readonly lost: string[] = [];
  /** How it told of its end; undefined: it has not. */
  ended: unknown = undefined;
  /** The script's process has closed its side of the pipe. */
  readonly scriptEnd: MemoryPipe;
  private readonly network: ReturnType<typeof createNetwork>;
  private readonly connections = new Map<number, Connection>();

  constructor(world: ScriptWorld, runId: string, memoryMb: number) {
    const { clock } = world;
    const scriptEnd = new MemoryPipe(clock);
    const workerEnd = new MemoryPipe(clock);
    scriptEnd.other = workerEnd;
    workerEnd.other = scriptEnd;
    this.scriptEnd = scriptEnd;
    const soon = (run: () => void) => void clock.soon(run);
    this.pipe = new NetworkPipe({ pipe: scriptEnd, soon, later: (run, ms) => void clock.at(clock.now() + ms, run), onLoad: () => {}, exit: () => {} });
    this.worker = new ScriptNetwork({
      runId, pipe: workerEnd, soon,
      network: world.network,
      activity: { connection: (connection) => void this.connections.set(connection.id, connection), fetch: () => {} },
      onRunning: () => {},
      onWait: () => {},
      onLost: (message) => this.lost.push(message),
      onEnd: (error) => (this.ended = error),
      onViolation: (reason) => this.violations.push(reason),
      onIdle: () => {},
    });
    this.worker.writer.message(Op.load, 0, encodeLoad({ file: '/script.ts', sourceRoot: '/', programName: 'script', tickRate: 30, memoryMb, extraCaCertificates: '', debug: false }, '', '{}'));
    clock.advance(0);
    this.network = createNetwork((host, port) => this.pipe.open(host, port, 0, FIRST_WINDOW_BYTES), this.pipe, world.watchForgotten);
  }

  readonly Connect = (host: string, port: number): Socket => this.network.Connect(host, port);

  /** What the tree is told of a socket, the first of the script being 1. */
  report(id: number): SocketReport {
    const connection = this.connections.get(id);
    if (connection === undefined) throw new Error(`no connection ${id} has been reported`);
    return connection.report();
  }

  /** How the stack sees the script's connections, TIME-WAIT left out. */
  static states(world: ScriptWorld): string[] {
    return [...world.client.tcp.sockets].map(({ state }) => state).filter((state) => state !== 'TIME-WAIT');
  }
}

const PAIR_PORT = 80;

/** A world with one script and one peer, whose connection is open. */
export function openPair(options: WorldOptions = {}): { world: ScriptWorld; script: ScriptUnderTest; socket: Socket; peer: TcpSocket } {
  const world = new ScriptWorld(options);
  const peers: TcpSocket[] = [];
  world.listen(PAIR_PORT, (accepted) => peers.push(accepted));
  const script = world.script();
  const socket = world.open(script, PAIR_PORT);
  world.until(() => peers.length > 0, 'the peer to accept');
  const [peer] = peers;
  assert.ok(peer);
  return { world, script, socket, peer };
}
