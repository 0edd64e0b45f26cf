import assert from 'node:assert/strict';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { decodeBody } from '../../../extension/worker/script/http/decode';
import { explain } from '../../../extension/worker/script/http/explain';
import { isRedirect, redirected } from '../../../extension/worker/script/http/redirect';
import { parseRequest as parse } from '../../../extension/worker/script/http/request';
import { Response } from '../../../extension/worker/script/http/response';
import { NetworkError } from '../../../extension/worker/script/http/stream';

const parseRequest = (uri: unknown, options: unknown) => parse(uri, options, 1_000);
const TIMINGS = { dns: 0, connect: 0, tls: 0, firstByte: 0, total: 0 };

describe('Content codings (RFC 9110 §8.4.1)', () => {
  const text = 'the same words, '.repeat(100);
  const limit = { url: new URL('http://a/'), maxBodyBytes: 10_000 };

  for (const [coding, encode] of [
    ['gzip', gzipSync], ['X-GZIP', gzipSync], ['deflate', deflateSync], ['deflate', deflateRawSync], ['br', brotliCompressSync],
    ['identity', (bytes: Buffer) => bytes], ['unknown', (bytes: Buffer) => bytes], ['gzip, br', (bytes: Buffer) => brotliCompressSync(gzipSync(bytes))],
  ] as const) {
    it(`undoes ${coding} (${encode.name || 'nothing'})`, async () => {
      assert.equal((await decodeBody(Buffer.from(encode(Buffer.from(text))), coding, limit)).toString(), text);
    });
  }

  it('leaves an empty body empty', async () => assert.equal((await decodeBody(Buffer.alloc(0), 'gzip', limit)).length, 0));

  for (const [name, body, coding, code] of [
    ['a body that is cut short', gzipSync(text).subarray(0, 20), 'gzip', 'EPROTO'], ['a body that is something else', Buffer.from('plain'), 'br', 'EPROTO'],
    ['a body that grows beyond the limit', gzipSync(Buffer.alloc(10_001)), 'gzip', 'EMSGSIZE'], ['a tower of codings', gzipSync(text), 'gzip,'.repeat(6), 'EPROTO'],
  ] as const) {
    it(`fails for ${name}`, () => assert.rejects(decodeBody(body, coding, limit), (error) => error instanceof NetworkError && error.code === code && error.message.includes('http://a/')));
  }
});

describe('Redirects (Fetch Standard §4.4)', () => {
  const post = parseRequest('http://a/x#part', { method: 'POST', body: 'text', headers: { Authorization: 'secret', Cookie: 'c', 'X-Own': '1' } });

  for (const [status, method, kept] of [[301, 'GET', false], [302, 'GET', false], [303, 'GET', false], [307, 'POST', true], [308, 'POST', true]] as const) {
    it(`makes of a POST after ${status} a ${method}`, () => {
      const next = redirected(post, status, '/y');
      assert.deepEqual([next.method, next.body === null ? null : String(next.body), next.url.href, 'content-type' in next.headers, next.headers['authorization']], [method, kept ? 'text' : null, 'http://a/y#part', kept, 'secret']);
    });
  }

  it('keeps other methods, except after 303', () => {
    const patch = parseRequest('http://a/', { method: 'PATCH', body: 'x' });
    assert.deepEqual([301, 302, 303, 307].map((status) => redirected(patch, status, '/').method), ['PATCH', 'PATCH', 'GET', 'PATCH']);
    assert.equal(redirected(parseRequest('http://a/', { method: 'HEAD' }), 303, '/').method, 'HEAD');
  });

  for (const location of ['http://b/', 'https://a/', 'http://a:81/']) {
    it(`gives no secrets to ${location}`, () => {
      const { headers } = redirected(post, 307, location);
      assert.deepEqual([headers['authorization'], headers['cookie'], headers['x-own']], [undefined, undefined, '1']);
    });
  }

  it('reads a Location in UTF-8, and one with a fragment of its own', () => {
    assert.equal(redirected(post, 302, Buffer.from('/ü#new').toString('latin1')).url.href, 'http://a/%C3%BC#new');
  });

  for (const location of ['http://', 'ftp://a/', 'javascript:1', 'http://b:0/']) {
    it(`does not follow ${location}`, () => assert.throws(() => redirected(post, 302, location), { name: 'NetworkError', code: 'EINVAL' }));
  }

  it('needs a Location', () => {
    assert.deepEqual([isRedirect(302, {}), isRedirect(302, { location: '' }), isRedirect(304, { location: '/' }), isRedirect(300, { location: '/' })], [false, true, false, false]);
  });
});

