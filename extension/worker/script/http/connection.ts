/** One connection to a server, TLS included, as undici's client uses it: one request at a time, then the next. */
import Client from 'undici/lib/dispatcher/client.js';
import type { Dispatcher } from 'undici';
import type { TLSSocket } from 'node:tls';
import type { HttpHost } from '../fetch';
import { checkHost } from '../host-name';
import type { Origin } from './origin';
import { MAX_HEADER_BYTES } from './request';
import { StatusLineReader } from './status-line';
import { ChannelStream, NetworkError } from './stream';
import type { Tls } from './tls';

/** A connection that is not used is kept this long, ms, unless the server names a time. */
const KEEP_ALIVE_MS = 4_000;
/** However long the server would keep it, ms. */
const MAX_KEEP_ALIVE_MS = 60_000;
/** This much shorter than the server's own time, ms: a request should not cross its FIN. */
const KEEP_ALIVE_MARGIN_MS = 1_000;
/** Opening a connection, TLS included, may take this long, ms, unless the fetch has less. */
const CONNECT_TIMEOUT_MS = 130_000;
/** fetch reads as data arrive: a window this size keeps the pipe busy. */
const WINDOW_BYTES = 1 << 20;

/** Where the time of an exchange went that had to open its connection, ms. Summed: a redirect may lead to another server. */
export interface ConnectTimings {
  dns: number;
  connect: number;
  tls: number;
}

/** The fetch that a connection serves at present. */
export interface ConnectionUser {
  readonly fetchId: number;
  readonly timings: ConnectTimings;
  /** @param bytes of the request's body that the server has acknowledged, at most as many as it has */
  sent(bytes: number): void;
}

type Done = (error: Error | null, socket: ChannelStream | TLSSocket | null) => void;

export class HttpConnection {
  /** Requests sent on its present socket. */
  private requests = 0;
  /** Called when it has closed, by either side. */
  onClosed: (() => void) | null = null;
  private user: ConnectionUser | null = null;
  /** Of the present request: where it begins in the stream, and the lengths of its parts. */
  private requestAt = 0;
  private headBytes = 0;
  private bodyBytes = 0;
  private stream: ChannelStream | null = null;
  private readonly statusLine = new StatusLineReader();
  private readonly client: InstanceType<typeof Client>;

  constructor(
    readonly origin: Origin,
    private readonly host: HttpHost,
    private readonly tls: Tls,
  ) {
    const { hostname, port, secure } = origin;
    this.client = new Client(`${secure ? 'https' : 'http'}://${hostname}:${port}`, {
      // undici's types want a net.Socket; it uses no more of one than a Duplex has.
      connect: (_options, done) => this.connect(done as Done),
      pipelining: 1,
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: MAX_KEEP_ALIVE_MS,
      keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN_MS,
      // The exchange has one time limit of its own for all of it.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    this.client.on('disconnect', () => this.onClosed?.());
  }

  /** Whether another request can be sent on it. */
  get reusable(): boolean {
    return this.client.stats.connected && this.client.stats.running === 0;
  }

  /**
   * Whether the present request went out on a socket that had served another, and nothing came back: then the
   * server has most likely closed it meanwhile, as servers do with idle ones, and never saw the request.
   */
  get wasStale(): boolean {
    return this.requests > 1 && !this.statusLine.answered;
  }

  dispatch(user: ConnectionUser, options: Omit<Dispatcher.DispatchOptions, 'origin'>, handler: Dispatcher.DispatchHandler): void {
    this.user = user;
    this.bodyBytes = options.body instanceof Uint8Array ? options.body.length : 0;
    // What the certificate is checked for is the address's name, whatever a header `host` says.
    const named = { ...options, servername: this.origin.hostname };
    this.client.dispatch(named, handler);
  }

  /** The request is about to be written. */
  started(): void {
    this.requests++;
    this.statusLine.expect();
    this.headBytes = 0;
    if (this.stream === null) return;
    this.stream.orderly = false;
    this.requestAt = this.stream.channel.bytesWritten;
  }

  /** The response is complete: what happens to the connection from now on is no reset. */
  completed(): void {
    this.user = null;
    if (this.stream !== null) this.stream.orderly = true;
  }

  /** Closes it in order, or with a reset if a response is under way. Idempotent. */
  destroy(error: Error | null): void {
    this.onClosed = null;
    this.client.destroy(error).catch(() => {});
    this.stream?.destroy(error ?? undefined);
  }

  private connect(done: Done): void {
    const { hostname, port, secure } = this.origin;
    const name = `${hostname}:${port}`;
    const { user } = this;
    this.requests = 0;
    let stream: ChannelStream;
    try {
      stream = new ChannelStream(this.host.open(checkHost('fetch', hostname), port, user?.fetchId ?? 0, WINDOW_BYTES));
    } catch (error) {
      return done(error instanceof Error ? error : new Error(String(error)), null);
    }
    this.stream = stream;
    stream.onAcknowledged = () => this.acknowledged(stream.channel.acknowledgedBytes);
    let finished = false;
    const finish: Done = (error, socket) => {
      if (finished) return;
      finished = true;
      clearTimeout(timer);
      if (error !== null) stream.destroy(error);
      done(error, socket === null ? null : this.guarded(socket));
    };
    const timer = setTimeout(() => {
      finish(new NetworkError('ETIMEDOUT', `No connection to ${name} within ${CONNECT_TIMEOUT_MS / 1000} s`), null);
    }, CONNECT_TIMEOUT_MS);
    timer.unref();
    stream.on('error', (error) => finish(error, null));
    const closed = () => finish(new NetworkError('ECONNRESET', `${name} closed the connection before it was open`), null);
    stream.once('close', closed);
    stream.once('connect', () => {
      if (user) {
        user.timings.dns += stream.channel.dnsMs;
        user.timings.connect += stream.channel.connectMs;
      }
      if (!secure) return finish(null, stream);
      // TLS closes the stream under it before it says why: from here on its own word counts.
      stream.off('close', closed);
      const startedAt = performance.now();
      const socket = this.tls.start(stream, this.origin);
      socket.on('error', (error) => finish(error, null));
      socket.once('close', closed);
      socket.once('secureConnect', () => {
        if (user) user.timings.tls += performance.now() - startedAt;
        finish(null, socket);
      });
    });
  }

  /** TLS adds some bytes to each record: the body then seems to be ahead by a thousandth. */
  private acknowledged(bytes: number): void {
    const sent = Math.min(this.bodyBytes, bytes - this.requestAt - this.headBytes);
    if (sent > 0) this.user?.sent(sent);
  }

  /**
   * Puts the reading of status lines between the socket and undici, which reads by `read`; and measures heads, which it
   * writes as text, and bodies as bytes.
   */
  private guarded(socket: ChannelStream | TLSSocket): ChannelStream | TLSSocket {
    const { write } = socket;
    socket.write = (chunk: unknown, encoding?: unknown, done?: unknown): boolean => {
      if (typeof chunk === 'string') this.headBytes += chunk.length;
      const taken: boolean = Reflect.apply(write, socket, [chunk, encoding, done]);
      return taken;
    };
    const read: (size?: number) => Buffer | null = socket.read.bind(socket);
    socket.read = (size?: number): Buffer | null => {
      for (;;) {
        const chunk = read(size);
        if (chunk === null) return null;
        try {
          const rest = this.statusLine.take(chunk);
          if (rest.length > 0) return rest;
        } catch (error) {
          socket.destroy(error instanceof Error ? error : new Error(String(error)));
          return null;
        }
      }
    };
    return socket;
  }
}
