import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { CaCertificates, readCaFile } from '../../../extension/worker/ca-certificates';
import { makeCertificate } from '../../interop/support/certificates';

describe('Authorities that fetch trusts beside Node\'s own', () => {
  const one = makeCertificate({ commonName: 'One', isAuthority: true });
  const two = makeCertificate({ commonName: 'Two', isAuthority: true });
  let folder: string;
  before(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-ca-'))));
  after(() => fs.rmSync(folder, { recursive: true }));

  const write = (name: string, text: string | Buffer): string => {
    const file = path.join(folder, name);
    fs.writeFileSync(file, text);
    return file;
  };

  it('are the certificates in a file, and nothing else of it: no words, no keys', () => {
    const pem = readCaFile(write('both.pem', `# One\r\n${one.key}${one.cert}\n# Two\n${two.cert.replaceAll('\n', '\r\n')}`));
    assert.equal(pem.replaceAll('\r', ''), `${one.cert.trim()}\n${two.cert.trim()}`);
  });

  it('may be all that Node brings', () => assert.equal(readCaFile(write('all.pem', tls.rootCertificates.join('\n'))).split('-----END').length - 1, tls.rootCertificates.length));

  const half = one.cert.split('\n');
  for (const [name, file, message] of [
    ['a file that is not there', () => path.join(folder, 'none.pem'), /none\.pem with certificates cannot be read: ENOENT/],
    ['a folder', () => folder, /cannot be read: EISDIR/],
    ['a file without one', () => write('empty.pem', 'words'), /empty\.pem holds no certificate in PEM form/],
    ['a key', () => write('key.pem', one.key), /key\.pem holds no certificate/],
    ['one in binary form', () => write('binary.der', Buffer.from(one.cert.replace(/-----[^-]+-----/g, ''), 'base64')), /holds no certificate in PEM form/],
    ['one that is broken', () => write('broken.pem', two.cert + [...half.slice(0, 3), ...half.slice(4)].join('\n')), /certificate 2 of 2 in .*broken\.pem is broken/],
    ['a file that is too large', () => write('large.pem', Buffer.alloc(17 << 20, ' ')), /it is larger than 16 MiB/],
  ] as const) {
    it(`are not those of ${name}`, () => assert.throws(() => readCaFile(file()), { message }));
  }

  it('are read when a run starts: again when a file has changed, and told of once while it is unusable', () => {
    const file = write('changes.pem', one.cert);
    const warnings: string[] = [];
    const certificates = new CaCertificates([file, write('other.pem', two.cert)], (message) => warnings.push(message));
    assert.equal(certificates.pem(), `${one.cert.trim()}\n${two.cert.trim()}`);
    fs.rmSync(file);
    assert.deepEqual([certificates.pem(), certificates.pem()], [two.cert.trim(), two.cert.trim()]);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /changes\.pem with certificates cannot be read: ENOENT.*; fetch goes on without them$/);
    fs.writeFileSync(file, two.cert);
    assert.equal(certificates.pem(), `${two.cert.trim()}\n${two.cert.trim()}`);
  });
});
