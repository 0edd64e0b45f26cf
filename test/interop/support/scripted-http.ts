/**
 * An HTTP server that answers to order: each path has an answer, which writes whatever bytes it likes to the
 * connection, when it likes. Nothing here knows HTTP but for the reading of requests.
 */
import net from 'node:net';
import tls from 'node:tls';

export interface SeenRequest {
  readonly method: string;
  /** As sent: path and query. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Which of the server's connections, counted from 1. */
  readonly connection: number;
  /** Which request on that connection, counted from 1. */
  readonly turn: number;
}

/** One connection, for an answer to write to. Nothing of it throws when the other side has gone. */
export class Peer {
  readonly gone: Promise<void>;

  constructor(readonly socket: net.Socket) {
    this.gone = new Promise((resolve) => socket.once('close', () => resolve()));
  }

  get isGone(): boolean {
    return this.socket.destroyed;
  }

  /** Writes, and waits until the other side takes more. */
  async send(data: string | Buffer): Promise<void> {
    if (this.isGone) return;
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
    if (!this.socket.write(bytes)) await Promise.race([new Promise((resolve) => this.socket.once('drain', resolve)), this.gone]);
  }

  /** Each byte in a segment of its own, `intervalMs` apart. */
  async trickle(data: string, intervalMs: number): Promise<void> {
    for (const byte of Buffer.from(data, 'latin1')) {
      if (this.isGone) return;
      await this.send(Buffer.of(byte));
      await Promise.race([new Promise((resolve) => setTimeout(resolve, intervalMs)), this.gone]);
    }
  }

  /** The same again and again, for as long as anybody takes it. */
  async endless(data: string): Promise<void> {
    while (!this.isGone) await this.send(data);
  }

  /** FIN. */
  close(): void {
    this.socket.end();
  }

  /** RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }
}

export type Answer = (peer: Peer, request: SeenRequest) => Promise<void> | void;

export interface ScriptedServerOptions {
  /** By path, without the query; `*` stands for all others. */
  readonly answers: Readonly<Record<string, Answer>>;
  /** Instead of answers: what is done with the first bytes of a connection, whatever they are. */
  readonly atOnce?: (peer: Peer) => Promise<void> | void;
  readonly address?: string;
  readonly tls?: tls.TlsOptions;
}

export class ScriptedHttpServer {
  readonly seen: SeenRequest[] = [];
  /** Accepted so far. */
  connections = 0;
  private readonly sockets = new Set<net.Socket>();

  private constructor(
    private readonly server: net.Server,
    private readonly options: ScriptedServerOptions,
  ) {}

  static async start(options: ScriptedServerOptions): Promise<ScriptedHttpServer> {
    const { address = '127.0.0.1', tls: secure } = options;
    const server = secure ? tls.createServer(secure) : net.createServer({ allowHalfOpen: true, noDelay: true });
    const scripted = new ScriptedHttpServer(server, options);
    server.on(secure ? 'secureConnection' : 'connection', (socket: net.Socket) => scripted.accept(socket));
    // A client that rejects the certificate is a test's subject.
    server.on('tlsClientError', () => {});
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, address, resolve);
    });
    return scripted;
  }

  get port(): number {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('a TCP server has an address');
    return address.port;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.sockets.size;
  }

  requestsFor(path: string): SeenRequest[] {
    return this.seen.filter(({ target }) => target.split('?')[0] === path);
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private accept(socket: net.Socket): void {
    const connection = ++this.connections;
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const peer = new Peer(socket);
    const { answers, atOnce } = this.options;
    if (atOnce) return void socket.once('data', () => void atOnce(peer));
    let turn = 0;
    let received = Buffer.alloc(0);
    let busy = false;
    const next = () => {
      if (busy) return;
      const parsed = parseRequest(received);
      if (parsed === null) return;
      received = received.subarray(parsed.length);
      const request: SeenRequest = { ...parsed.request, connection, turn: ++turn };
      this.seen.push(request);
      const answer = answers[request.target.split('?')[0] ?? ''] ?? answers['*'];
      if (answer === undefined) return void peer.reset();
      busy = true;
      void Promise.resolve(answer(peer, request)).then(() => {
        busy = false;
        next();
      });
    };
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      next();
    });
    socket.on('end', () => socket.end());
  }
}

function parseRequest(bytes: Buffer): { readonly length: number; readonly request: Omit<SeenRequest, 'connection' | 'turn'> } | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const [line = '', ...fields] = bytes.toString('latin1', 0, end).split('\r\n');
  const [method = '', target = ''] = line.split(' ');
  const headers = Object.fromEntries(fields.map((field) => [field.slice(0, field.indexOf(':')).toLowerCase(), field.slice(field.indexOf(':') + 1).trim()]));
  const length = end + 4 + Number(headers['content-length'] ?? 0);
  if (bytes.length < length) return null;
  return { length, request: { method, target, headers, body: Buffer.from(bytes.subarray(end + 4, length)) } };
}
