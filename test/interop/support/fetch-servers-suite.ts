/** fetch against servers as the world runs them: nginx, Apache and Node's own. */
import assert from 'node:assert/strict';
import { createHash, randomFillSync } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { Apache } from './apache';
import { makeCertificate, type Certificate } from './certificates';
import { fetchGroups, type FetchLink, type FetchResult } from './fetch-link';
import { Nginx } from './nginx';
import { originServer, type TestServer } from './servers';

const PAGE = '<!doctype html><title>A page</title>\n';
const HELLO = 'Hello. A second line, and one with ümläuts — €.\n'.repeat(20);
const BINARY = randomFillSync(Buffer.alloc(3 << 20));

interface RunningServer {
  readonly port: number;
  readonly tlsPort: number;
  stop(): Promise<void>;
}

interface ServerKind {
  readonly name: string;
  /** Whether it knows br. */
  readonly brotli: boolean;
  /** Whether it sends what it packs in chunks, or gathers what is small and gives its length. */
  readonly chunks: boolean;
  start(link: FetchLink, origin: TestServer, certificate: Certificate): Promise<RunningServer>;
}

function fill(www: string): void {
  fs.writeFileSync(path.join(www, 'index.html'), PAGE);
  fs.writeFileSync(path.join(www, 'hello.txt'), HELLO);
  fs.writeFileSync(path.join(www, 'large.bin'), BINARY);
}

const NGINX: ServerKind = {
  name: 'nginx',
  brotli: false,
  chunks: true,
  async start(link, origin, certificate) {
    const server = await Nginx.start(origin.port, { address: link.listen, certificate });
    fill(server.www);
    return server;
  },
};

const APACHE: ServerKind = {
  name: 'Apache',
  brotli: true,
  chunks: false,
  async start(link, origin, certificate) {
    const server = await Apache.start({ address: link.listen, originPort: origin.port, certificate });
    fill(server.www);
    return server;
  },
};

const NODE: ServerKind = {
  name: "Node's own server",
  brotli: true,
  chunks: true,
  async start(link, origin, certificate) {
    const servers = [http.createServer(), https.createServer({ key: certificate.key, cert: certificate.cert })];
    const ports: number[] = [];
    for (const server of servers) {
      server.on('request', (request, response) => answer(request, response, origin));
      await new Promise<void>((resolve) => server.listen(0, link.listen, resolve));
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('a TCP server has an address');
      ports.push(address.port);
    }
    return {
      port: ports[0] ?? 0,
      tlsPort: ports[1] ?? 0,
      async stop() {
        for (const server of servers) {
          server.closeAllConnections();
          await new Promise((resolve) => server.close(resolve));
        }
      },
    };
  },
};

/** The same resources as the others have, in a few lines. */
function answer(request: http.IncomingMessage, response: http.ServerResponse, origin: TestServer): void {
  const url = request.url ?? '';
  if (url.startsWith('/players/') || url === '/upload') {
    const passed = http.request({ port: origin.port, path: url, method: request.method, headers: request.headers }, (answered) => {
      response.writeHead(answered.statusCode ?? 500, answered.headers);
      answered.pipe(response);
    });
    return void request.pipe(passed);
  }
  if (url === '/moved') return void response.writeHead(301, { location: '/hello.txt' }).end();
  const bodies: Record<string, [string, Buffer]> = { '/index.html': ['text/html', Buffer.from(PAGE)], '/hello.txt': ['text/plain', Buffer.from(HELLO)], '/brotli/hello.txt': ['text/plain', Buffer.from(HELLO)], '/large.bin': ['application/octet-stream', BINARY] };
  const [type, body] = bodies[url] ?? [];
  if (type === undefined || body === undefined) return void response.writeHead(404).end('Not here');
  const headers = { 'content-type': type, etag: '"1"', 'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT' };
  if (request.headers['if-none-match'] === '"1"') return void response.writeHead(304, headers).end();
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  if (range) return void response.writeHead(206, headers).end(body.subarray(Number(range[1]), Number(range[2]) + 1));
  // Without a length Node sends it in chunks.
  if (url.startsWith('/brotli/')) return void response.writeHead(200, { ...headers, 'content-encoding': 'br' }).end(brotliCompressSync(body));
  if (type === 'text/plain') {
    response.writeHead(200, { ...headers, 'content-encoding': 'gzip' });
    const packed = gzipSync(body);
    response.write(packed.subarray(0, 10));
    return void response.end(packed.subarray(10));
  }
  response.writeHead(200, { ...headers, 'content-length': body.length }).end(body);
}

