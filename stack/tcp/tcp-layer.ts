/**
 * TCP as the rest of the stack sees it: the tables of connections and listeners, and one pass per poll over
 * those that have something due (never over all).
 */
import type { PortRange, TcpConfig } from '../config';
import { PROTOCOL_TCP, type Ecn, type Ipv4Egress, type TransportError, type UnreachableCode } from '../egress';
import { StackError } from '../errors';
import type { Counters, Observer } from '../observer';
import { KeyedHash, type Random } from '../random';
import { DeadlineHeap } from '../storage/deadline-heap';
import type { MemoryAccount } from '../storage/ring-buffer';
import { formatIpv4, isUnicast } from '../wire/address';
import { seqAdd, seqMax } from '../wire/seq';
import { TcpSegment } from '../wire/tcp';
import type { CongestionControl } from './congestion/congestion';
import { Cubic } from './congestion/cubic';
import { Reno } from './congestion/reno';
import { ConnectionTable } from './connection-table';
import type { TcpContext } from './context';
import { onTransportError } from './errors-in';
import { isNewerSyn, segmentArrives, takeSynOptions } from './input';
import { initialSequenceNumber } from './isn';
import { Listener, Request, type ListenerHost } from './listener';
import { output } from './output';
import { replyReset } from './reset';
import { Socket } from './socket';
import { Tcb, type Opener, type Tuple } from './tcb';
import { armTimers, runTimers } from './timers';
import type { TcpConnectOptions, TcpListener, TcpListenOptions, TcpSocket, TcpState } from './types';

/** Left between the numbers of a connection and of the one that takes its place in TIME-WAIT. */
const ISS_GAP = 0x1_0000;

export interface TcpLayerOptions {
  readonly config: TcpConfig;
  readonly counters: Counters['tcp'];
  readonly random: Random;
  readonly egress: Ipv4Egress;
  readonly observer: Observer;
  /** Called when something is to be done that was not before. The host polls soon. */
  readonly onWork: () => void;
  /** The link delivers segments whose checksum was left to hardware. */
  readonly acceptsPartialChecksums?: boolean;
  /** The local ports that may be used, where the others are those of a kernel with the same address; null: all. */
  readonly ports?: PortRange | null;
}

function checkPort(name: string, port: number, least: number): void {
  if (!Number.isInteger(port) || port < least || port > 65_535) {
    throw new StackError('EINVAL', `${name} is ${port}: it must be a whole number from ${least} to 65535.`);
  }
}

export class TcpLayer implements TcpContext, ListenerHost {
  readonly config: TcpConfig;
  readonly counters: Counters['tcp'];
  readonly egress: Ipv4Egress;
  now = 0;
  txBudget = 0;

  private readonly observer: Observer;
  private readonly onWork: () => void;
  private readonly acceptsPartialChecksums: boolean;
  private readonly ports: PortRange | null;
  private readonly isnHash: KeyedHash;
  private readonly timestampHash: KeyedHash;
  private readonly memory: MemoryAccount = { usedBytes: 0 };
  private readonly table: ConnectionTable;
  private readonly socketsByTcb = new WeakMap<Tcb, Socket>();
  private readonly deadlines = new DeadlineHeap<Tcb | Request>();
  private dirty: Tcb[] = [];
  private changedTcbs: Tcb[] = [];
  private calls: (() => void)[] = [];
  private readonly segment = new TcpSegment();
  private nextId = 1;
  /** Sequence numbers up to here were used by the connection whose place a SYN is taking, or null. */
  private issFloor: number | null = null;

  constructor(options: TcpLayerOptions) {
    this.config = options.config;
    this.counters = options.counters;
    this.egress = options.egress;
    this.observer = options.observer;
    this.onWork = options.onWork;
    this.acceptsPartialChecksums = options.acceptsPartialChecksums ?? false;
    this.ports = options.ports ?? null;
    this.isnHash = new KeyedHash(options.random);
    this.timestampHash = new KeyedHash(options.random);
    this.table = new ConnectionTable(options.config, options.random);
  }

