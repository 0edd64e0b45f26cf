/** fetch against a server that misbehaves to order: each case ends right, or with -1 and why. */
import assert from 'node:assert/strict';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { fetchGroups, type FetchLink, type FetchOrder, type FetchResult } from './fetch-link';
import { FAILURES } from './fetch-hostile-texts';
import { ScriptedHttpServer, type Answer } from './scripted-http';

/** A response that came through, or how one failed. */
type Expected =
  | { readonly status: number; readonly text?: string; readonly statusMessage?: string; readonly headers?: Readonly<Record<string, string>> }
  | { readonly code: string };

interface Case {
  readonly title: string;
  readonly answer: Answer;
  readonly expected: Expected;
  readonly options?: FetchOrder['options'];
}

const LONG = 'x'.repeat(20_000);
const says = (...parts: (string | Buffer)[]): Answer => async (peer) => {
  for (const part of parts) await peer.send(part);
};
const saysAndCloses = (...parts: (string | Buffer)[]): Answer => async (peer, request) => {
  await says(...parts)(peer, request);
  peer.close();
};
const encoded = (coding: string, body: Buffer): Answer => says(`HTTP/1.1 200 OK\r\nContent-Encoding: ${coding}\r\nContent-Length: ${body.length}\r\n\r\n`, body);
const breaks = { code: 'EPROTO' } as const;
const closed = { code: 'ECONNRESET' } as const;
const late = { code: 'ETIMEDOUT' } as const;
const SHORT = { timeoutMs: 700 };