export function fetchAgainstServers(link: FetchLink): void {
  for (const kind of [NGINX, APACHE, NODE]) {
    describe(`fetch over ${link.name} against ${kind.name}`, function () {
      this.timeout(180_000);
      const upload = randomFillSync(Buffer.alloc(1 << 20));
      const sha256 = createHash('sha256').update(upload).digest('hex');
      let origin: TestServer;
      let server: RunningServer | undefined;
      let folder: string;
      let results: Record<string, FetchResult[]>;

      before(async () => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-servers-'));
        const authority = makeCertificate({ commonName: 'Riftnet test authority', isAuthority: true });
        fs.writeFileSync(path.join(folder, 'ca.pem'), authority.cert);
        origin = await originServer();
        server = await kind.start(link, origin, makeCertificate({ commonName: link.host, names: [link.host], issuer: authority }));
        const base = `http://${link.host}:${server.port}`;
        const secure = `https://${link.host}:${server.tlsPort}`;
        const args = ['--ca', path.join(folder, 'ca.pem')];
        // Alone, so that nobody else takes the connection that the first of each leaves.
        const alone = await fetchGroups(link, {
          page: [{ url: `${base}/index.html` }, { url: `${base}/index.html` }],
          secure: [{ url: `${secure}/hello.txt` }, { url: `${secure}/hello.txt` }],
        }, args);
        const etag = alone.page[0]?.headers['etag'] ?? '';
        const atOnce = await fetchGroups(link, {
          head: [{ url: `${base}/large.bin`, options: { method: 'HEAD' } }],
          missing: [{ url: `${base}/missing` }],
          cached: [{ url: `${base}/index.html`, options: { headers: { 'If-None-Match': etag } } }],
          part: [{ url: `${base}/large.bin`, options: { headers: { Range: 'bytes=1000-1999' } } }],
          moved: [{ url: `${base}/moved` }, { url: `${base}/moved`, options: { redirect: 'manual' } }],
          gzip: [{ url: `${base}/hello.txt` }],
          plain: [{ url: `${base}/hello.txt`, options: { headers: { 'Accept-Encoding': 'identity' } } }],
          brotli: [{ url: `${base}/brotli/hello.txt`, options: { headers: { 'Accept-Encoding': 'br' } } }],
          large: [{ url: `${base}/large.bin` }, { url: `${secure}/large.bin` }],
          put: [{ url: `${base}/upload`, options: { method: 'PUT' }, bodyBase64: upload.toString('base64') }, { url: `${secure}/upload`, options: { method: 'PUT' }, bodyBase64: upload.toString('base64') }],
          patch: [{ url: `${base}/players/1`, options: { method: 'PATCH', body: { json: { name: 'Grace' } } } }],
        }, args);
        results = { ...alone, ...atOnce };
      });
      after(async () => {
        await server?.stop();
        await origin.close();
        fs.rmSync(folder, { recursive: true });
      });

      const only = (name: string, index = 0): FetchResult => {
        const result = results[name]?.[index];
        assert.ok(result);
        assert.equal(result.error, null, JSON.stringify(result.error));
        return result;
      };

      it('gets a page, and another over the same connection', () => {
        assert.deepEqual([only('page').status, only('page').statusMessage, only('page').headers['content-type']?.split(';')[0], only('page').body.toString()], [200, 'OK', 'text/html', PAGE]);
        assert.ok(only('page').timings.connect > 0);
        assert.deepEqual([only('page', 1).body.toString(), only('page', 1).timings.connect], [PAGE, 0]);
      });

      it('asks for the head only', () => assert.deepEqual([only('head').status, only('head').body.length], [200, 0]));
      it('is told that there is no such thing', () => assert.deepEqual([only('missing').status, only('missing').ok], [404, false]));
      it('is told that nothing has changed', () => assert.deepEqual([only('cached').status, only('cached').body.length], [304, 0]));
      it('gets a part', () => assert.deepEqual([only('part').status, only('part').body.equals(BINARY.subarray(1_000, 2_000))], [206, true]));

      it('follows a redirect, or is given it', () => {
        assert.deepEqual([only('moved').status, new URL(only('moved').url).pathname, only('moved').body.toString()], [200, '/hello.txt', HELLO]);
        assert.deepEqual([only('moved', 1).status, new URL(only('moved', 1).headers['location'] ?? '', only('moved', 1).url).pathname], [301, '/hello.txt']);
      });

      it(`undoes gzip, ${kind.chunks ? 'in chunks' : 'with its length'}`, () => {
        assert.deepEqual([only('gzip').headers['content-encoding'], only('gzip').headers['transfer-encoding'], only('gzip').body.toString()], ['gzip', kind.chunks ? 'chunked' : undefined, HELLO]);
      });

      it('takes a body as it is', () => assert.equal(only('plain').body.toString(), HELLO));
      if (kind.brotli) it('undoes br', () => assert.deepEqual([only('brotli').headers['content-encoding'], only('brotli').body.toString()], ['br', HELLO]));
      it('gets every byte of a large body, over TLS too', () => assert.deepEqual([only('large').body.equals(BINARY), only('large', 1).body.equals(BINARY)], [true, true]));

      it('sends every byte of a large body, over TLS too', () => {
        for (const index of [0, 1]) assert.deepEqual(JSON.parse(only('put', index).body.toString()), { length: upload.length, sha256 });
      });

      it('patches with JSON', () => {
        const { name, contentType } = JSON.parse(only('patch').body.toString());
        assert.deepEqual([name, contentType], ['Grace', 'application/json']);
      });

      it('speaks TLS, and again over the same connection', () => {
        assert.deepEqual([only('secure').status, only('secure').body.toString(), only('secure').timings.tls > 0], [200, HELLO, true]);
        assert.deepEqual([only('secure', 1).body.toString(), only('secure', 1).timings.tls], [HELLO, 0]);
      });
    });
  }
}
