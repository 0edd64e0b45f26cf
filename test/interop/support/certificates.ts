/** Certificates made for a test: an authority of its own, and servers' certificates with whatever is wrong with them. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

export interface Certificate {
  readonly key: string;
  /** PEM. */
  readonly cert: string;
}

export interface CertificateOptions {
  readonly commonName: string;
  /** Names and addresses that it is for. */
  readonly names?: readonly string[];
  /** Days from now; negative: ago. */
  readonly from?: number;
  readonly until?: number;
  readonly isAuthority?: boolean;
  /** Who signs it; itself unless told. */
  readonly issuer?: Certificate & { readonly commonName: string };
}

export type Authority = Certificate & { readonly commonName: string };

/** X.509 (RFC 5280 §4.1) with an ECDSA key on P-256. */
export function makeCertificate(options: CertificateOptions): Authority {
  const { commonName, names = [], from = -1, until = 30, isAuthority = false, issuer } = options;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer = issuer === undefined ? privateKey : createPrivateKey(issuer.key);
  const algorithm = sequence(oid('1.2.840.10045.4.3.2')); // ecdsa-with-SHA256
  const serial = randomBytes(8);
  serial[0] = (serial[0] ?? 0) & 0x7f | 0x40;
  const extensions = [
    extension('2.5.29.19', true, sequence(...(isAuthority ? [tagged(0x01, Buffer.of(0xff))] : []))),
    extension('2.5.29.14', false, tagged(0x04, keyId(publicKey))),
    extension('2.5.29.35', false, sequence(tagged(0x80, keyId(createPublicKey(signer))))),
    ...(isAuthority ? [] : [extension('2.5.29.37', false, sequence(oid('1.3.6.1.5.5.7.3.1')))]), // serverAuth
    ...(names.length === 0 ? [] : [extension('2.5.29.17', false, sequence(...names.map(generalName)))]),
  ];
  const toBeSigned = sequence(
    tagged(0xa0, tagged(0x02, Buffer.of(2))),
    tagged(0x02, serial),
    algorithm,
    nameOf(issuer?.commonName ?? commonName),
    sequence(time(from), time(until)),
    nameOf(commonName),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions)),
  );
  const certificate = sequence(toBeSigned, algorithm, bitString(sign('sha256', toBeSigned, signer)));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    commonName,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
  };
}

// ---- DER (X.690)

function tagged(tag: number, ...contents: Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const length = content.length < 128 ? [content.length] : content.length < 256 ? [0x81, content.length] : [0x82, content.length >>> 8, content.length & 255];
  return Buffer.concat([Buffer.of(tag, ...length), content]);
}

const sequence = (...contents: Uint8Array[]): Buffer => tagged(0x30, ...contents);
const bitString = (bytes: Uint8Array): Buffer => tagged(0x03, Buffer.of(0), bytes);

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 127];
    for (let left = part >>> 7; left > 0; left >>>= 7) groups.unshift((left & 127) | 128);
    bytes.push(...groups);
  }
  return tagged(0x06, Buffer.from(bytes));
}

const nameOf = (commonName: string): Buffer => sequence(tagged(0x31, sequence(oid('2.5.4.3'), tagged(0x0c, Buffer.from(commonName)))));
const extension = (id: string, critical: boolean, value: Uint8Array): Buffer => sequence(oid(id), ...(critical ? [tagged(0x01, Buffer.of(0xff))] : []), tagged(0x04, value));

function generalName(name: string): Buffer {
  return /^[\d.]+$/.test(name) ? tagged(0x87, Buffer.from(name.split('.').map(Number))) : tagged(0x82, Buffer.from(name));
}

/** GeneralizedTime, `days` from now. */
function time(days: number): Buffer {
  const text = new Date(Date.now() + days * 86_400_000).toISOString().replace(/[-:T]|\.\d+/g, '');
  return tagged(0x18, Buffer.from(text));
}

function keyId(key: KeyObject): Buffer {
  return createHash('sha1').update(key.export({ type: 'spki', format: 'der' })).digest();
}