const CASES: readonly Case[] = [
  // Framing (RFC 9112 §6, §7)
  { title: 'a body with its length', answer: says('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'), expected: { status: 200, text: 'ok', statusMessage: 'OK' } },
  { title: 'a body that the end of the connection ends', answer: saysAndCloses('HTTP/1.1 200 OK\r\n\r\nuntil the end'), expected: { status: 200, text: 'until the end' } },
  { title: 'chunks, with extensions and trailers', answer: says('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n02\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n'), expected: { status: 200, text: 'abcde' } },
  { title: 'a thousand chunks of one byte', answer: says('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '1\r\nx\r\n'.repeat(1_000), '0\r\n\r\n'), expected: { status: 200, text: 'x'.repeat(1_000) } },
  { title: 'a chunk whose size is no number', answer: says('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n'), expected: breaks },
  { title: 'a chunk with a negative size', answer: says('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n'), expected: breaks },
  { title: 'a chunk size beyond 64 bits', answer: says('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n'), expected: breaks },
  { title: 'a chunk that is longer than it says', answer: says('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n'), expected: breaks },
  { title: 'chunks that break off', answer: saysAndCloses('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab'), expected: closed },
  { title: 'chunks without the last one', answer: saysAndCloses('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n'), expected: closed },
  { title: 'two lengths that differ', answer: says('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc'), expected: breaks },
  { title: 'a list of lengths', answer: says('HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nabc'), expected: breaks },
  { title: 'a length beside chunks', answer: says('HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'), expected: breaks },
  { title: 'a length that is none', answer: says('HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nabc'), expected: breaks },
  { title: 'a negative length', answer: says('HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc'), expected: breaks },
  { title: 'a length beyond 64 bits', answer: says('HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\nabc'), expected: breaks },
  { title: 'a length beyond maxBodyBytes, before any of the body', answer: says('HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nabc'), expected: { code: 'EMSGSIZE' } },
  { title: 'a body that is shorter than its length', answer: saysAndCloses('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'), expected: { code: 'ECONNRESET' } },
  { title: 'more after the body', answer: says('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\0\x01garbage\r\n\r\n'), expected: { status: 200, text: 'ok' } },
  { title: 'a second response that nobody asked for', answer: says('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'), expected: { status: 200, text: 'ok' } },

  // The head
  { title: 'a reason phrase in pieces', answer: async (peer) => peer.trickle('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n', 2), expected: { status: 404, statusMessage: 'Not Found' } },
  { title: 'no reason phrase', answer: says('HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n'), expected: { status: 200, statusMessage: '' } },
  { title: 'a status unheard of', answer: says('HTTP/1.1 799 Odd\r\nContent-Length: 0\r\n\r\n'), expected: { status: 799, statusMessage: 'Odd' } },
  { title: 'repeated headers', answer: says('HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n'), expected: { status: 200, headers: { 'x-a': '1, 2', 'set-cookie': 'a=1, b=2' } } },
  { title: 'headers with the names of what objects have', answer: says('HTTP/1.1 200 OK\r\nConstructor: a\r\n__proto__: b\r\n__proto__: c\r\ntoString: d\r\nContent-Length: 0\r\n\r\n'), expected: { status: 200, headers: { constructor: 'a', tostring: 'd' } } },
  { title: 'header values in Latin-1', answer: says('HTTP/1.1 200 OK\r\nX-Name: M\xfcller\r\nContent-Length: 0\r\n\r\n'), expected: { status: 200, headers: { 'x-name': 'Müller' } } },
  { title: 'a header without a colon', answer: says('HTTP/1.1 200 OK\r\nNonsense\r\n\r\n'), expected: breaks },
  { title: 'a space before the colon', answer: says('HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok'), expected: breaks },
  { title: 'a NUL in a header', answer: says('HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n'), expected: breaks },
  { title: 'more headers than are taken', answer: says('HTTP/1.1 200 OK\r\n', `X: ${LONG}\r\n`, '\r\n'), expected: { code: 'EPROTO' } },
  { title: 'headers without end', answer: async (peer) => {
    await peer.send('HTTP/1.1 200 OK\r\n');
    await peer.endless('X-Flood: 0123456789\r\n');
  }, expected: { code: 'EPROTO' } },
  { title: 'trailers without end', answer: async (peer) => {
    await peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n');
    await peer.endless('X-Flood: 0123456789\r\n');
  }, expected: { code: 'EPROTO' } },
  { title: 'a status line without end', answer: async (peer) => {
    await peer.send('HTTP/1.1 200 ');
    await peer.endless('O'.repeat(1_000));
  }, expected: { code: 'EPROTO' } },

  // Interim responses (RFC 9110 §15.2)
  { title: '100 Continue, unasked', answer: says('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'), expected: { status: 200, text: 'ok' } },
  { title: 'several interim responses, in pieces', answer: async (peer) => peer.trickle('HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok', 1), expected: { status: 201, statusMessage: 'Created', text: 'ok' } },
  { title: 'interim responses without end', answer: (peer) => peer.endless('HTTP/1.1 102 Processing\r\n\r\n'), expected: { code: 'EPROTO' } },
  { title: '101 to a protocol nobody asked for', answer: says('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'), expected: { code: 'EPROTO' } },

  // Other versions, other protocols
  { title: 'HTTP/1.0', answer: saysAndCloses('HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nold'), expected: { status: 200, text: 'old' } },
  { title: 'HTTP/1.0 with a length', answer: saysAndCloses('HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold'), expected: { status: 200, text: 'old' } },
  { title: 'HTTP/0.9: a body and nothing else', answer: saysAndCloses('<html>bare</html>'), expected: breaks },
  { title: 'HTTP/3.7', answer: says('HTTP/3.7 200 OK\r\nContent-Length: 0\r\n\r\n'), expected: breaks },
  { title: "another protocol's greeting", answer: says('220 mail.example ESMTP\r\n'), expected: breaks },
  { title: 'a TLS alert', answer: saysAndCloses(Buffer.from('15030100020246', 'hex')), expected: breaks },

  // Bodies that are not sent (RFC 9110 §6.4.1)
  { title: '204 with a length', answer: says('HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n'), expected: { status: 204, text: '' } },
  { title: '204', answer: says('HTTP/1.1 204 No Content\r\n\r\n'), expected: { status: 204, text: '' } },
  { title: '304 with the length that the body would have', answer: says('HTTP/1.1 304 Not Modified\r\nContent-Length: 1234\r\nETag: "a"\r\n\r\n'), expected: { status: 304, text: '', headers: { etag: '"a"' } } },
  { title: 'HEAD with a length', options: { method: 'HEAD' }, answer: says('HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n'), expected: { status: 200, text: '', headers: { 'content-length': '1234' } } },
  { title: 'HEAD with Transfer-Encoding and a coding', options: { method: 'HEAD' }, answer: says('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n'), expected: { status: 200, text: '' } },
  { title: 'HEAD answered with a body all the same', options: { method: 'HEAD' }, answer: saysAndCloses('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody'), expected: { status: 200, text: '' } },

  // Codings (RFC 9110 §8.4.1)
  { title: 'gzip', answer: encoded('gzip', gzipSync('packed')), expected: { status: 200, text: 'packed' } },
  { title: 'deflate as it should be', answer: encoded('deflate', deflateSync('packed')), expected: { status: 200, text: 'packed' } },
  { title: 'deflate without its frame', answer: encoded('deflate', deflateRawSync('packed')), expected: { status: 200, text: 'packed' } },
  { title: 'br', answer: encoded('br', brotliCompressSync('packed')), expected: { status: 200, text: 'packed' } },
  { title: 'two codings', answer: encoded('gzip, br', brotliCompressSync(gzipSync('packed'))), expected: { status: 200, text: 'packed' } },
  { title: 'a coding unheard of, which is left as it is', answer: encoded('rot13', Buffer.from('cnpxrq')), expected: { status: 200, text: 'cnpxrq', headers: { 'content-encoding': 'rot13' } } },
  { title: 'gzip that is none', answer: encoded('gzip', Buffer.from('plain')), expected: { code: 'EPROTO' } },
  { title: 'gzip that breaks off', answer: encoded('gzip', gzipSync(LONG).subarray(0, 30)), expected: { code: 'EPROTO' } },
  { title: 'gzip with a wrong sum', answer: encoded('gzip', Buffer.concat([gzipSync('packed').subarray(0, -8), Buffer.alloc(8)])), expected: { code: 'EPROTO' } },
  { title: 'a tower of codings', answer: encoded('gzip,gzip,gzip,gzip,gzip,gzip', gzipSync('x')), expected: { code: 'EPROTO' } },
  { title: 'a bomb of gzip', options: { maxBodyBytes: 1 << 20 }, answer: encoded('gzip', gzipSync(Buffer.alloc(50 << 20))), expected: { code: 'EMSGSIZE' } },
  { title: 'a bomb of br', options: { maxBodyBytes: 1 << 20 }, answer: encoded('br', brotliCompressSync(Buffer.alloc(20 << 20))), expected: { code: 'EMSGSIZE' } },
  { title: 'a bomb within a bomb', options: { maxBodyBytes: 1 << 20 }, answer: encoded('gzip, gzip', gzipSync(gzipSync(Buffer.alloc(50 << 20)))), expected: { code: 'EMSGSIZE' } },

  // Ends and stalls
  { title: 'an end before anything', answer: (peer) => peer.close(), expected: closed },
  { title: 'a reset before anything', answer: (peer) => peer.reset(), expected: { code: 'ECONNRESET' } },
  { title: 'an end within the head', answer: saysAndCloses('HTTP/1.1 200 OK\r\nContent-Le'), expected: closed },
  { title: 'an end within the status line', answer: saysAndCloses('HTTP/1.1 2'), expected: closed },
  { title: 'silence', options: SHORT, answer: () => {}, expected: late },
  { title: 'a head that comes ever so slowly', options: SHORT, answer: (peer) => peer.trickle(`HTTP/1.1 200 OK\r\nX: ${LONG}`, 30), expected: late },
  { title: 'a body that comes ever so slowly', options: SHORT, answer: (peer) => peer.trickle(`HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n${LONG}`, 30), expected: late },
  { title: 'chunk extensions without end', options: SHORT, answer: async (peer) => {
    await peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;');
    while (!peer.isGone) await peer.trickle('a', 20);
  }, expected: { code: 'ETIMEDOUT' } },
  { title: 'a body without end', options: { maxBodyBytes: 300_000 }, answer: async (peer) => {
    await peer.send('HTTP/1.1 200 OK\r\n\r\n');
    await peer.endless(LONG);
  }, expected: { code: 'EMSGSIZE' } },
  { title: 'chunks without end', options: { maxBodyBytes: 300_000 }, answer: async (peer) => {
    await peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    await peer.endless('5\r\nabcde\r\n');
  }, expected: { code: 'EMSGSIZE' } },
  { title: 'exactly as much as maxBodyBytes', options: { maxBodyBytes: 20_000 }, answer: says(`HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n${LONG}`), expected: { status: 200, text: LONG } },

  // Redirects (Fetch Standard §4.4)
  { title: 'a redirect in a circle', answer: says('HTTP/1.1 302 Found\r\nLocation: ?again\r\nContent-Length: 0\r\n\r\n'), expected: { code: 'ELOOP' } },
  { title: 'a redirect to another scheme', answer: says('HTTP/1.1 302 Found\r\nLocation: ftp://example.com/\r\nContent-Length: 0\r\n\r\n'), expected: { code: 'EINVAL' } },
  { title: 'a redirect to a file', answer: says('HTTP/1.1 301 Moved\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n'), expected: { code: 'EINVAL' } },
  { title: 'a redirect to nowhere', answer: says('HTTP/1.1 302 Found\r\nLocation: http://:0:0/\r\nContent-Length: 0\r\n\r\n'), expected: { code: 'EINVAL' } },
  { title: 'a redirect to two places', answer: says('HTTP/1.1 302 Found\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n'), expected: { code: 'EPROTO' } },
  { title: 'a redirect without a place', answer: says('HTTP/1.1 302 Found\r\nContent-Length: 2\r\n\r\nhm'), expected: { status: 302, text: 'hm' } },
  { title: 'a redirect whose body has no end', answer: async (peer, { target }) => {
    if (target.includes('?there')) return peer.send('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthere');
    await peer.send('HTTP/1.1 302 Found\r\nLocation: ?there\r\n\r\n');
    await peer.endless(LONG);
  }, expected: { status: 200, text: 'there' } },
];

const pathOf = (index: number) => `/case-${index}`;

export function fetchAgainstHostileServer(link: FetchLink): void {
  describe(`fetch over ${link.name} against a server that misbehaves`, function () {
    this.timeout(180_000);
    let server: ScriptedHttpServer;
    let results: Record<string, FetchResult[]>;

    before(async () => {
      server = await ScriptedHttpServer.start({ address: link.listen, answers: Object.fromEntries(CASES.map(({ answer }, index) => [pathOf(index), answer])) });
      results = await fetchGroups(link, Object.fromEntries(CASES.map(({ options }, index) => {
        return [pathOf(index), [{ url: `http://${link.host}:${server.port}${pathOf(index)}`, options: { timeoutMs: 60_000, ...options } }]];
      })));
    });
    after(() => server.stop());

    for (const [index, { title, expected }] of CASES.entries()) {
      it(title, () => {
        const [result] = results[pathOf(index)] ?? [];
        assert.ok(result);
        if ('code' in expected) {
          assert.deepEqual([result.status, result.statusMessage, result.error?.code, result.body.length, result.ok], [-1, 'socket error', expected.code, 0, false], JSON.stringify(result.error));
          // Word for word what a person reads, but for where the server is.
          const text = (result.error?.message ?? '').replaceAll(`${link.host}:${server.port}`, 'HOST').replace(new RegExp(`[\\d.]+:${server.port}\\b`), 'ADDRESS').replaceAll(pathOf(index), '/');
          assert.equal(text, FAILURES[title]);
          return;
        }
        assert.deepEqual([result.status, result.error], [expected.status, null]);
        if (expected.text !== undefined) assert.equal(result.body.toString(), expected.text);
        if (expected.statusMessage !== undefined) assert.equal(result.statusMessage, expected.statusMessage);
        for (const [name, value] of Object.entries(expected.headers ?? {})) assert.equal(result.headers[name], value);
      });
    }
  });
}
