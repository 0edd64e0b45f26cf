/**
 * One TCP connection through the gateway: the guest's, in the gateway's own stack, joined to one of the
 * operating system's. Bytes, ends and resets pass in both directions; neither side is read faster than the
 * other takes it.
 */
import { connect, type Socket } from 'node:net';
import type { Clock, Timer } from '../clock';
import type { Counters } from '../observer';
import type { ConnectionRequest, TcpSocket } from '../tcp/types';
import type { WatchedConnection } from './silence-watch';

/** Most bytes moved by one call of the operating system. */
export const CHUNK_BYTES = 256 << 10;
/** Per connection, where buffers cannot be shared. */
const OWN_CHUNK_BYTES = 64 << 10;
/**
 * On POSIX libuv asks for the buffer right before it reads and hands it over before it reads again, so that
 * all sockets can share one. Windows fills buffers while others are being read: there each has its own.
 */
const SHARES_BUFFER = process.platform !== 'win32';
const readBuffer = new Uint8Array(SHARES_BUFFER ? CHUNK_BYTES : 0);

/** What is read from the guest on its way to the system; given away when the system keeps it. */
let writeBuffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);

/** How a failure to connect is told to the guest. What is not listed stays silent, and the guest's SYN times out. */
const REFUSALS: { readonly [code: string]: 'reset' | 'net' | 'host' | 'prohibited' } = {
  ECONNREFUSED: 'reset',
  ECONNRESET: 'reset',
  EHOSTUNREACH: 'host',
  EHOSTDOWN: 'host',
  EADDRNOTAVAIL: 'host',
  EINVAL: 'host',
  ENETUNREACH: 'net',
  ENETDOWN: 'net',
  EACCES: 'prohibited',
  EPERM: 'prohibited',
};

export interface RelayTarget {
  /** IPv4 or IPv6, as text. */
  readonly address: string;
  readonly port: number;
}

export interface RelayedConnectionOptions {
  readonly clock: Clock;
  readonly counters: Counters['gateway'];
  readonly connectTimeoutMs: number;
  readonly resetDrainMs: number;
  readonly lingerMs: number;
  /** A failure that is this computer's, not the destination's: out of descriptors or memory. */
  readonly onLocalFailure: (code: string) => void;
  /** The open connection outside failed; the guest will be reset. @param code of the system, or ETIMEDOUT for a peer that fell silent */
  readonly onFailure: (request: ConnectionRequest, code: string) => void;
  /** Called once: the relay has nothing more to do. */
  readonly onDone: (connection: RelayedConnection) => void;
}

export class RelayedConnection implements WatchedConnection {
  awaitsWord = false;
  heardAt = -Infinity;
  private wroteAt = -Infinity;
  private readonly outside: Socket;
  private guest: TcpSocket | null = null;
  /** Ends the attempt to connect, or the wait for one side after the other has ended. */
  private timer: Timer | null = null;
  /** What the guest's send buffer had no room for. While it is not null the outside is not read. */
  private remainder: Uint8Array | null = null;
  private reading = false;
  private outsideEnded = false;
  private outsideFailed = false;
  private endSent = false;
  private done = false;
  private readonly onWritten = (): void => {
    if (this.done) return;
    if (this.guest?.state === 'CLOSED' && !this.outsideFailed) this.linger();
    this.toOutside();
  };

  constructor(
    private readonly request: ConnectionRequest,
    private readonly target: RelayTarget,
    private readonly options: RelayedConnectionOptions,
  ) {
    const own = SHARES_BUFFER ? readBuffer : new Uint8Array(OWN_CHUNK_BYTES);
    this.outside = connect({
      host: target.address,
      port: target.port,
      allowHalfOpen: true,
      noDelay: true,
      onread: { buffer: own, callback: (count) => this.fromOutside(own, count) },
    });
    // Nothing is read before the guest can take it.
    this.outside.pause();
    this.outside.on('connect', () => this.connected());
    this.outside.on('end', () => this.outsideEnd());
    this.outside.on('error', (error: NodeJS.ErrnoException) => this.outsideError(error.code ?? 'EIO'));
    this.outside.on('close', () => this.outsideClosed());
    this.after(options.connectTimeoutMs, () => this.outsideError('ETIMEDOUT'));
    request.onCancel = () => this.finish();
  }

  // ---- WatchedConnection

  get localPort(): number {
    return this.outside.localPort ?? 0;
  }

  get remoteAddress(): string {
    return this.target.address;
  }

  get remotePort(): number {
    return this.target.port;
  }

  acknowledged(at: number): void {
    // What was written while the table was being read is not in it.
    if (this.wroteAt < at) this.awaitsWord = false;
  }

  silent(): void {
    this.options.counters.tcpSilent++;
    this.outsideError('ETIMEDOUT');
  }

  /** Resets both sides. */
  close(): void {
    this.guest?.abort();
    this.finish();
  }

  private connected(): void {
    this.timer?.cancel();
    this.timer = null;
    const guest = this.request.accept();
    if (!guest) return this.finish();
    this.options.counters.tcpRelayed++;
    this.guest = guest;
    guest.onChange = () => this.guestChanged(guest);
  }

