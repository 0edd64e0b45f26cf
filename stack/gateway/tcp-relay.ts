/** Relays the guest's TCP connections through the operating system: a listener on every port of every address. */
import type { Clock } from '../clock';
import type { Counters, Observer } from '../observer';
import type { TcpLayer } from '../tcp/tcp-layer';
import type { ConnectionRequest, TcpListener } from '../tcp/types';
import type { Ipv4Address } from '../wire/address';
import { SilenceWatch, type ReadTcpTable } from './silence-watch';
import { RelayedConnection, type RelayedConnectionOptions, type RelayTarget } from './relayed-connection';

export interface TcpRelayOptions {
  readonly clock: Clock;
  readonly tcp: TcpLayer;
  readonly counters: Counters['gateway'];
  readonly observer: Observer;
  /** Where outside a destination of the guest's leads; null: nowhere. */
  readonly translate: (destination: Ipv4Address, port: number) => RelayTarget | null;
  readonly backlog: number;
  readonly connectTimeoutMs: number;
  readonly resetDrainMs: number;
  readonly lingerMs: number;
  readonly silenceMs: number;
  readonly readTable: ReadTcpTable;
}

/** Reasons of resets that are kept until somebody asks. */
const MAX_REASONS = 1_024;

export class TcpRelay {
  private readonly listener: TcpListener;
  private readonly connections = new Set<RelayedConnection>();
  private readonly silence: SilenceWatch;
  /** Why guests were reset, by their end and the destination: the code of the system. */
  private readonly reasons = new Map<string, string>();
  private readonly reported = new Set<string>();
  private readonly connectionOptions: RelayedConnectionOptions;

  constructor(private readonly options: TcpRelayOptions) {
    const { clock, counters, connectTimeoutMs, resetDrainMs, lingerMs, backlog } = options;
    this.connectionOptions = {
      clock,
      counters,
      connectTimeoutMs,
      resetDrainMs,
      lingerMs,
      onLocalFailure: (code) => this.reportOnce(code),
      onFailure: (request, code) => this.remember(request, code),
      onDone: (connection) => this.forget(connection),
    };
    this.silence = new SilenceWatch({ clock, connections: () => this.connections, readTable: options.readTable, limitMs: options.silenceMs });
    this.listener = options.tcp.listen({ port: 'any', backlog });
    this.listener.onRequest = (request) => this.request(request);
    // Each connection is watched from its request on; taking it here only frees its place in the backlog.
    this.listener.onAccept = () => {};
  }

  /** Connections that are being opened or relayed. */
  get connectionCount(): number {
    return this.connections.size;
  }

  /** Why a guest's connection was reset: the code of the failure outside, told once; null: the peer itself reset it. */
  reasonOf(guestPort: number, destination: Ipv4Address, port: number): string | null {
    const key = `${guestPort} ${destination} ${port}`;
    const code = this.reasons.get(key) ?? null;
    this.reasons.delete(key);
    return code;
  }

  /** Resets everything that is relayed. */
  close(): void {
    this.silence.close();
    this.listener.close();
    for (const connection of [...this.connections]) connection.close();
  }

  private request(request: ConnectionRequest): void {
    const target = this.options.translate(request.localAddress, request.localPort);
    if (target === null) {
      this.options.counters.tcpForbidden++;
      request.refuse('drop');
      return;
    }
    this.connections.add(new RelayedConnection(request, target, this.connectionOptions));
    this.silence.start();
  }

  private forget(connection: RelayedConnection): void {
    this.connections.delete(connection);
    if (this.connections.size === 0) this.silence.stop();
  }

  private remember({ remotePort, localAddress, localPort }: ConnectionRequest, code: string): void {
    const key = `${remotePort} ${localAddress} ${localPort}`;
    this.reasons.delete(key);
    if (code === 'ECONNRESET' || code === 'EPIPE') return;
    this.reasons.set(key, code);
    const [oldest] = this.reasons.keys();
    if (this.reasons.size > MAX_REASONS && oldest !== undefined) this.reasons.delete(oldest);
  }

  private reportOnce(code: string): void {
    if (this.reported.has(code)) return;
    this.reported.add(code);
    this.options.observer({ type: 'warning', message: `the operating system opens no more connections (${code}): close some, or raise its limit (ulimit -n)` });
  }
}
