/** The public shapes of TCP. Field and state names are those of RFC 9293 §3.3. */
import type { StackError } from '../errors';
import type { Ipv4Address } from '../wire/address';

export type TcpState =
  | 'SYN-SENT'
  | 'SYN-RECEIVED'
  | 'ESTABLISHED'
  | 'FIN-WAIT-1'
  | 'FIN-WAIT-2'
  | 'CLOSE-WAIT'
  | 'CLOSING'
  | 'LAST-ACK'
  | 'TIME-WAIT'
  | 'CLOSED';

/** RFC 9293 §3.8.4. */
export interface KeepAlive {
  /** Silence before the first probe, ms, at least 1 000. RFC 1122 asks for two hours as a default. */
  readonly idleMs: number;
  /** Between probes, ms, at least 1 000. */
  readonly intervalMs: number;
  /** Unanswered probes after which the connection ends with ETIMEDOUT, 1 … 100. */
  readonly probes: number;
}

/** A read-only picture of a connection, for tests and for the socket tree. Bytes, ms, sequence numbers. */
export interface TcpSnapshot {
  readonly id: number;
  readonly state: TcpState;
  readonly localAddress: Ipv4Address;
  readonly localPort: number;
  readonly remoteAddress: Ipv4Address;
  readonly remotePort: number;
  readonly iss: number;
  readonly irs: number;
  readonly sndUna: number;
  readonly sndNxt: number;
  readonly sndWnd: number;
  readonly rcvNxt: number;
  readonly rcvWnd: number;
  readonly mss: number;
  readonly cwndBytes: number;
  readonly ssthreshBytes: number;
  readonly flightBytes: number;
  readonly srttMs: number | null;
  readonly rttvarMs: number | null;
  readonly rtoMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly segmentsIn: number;
  readonly segmentsOut: number;
  readonly retransmissions: number;
  readonly timeouts: number;
  readonly fastRecoveries: number;
  readonly outOfOrderBytes: number;
  readonly recovery: 'open' | 'fast' | 'timeout';
  /** Segments sent and not acknowledged; of them, those that the peer holds, and those lost and not sent again yet. */
  readonly unackedSegments: number;
  readonly sackedSegments: number;
  readonly lostSegments: number;
  readonly spuriousRecoveries: number;
  readonly reorderingSeen: boolean;
  readonly sack: boolean;
  readonly timestamps: boolean;
  readonly ecn: boolean;
  /** Shifts of RFC 7323 §2; null if scaling was not agreed. */
  readonly windowScale: { readonly send: number; readonly receive: number } | null;
  readonly receiveMss: number;
  /** Memory that the buffers hold now. */
  readonly bufferMemoryBytes: number;
  readonly readableBytes: number;
  readonly unsentBytes: number;
  readonly error: StackError | null;
}

/**
 * One connection as its user sees it. Nothing here blocks and nothing throws once the socket exists;
 * what the network did is told once per poll through `onChange`.
 */
