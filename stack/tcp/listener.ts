/** The passive open: LISTEN (RFC 9293 §3.10.7.2), with a say for the listener before a SYN is answered. */
import type { TcpConfig } from '../config';
import type { Due } from '../storage/deadline-heap';
import type { Flow } from '../storage/flow-table';
import type { UnreachableCode } from '../egress';
import { ACK, RST, SYN, type TcpSegment } from '../wire/tcp';
import type { Opener, Tcb } from './tcb';
import type { ConnectionRequest, TcpListener, TcpSocket } from './types';

/** A SYN is not held for overdue before it is so late, ms: its peer may be busy. */
const SYN_GRACE_MS = 2_000;

/** What listeners and requests need of the layer. */
export interface ListenerHost {
  readonly config: TcpConfig;
  readonly now: number;
  /** Makes the connection that `syn` asks for, in SYN-RECEIVED; null if the stack holds as many as it may. */
  openPassive(syn: TcpSegment, opener: Opener): Tcb | null;
  socketOf(tcb: Tcb): TcpSocket;
  /** A copy of the segment under way that outlives it. */
  keep(segment: TcpSegment): TcpSegment;
  addRequest(request: Request): void;
  /** It ends at another time than before. */
  prolongRequest(request: Request): void;
  removeRequest(request: Request): void;
  resetUnknown(segment: TcpSegment): void;
  unreachable(code: UnreachableCode, syn: TcpSegment): void;
  /** Runs `call` when the batch has been taken in. */
  afterBatch(call: () => void): void;
  stopListening(listener: Listener): void;
  countFull(): void;
  countUnacceptable(): void;
}

export class Listener implements TcpListener, Opener {
  onAccept: ((socket: TcpSocket) => void) | null = null;
  onRequest: ((request: ConnectionRequest) => void) | null = null;
  private readonly halfOpen = new Set<Tcb>();
  private readonly requests = new Set<Request>();
  private readonly waiting: TcpSocket[] = [];
  private isClosed = false;

  constructor(
    readonly port: number | 'any',
    readonly address: number | null,
    private readonly backlog: number,
    private readonly host: ListenerHost,
  ) {}

  accept(): TcpSocket | null {
    return this.waiting.shift() ?? null;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.host.stopListening(this);
    for (const request of [...this.requests]) request.refuse('reset');
    for (const tcb of [...this.halfOpen]) this.host.socketOf(tcb).abort();
    for (const socket of this.waiting.splice(0)) socket.abort();
  }

  /** A segment for this port that belongs to no connection. */
  segmentArrives(segment: TcpSegment): void {
    if (segment.has(RST)) {
      this.host.countUnacceptable(); // first check: nothing here that it could mean
      return;
    }
    if (segment.has(ACK)) {
      this.host.resetUnknown(segment); // second check
      return;
    }
    if (!segment.has(SYN)) {
      this.host.countUnacceptable();
      return;
    }
    // Third check, SYN. Silence beyond the backlog: the peer will repeat it.
    if (this.requests.size + this.halfOpen.size + this.waiting.length >= this.backlog) {
      this.host.countFull();
      return;
    }
    if (!this.onRequest) {
      this.open(segment);
      return;
    }
    const request = new Request(this.host.keep(segment), this, this.host);
    this.requests.add(request);
    this.host.addRequest(request);
    this.onRequest(request);
  }

  open(syn: TcpSegment): Tcb | null {
    const tcb = this.host.openPassive(syn, this);
    if (tcb) this.halfOpen.add(tcb);
    return tcb;
  }

  forget(request: Request): void {
    this.requests.delete(request);
    this.host.removeRequest(request);
  }

  opened(tcb: Tcb): void {
    this.halfOpen.delete(tcb);
    tcb.opener = null;
    const socket = this.host.socketOf(tcb);
    this.waiting.push(socket);
    this.host.afterBatch(() => {
      if (this.onAccept && this.waiting.includes(socket)) {
        this.waiting.splice(this.waiting.indexOf(socket), 1);
        this.onAccept(socket);
      }
    });
  }

  lost(tcb: Tcb): void {
    this.halfOpen.delete(tcb);
  }
}

/**
 * A SYN that was not answered yet. Later SYNs of the same tuple are the peer's repetitions: when they stop, it has
 * given up, which it does without a word (RFC 9293 §3.10.4, §3.10.5 in SYN-SENT).
 */
export class Request implements ConnectionRequest, Flow, Due {
  onCancel: (() => void) | null = null;
  dueAt = Infinity;
  heapIndex = -1;
  private decided = false;
  /** However long the peer repeats its SYN, ms. */
  private readonly limitAt: number;
  /** When the latest SYN came, and the longest time between two, ms. */
  private synAt: number;
  private synGapMs: number;

  constructor(
    private readonly syn: TcpSegment,
    private readonly listener: Listener,
    private readonly host: ListenerHost,
  ) {
    const { now, config } = host;
    this.limitAt = now + config.requestTimeoutMs;
    this.synAt = now;
    this.synGapMs = config.initialRtoMs;
  }

  /** When nobody waits for it any more, ms. RFC 6298 §5.5: each SYN comes at most twice as late as the one before. */
  get endsAt(): number {
    return Math.min(this.limitAt, this.synAt + 2 * this.synGapMs + SYN_GRACE_MS);
  }

  get localAddress(): number {
    return this.syn.destination;
  }

  get localPort(): number {
    return this.syn.destinationPort;
  }

  get remoteAddress(): number {
    return this.syn.source;
  }

  get remotePort(): number {
    return this.syn.sourcePort;
  }

  accept(): TcpSocket | null {
    if (!this.decide()) return null;
    const tcb = this.listener.open(this.syn);
    return tcb ? this.host.socketOf(tcb) : null;
  }

  refuse(how: 'reset' | 'drop' | 'net' | 'host' | 'prohibited'): void {
    if (!this.decide() || how === 'drop') return;
    if (how === 'reset') this.host.resetUnknown(this.syn);
    else this.host.unreachable(how, this.syn);
  }

  /** A further segment of the same tuple. A reset that fits the SYN takes the request back. */
  segmentArrives(segment: TcpSegment): void {
    if (segment.has(RST) && segment.seq === ((this.syn.seq + 1) >>> 0)) this.cancel();
    // RFC 3168 §6.1.1.1: a repeated SYN may do without ECN.
    else if (segment.has(SYN) && !segment.has(ACK) && !segment.has(RST) && segment.seq === this.syn.seq) this.repeated();
    else this.host.countUnacceptable();
  }

  private repeated(): void {
    const { now } = this.host;
    this.synGapMs = Math.max(this.synGapMs, now - this.synAt);
    this.synAt = now;
    this.host.prolongRequest(this);
  }

  /** The peer gave up, or nobody decided in time. */
  cancel(): void {
    if (this.decide()) this.onCancel?.();
  }

  private decide(): boolean {
    if (this.decided) return false;
    this.decided = true;
    this.listener.forget(this);
    return true;
  }
}
