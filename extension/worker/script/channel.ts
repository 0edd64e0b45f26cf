/**
 * The script's side of one connection: what has arrived, what is queued, and how far either may go on.
 * `Socket` shows it to scripts by polling, fetch's stream is driven by `onActivity`.
 */
import { Buffer } from 'node:buffer';
import type { SocketStatus } from '../../protocol';
import { encodeCredit, encodeOpen, Op, type FrameWriter, type OpenedMessage, type WireError } from './wire';
import type { Allowance } from './allowance';
import { ReceivedBytes } from './received-bytes';

/** Bytes `write` may have queued at once on one socket, on top of what the stack itself buffers. */
export const SEND_QUEUE_BYTES = 64 << 20;
/** The largest n of `read(n)`. */
export const MAX_READ_BYTES = 64 << 20;
/** What a new connection may receive before anything is read; grows with use. */
export const FIRST_WINDOW_BYTES = 256 << 10;
/** What an unread connection may hold at most, unless `read(n)` asks for more. 30 reads a second of it: 8 Gbit/s. */
const MAX_WINDOW_BYTES = 32 << 20;
/** A window never falls below this, however many sockets there are: everyone moves on. */
const LEAST_WINDOW_BYTES = 4 << 10;
/** Credit is granted in steps of at least this part of the window, not for every small read. */
const CREDIT_STEP = 4;

export class Channel {
  status: SocketStatus = 'connecting';
  error: WireError | null = null;
  remoteAddress: number | null = null;
  remotePort: number;
  localPort: number | null = null;
  /** How long the name's resolution and the handshake took, ms; known once connected. */
  dnsMs = 0;
  connectMs = 0;
  bytesRead = 0;
  bytesWritten = 0;
  /** Called when data, room, or a change of status arrived from the worker. */
  onActivity: (() => void) | null = null;

  private readonly unread = new ReceivedBytes();
  /** Offset up to which the worker may send. */
  private granted = 0;
  private window = 0;
  private readSinceGrowth = 0;
  /** Bytes a pending `read(n)` has reserved. */
  private demand = 0;
  /** What the peer's end turns the status into once the rest has been read. */
  private ended: 'fin' | 'error' | null = null;

  private queue: Uint8Array[] = [];
  private queued = 0;
  private sent = 0;
  private sendLimit = 0;
  private acknowledged = 0;
  private writable = false;
  private closing = false;
  private closingTold = false;
  private closeSent = false;
  /** The worker has said its last word. */
  private released = false;

  constructor(
    readonly id: number,
    readonly host: string,
    readonly port: number,
    private readonly writer: FrameWriter,
    private readonly allowance: Allowance,
    private readonly onFlushed: () => void,
    fetchId: number,
    firstWindowBytes: number,
  ) {
    this.remotePort = port;
    this.window = allowance.takeWindow(firstWindowBytes, LEAST_WINDOW_BYTES);
    this.granted = this.window;
    writer.message(Op.open, id, encodeOpen({ port, fetchId, limit: this.granted, host }));
  }

  /** Bytes written that the peer has not acknowledged. */
  get bufferedAmount(): number {
    return this.released ? 0 : this.bytesWritten - this.acknowledged;
  }

  /** Bytes written that the peer has acknowledged. */
  get acknowledgedBytes(): number {
    return this.acknowledged;
  }

  get readableBytes(): number {
    return this.unread.length;
  }

  /** Bytes written that wait for credit. */
  get queuedBytes(): number {
    return this.queued;
  }

  /** Bytes `write` has room for now. */
  get writableBytes(): number {
    return this.writable ? SEND_QUEUE_BYTES - this.queued : 0;
  }

  /** Whether everything written has been handed to the worker, and the close too if there was one. */
  get flushed(): boolean {
    return this.released || this.closeSent;
  }

  // ---- the script's calls

  /** All or nothing; copies. @returns false without the room, or when not connected */
  write(data: Uint8Array): boolean {
    if (!this.writable || data.length > SEND_QUEUE_BYTES - this.queued) return false;
    this.bytesWritten += data.length;
    const direct = this.queued === 0 ? Math.min(data.length, this.sendLimit - this.sent) : 0;
    if (direct > 0) {
      this.writer.data(this.id, data.subarray(0, direct));
      this.sent += direct;
    }
    if (direct < data.length) {
      this.queue.push(Uint8Array.prototype.slice.call(data, direct));
      this.queued += data.length - direct;
    }
    return true;
  }

  /** Everything that has arrived, or null. */
  readAll(): Buffer | null {
    this.release();
    return this.unread.length === 0 ? null : this.take(this.unread.length);
  }

  /**
   * Exactly `n` bytes, or null if fewer have arrived; then the worker is told to send as many.
   * @returns `'too-much'` if the script's sockets together would have to hold more than they may
   */
  readExactly(n: number): Buffer | null | 'too-much' {
    if (n <= this.unread.length) {
      this.release();
      return n === 0 ? Buffer.alloc(0) : this.take(n);
    }
    if (this.ended !== null) {
      // Asked for more than will ever come: the end shows, and `read()` still gives the rest.
      this.release();
      this.finish(this.ended);
      return null;
    }
    if (this.status !== 'connected' && this.status !== 'connecting') return null;
    if (!this.allowance.moveDemand(this.demand, n)) return 'too-much';
    this.demand = n;
    this.unread.expect(n);
    this.grant();
    return null;
  }