export interface TcpSocket {
  readonly id: number;
  readonly state: TcpState;
  readonly localAddress: Ipv4Address;
  readonly localPort: number;
  readonly remoteAddress: Ipv4Address;
  readonly remotePort: number;
  /** Why the connection ended abnormally; null while it lives or when it ended in order. */
  readonly error: StackError | null;
  /** Whether the handshake is complete and neither side has been reset or fully closed. */
  readonly isOpen: boolean;
  /** Bytes that `read` would give now. */
  readonly readableBytes: number;
  /** Bytes that `write` would take now; 0 when the send direction is closed. */
  readonly writableBytes: number;
  /** Bytes taken by `write` and not yet acknowledged by the peer. */
  readonly bufferedBytes: number;
  /** The peer's FIN has arrived and everything before it too; bytes may still wait to be read. */
  readonly peerClosed: boolean;
  /**
   * Called in a poll, after all frames of its batch and before anything is sent, if what a user can see
   * changed: state, readable or writable bytes, the peer's FIN, the error. It may call any method of the
   * socket; what it reads and writes rides on the segments that the poll then sends. Not called for
   * changes that a method called by the user made itself.
   */
  onChange: ((socket: TcpSocket) => void) | null;
  /** Takes as many of the bytes as there is room for (copied before return). @returns how many, 0 … data.length. */
  write(data: Uint8Array): number;
  /** Copies up to target.length received bytes into `target` and opens the window. @returns how many. */
  read(target: Uint8Array): number;
  /** Limits what the receive buffer grows to, in bytes; a smaller limit shrinks the window only as bytes arrive (RFC 9293 §3.8.6). */
  setReceiveLimit(bytes: number): void;
  /** Nagle's algorithm for this connection; off sends small segments at once. */
  setNagle(on: boolean): void;
  /** @param options null: off, as it is at first @throws RangeError for a value out of its range */
  setKeepAlive(options: KeepAlive | null): void;
  /** How long unacknowledged data is repeated before ETIMEDOUT, ms (RFC 5482). @throws RangeError below 1 */
  setUserTimeout(ms: number): void;
  /**
   * From now on the user timeout also counts against a peer that keeps its window closed and answers the probes of it: one
   * that takes nothing for so long is reset, and the connection ends with ETIMEDOUT. RFC 9293 §3.8.6.1 keeps such a
   * connection for as long as its user wants it; how long that is, is the user's to say (RFC 6429). Idempotent.
   */
  endIfStalled(): void;
  /** Orderly close of our direction: sends what is queued, then FIN. Reading goes on. Idempotent. */
  close(): void;
  /**
   * Closes, and says that nobody will read any more: what is unread is dropped, what still arrives is
   * acknowledged and dropped until our FIN is acknowledged, and answered with RST after that
   * (RFC 9293 §3.6.1); FIN-WAIT-2 is bounded by `tcp.finWait2TimeoutMs`, and a peer that takes nothing of what is
   * queued as by `endIfStalled`. Idempotent.
   */
  release(): void;
  /** Sends RST and forgets everything queued. Idempotent. @param told where the user does not do it itself: the socket's `error`, of which it is told; default null */
  abort(told?: StackError | null): void;
  snapshot(): TcpSnapshot;
}

export interface TcpConnectOptions {
  readonly address: Ipv4Address;
  readonly port: number;
  /** 0 or absent: a random free ephemeral port (RFC 6056 §3.3.1). */
  readonly localPort?: number;
}

/** A SYN that waits for its listener's word before it is answered. */
export interface ConnectionRequest {
  readonly localAddress: Ipv4Address;
  readonly localPort: number;
  readonly remoteAddress: Ipv4Address;
  readonly remotePort: number;
  /** Called if the peer gives up (by RST, or repeating its SYN no more) or the request expires before it was decided. */
  onCancel: (() => void) | null;
  /** Answers with SYN-ACK. @returns the socket in SYN-RECEIVED, or null if the request was cancelled. */
  accept(): TcpSocket | null;
  /** `reset`: RST; `drop`: silence; else ICMP destination unreachable with that code. */
  refuse(how: 'reset' | 'drop' | 'net' | 'host' | 'prohibited'): void;
}

export interface TcpListenOptions {
  /** 'any': every port that has no listener of its own; with a stack that accepts any destination, a router's. */
  readonly port: number | 'any';
  /** Absent: every address the stack accepts packets for. */
  readonly address?: Ipv4Address;
  /** Connections that are not yet accepted (requests, half-open, or open and not taken). Default `tcp.listenBacklog`. */
  readonly backlog?: number;
}

export interface TcpListener {
  readonly port: number | 'any';
  /** A connection that completed its handshake. Without a handler it waits in the backlog for `accept()`. */
  onAccept: ((socket: TcpSocket) => void) | null;
  /** If set, asked for every new SYN before it is answered. */
  onRequest: ((request: ConnectionRequest) => void) | null;
  /** The oldest open connection not taken yet, or null. */
  accept(): TcpSocket | null;
  /** Stops listening; connections not yet taken are reset. Idempotent. */
  close(): void;
}