  /** Every connection in the table, TIME-WAIT included. */
  get sockets(): Iterable<TcpSocket> {
    const { connections } = this.table;
    const socketOf = (tcb: Tcb): TcpSocket => this.socketOf(tcb);
    return {
      *[Symbol.iterator]() {
        for (const tcb of connections) yield socketOf(tcb);
      },
    };
  }

  /**
   * The active open (RFC 9293 §3.10.1). The SYN goes out in the next poll.
   * @throws StackError EINVAL for a port that cannot be, ENETUNREACH without an address or route, EADDRNOTAVAIL for an address no host can have
   * or when the wanted port is not ours, EADDRINUSE for a tuple in use, ENOBUFS at `maxConnections` and when no port is left for the destination.
   */
  connect(options: TcpConnectOptions, now: number): TcpSocket {
    this.now = now;
    const { address: remoteAddress, port: remotePort } = options;
    const target = `${formatIpv4(remoteAddress)}:${remotePort}`;
    checkPort('port', remotePort, 1);
    checkPort('localPort', options.localPort ?? 0, 0);
    if (!isUnicast(remoteAddress)) throw new StackError('EADDRNOTAVAIL', `Cannot connect to ${target}: not the address of one host.`);
    const localAddress = this.egress.sourceFor(remoteAddress);
    if (localAddress === null) throw new StackError('ENETUNREACH', `Cannot connect to ${target}: the stack has no address or no route there yet.`);
    if (!this.makeRoom()) {
      throw new StackError('ENOBUFS', `Cannot connect to ${target}: ${this.config.maxConnections} connections are open, as many as the stack holds.`);
    }
    const wanted = options.localPort ?? 0;
    if (wanted !== 0) this.checkOurs(wanted);
    const local = this.table.localPort(localAddress, remoteAddress, remotePort, wanted, now);
    if (local === null && wanted !== 0) throw new StackError('EADDRINUSE', `Cannot connect to ${target} from port ${wanted}: the port is in use.`);
    if (local === null) throw new StackError('ENOBUFS', `Cannot connect to ${target}: no port is left, one destination takes at most ${this.table.ephemeralPorts}. Close connections to it, or wait for TIME-WAIT to end.`);
    if (local.replaces) this.replaceTimeWait(local.replaces);
    const tcb = this.create({ localAddress, localPort: local.port, remoteAddress, remotePort }, false);
    tcb.synOwed = true;
    this.counters.activeOpens++;
    this.touch(tcb);
    return this.socketOf(tcb);
  }

  /** The passive open. @throws StackError EADDRINUSE, EADDRNOTAVAIL for a port that is not ours */
  listen(options: TcpListenOptions): TcpListener {
    const address = options.address ?? null;
    if (options.port !== 'any') this.checkOurs(options.port);
    const listener = new Listener(options.port, address, options.backlog ?? this.config.listenBacklog, this);
    if (!this.table.addListener(listener)) throw new StackError('EADDRINUSE', `Cannot listen on port ${options.port}: something listens there already.`);
    return listener;
  }

  /** Takes in one segment. `bytes` is the IPv4 payload, a view valid during the call. */
  input(source: number, destination: number, bytes: Uint8Array, ecn: Ecn, now: number): void {
    this.now = now;
    this.counters.rxSegments++;
    const { segment, counters } = this;
    const failure = segment.parse(source, destination, bytes, this.acceptsPartialChecksums);
    if (failure) {
      if (failure === 'bad-checksum') counters.rxBadChecksum++;
      else if (failure === 'too-short') counters.rxTooShort++;
      else if (failure === 'bad-offset') counters.rxBadOffset++;
      else counters.rxBadOptions++;
      return;
    }
    if (segment.hasPartialChecksum) counters.rxPartialChecksum++;
    // RFC 1122 §4.2.3.10: nothing from or to more than one host.
    if (!isUnicast(source) || !isUnicast(destination)) {
      counters.rxBadBroadcast++;
      return;
    }
    const tcb = this.table.connections.find(destination, segment.destinationPort, source, segment.sourcePort);
    const listener = tcb && !isNewerSyn(tcb, segment) ? null : this.table.listenerFor(destination, segment.destinationPort);
    if (tcb && !listener) {
      segmentArrives(this, tcb, segment, ecn);
      return;
    }
    if (tcb) this.replaceTimeWait(tcb);
    const request = this.table.requests.find(destination, segment.destinationPort, source, segment.sourcePort);
    if (request) request.segmentArrives(segment);
    else if (listener) listener.segmentArrives(segment);
    else this.resetUnknown(segment);
    this.issFloor = null;
  }

