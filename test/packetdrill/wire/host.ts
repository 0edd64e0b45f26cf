/** The stack under test on its virtual clock, with the script at the other end of the wire. */
import { VirtualClock } from '../../../stack/clock';
import type { TcpConfig } from '../../../stack/config';
import type { Ecn, Ipv4Egress, TransportError } from '../../../stack/egress';
import { createCounters } from '../../../stack/observer';
import { SeededRandom } from '../../../stack/random';
import { TcpLayer } from '../../../stack/tcp/tcp-layer';
import type { TcpSocket } from '../../../stack/tcp/types';
import { Flow, type Captured, type Tuple } from './flow';
import { MAX_CAPTURED, type Budget } from '../syntax/limits';
import { ScriptFailure } from '../syntax/script-error';
import type { Settings } from '../settings';
import { decodeSegment, encodeSegment, type WireSegment } from './tcp-codec';

export type MutableTcpConfig = { -readonly [K in keyof TcpConfig]: TcpConfig[K] };

const IPV4_HEADER_BYTES = 20;
const TCP_HEADER_BYTES = 20;
const DEFAULT_TTL = 64;
/** Room before the payload, as a real link below would need; the value is of no account. */
const HEADROOM = 64;
/** The stack's randomness: repeatable, so that a script's outcome is. */
const SEED = 1;

export interface HostOptions {
  readonly config: TcpConfig;
  readonly settings: Settings;
  readonly budget: Budget;
  /** What the virtual clock shows at script time 0: moves initial sequence numbers (RFC 6528 §3). */
  readonly startMs: number;
}

export class Host {
  readonly tcp: TcpLayer;
  readonly counters = createCounters();
  /** Where the script is: the line that a failure belongs to. */
  line = 1;
  /** TCP_MAXSEG: an MSS below what the path allows, or null. */
  mssLimit: number | null = null;
  readonly flows: Flow[] = [];
  private readonly config: MutableTcpConfig;
  private readonly clock: VirtualClock;
  private pathMtu: number;
  private captured = 0;
  /** The stack sent something that no TCP may send. */
  private fault: string | null = null;
  private workPending = false;

  /** @param frozen settings that nothing in the script may change */
  constructor(
    private readonly options: HostOptions,
    private readonly frozen: Partial<TcpConfig>,
  ) {
    this.config = { ...options.config, ...frozen };
    this.clock = new VirtualClock(options.startMs);
    this.pathMtu = options.settings.mtu;
    this.tcp = new TcpLayer({
      config: this.config,
      counters: this.counters.tcp,
      random: new SeededRandom(SEED),
      egress: this.egress(),
      observer: () => {},
      onWork: () => {
        this.workPending = true;
      },
    });
  }

  /** Script time, µs. */
  get nowUs(): number {
    return Math.round((this.clock.now() - this.options.startMs) * 1000);
  }

  /** The clock as the stack's calls want it, ms. */
  get now(): number {
    return this.clock.now();
  }

  get tcpConfig(): Readonly<TcpConfig> {
    return this.config;
  }

  configure(changes: Partial<TcpConfig>): void {
    Object.assign(this.config, changes, this.frozen);
  }

  /** Whether a mutation holds the setting. */
  isFrozen(field: keyof TcpConfig): boolean {
    return field in this.frozen;
  }

  get mtu(): number {
    return this.pathMtu;
  }

  /** The flow with these ends; made if there is none. */
  flowOf(tuple: Tuple): Flow {
    const found = this.flows.find(({ tuple: other }) =>
      other.localPort === tuple.localPort && other.remotePort === tuple.remotePort && other.localAddress === tuple.localAddress && other.remoteAddress === tuple.remoteAddress);
    if (found) return found;
    const flow = new Flow(tuple);
    this.flows.push(flow);
    return flow;
  }

  /** The stack's socket of the flow, in any state but CLOSED. */
  socketOf({ tuple }: Flow): TcpSocket | null {
    for (const socket of this.tcp.sockets) {
      if (socket.localPort === tuple.localPort && socket.remotePort === tuple.remotePort && socket.remoteAddress === tuple.remoteAddress) return socket;
    }
    return null;
  }

