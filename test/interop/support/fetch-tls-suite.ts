/** fetch over TLS: who is trusted, what is said of who is not, and what is spoken. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { TLSSocket, type TlsOptions } from 'node:tls';
import { makeCertificate, type Certificate } from './certificates';
import { fetchGroups, type FetchLink, type FetchResult } from './fetch-link';
import { ScriptedHttpServer, type Answer, type Peer } from './scripted-http';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

interface Case {
  readonly title: string;
  /** null: the server speaks no TLS. */
  readonly tls: TlsOptions | null;
  /** What the script calls it; default https. */
  readonly scheme?: 'http';
  /** The script names the computer by its address. */
  readonly byAddress?: true;
  readonly answer?: Answer;
  /** Of a server without TLS, to the client's first words. */
  readonly atOnce?: (peer: Peer) => Promise<void> | void;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly expected: 'ok' | { readonly code: string; readonly message: RegExp };
}

/** What a server saw of a handshake. */
interface Spoken {
  /** false: none was sent. */
  readonly servername: unknown;
  readonly alpn: unknown;
  readonly protocol: unknown;
  readonly resumed: boolean;
}

export function fetchOverTls(link: FetchLink): void {
  describe(`fetch over ${link.name} with TLS`, function () {
    this.timeout(180_000);
    const { host, address } = link;
    const authority = makeCertificate({ commonName: 'Riftnet test authority', isAuthority: true });
    const stranger = makeCertificate({ commonName: 'Some other authority', isAuthority: true });
    const between = makeCertificate({ commonName: 'An authority between', isAuthority: true, issuer: authority });
    const chain = (leaf: Certificate, ...more: Certificate[]): TlsOptions => ({ key: leaf.key, cert: [leaf, ...more].map(({ cert }) => cert).join('') });
    const signed = makeCertificate({ commonName: host, names: [host], issuer: authority });
    const good = chain(signed);
    const forAddress = chain(makeCertificate({ commonName: 'by address', names: ['other.example', address], issuer: authority }));
    const notThisAddress = (names: string) => ({ code: 'ERR_TLS_CERT_ALTNAME_INVALID', message: new RegExp(`^https://${address}:\\d+/: the server's certificate does not name the address ${address} \\(${names}\\): use one of its names instead, or give the server a certificate whose subjectAltName has this IP address$`) });

    const cases: readonly Case[] = [
      { title: 'takes a certificate of an authority that was added', tls: good, expected: 'ok' },
      { title: 'takes one that an authority between has signed, if the server sends that too', tls: chain(makeCertificate({ commonName: host, names: [host], issuer: between }), between), expected: 'ok' },
      { title: 'takes a name by a wildcard only where it stands for one label', tls: chain(makeCertificate({ commonName: host, names: ['*'], issuer: authority })), expected: { code: 'ERR_TLS_CERT_ALTNAME_INVALID', message: /is for another name \(DNS:\*\)/ } },
      { title: 'speaks TLS 1.2', tls: { ...good, maxVersion: 'TLSv1.2' }, expected: 'ok' },
      { title: 'speaks TLS 1.3', tls: { ...good, minVersion: 'TLSv1.3' }, expected: 'ok' },
      { title: 'does not speak TLS 1.1', tls: { ...good, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }, expected: { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', message: /no version of TLS in common: this one speaks 1\.2 and 1\.3/ } },
      { title: 'refuses a certificate that has expired', tls: chain(makeCertificate({ commonName: host, names: [host], issuer: authority, from: -20, until: -10 })), expected: { code: 'CERT_HAS_EXPIRED', message: /has expired: it must be renewed there, or this computer's clock is wrong$/ } },
      { title: 'refuses a certificate that is not valid yet', tls: chain(makeCertificate({ commonName: host, names: [host], issuer: authority, from: 10 })), expected: { code: 'CERT_NOT_YET_VALID', message: /not valid yet: this computer's clock may be wrong$/ } },
      { title: 'refuses a certificate for another host', tls: chain(makeCertificate({ commonName: host, names: ['other.example'], issuer: authority })), expected: { code: 'ERR_TLS_CERT_ALTNAME_INVALID', message: /is for another name \(DNS:other\.example\): use one of those/ } },
      { title: 'refuses one for another host, whatever the header host says', tls: chain(makeCertificate({ commonName: host, names: ['other.example'], issuer: authority })), options: { headers: { Host: 'other.example' } }, expected: { code: 'ERR_TLS_CERT_ALTNAME_INVALID', message: /other\.example/ } },
      { title: 'takes a certificate that names the address', tls: forAddress, byAddress: true, expected: 'ok' },
      { title: 'refuses a certificate that names another address', tls: chain(makeCertificate({ commonName: address, names: ['192.0.2.9'], issuer: authority })), byAddress: true, expected: notThisAddress('IP Address:192\\.0\\.2\\.9') },
      { title: 'refuses a certificate for a name, where the server is named by its address', tls: good, byAddress: true, expected: notThisAddress(`DNS:${host}`) },
      { title: 'refuses a certificate that has the address only as its common name', tls: chain(makeCertificate({ commonName: address, issuer: authority })), byAddress: true, expected: notThisAddress('it names none') },
      { title: 'refuses a certificate for an address, where the server is named by its name', tls: chain(makeCertificate({ commonName: 'by address', names: [address], issuer: authority })), expected: { code: 'ERR_TLS_CERT_ALTNAME_INVALID', message: new RegExp(`for another name \\(IP Address:${address}\\)`) } },
      { title: 'refuses a certificate that is signed by itself', tls: chain(makeCertificate({ commonName: host, names: [host] })), expected: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT', message: /signed by itself, not by an authority; if it is to be trusted, add it with --ca FILE \(setting riftnet\.extraCaCertificates\)$/ } },
      { title: 'refuses an authority that is not known', tls: chain(makeCertificate({ commonName: host, names: [host], issuer: stranger })), expected: { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', message: /authority that is not known; if it is to be trusted, add the authority that signed it with --ca FILE/ } },
      { title: 'refuses an authority that is not trusted, though the server sends it', tls: chain(makeCertificate({ commonName: host, names: [host], issuer: stranger }), stranger), expected: { code: 'SELF_SIGNED_CERT_IN_CHAIN', message: /authority that is not trusted; if it is to be, add the authority that signed it with --ca FILE/ } },
      { title: 'says so where the server speaks no TLS', tls: null, atOnce: (peer) => peer.send('HTTP/1.1 400 Bad Request\r\n\r\n'), expected: { code: 'ERR_SSL_WRONG_VERSION_NUMBER', message: /does not speak TLS on this port; is it an http: address\?$/ } },
      { title: 'says so where the server speaks nothing but TLS', tls: good, scheme: 'http', expected: { code: 'ECONNRESET', message: /./ } },
      { title: 'reports an end within the handshake', tls: null, atOnce: (peer) => peer.close(), expected: { code: 'ECONNRESET', message: /./ } },
      { title: 'ends a handshake without an answer in time', tls: null, atOnce: () => {}, options: { timeoutMs: 700 }, expected: { code: 'ETIMEDOUT', message: /did not finish within 700 ms/ } },
      { title: 'reports a body that breaks off', tls: good, answer: async (peer) => {
        await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc');
        peer.close();
      }, expected: { code: 'ECONNRESET', message: /3 of 10 bytes of the body had arrived/ } },
      { title: 'reads a large body', tls: good, answer: async (peer) => {
        await peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${3 << 20}\r\nX: y\r\n\r\n`);
        await peer.send(Buffer.alloc((3 << 20) - 2, 'x'));
        await peer.send('ok');
      }, expected: 'ok' },
      { title: 'takes an interim response', tls: good, answer: (peer) => peer.send(`HTTP/1.1 100 Continue\r\n\r\n${OK}`), expected: 'ok' },
    ];

    let folder: string;
    let servers: ScriptedHttpServer[] = [];
    let results: Record<string, FetchResult[]>;
    const toName: Spoken[] = [];
    const toAddress: Spoken[] = [];

    before(async () => {
      folder = fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-tls-'));
      const ca = path.join(folder, 'ca.pem');
      fs.writeFileSync(ca, `Some words before it.\n${authority.key}${authority.cert}`);
      const answerOk: Answer = (peer) => peer.send(OK);
      servers = await Promise.all(cases.map(({ tls, answer, atOnce }) => ScriptedHttpServer.start({ address: link.listen, answers: { '*': answer ?? answerOk }, ...(tls === null ? {} : { tls }), ...(atOnce ? { atOnce } : {}) })));
      const watch = (tls: TlsOptions, spoken: Spoken[]): Promise<ScriptedHttpServer> => ScriptedHttpServer.start({ address: link.listen, tls: { ...tls, ALPNProtocols: ['h2', 'http/1.1'] }, answers: { '*': async (peer) => {
        const { socket } = peer;
        if (!(socket instanceof TLSSocket)) throw new Error('a server with TLS has TLS sockets');
        spoken.push({ servername: 'servername' in socket ? socket.servername : null, alpn: socket.alpnProtocol, protocol: socket.getProtocol(), resumed: socket.isSessionReused() });
        await peer.send('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok');
        peer.close();
      } } });
      const watching = await watch(good, toName);
      const watchingAddress = await watch(forAddress, toAddress);
      servers.push(watching, watchingAddress);
      const urls = cases.map(({ scheme, byAddress }, index) => `${scheme ?? 'https'}://${byAddress ? address : host}:${servers[index]?.port}/`);
      const groups = Object.fromEntries(cases.map(({ options }, index) => [String(index), [{ url: urls[index] ?? '', options: { timeoutMs: 60_000, ...options } }]]));
      const watched = { url: `https://${host}:${watching.port}/` };
      const byAddress = { url: `https://${address}:${watchingAddress.port}/` };
      results = await fetchGroups(link, { ...groups, watched: [watched, { ...watched, waitMs: 50 }], byAddress: [byAddress, { ...byAddress, waitMs: 50 }] }, ['--ca', ca]);
    });
    after(async () => {
      await Promise.all(servers.map((server) => server.stop()));
      fs.rmSync(folder, { recursive: true });
    });

    for (const [index, { title, expected }] of cases.entries()) {
      it(title, () => {
        const [result] = results[String(index)] ?? [];
        assert.ok(result);
        if (expected !== 'ok') {
          assert.deepEqual([result.status, result.statusMessage, result.error?.code], [-1, 'socket error', expected.code], JSON.stringify(result.error));
          return assert.match(result.error?.message ?? '', expected.message);
        }
        assert.deepEqual([result.status, result.error, result.body.toString('latin1').slice(-2)], [200, null, 'ok']);
        assert.ok(result.timings.tls > 0, 'TLS takes time');
      });
    }

    const TWICE = [[200, null], [200, null]];

    it('sends the name (SNI), and of ALPN speaks http/1.1', () => {
      assert.deepEqual(results['watched']?.map(({ status, error }) => [status, error]), TWICE);
      assert.deepEqual(toName.map(({ servername, alpn, protocol }) => [servername, alpn, protocol]), [[host, 'http/1.1', 'TLSv1.3'], [host, 'http/1.1', 'TLSv1.3']]);
    });

    it('sends no name to a server that is named by its address (RFC 6066 §3)', () => {
      assert.deepEqual(results['byAddress']?.map(({ status, error }) => [status, error]), TWICE);
      assert.deepEqual(toAddress.map(({ servername, alpn, protocol }) => [servername, alpn, protocol]), [[false, 'http/1.1', 'TLSv1.3'], [false, 'http/1.1', 'TLSv1.3']]);
    });

    it('resumes a session on a new connection', () => {
      for (const spoken of [toName, toAddress]) assert.deepEqual(spoken.map(({ resumed }) => resumed), [false, true]);
    });
  });
}