describe('Why an exchange failed', () => {
  const wrapped = (code: string, message: string) => new TypeError('fetch failed', { cause: Object.assign(new Error(message), { code }) });

  for (const [error, code, message] of [
    [wrapped('UND_ERR_SOCKET', 'other side closed'), 'ECONNRESET', /closed the connection before the response to GET http:\/\/a\/ was complete \(5 of 10 bytes/],
    [wrapped('HPE_INVALID_CONSTANT', 'Expected HTTP/'), 'EPROTO', /http:\/\/a\/ breaks HTTP\/1\.1: Expected HTTP\//],
    [new NetworkError('ECONNREFUSED', 'a:80 refused'), 'ECONNREFUSED', /^a:80 refused$/],
    [wrapped('UND_ERR_INVALID_ARG', 'invalid header'), 'EINVAL', /^fetch: invalid header$/],
    [Object.assign(new Error('does not match'), { name: 'HTTPParserError' }), 'EPROTO', /^The response from http:\/\/a\/ breaks HTTP\/1\.1: does not match\. The server, or a proxy before it, is at fault: a capture shows what it sent$/],
    [wrapped('UND_ERR_HEADERS_OVERFLOW', 'overflow'), 'EPROTO', /^The response from http:\/\/a\/ has more than 16384 bytes of headers\. The server, or a proxy before it, is at fault: a capture shows what it sent$/],
    [wrapped('ERR_SSL_WRONG_VERSION_NUMBER', '80BC:error:0A00010B:SSL routines:f:wrong version number:record.c:350:\n'), 'ERR_SSL_WRONG_VERSION_NUMBER', /^http:\/\/a\/: the server does not speak TLS on this port; is it an http: address\?$/],
    [Object.assign(new Error('80BC:error:0A000410:SSL routines:f:x:record.c:1:\n'), { code: 'ERR_SSL_X', reason: 'sslv3 alert handshake failure' }), 'ERR_SSL_X', /^http:\/\/a\/: TLS failed: sslv3 alert handshake failure$/],
    [wrapped('CERT_HAS_EXPIRED', 'certificate has expired'), 'CERT_HAS_EXPIRED', /^http:\/\/a\/: the server's certificate has expired: it must be renewed there/],
    [wrapped('ERR_ASSERTION', 'The expression evaluated to a falsy value:\n\n  assert(statusCode >= 100)\n'), 'EPROTO', /^The response from http:\/\/a\/ breaks HTTP\/1\.1: its status is not from 100 to 999\./],
    ['text', 'EINVAL', /^fetch: an option threw 'text'$/],
  ] as const) {
    it(`is ${code} for ${String(error)}`, () => {
      const explained = explain(error, { method: 'GET', url: 'http://a/', hasHead: true, bodyBytes: 5, expectedBytes: 10 });
      assert.equal(explained.code, code);
      assert.match(explained.message, message);
    });
  }
});

describe('What fetch is given', () => {
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  for (const [what, uri, options, message] of [
    ['port 0', 'http://a:0/', {}, /^fetch\(uri\): the port of 'http:\/\/a:0\/' must be from 1 to 65535$/],
    ['headers in a Map', 'http://a/', { headers: new Map([['a', 'b']]) }, /^fetch: headers must be an object of strings, not Map\(1\)/],
    ['a header name with a space', 'http://a/', { headers: { 'a b': 'c' } }, /^fetch: 'a b' is no name of a header/],
    ['a header with a line break', 'http://a/', { headers: { a: 'b\r\nc: d' } }, /^fetch: header 'a' must be text in Latin-1 without line breaks, not 'b\\r\\nc: d'$/],
    ['a header beyond Latin-1', 'http://a/', { headers: { a: '日' } }, /^fetch: header 'a' must be text in Latin-1/],
    ['a header that frames the message', 'http://a/', { headers: { 'Transfer-Encoding': 'chunked' } }, /^fetch: header 'Transfer-Encoding' cannot be set/],
    ['JSON in a circle', 'http://a/', { method: 'POST', body: { json: circle } }, /^fetch: body\.json is .+, which cannot be written as JSON: Converting circular/],
    ['JSON with a BigInt', 'http://a/', { method: 'POST', body: { json: 1n } }, /^fetch: body\.json is 1n, which cannot be written as JSON: .*BigInt/],
  ] as const) {
    it(`names ${what}`, () => assert.throws(() => parseRequest(uri, options), { message }));
  }
});

describe('A response', () => {
  it('names its address when it is no JSON', () => {
    const response = new Response({ status: 502, statusMessage: 'Bad', headers: {}, body: Buffer.from('<html>'), url: 'http://a/b', error: null, timings: TIMINGS });
    assert.throws(() => response.json(), { name: 'SyntaxError', message: /from http:\/\/a\/b \(status 502, 6 bytes\) is not JSON/ });
    assert.equal(response.ok, false);
  });

  it('is UTF-8 without a byte order mark, as on the web', () => {
    const of = (body: Buffer) => new Response({ status: 200, statusMessage: 'OK', headers: {}, body, url: 'http://a/b', error: null, timings: TIMINGS });
    assert.deepEqual(of(Buffer.from('\ufeff{"a":"ü"}')).json(), { a: 'ü' });
    assert.deepEqual([of(Buffer.from('\ufeff\ufeffx')).text(), of(Buffer.from([0xff, 0x41])).text(), of(Buffer.from([0xef, 0xbb])).text()], ['\ufeffx', '\ufffdA', '\ufffd']);
  });

  it('has the contract\'s shape when it failed', () => {
    const response = Response.failed('http://a/', { code: 'ENOTFOUND', message: 'no such name' }, TIMINGS);
    assert.deepEqual([response.status, response.statusMessage, response.headers, response.body.length, response.text()], [-1, 'socket error', {}, 0, '']);
    assert.throws(() => response.json(), /no such name/);
  });
});
