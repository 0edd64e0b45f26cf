/**
 * Authorities that scripts' fetch trusts beside Node's own. A script's process may read no file, so the
 * worker reads them and hands them over.
 */
import { readFileSync, statSync } from 'node:fs';

/** Of one file: all authorities that the world's systems trust are 250 KB. */
const MAX_FILE_BYTES = 16 << 20;
const CERTIFICATE = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/** @returns the certificates in a PEM file, and nothing else of it. @throws Error in plain words */
export function readCaFile(file: string): string {
  const text = read(file);
  const certificates = text.match(CERTIFICATE) ?? [];
  if (certificates.length === 0) throw new Error(`${file} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)`);
  const broken = certificates.findIndex((certificate) => !isWhole(certificate));
  if (broken >= 0) throw new Error(`certificate ${broken + 1} of ${certificates.length} in ${file} is broken: its bytes are no X.509 certificate`);
  return certificates.join('\n');
}

/**
 * Whether the text between the markers is one DER sequence, to its last byte. OpenSSL, which reads what is in it,
 * would leave out all that follows a broken one without a word; to have it read all here, too, costs a start 20 ms.
 */
function isWhole(certificate: string): boolean {
  const bytes = Buffer.from(certificate.replace(/-----[^-]+-----/g, ''), 'base64');
  const [tag, first = 0] = bytes;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (tag !== 0x30 || lengthBytes > 4 || bytes.length < 2 + lengthBytes) return false;
  return bytes.length === 2 + lengthBytes + (lengthBytes === 0 ? first : bytes.readUIntBE(2, lengthBytes));
}

function read(file: string): string {
  try {
    if (statSync(file).size > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES >> 20} MiB`);
    return readFileSync(file, 'latin1');
  } catch (error) {
    throw new Error(`${file} with certificates cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** The files' certificates, read anew when a file has changed: a run takes what is there when it starts. */
export class CaCertificates {
  private readonly known = new Map<string, { readonly version: string; readonly pem: string }>();

  /** @param warn told of a file that cannot be used, when it is found to be so */
  constructor(
    private readonly files: readonly string[],
    private readonly warn: (message: string) => void,
  ) {}

  pem(): string {
    return this.files.map((file) => this.of(file)).filter((pem) => pem !== '').join('\n');
  }

  private of(file: string): string {
    const version = versionOf(file);
    const known = this.known.get(file);
    if (known?.version === version) return known.pem;
    let pem = '';
    try {
      pem = readCaFile(file);
    } catch (error) {
      this.warn(`${messageOf(error)}; fetch goes on without them`);
    }
    this.known.set(file, { version, pem });
    return pem;
  }
}

function versionOf(file: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(file);
    return `${mtimeMs} ${size} ${ino}`;
  } catch {
    return 'none';
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
