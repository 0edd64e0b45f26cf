/** A connection as a Node stream, for undici and TLS. */
import { Duplex } from 'node:stream';
import type { Channel } from '../channel';
import type { WireError } from '../wire';

/** A writer waits while more than this is queued. */
const QUEUE_BYTES = 1 << 20;

export class NetworkError extends Error {
  override readonly name = 'NetworkError';

  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }

  static from(error: WireError | null, otherwise: string): NetworkError {
    return new NetworkError(error?.code ?? 'ECONNRESET', error?.message ?? otherwise);
  }
}

export class ChannelStream extends Duplex {
  /** Whether nothing is under way: then even undici's own reasons to destroy it close it in order. */
  orderly = false;
  /** Called when the peer may have acknowledged more. */
  onAcknowledged: (() => void) | null = null;
  private connected = false;
  private wantsData = false;
  private ended = false;
  /** We have closed our side. */
  private finished = false;
  private resumeWrite: (() => void) | null = null;

  constructor(readonly channel: Channel) {
    super({ autoDestroy: true, emitClose: true });
    channel.onActivity = () => this.sync();
  }

  override _read(): void {
    this.wantsData = true;
    this.pull();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // All or nothing there: what is larger than the room goes in parts.
    let at = 0;
    const step = () => {
      while (at < chunk.length && this.channel.queuedBytes < QUEUE_BYTES) {
        const part = chunk.subarray(at, at + QUEUE_BYTES);
        if (!this.channel.write(part)) break;
        at += part.length;
      }
      if (at >= chunk.length) return void done();
      const { status, peerEnded, host, port, writableBytes, error } = this.channel;
      if (writableBytes === 0 && status !== 'connected' && peerEnded === null) {
        return void done(NetworkError.from(error, `${host}:${port}: the connection was closed while the request was sent`));
      }
      // A server may answer and close before it has all of the request (413): what it said is read first, and
      // the end of that ends the write.
      this.resumeWrite = step;
    };
    step();
  }

  override _final(done: () => void): void {
    this.finished = true;
    this.channel.close();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.channel.onActivity = null;
    this.onAcknowledged = null;
    // An exchange that was given up must not go on sending or receiving behind the script's back.
    if (error === null || this.orderly) this.channel.close();
    else this.channel.abort();
    done(error);
  }

  private sync(): void {
    const { channel } = this;
    if (channel.status === 'error') return void this.destroy(NetworkError.from(channel.error, 'The connection failed'));
    if (channel.status === 'fin' && channel.peerEnded === null && !this.finished) {
      return void this.destroy(new NetworkError('ECONNABORTED', `${channel.host}:${channel.port}: the connection was closed by hand`));
    }
    if (!this.connected && channel.status === 'connected') {
      this.connected = true;
      this.emit('connect');
    }
    this.onAcknowledged?.();
    this.pull();
    const resume = this.resumeWrite;
    this.resumeWrite = null;
    resume?.();
  }

  private pull(): void {
    while (this.wantsData && this.channel.readableBytes > 0) {
      const bytes = this.channel.readAll();
      if (bytes !== null && !this.push(bytes)) this.wantsData = false;
    }
    if (this.channel.readableBytes > 0 || this.ended || this.channel.peerEnded === null) return;
    this.ended = true;
    if (this.channel.peerEnded === 'fin') this.push(null);
    else this.destroy(NetworkError.from(this.channel.error, 'The connection was reset'));
  }
}
