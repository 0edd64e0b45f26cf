import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { WorkerSettings } from '../../../extension/protocol';
import { makeCertificate } from '../../interop/support/certificates';
import { freePort } from '../../interop/support/nginx';
import { ScriptedHttpServer, type Answer } from '../../interop/support/scripted-http';
import { closeServers, nameServer } from '../../interop/support/servers';
import { RuntimeBench } from '../worker/runtime-bench';

function says(head: string, body: string | Buffer = ''): Answer {
  const bytes = Buffer.from(body);
  return (peer) => peer.send(Buffer.concat([Buffer.from(`HTTP/1.1 ${head}\r\nContent-Length: ${bytes.length}\r\n\r\n`), bytes]));
}

const ANSWERS: Record<string, Answer> = {
  '*': says('200 OK\r\nContent-Type: text/plain\r\nX-Upper-Case: Yes\r\nX-Twice: 1\r\nX-Twice: 2', 'körper'),
  '/json': says('200 OK', '{"id":1,"name":"Ada"}'),
  '/slowly': async (peer) => {
    await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n');
    await peer.trickle('abcdef', 20);
  },
  '/broken': (peer) => peer.send('HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n'),
  '/missing': says('404 Not Found', 'no'),
  '/moved': says('302 Found\r\nLocation: /json'),
  '/gzip': says('200 OK\r\nContent-Encoding: gzip', gzipSync('packed')),
  '/deflate': says('200 OK\r\nContent-Encoding: deflate', deflateSync('packed')),
  '/br': says('200 OK\r\nContent-Encoding: br', brotliCompressSync('packed')),
  '/silent': () => {},
};

