/** One question over TCP (RFC 7766): for answers that do not fit a datagram, or that must not be forged. */
import { readU16, writeU16 } from '../wire/bytes';

/** What DNS needs of a TCP connection; the stack's sockets are so. */
export interface DnsConnection {
  readonly isOpen: boolean;
  readonly readableBytes: number;
  readonly peerClosed: boolean;
  /** Not null, or `isOpen` false after it was true: it is over. */
  readonly error: { readonly code: string } | null;
  onChange: ((socket: never) => void) | null;
  write(data: Uint8Array): number;
  read(target: Uint8Array): number;
  close(): void;
  abort(): void;
}

/** Begins to connect. @throws StackError where that cannot even be tried */
export type DnsConnect = (address: number, port: number, now: number) => DnsConnection;

export class DnsStream {
  private readonly request: Uint8Array;
  private written = 0;
  /** Two bytes of length, then the message. */
  private readonly header = new Uint8Array(2);
  private headerBytes = 0;
  private message: Uint8Array | null = null;
  private messageBytes = 0;
  private finished = false;

  /**
   * @param onMessage called with each whole message; the stream stays open until {@link close}
   * @param onFailure called once when it ends otherwise
   */
  constructor(
    private readonly connection: DnsConnection,
    query: Uint8Array,
    private readonly onMessage: (message: Uint8Array) => void,
    private readonly onFailure: (why: string) => void,
  ) {
    // RFC 7766 §8: length and message in one segment.
    this.request = new Uint8Array(2 + query.length);
    writeU16(this.request, 0, query.length);
    this.request.set(query, 2);
    connection.onChange = () => this.advance();
  }

  /** Idempotent. Neither callback is called any more. */
  close(): void {
    if (this.finished) return;
    this.finished = true;
    this.connection.onChange = null;
    // One question per connection: nothing of it need be kept in TIME-WAIT.
    this.connection.abort();
  }

  private advance(): void {
    const { connection } = this;
    if (this.written < this.request.length) this.written += connection.write(this.request.subarray(this.written));
    // Before the end is looked at: an answer that came with it is one.
    while (!this.finished && connection.readableBytes > 0) this.take();
    if (!this.finished && connection.error) this.fail(connection.error.code === 'ECONNREFUSED' ? 'refused over TCP' : 'unreachable over TCP');
    if (!this.finished && connection.peerClosed) this.fail('closed the connection');
  }

  private take(): void {
    if (this.message === null) {
      this.headerBytes += this.connection.read(this.header.subarray(this.headerBytes));
      if (this.headerBytes < 2) return;
      this.message = new Uint8Array(readU16(this.header, 0));
      this.messageBytes = 0;
    }
    this.messageBytes += this.connection.read(this.message.subarray(this.messageBytes));
    if (this.messageBytes < this.message.length) return;
    const whole = this.message;
    this.message = null;
    this.headerBytes = 0;
    this.onMessage(whole);
  }

  private fail(why: string): void {
    this.close();
    this.onFailure(why);
  }
}