  private guestChanged(guest: TcpSocket): void {
    if (guest.state === 'CLOSED') return this.guestClosed(guest);
    if (this.outsideFailed) {
      this.drain(guest);
      return;
    }
    this.toGuest(guest);
    this.toOutside();
  }

  private guestClosed(guest: TcpSocket): void {
    // In order, with both directions finished: the outside takes the rest in its own time, as long as it takes something.
    if (guest.error === null && guest.peerClosed) {
      this.linger();
      return this.toOutside();
    }
    if (!this.outsideFailed) this.options.counters.tcpReset++;
    this.finish();
  }

  /** Called by the operating system's socket with bytes in `buffer`. @returns whether to go on reading */
  private fromOutside(buffer: Uint8Array, count: number): boolean {
    const { guest } = this;
    if (!guest || this.done) return false;
    this.heardAt = this.options.clock.now();
    const bytes = count === buffer.length ? buffer : buffer.subarray(0, count);
    const taken = guest.write(bytes);
    if (taken < count) this.remainder = bytes.slice(taken);
    // The send buffer is full, or nearly: the window outside closes until the guest has taken something.
    this.reading = this.remainder === null && hasRoom(guest);
    return this.reading;
  }

  /** Sends the guest what it had no room for, and goes on reading outside. */
  private toGuest(guest: TcpSocket): void {
    if (this.remainder) {
      const taken = guest.write(this.remainder);
      this.remainder = taken < this.remainder.length ? this.remainder.subarray(taken) : null;
    }
    if (this.remainder) return;
    if (this.outsideEnded) {
      guest.close();
      if (this.outside.destroyed) this.finish();
      return;
    }
    if (!this.reading && guest.isOpen && hasRoom(guest)) {
      this.reading = true;
      this.outside.resume();
    }
  }

  /** Moves what the guest has sent to the outside, while the system takes it at once. */
  private toOutside(): void {
    const { guest, outside } = this;
    if (!guest || this.done || this.outsideFailed || this.endSent) return;
    // One chunk at a time: what the system does not take stays unread, and closes the guest's window.
    while (guest.readableBytes > 0 && outside.writableLength === 0) {
      const count = guest.read(writeBuffer);
      const chunk = writeBuffer.subarray(0, count);
      outside.write(chunk, this.onWritten);
      this.awaitsWord = true;
      this.wroteAt = this.options.clock.now();
      // The system copied everything already: the buffer is ours again. Else it is the socket's now.
      if (outside.writableLength !== 0) writeBuffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    }
    if (guest.peerClosed && guest.readableBytes === 0) {
      this.endSent = true;
      outside.end();
    }
  }

  private outsideEnd(): void {
    this.outsideEnded = true;
    if (this.guest) this.toGuest(this.guest);
  }

  private outsideError(code: string): void {
    if (this.done || this.outsideFailed) return;
    const { guest, options } = this;
    if (!guest) {
      if (code === 'ECONNREFUSED') options.counters.tcpRefused++;
      else options.counters.tcpFailed++;
      if (code === 'EMFILE' || code === 'ENFILE' || code === 'ENOBUFS' || code === 'ENOMEM') options.onLocalFailure(code);
      this.request.refuse(REFUSALS[code] ?? 'drop');
      return this.finish();
    }
    this.outsideFailed = true;
    this.awaitsWord = false;
    options.onFailure(this.request, code);
    options.counters.tcpReset++;
    this.after(options.resetDrainMs, () => this.close());
    this.drain(guest);
  }

  /**
   * The outside was reset. As without a gateway, what came before the reset reaches the guest first: our RST
   * goes out once the guest has acknowledged it, or after a while.
   */
  private drain(guest: TcpSocket): void {
    if (this.remainder) {
      const taken = guest.write(this.remainder);
      this.remainder = taken < this.remainder.length ? this.remainder.subarray(taken) : null;
    }
    if (this.remainder === null && guest.bufferedBytes === 0) this.close();
  }

  /** A peer that reads nothing answers the probes of its closed window for ever: nobody but us ends this. */
  private linger(): void {
    this.after(this.options.lingerMs, () => this.finish());
  }

  /** In place of what was to be done before. */
  private after(ms: number, call: () => void): void {
    const { clock } = this.options;
    this.timer?.cancel();
    this.timer = clock.at(clock.now() + ms, call);
  }

  private outsideClosed(): void {
    // After an error the guest is still to be told; after both ends the guest's stack does the rest.
    if (!this.outsideFailed && this.remainder === null) this.finish();
  }

  private finish(): void {
    if (this.done) return;
    this.done = true;
    this.timer?.cancel();
    this.timer = null;
    this.request.onCancel = null;
    if (this.guest) this.guest.onChange = null;
    const { outside } = this;
    // A socket that is open is reset: the peer must not take this for the end of the stream. One that still
    // connects is only dropped, since a reset would wait until it has connected.
    if (outside.connecting) outside.destroy();
    else if (!outside.destroyed) outside.resetAndDestroy();
    this.options.onDone(this);
  }
}

/** Room for a whole chunk, or in a smaller buffer for as much as waits there: small messages never stop the reading. */
function hasRoom(guest: TcpSocket): boolean {
  return guest.writableBytes >= Math.min(CHUNK_BYTES, Math.max(guest.bufferedBytes, 1));
}