  /** An ICMP error, or the stack's own word, about a segment of ours. */
  error(error: TransportError, now: number): boolean {
    this.now = now;
    return onTransportError(this, (localPort, remotePort) => this.table.connections.find(error.local, localPort, error.remote, remotePort), error);
  }

  /** Runs due timers, tells users what changed, then sends what is owed. */
  poll(now: number): void {
    this.now = now;
    for (let item = this.deadlines.takeDue(now); item; item = this.deadlines.takeDue(now)) {
      if (item instanceof Request) item.cancel();
      else {
        runTimers(this, item);
        this.touch(item);
      }
    }
    this.notify();
    const dirty = this.dirty;
    this.dirty = [];
    this.txBudget = this.config.txBatch;
    for (const tcb of dirty) {
      tcb.dirty = false;
      if (tcb.state === 'CLOSED') continue;
      output(this, tcb);
      this.deadlines.set(tcb, armTimers(this, tcb));
    }
  }

  /** When `poll` has something to do, ms; `Infinity`: not before something arrives. */
  pollAt(): number {
    return this.dirty.length > 0 || this.changedTcbs.length > 0 || this.calls.length > 0 ? this.now : this.deadlines.nextAt;
  }

  /** The stack's address is gone: every connection ends with ENETDOWN. */
  addressLost(now: number, reason: string): void {
    this.now = now;
    for (const tcb of [...this.table.connections]) this.finish(tcb, tcb.state === 'TIME-WAIT' ? null : new StackError('ENETDOWN', reason));
    for (const request of [...this.table.requests]) request.cancel();
  }

  // TcpContext

  get mayGrowBuffers(): boolean {
    return this.memory.usedBytes < this.config.totalBufferBytes;
  }

  touch(tcb: Tcb): void {
    if (tcb.dirty) return;
    tcb.dirty = true;
    this.dirty.push(tcb);
    if (this.dirty.length === 1) this.onWork();
  }

  changed(tcb: Tcb): void {
    if (tcb.changed) return;
    tcb.changed = true;
    this.changedTcbs.push(tcb);
  }

  setState(tcb: Tcb, state: TcpState): void {
    const from = tcb.state;
    tcb.state = state;
    this.observer({ type: 'tcp-state', id: tcb.id, from, to: state });
    this.changed(tcb);
  }

  finish(tcb: Tcb, error: StackError | null): void {
    if (tcb.state === 'CLOSED') return;
    tcb.error = error;
    this.setState(tcb, 'CLOSED');
    this.table.remove(tcb);
    this.deadlines.set(tcb, Infinity);
    tcb.opener?.lost(tcb);
    tcb.opener = null;
    tcb.sendRing.clear();
    tcb.receiveRing.detach();
    tcb.sent.clear();
    tcb.outOfOrder.clear();
  }

  enterTimeWait(tcb: Tcb): void {
    if (tcb.state !== 'TIME-WAIT') {
      this.setState(tcb, 'TIME-WAIT');
      tcb.sendRing.clear();
      tcb.sent.clear();
      tcb.timeWaitSince = this.now;
      this.evict(this.table.addTimeWait(tcb));
    }
    tcb.lifeAt = this.now + 2 * this.config.mslMs;
    this.touch(tcb);
  }

  // ListenerHost

  openPassive(syn: TcpSegment, opener: Opener): Tcb | null {
    if (!this.makeRoom()) {
      this.counters.rxTableFull++;
      return null;
    }
    const tcb = this.create(
      { localAddress: syn.destination, localPort: syn.destinationPort, remoteAddress: syn.source, remotePort: syn.sourcePort },
      true,
    );
    tcb.opener = opener;
    takeSynOptions(this, tcb, syn);
    tcb.synOwed = true;
    this.counters.passiveOpens++;
    this.touch(tcb);
    return tcb;
  }