describe('The contract: fetch', function () {
  this.timeout(120_000);
  const authority = makeCertificate({ commonName: 'Riftnet test authority', isAuthority: true });
  const certificate = makeCertificate({ commonName: 'localhost', names: ['localhost'], issuer: authority });
  let bench: RuntimeBench;
  let server: ScriptedHttpServer;
  let secure: ScriptedHttpServer;
  let ca: string;

  before(async () => {
    bench = await RuntimeBench.start();
    ca = path.join(bench.folder, 'ca.pem');
    fs.writeFileSync(ca, authority.cert);
    server = await ScriptedHttpServer.start({ answers: ANSWERS });
    secure = await ScriptedHttpServer.start({ answers: ANSWERS, tls: { key: certificate.key, cert: certificate.cert } });
  });
  afterEach(closeServers);
  after(async () => {
    await server.stop();
    await secure.stop();
    await bench.stop();
  });

  /** What a script prints that knows `base` and `tls`, the two servers' addresses. */
  async function printed(text: string, settings?: Partial<WorkerSettings>): Promise<readonly string[]> {
    const own = settings ? await RuntimeBench.start(settings) : bench;
    try {
      const { outcome, output } = await own.run(`const base = 'http://localhost:${server.port}';\nconst tls = 'https://localhost:${secure.port}';\n${text}`);
      assert.deepEqual(outcome, { kind: 'finished' });
      return output;
    } finally {
      if (settings) await own.stop();
    }
  }

  it("fetch(uri: string, options?: { method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'PATCH', headers?: Record<string, string>, body?: Buffer | string | { json: any } }): Promise<Response>", async () => {
    const lines = await printed(`
      const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH'] as const;
      for (const method of methods) print((await fetch(base + '/signature', { method, headers: { 'X-Method': method } })).status);
      const bodies: (Buffer | string | { json: any })[] = [Buffer.from([0, 255]), 'wörds', { json: [1] }];
      for (const body of bodies) print((await fetch(base + '/signature', { method: 'POST', body })).status);
      const promise = fetch(base + '/signature');
      print(promise instanceof Promise);`);
    assert.deepEqual(lines, [...Array.from({ length: 9 }, () => '200'), 'true']);
    const seen = server.requestsFor('/signature');
    assert.deepEqual(seen.slice(0, 6).map(({ method, headers }) => [method, headers['x-method']]), ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH'].map((method) => [method, method]));
    assert.deepEqual(seen.slice(6, 9).map(({ body }) => body.toString('hex')), ['00ff', Buffer.from('wörds').toString('hex'), Buffer.from('[1]').toString('hex')]);
  });

  it("readonly status: number is -1 if the exchange failed; readonly statusMessage: string is 'socket error' if it failed", async () => {
    assert.deepEqual(await printed(`
      for (const path of ['/', '/missing', '/broken']) {
        const { status, statusMessage } = await fetch(base + path);
        print(status, statusMessage);
      }`), ['200 OK', '404 Not Found', '-1 socket error']);
  });

  it('readonly headers: Record<string, string> has its keys in lower case; repeated headers are joined with `, `.', async () => {
    assert.deepEqual(await printed(`
      const { headers } = await fetch(base);
      print(JSON.stringify(headers));`), ['{"content-type":"text/plain","x-upper-case":"Yes","x-twice":"1, 2","content-length":"7"}']);
  });

  it('readonly body: Buffer is complete when the promise resolves; text(): string; json<T = any>(): T', async () => {
    assert.deepEqual(await printed(`
      const slowly = await fetch(base + '/slowly');
      print(Buffer.isBuffer(slowly.body), slowly.body.length, slowly.text());
      print((await fetch(base + '/json')).json<{ name: string }>().name, (await fetch(base + '/json')).json().id + 1);
      try { (await fetch(base)).json(); } catch (error) { print((error as Error).name); }`), ['true 6 abcdef', 'Ada 2', 'SyntaxError']);
  });

  it("Like the web's fetch, with two differences: the body is there, complete, when the promise resolves; and the promise never rejects.", async () => {
    // The web's rejects for each of these.
    assert.deepEqual(await printed(`
      const uris = ['nowhere', base + '/broken', 'http://localhost:${await freePort()}/', 'http://127.0.0.1/', tls];
      for (const uri of uris) print((await fetch(uri)).error?.code);`), ['EINVAL', 'EPROTO', 'ECONNREFUSED', 'EADDRNOTAVAIL', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE']);
  });

  it('If the connection fails or the server breaks HTTP/1.1 (RFC 2616, now 9110/9112), or the URI or an option is unusable, `status` is -1 and `statusMessage` is `socket error`.', async () => {
    const lines = await printed(`
      const failed = [
        await fetch('http://localhost:${await freePort()}/'), await fetch(base + '/broken'), await fetch('no uri'),
        await fetch(base, { method: 'TRACE' } as never), await fetch(base, { headers: { 'a b': 'c' } }), await fetch(base, { method: 'POST', body: { json: 1n } }),
      ];
      for (const { status, statusMessage, body, error } of failed) print(status, statusMessage, body.length, error !== null);`);
    assert.deepEqual(lines, Array.from({ length: 6 }, () => '-1 socket error 0 true'));
  });

  it('`{ json }` is serialised and sent as application/json.', async () => {
    await printed(`await fetch(base + '/serialised', { method: 'PATCH', body: { json: { a: [true, null, 'ü'], b: undefined, c: new Date(0) } } });`);
    const [request] = server.requestsFor('/serialised');
    assert.deepEqual([request?.headers['content-type'], request?.body.toString()], ['application/json', '{"a":[true,null,"ü"],"c":"1970-01-01T00:00:00.000Z"}']);
  });

  it('Redirects are followed as on the web; encodings (gzip, deflate, br) are undone.', async () => {
    assert.deepEqual(await printed(`
      const moved = await fetch(base + '/moved');
      print(moved.status, moved.url === base + '/json', moved.json().name);
      for (const coding of ['gzip', 'deflate', 'br']) print((await fetch(base + '/' + coding)).text());`), ['200 true Ada', 'packed', 'packed', 'packed']);
  });

  it('Ours beyond the original: `https:` (certificates verified).', async () => {
    const script = `
      const { status, error, timings } = await fetch(tls);
      print(status, error?.code, timings.tls > 0);`;
    assert.deepEqual(await printed(script, { extraCaCertificates: [ca] }), ['200 undefined true']);
    assert.deepEqual(await printed(script), ['-1 UNABLE_TO_VERIFY_LEAF_SIGNATURE false']);
  });

  it('The option `timeoutMs` bounds all there is to wait for, a name first.', async () => {
    const names = await nameServer({}, true);
    assert.deepEqual(await printed(`
      for (const uri of ['http://nowhere.example/', base + '/silent']) {
        const startedAt = Engine.Time();
        const { status, error } = await fetch(uri, { timeoutMs: 250 });
        print(status, error?.code, error?.message.includes('250 ms'), Engine.Time() - startedAt >= 249);
      }`, { dns: [`127.0.0.1:${names.port}`] }), ['-1 ETIMEDOUT true true', '-1 ETIMEDOUT true true']);
    assert.ok(names.questions() > 0);
  });

  it('The option `timeoutMs` bounds the wait for a connection, too.', async () => {
    assert.deepEqual(await printed(`
      const taken = Array.from({ length: 64 }, () => fetch(base + '/silent', { timeoutMs: 1_000 }));
      print((await fetch(base + '/', { timeoutMs: 100 })).error?.code);
      print((await Promise.all(taken)).every(({ error }) => error?.code === 'ETIMEDOUT'), (await fetch(base + '/')).status);`), ['ETIMEDOUT', 'true 200']);
  });

  it("The options `redirect: 'follow' | 'manual'` and `maxBodyBytes`.", async () => {
    assert.deepEqual(await printed(`
      for (const redirect of ['follow', 'manual'] as const) print((await fetch(base + '/moved', { redirect })).status);
      for (const maxBodyBytes of [6, 5]) print((await fetch(base + '/gzip', { maxBodyBytes: maxBodyBytes === 5 ? 5 : 40 })).error?.code ?? 'fits');`), ['200', '302', 'fits', 'EMSGSIZE']);
  });

  it('`response.ok`, `response.url`, `response.error` (why it failed), `response.timings` (dns, connect, tls, firstByte, total in ms).', async () => {
    assert.deepEqual(await printed(`
      const good = await fetch(base + '/x?y#z');
      print(good.ok, good.url === base + '/x?y', good.error);
      const { dns, connect, tls: secure, firstByte, total } = good.timings;
      print(dns >= 0, connect > 0, secure, firstByte >= dns + connect, total >= firstByte);
      const bad = await fetch(base + '/broken');
      print(bad.ok, bad.url === base + '/broken', bad.error?.code, typeof bad.error?.message, bad.timings.total > 0);
      print((await fetch(base + '/missing')).ok);`), ['true true null', 'true true 0 true true', 'false true EPROTO string true', 'false']);
  });
});
