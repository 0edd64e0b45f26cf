/** Relays the guest's TCP connections through the operating system: a listener on every port of every address. */
import type { Clock } from '../clock';
import type { Counters, Observer } from '../observer';
import type { TcpLayer } from '../tcp/tcp-layer';
import type { ConnectionRequest, TcpListener } from '../tcp/types';
import type { Ipv4Address } from '../wire/address';
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
}

export class TcpRelay {
  private readonly listener: TcpListener;
  private readonly connections = new Set<RelayedConnection>();
  private readonly reported = new Set<string>();
  private readonly connectionOptions: RelayedConnectionOptions;

  constructor(private readonly options: TcpRelayOptions) {
    const { clock, counters, connectTimeoutMs, resetDrainMs, backlog } = options;
    this.connectionOptions = {
      clock,
      counters,
      connectTimeoutMs,
      resetDrainMs,
      onLocalFailure: (code) => this.reportOnce(code),
      onDone: (connection) => void this.connections.delete(connection),
    };
    this.listener = options.tcp.listen({ port: 'any', backlog });
    this.listener.onRequest = (request) => this.request(request);
    // Each connection is watched from its request on; taking it here only frees its place in the backlog.
    this.listener.onAccept = () => {};
  }

  /** Connections that are being opened or relayed. */
  get connectionCount(): number {
    return this.connections.size;
  }

  /** Resets everything that is relayed. */
  close(): void {
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
  }

  private reportOnce(code: string): void {
    if (this.reported.has(code)) return;
    this.reported.add(code);
    this.options.observer({ type: 'warning', message: `the operating system opens no more connections (${code}): close some, or raise its limit (ulimit -n)` });
  }
}
