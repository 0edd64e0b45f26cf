import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { explainFetch, explainSocket } from '../../extension/explain';
import type { Explanation } from '../../extension/explain';
import { fetchReport, socketReport } from './support';

const failed = (code: string, fields: Parameters<typeof socketReport>[0] = {}, hostAddress = ''): Explanation => {
  const why = explainSocket(socketReport({ status: 'error', error: { code, message: `the words about ${code}` }, closedAt: 1_000_250, ...fields }), hostAddress);
  assert.ok(why);
  return why;
};

const failedFetch = (code: string, fields: Parameters<typeof fetchReport>[0] = {}, socket: Parameters<typeof socketReport>[0] | null = null): Explanation => {
  const why = explainFetch(fetchReport({ status: -1, statusMessage: 'socket error', durationMs: 250, error: { code, message: `the words about ${code}` }, ...fields }), socket && socketReport(socket));
  assert.ok(why);
  return why;
};

describe('Why a socket failed', () => {
  it('is told of none that has not', () => {
    assert.equal(explainSocket(socketReport({ status: 'connected' })), null);
    assert.equal(explainFetch(fetchReport({ status: 404, durationMs: 1 }), null), null);
  });

  it('localhost refused: the server listens on 127.0.0.1 most likely, and there are two ways out', () => {
    const why = failed('ECONNREFUSED', { host: 'localhost', port: 8080, remoteAddress: '192.0.2.2' });
    assert.equal(why.title, 'Nothing listens on port 8080 of this computer');
    assert.equal(why.sent, 'A request to connect (SYN) to 192.0.2.2:8080.');
    assert.match(why.received, /RST.*250 ms/);
    assert.match(why.next[0] ?? '', /0\.0\.0\.0.*127\.0\.0\.1/);
    assert.match(why.next[1] ?? '', /riftnet\.hostAddress to 127\.0\.0\.1/);
    assert.equal(why.setting, 'hostAddress');
  });

  it('localhost refused where the setting names an address: that is where nothing listens', () => {
    const why = failed('ECONNREFUSED', { host: 'localhost', port: 8080 }, '127.0.0.1');
    assert.match(why.next[0] ?? '', /listen on 127\.0\.0\.1 or 0\.0\.0\.0/);
    assert.ok(why.next.every((step) => !step.includes('set riftnet.hostAddress')));
  });

  it('127.0.0.1: nothing was sent, and localhost is the name to use', () => {
    for (const why of [failed('EADDRNOTAVAIL', { host: '127.0.0.1' }), failedFetch('EADDRNOTAVAIL', { url: 'http://127.0.0.1:8080/' })]) {
      assert.match(why.title, /loopback/);
      assert.equal(why.sent, 'Nothing.');
      assert.match(why.next[0] ?? '', /'localhost'/);
      assert.equal(why.setting, 'hostAddress');
    }
  });

  it('another computer refused: nothing of localhost is suggested', () => {
    const why = failed('ECONNREFUSED', { remoteAddress: '192.0.2.7' });
    assert.equal(why.title, 'Nothing listens at 192.0.2.7:80');
    assert.equal(why.setting, null);
    assert.ok(why.next.every((step) => !step.includes('hostAddress')));
  });

  it('silence: how often was asked, and for how long', () => {
    const why = failed('ETIMEDOUT', { retransmissions: 6, remoteAddress: '192.0.2.7', closedAt: 1_075_000 });
    assert.match(why.sent, /sent 7 times/);
    assert.equal(why.received, 'Nothing, for 1 min 15 s.');
  });

  it('silence of a connection that was open is told apart from a computer that is not there', () => {
    const why = failed('ETIMEDOUT', { srttMs: 12, bytesRead: 2048, bytesWritten: 10, remoteAddress: '192.0.2.7' });
    assert.match(why.title, /did not answer in time/);
    assert.match(why.received, /^2\.0 KiB, then nothing more/);
  });

  it('names: the difference between no such name and no answer', () => {
    assert.match(failed('ENOTFOUND').received, /there is none/);
    assert.match(failed('ENOTFOUND').meaning, /hosts file/);
    assert.match(failed('EAI_AGAIN').received, /Nothing usable/);
    for (const code of ['ENOTFOUND', 'EAI_AGAIN']) assert.equal(failed(code).setting, 'dns');
  });

  it('a fetch names its request, and where its socket went', () => {
    const why = failedFetch('ECONNRESET', { method: 'PUT', url: 'http://example.test/a', bodyBytes: 100 }, { remoteAddress: '192.0.2.7', bytesWritten: 300, srttMs: 1 });
    assert.equal(why.sent, 'The request PUT http://example.test/a.');
    assert.match(why.title, /^192\.0\.2\.7:80 /);
    assert.match(why.received, /^100 B/);
  });

  it('a fetch without a socket is explained from its address', () => {
    assert.match(failedFetch('ECONNREFUSED', { url: 'https://example.test/a' }).title, /example\.test:443/);
    assert.match(failedFetch('EINVAL', { url: 'no address at all' }).title, /cannot be made/);
  });

  it('certificates are one kind, whatever OpenSSL calls them', () => {
    for (const code of ['CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'ERR_TLS_CERT_ALTNAME_INVALID', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE']) {
      assert.match(failedFetch(code, { url: 'https://example.test/' }).received, new RegExp(code));
    }
    assert.match(failedFetch('ERR_SSL_WRONG_VERSION_NUMBER', { url: 'https://example.test/' }).next[0] ?? '', /http:/);
  });

  it('a code that nobody knows is told in its own words', () => {
    const why = failed('ESOMETHING', { remoteAddress: '192.0.2.7' });
    assert.deepEqual([why.title, why.meaning], ['192.0.2.7:80: ESOMETHING', 'the words about ESOMETHING']);
  });

  it('each code that the stack and fetch give has words of its own, and something to try', () => {
    const source = readFileSync('stack/errors.ts', 'utf8');
    const codes = [...source.slice(0, source.indexOf('/** An error with')).matchAll(/^ {2}\| '(\w+)'/gm)].map((match) => match[1] ?? '');
    assert.ok(codes.length >= 14, `${codes.length} codes of the stack`);
    const own = new Set(['EADDRINUSE']); // Only a listener's, which scripts have none of.
    for (const code of [...codes.filter((candidate) => !own.has(candidate)), 'EPROTO', 'ELOOP', 'ECANCELED', 'EWORKER']) {
      const why = failed(code, code === 'EADDRNOTAVAIL' ? { host: '127.0.0.1' } : { remoteAddress: '192.0.2.7' });
      assert.ok(!why.title.endsWith(`: ${code}`), `${code} has a title of its own`);
      assert.ok(why.next.length > 0 && why.next.every((step) => step.length > 5), code);
      for (const text of [why.sent, why.received, why.meaning]) assert.ok(text.length > 0, code);
    }
  });
});
