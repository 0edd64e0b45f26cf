/** Servers of the tests' own, on the loopback address and ports that the system chooses. */
import { createHash } from 'node:crypto';
import dgram from 'node:dgram';
import http from 'node:http';
import net from 'node:net';
import dnsPacket from 'dns-packet';

export interface TestServer {
  readonly port: number;
  /** Idempotent. */
  close(): Promise<void>;
}

const open = new Set<TestServer>();

/** For `afterEach`: a test that fails leaves its servers, which would keep the run from ending. */
export async function closeServers(): Promise<void> {
  for (const server of [...open]) await server.close();
}

/** @param end called once */
function register(port: number, end: () => Promise<void>): TestServer {
  const server: TestServer = {
    port,
    async close() {
      if (open.delete(server)) await end();
    },
  };
  open.add(server);
  return server;
}

function portOf(server: net.Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has an address');
  return address.port;
}

async function listening(server: net.Server, sockets: Set<net.Socket>): Promise<TestServer> {
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return register(portOf(server), async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
}

/** Calls `handle` for each connection. Errors of the connection are the test's subject, not its failure. */
export function tcpServer(handle: (socket: net.Socket) => void, options: net.ServerOpts = {}): Promise<TestServer> {
  const server = net.createServer(options, (socket) => {
    socket.on('error', () => socket.destroy());
    handle(socket);
  });
  return listening(server, new Set());
}

/** What the application behind nginx does: PATCH and GET of a player, and PUT of anything, whose SHA-256 and length it tells. */
export function originServer(): Promise<TestServer> {
  let player: Record<string, unknown> = { id: 1, name: 'Ada', score: 0, level: 1 };
  const server = http.createServer((request, response) => {
    const hash = createHash('sha256');
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      length += chunk.length;
      if (request.method === 'PATCH') chunks.push(chunk);
    });
    request.on('end', () => {
      if (request.method === 'PUT') return answerJson(response, { length, sha256: hash.digest('hex') });
      if (request.method === 'PATCH') {
        const change: unknown = JSON.parse(Buffer.concat(chunks).toString());
        player = { ...player, ...(typeof change === 'object' ? change : {}), contentType: request.headers['content-type'] };
      }
      answerJson(response, player);
    });
  });
  return listening(server, new Set());
}

function answerJson(response: http.ServerResponse, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
}

/**
 * A name server that knows `names` and answers NXDOMAIN for all others; with `silent` it never answers.
 * @returns also how many questions came
 */
export async function nameServer(names: Readonly<Record<string, string>>, silent = false, listen = '127.0.0.1'): Promise<TestServer & { questions(): number }> {
  const socket = dgram.createSocket('udp4');
  let asked = 0;
  socket.on('message', (message, peer) => {
    asked++;
    if (silent) return;
    const query = dnsPacket.decode(message);
    const name = query.questions?.[0]?.name ?? '';
    // Names are the same in any case (RFC 4343), and the stack asks in a random one.
    const address = names[name.toLowerCase()];
    const answer = dnsPacket.encode({
      type: 'response',
      ...(query.id === undefined ? {} : { id: query.id }),
      flags: dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE | (address === undefined ? 3 : 0),
      questions: query.questions ?? [],
      answers: address === undefined ? [] : [{ type: 'A', name, ttl: 60, data: address }],
    });
    socket.send(answer, peer.port, peer.address);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, listen, resolve);
  });
  const server = register(socket.address().port, () => new Promise((resolve) => socket.close(() => resolve())));
  return Object.assign(server, { questions: () => asked });
}