  /** Sends what is queued, then closes. Idempotent. */
  close(): void {
    if (this.status === 'connecting' || this.status === 'connected') this.status = 'fin';
    this.startClose();
  }

  /** Resets the connection and forgets what is queued. Idempotent. */
  abort(): void {
    if (this.status === 'connecting' || this.status === 'connected') this.status = 'fin';
    this.writable = false;
    this.closing = true;
    this.dropQueue();
    this.release();
    if (this.flushed) return;
    this.closeSent = true;
    this.writer.message(Op.abort, this.id);
    this.onFlushed();
  }

  // ---- what the worker says

  opened(message: OpenedMessage): void {
    this.remoteAddress = message.remoteAddress;
    this.remotePort = message.remotePort;
    this.localPort = message.localPort;
    this.sendLimit = message.limit;
    this.dnsMs = message.dnsMs;
    this.connectMs = message.connectMs;
    if (this.status !== 'connecting') return;
    this.status = 'connected';
    this.writable = true;
    this.onActivity?.();
  }

  /** @param bytes valid only during the call */
  received(bytes: Buffer): void {
    // After a close of our own nobody will read it: what the peer still sends is dropped.
    if (this.closing) return;
    this.unread.append(bytes, this.granted - this.bytesRead - this.unread.length);
    this.onActivity?.();
  }

  credited(limit: number, acknowledged: number): void {
    this.sendLimit = Math.max(this.sendLimit, limit);
    this.acknowledged = Math.max(this.acknowledged, acknowledged);
    this.pump();
    this.onActivity?.();
  }

  broken(error: WireError): void {
    this.error = error;
    this.writable = false;
    this.dropQueue();
    if (this.closing) this.pump();
    this.onActivity?.();
  }

  peerClosed(): void {
    this.end('fin');
  }

  failed(error: WireError): void {
    this.error = error;
    this.writable = false;
    this.dropQueue();
    this.end('error');
  }

  closed(): void {
    this.released = true;
    this.writable = false;
    this.dropQueue();
    this.release();
    this.allowance.returnWindow(this.window);
    this.window = 0;
    this.onFlushed();
  }

  /** The peer has closed or reset, whether or not the script has read so far. */
  get peerEnded(): 'fin' | 'error' | null {
    return this.ended;
  }

  // ---- within

  private end(how: 'fin' | 'error'): void {
    this.ended ??= how;
    if (this.unread.length === 0) this.finish(this.ended);
    this.onActivity?.();
  }

  /** The end becomes visible. Nothing stays half-closed: the stack's own FIN follows the peer's. */
  private finish(how: 'fin' | 'error'): void {
    if (this.status !== 'connected' && this.status !== 'connecting') return;
    this.status = how;
    this.startClose();
  }

  private startClose(): void {
    this.closing = true;
    this.writable = false;
    this.release();
    this.pump();
    if (this.flushed || this.closingTold) return;
    this.closingTold = true;
    this.writer.message(Op.closing, this.id);
  }

  private pump(): void {
    while (this.queued > 0 && this.sent < this.sendLimit) {
      const head = this.queue[0];
      if (head === undefined) break;
      const room = this.sendLimit - this.sent;
      const part = head.length <= room ? head : head.subarray(0, room);
      if (part.length === head.length) this.queue.shift();
      else this.queue[0] = head.subarray(part.length);
      this.writer.ownedData(this.id, part);
      this.queued -= part.length;
      this.sent += part.length;
    }
    if (!this.closing || this.queued > 0 || this.flushed) return;
    this.closeSent = true;
    this.writer.message(Op.close, this.id);
    this.onFlushed();
  }

  private dropQueue(): void {
    this.queue = [];
    this.queued = 0;
  }

  private take(n: number): Buffer {
    const out = this.unread.read(n);
    this.bytesRead += n;
    this.grow(n);
    if (this.ended !== null && this.unread.length === 0) this.finish(this.ended);
    else this.grant();
    return out;
  }

  /** A reader that takes half a window at a time would be held up by it: the window doubles. */
  private grow(n: number): void {
    this.readSinceGrowth += n;
    if (this.readSinceGrowth < this.window || n * 2 < this.window || this.window >= MAX_WINDOW_BYTES) return;
    this.readSinceGrowth = 0;
    this.window += this.allowance.takeWindow(Math.min(this.window, MAX_WINDOW_BYTES - this.window), 0);
  }

  /** Lets the worker send up to the window, or to what a pending `read(n)` needs. */
  private grant(): void {
    if (this.closing || this.ended !== null) return;
    const limit = this.bytesRead + Math.max(this.window, this.demand);
    const step = limit - this.granted;
    const idle = this.granted <= this.bytesRead + this.unread.length;
    if (step <= 0 || (step < this.window / CREDIT_STEP && this.demand === 0 && !idle)) return;
    this.granted = limit;
    this.writer.message(Op.credit, this.id, encodeCredit(limit, 0));
  }

  /** A `read(n)` that waited does so no more. */
  private release(): void {
    if (this.demand === 0) return;
    this.allowance.moveDemand(this.demand, 0);
    this.demand = 0;
  }
}
