import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { FetchReport, WorkerMessage } from '../../../extension/protocol';
import { fetchView } from '../../../extension/tree-nodes';
import { ScriptedHttpServer, type Answer } from '../../interop/support/scripted-http';
import { makeCertificate } from '../../interop/support/certificates';
import { RuntimeBench } from './runtime-bench';

describe('What the view is told of a fetch', function () {
  this.timeout(60_000);
  let bench: RuntimeBench;
  let server: ScriptedHttpServer | null = null;
  const authority = makeCertificate({ commonName: 'Authority', isAuthority: true });
  let folder: string;
  before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-reports-'));
    const file = path.join(folder, 'ca.pem');
    fs.writeFileSync(file, authority.cert);
    bench = await RuntimeBench.start({ extraCaCertificates: [file] });
  });
  afterEach(async () => {
    await server?.stop();
    server = null;
  });
  after(async () => {
    await bench.stop();
    fs.rmSync(folder, { recursive: true });
  });

  const serve = async (answers: Record<string, Answer>): Promise<string> => {
    server = await ScriptedHttpServer.start({ answers });
    return `http://localhost:${server.port}`;
  };

  /** Resolves with a report that fits, of a fetch that is under way or was. */
  const report = (fits: (fetch: FetchReport) => boolean): Promise<FetchReport> => bench.message((message: WorkerMessage) => message.type === 'activity' && message.fetches.some(fits))
    .then((message) => (message.type === 'activity' ? message.fetches.find(fits) : undefined))
    .then((found) => found ?? assert.fail('the message that fitted'));

  it('is how far it is: pending, then bytes of Content-Length as they come, also while the server pauses', async () => {
    const seen: string[] = [];
    const base = await serve({ '/slow': async (peer) => {
      seen.push(fetchView(await report(({ url, status }) => url.endsWith('/slow') && status === null)).description);
      await peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${4 << 10}\r\n\r\n`);
      for (const part of [1, 2, 3]) {
        await peer.send(Buffer.alloc(1 << 10));
        // The server waits until the view shows what it has sent.
        seen.push(fetchView(await report(({ url, bodyBytes }) => url.endsWith('/slow') && bodyBytes === part << 10)).description);
      }
      await peer.send(Buffer.alloc(1 << 10));
    } });
    const { output, fetches } = await bench.run(`print((await fetch('${base}/slow')).body.length);`);
    assert.deepEqual(output, ['4096']);
    assert.deepEqual(seen, ['pending', '200 OK · 1.0 KiB of 4.0 KiB', '200 OK · 2.0 KiB of 4.0 KiB', '200 OK · 3.0 KiB of 4.0 KiB']);
    const last = fetches.get(1);
    assert.ok(last !== undefined && last.durationMs !== null);
    assert.match(fetchView(last).description, /^200 OK · 4\.0 KiB · \d/);
  });

  for (const scheme of ['http', 'https'] as const) {
    it(`is how much of the request's body has been sent, over ${scheme}: of all, while the server does not take more, and all of it in the end`, async () => {
      const total = 48 << 20;
      let received = 0;
      const handler: http.RequestListener = (request, response) => {
        request.pause();
        // The server takes nothing until the view has shown that some has been sent, and not all.
        void report(({ url, sentBytes }) => url.endsWith(`/${scheme}`) && sentBytes > 0).then(({ sentBytes, requestBytes, status }) => {
          assert.ok(sentBytes < total / 2, `${sentBytes} bytes`);
          assert.deepEqual([requestBytes, status], [total, null]);
          request.on('data', (chunk: Buffer) => (received += chunk.length)).on('end', () => response.end('thanks')).resume();
        });
      };
      const { key, cert } = makeCertificate({ commonName: 'localhost', names: ['localhost'], issuer: authority });
      const uploads = scheme === 'https' ? https.createServer({ key, cert }, handler) : http.createServer(handler);
      await new Promise<void>((resolve) => uploads.listen(0, '127.0.0.1', resolve));
      try {
        const address = uploads.address();
        assert.ok(typeof address === 'object' && address !== null);
        const { output, fetches } = await bench.run(`
          const response = await fetch('${scheme}://localhost:${address.port}/${scheme}', { method: 'PUT', body: Buffer.alloc(${total}) });
          print(response.text(), response.error);`, { memoryMb: 512 });
        assert.deepEqual([output, received], [['thanks null'], total]);
        assert.deepEqual([fetches.get(1)?.sentBytes, fetches.get(1)?.requestBytes], [total, total]);
      } finally {
        uploads.closeAllConnections();
        uploads.close();
      }
    });
  }

  it('is what a body came to once it is unpacked', async () => {
    const packed = gzipSync(Buffer.alloc(10_000));
    const base = await serve({ '*': async (peer) => {
      await peer.send(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${packed.length}\r\n\r\n`);
      await peer.send(packed);
    } });
    const { fetches } = await bench.run(`await fetch('${base}/');`);
    assert.deepEqual([fetches.get(1)?.bodyBytes, fetches.get(1)?.expectedBytes], [10_000, null]);
  });

  it('is the method and address it was redirected to, and why it failed', async () => {
    const base = await serve({
      '/': (peer) => peer.send('HTTP/1.1 303 See\r\nLocation: /end\r\nContent-Length: 0\r\n\r\n'),
      '/end': (peer) => peer.close(),
    });
    const { fetches, sockets } = await bench.run(`await fetch('${base}/', { method: 'POST', body: 'x' });`);
    const fetch = fetches.get(1);
    assert.deepEqual([fetch?.method, fetch?.url, fetch?.status, fetch?.error?.code], ['GET', `${base}/end`, -1, 'ECONNRESET']);
    assert.deepEqual([...sockets.values()].map(({ fetchId }) => fetchId), [1, 1], 'each socket names its fetch: the kept one that was stale, and the new one');
  });

  it('is that it failed, if the script ends before it does', async () => {
    const base = await serve({ '*': () => {} });
    await bench.run(`void fetch('${base}/'); await new Promise((resolve) => Engine.Delay(resolve, 100)); throw new Error('over');`);
    assert.equal((await report(({ url, durationMs }) => url === `${base}/` && durationMs !== null)).error?.code, 'ECONNABORTED');
  });
});