  socketOf(tcb: Tcb): TcpSocket {
    let socket = this.socketsByTcb.get(tcb);
    if (!socket) {
      socket = new Socket(tcb, this);
      this.socketsByTcb.set(tcb, socket);
    }
    return socket;
  }

  keep(segment: TcpSegment): TcpSegment {
    const copy = new TcpSegment();
    copy.parse(segment.source, segment.destination, segment.bytes.slice(), segment.hasPartialChecksum);
    return copy;
  }

  addRequest(request: Request): void {
    this.table.requests.add(request);
    this.prolongRequest(request);
  }

  prolongRequest(request: Request): void {
    this.deadlines.set(request, request.endsAt);
  }

  removeRequest(request: Request): void {
    this.table.requests.remove(request);
    this.deadlines.set(request, Infinity);
  }

  resetUnknown(segment: TcpSegment): void {
    this.counters.rxNoConnection++;
    replyReset(this, segment);
  }

  unreachable(code: UnreachableCode, syn: TcpSegment): void {
    this.egress.sendUnreachable(code, { protocol: PROTOCOL_TCP, source: syn.source, destination: syn.destination, payload: syn.bytes });
  }

  afterBatch(call: () => void): void {
    this.calls.push(call);
    this.onWork();
  }

  stopListening(listener: Listener): void {
    this.table.removeListener(listener);
  }

  countFull(): void {
    this.counters.rxBacklogFull++;
  }

  countUnacceptable(): void {
    this.counters.rxUnacceptable++;
  }

  private create(tuple: Tuple, passive: boolean): Tcb {
    const generated = initialSequenceNumber(this.isnHash, this.now, tuple.localAddress, tuple.localPort, tuple.remoteAddress, tuple.remotePort);
    // RFC 7323 §5.4, RFC 6191 §2: the same for every connection of a tuple, so that timestamps grow from one to the next.
    const tsOffset = this.timestampHash.hash(tuple.localAddress, tuple.remoteAddress, (tuple.localPort << 16) | tuple.remotePort);
    // RFC 9293 §3.6.1 MAY-2: above every number the old connection used.
    const iss = this.issFloor === null ? generated : seqMax(generated, seqAdd(this.issFloor, ISS_GAP));
    const tcb = new Tcb(this.nextId++, tuple, iss, this.config, this.newCongestion(), passive, tsOffset, this.memory);
    tcb.lifeAt = this.now + this.config.connectTimeoutMs;
    this.table.add(tcb);
    this.issFloor = null;
    return tcb;
  }

  private checkOurs(port: number): void {
    const { ports } = this;
    if (ports === null || (port >= ports.first && port <= ports.last)) return;
    throw new StackError('EADDRNOTAVAIL', `Port ${port} is the computer's own, whose address the stack shares: take one from ${ports.first} to ${ports.last}.`);
  }

  private newCongestion(): CongestionControl {
    const { congestion, initialWindowSegments, hystart } = this.config;
    return congestion === 'cubic' ? new Cubic(initialWindowSegments, hystart) : new Reno(initialWindowSegments, hystart);
  }

  /** Whether one more connection may exist; one that only waits out its time makes room. */
  private makeRoom(): boolean {
    if (this.table.isFull) this.evict(this.table.oldestTimeWait());
    return !this.table.isFull;
  }

  private evict(tcb: Tcb | null): void {
    if (!tcb) return;
    this.finish(tcb, null);
    this.counters.timeWaitEvicted++;
  }

  /** A new connection of the same tuple begins; its numbers start above the old one's. */
  private replaceTimeWait(tcb: Tcb): void {
    this.counters.timeWaitReused++;
    this.issFloor = tcb.sndMax;
    this.finish(tcb, null);
  }

  private notify(): void {
    const calls = this.calls;
    this.calls = [];
    for (const call of calls) call();
    const changed = this.changedTcbs;
    this.changedTcbs = [];
    for (const tcb of changed) {
      if (!tcb.changed) continue; // the user's own doing
      tcb.changed = false;
      tcb.notify?.();
    }
  }
}