  /** Brings a segment to the stack, which answers at once if it has to. */
  inject(flow: Flow, segment: WireSegment, ecn: Ecn): void {
    const { remoteAddress: source, localAddress: destination } = flow.tuple;
    flow.traffic.noteReceived(segment, this.nowUs);
    this.guarded(() => this.tcp.input(source, destination, encodeSegment({ source, destination }, segment), ecn, this.now));
    this.workPending = true;
    this.settle();
  }

  injectError(error: TransportError): void {
    // The layer below learns the path's MTU before it tells TCP.
    if (error.kind.type === 'fragmentation-needed' && error.kind.nextHopMtu > 0) this.pathMtu = Math.min(this.pathMtu, Math.max(68, error.kind.nextHopMtu));
    this.guarded(() => this.tcp.error(error, this.now));
    this.workPending = true;
    this.settle();
  }

  /** Polls until the stack has nothing more to do now. */
  settle(): void {
    while (this.workPending) {
      this.workPending = false;
      this.poll();
    }
  }

  /** When the stack has something to do by itself, script µs. */
  get nextUs(): number {
    return Math.ceil((this.tcp.pollAt() - this.options.startMs) * 1000);
  }

  /**
   * Lets time pass up to `untilUs`, polling the stack at each of its deadlines.
   * @param done asked after every poll; true ends the wait
   * @returns whether `done` ended it
   */
  runUntil(untilUs: number, done: () => boolean): boolean {
    this.settle();
    if (done()) return true;
    // Half a microsecond of slack: deadlines are sums of fractions of milliseconds.
    const untilMs = this.msOf(untilUs) + 0.0005;
    for (let next = this.tcp.pollAt(); next <= untilMs; next = this.tcp.pollAt()) {
      this.clock.runUntil(next);
      this.poll();
      this.settle();
      if (done()) return true;
    }
    this.clock.runUntil(this.msOf(untilUs));
    return false;
  }

  /** Calls into the stack; what it throws is a failure of the script, as is a malformed segment. */
  guarded<T>(call: () => T): T {
    let result: T;
    try {
      result = call();
    } catch (error) {
      if (error instanceof Error && error.name === 'StackError') throw error;
      throw new ScriptFailure(this.line, 'the stack to handle this', `it threw ${error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 2).join(' ') : String(error)}`);
    }
    if (this.fault) throw new ScriptFailure(this.line, 'sound segments', this.fault);
    return result;
  }

  private poll(): void {
    this.options.budget.spend(this.line, this.nowUs);
    this.guarded(() => this.tcp.poll(this.now));
  }

  private msOf(us: number): number {
    return this.options.startMs + us / 1000;
  }

  private egress(): Ipv4Egress {
    const { localAddress } = this.options.settings;
    const buffer = new Uint8Array(HEADROOM + 65_535);
    return {
      buffer,
      payloadOffset: HEADROOM,
      maxPayload: 65_535 - IPV4_HEADER_BYTES,
      sourceFor: () => localAddress,
      linkMtu: () => Math.min(this.options.settings.mtu, this.mssLimit === null ? Infinity : this.mssLimit + IPV4_HEADER_BYTES + TCP_HEADER_BYTES),
      pathMtu: () => Math.min(this.pathMtu, this.mssLimit === null ? Infinity : this.mssLimit + IPV4_HEADER_BYTES + TCP_HEADER_BYTES),
      send: (_protocol, source, destination, length, options) => {
        if (options?.dontFragment && length + IPV4_HEADER_BYTES > this.pathMtu) return 'too-big';
        this.capture(source, destination, buffer.slice(HEADROOM, HEADROOM + length), options?.ecn ?? 0, options?.ttl ?? DEFAULT_TTL);
        return 'sent';
      },
      // Refusals by ICMP come from a listener that is asked before it accepts, which scripts do not have.
      sendUnreachable: () => {},
    };
  }

  private capture(source: number, destination: number, bytes: Uint8Array, ecn: number, ttl: number): void {
    const segment = decodeSegment({ source, destination }, bytes);
    if (typeof segment === 'string') {
      this.fault ??= segment;
      return;
    }
    if (++this.captured > MAX_CAPTURED) {
      this.fault ??= `more than ${MAX_CAPTURED} segments`;
      return;
    }
    const flow = this.flowOf({ localAddress: source, localPort: segment.sourcePort, remoteAddress: destination, remotePort: segment.destinationPort });
    const captured: Captured = { us: this.nowUs, segment, ecn, ttl };
    flow.capture(captured);
  }
}
