/** undici's connection pool over the stack's sockets, TLS included. */
import Agent from 'undici/lib/dispatcher/agent.js';
import type { TLSSocket } from 'node:tls';
import type { HttpHost } from '../fetch';
import { checkHost } from '../host-name';
import { MAX_HEADER_BYTES } from './request';
import { ChannelStream, NetworkError } from './stream';

/** Connections to one origin at once; further requests wait for one of them. */
const CONNECTIONS_PER_ORIGIN = 64;
/** An unused connection is kept this long, ms. */
const KEEP_ALIVE_MS = 4_000;
/** Opening a connection, TLS included, may take this long, ms, unless the fetch has less. */
const CONNECT_TIMEOUT_MS = 130_000;
/** fetch reads as data arrive: a window this size keeps the pipe busy. */
const WINDOW_BYTES = 1 << 20;

/** Where the time of an exchange went that had to open its connection, ms. */
export interface ConnectTimings {
  dns: number;
  connect: number;
  tls: number;
}

/** An exchange that waits for a connection to its origin. */
export interface Opener {
  readonly id: number;
  readonly timings: ConnectTimings;
}

export interface HttpAgent {
  readonly dispatcher: InstanceType<typeof Agent>;
  /** Exchanges by origin: the latest is the one a new connection is opened for. */
  readonly openers: Map<string, Opener>;
}

type Done = (error: Error | null, socket: ChannelStream | TLSSocket | null) => void;

export function createAgent(host: HttpHost): HttpAgent {
  const openers = new Map<string, Opener>();

  function connect(options: { hostname: string; port: string; protocol: string; servername?: string | null }, done: Done): void {
    const secure = options.protocol === 'https:';
    const port = Number(options.port || (secure ? 443 : 80));
    const opener = openers.get(`${options.protocol}//${options.hostname}:${port}`);
    let stream: ChannelStream;
    try {
      stream = new ChannelStream(host.open(checkHost('fetch', options.hostname), port, opener?.id ?? 0, WINDOW_BYTES));
    } catch (error) {
      return done(error instanceof Error ? error : new Error(String(error)), null);
    }
    const name = `${options.hostname}:${port}`;
    let finished = false;
    const finish: Done = (error, socket) => {
      if (finished) return;
      finished = true;
      clearTimeout(timer);
      if (error !== null) stream.destroy(error);
      done(error, socket);
    };
    const timer = setTimeout(() => {
      finish(new NetworkError('ETIMEDOUT', `No connection to ${name} within ${CONNECT_TIMEOUT_MS / 1000} s`), null);
    }, CONNECT_TIMEOUT_MS);
    timer.unref();
    stream.on('error', (error) => finish(error, null));
    const closed = () => finish(new NetworkError('ECONNRESET', `${name} closed the connection before it was open`), null);
    stream.once('close', closed);
    stream.once('connect', () => {
      // TLS closes the stream under it before it says why: from here on its own word counts.
      if (secure) stream.off('close', closed);
      if (opener) {
        // Summed: a redirect may lead to another server.
        opener.timings.dns += stream.channel.dnsMs;
        opener.timings.connect += stream.channel.connectMs;
      }
      if (secure) startTls(stream, options, opener, finish).once('close', closed);
      else finish(null, stream);
    });
  }

  return {
    openers,
    dispatcher: new Agent({
      connect: (options, done) => {
        // undici's types want a net.Socket; it uses no more of one than a Duplex has.
        connect({ hostname: options.hostname, port: options.port, protocol: options.protocol, servername: options.servername ?? null }, done as Done);
      },
      connections: CONNECTIONS_PER_ORIGIN,
      pipelining: 1,
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // The exchange has one time limit of its own for all of it.
      headersTimeout: 0,
      bodyTimeout: 0,
    }),
  };
}

export function originOf({ protocol, hostname, port }: URL): string {
  return `${protocol}//${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
}

function startTls(stream: ChannelStream, options: { hostname: string; servername?: string | null }, opener: Opener | undefined, finish: Done): TLSSocket {
  const startedAt = performance.now();
  // Loaded here: node:tls costs as much to load as the rest of the client, and http needs none of it.
  const tls = process.getBuiltinModule('node:tls');
  const isAddress = /^[\d.]+$/.test(options.hostname);
  const socket = tls.connect({
    socket: stream,
    servername: isAddress ? '' : options.servername || options.hostname,
    // An address has no server name to send (RFC 6066 §3), but the certificate is checked for it all the same.
    host: options.hostname,
    ALPNProtocols: ['http/1.1'],
  });
  socket.on('error', (error) => finish(error, null));
  socket.once('secureConnect', () => {
    if (opener) opener.timings.tls += performance.now() - startedAt;
    finish(null, socket);
  });
  return socket;
}
