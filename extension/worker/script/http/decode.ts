/** Undoes content codings (RFC 9110 §8.4.1): gzip, deflate, br; others are left as they are. */
import type { Buffer } from 'node:buffer';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import { NetworkError } from './stream';
import { tooLarge } from './hop';

/** Codings that a response may be wrapped in; one with more is hostile. */
const MAX_CODINGS = 5;

const decoders = { gunzip: promisify(gunzip), inflate: promisify(inflate), inflateRaw: promisify(inflateRaw), brotli: promisify(brotliDecompress) };

/** @throws NetworkError if the body is not what its header says, or becomes larger than allowed */
export async function decodeBody(body: Buffer, encoding: string | undefined, limit: { readonly url: URL; readonly maxBodyBytes: number }): Promise<Buffer> {
  const codings = (encoding ?? '').split(',').map((coding) => coding.trim().toLowerCase()).filter((coding) => coding !== '' && coding !== 'identity');
  if (codings.length > MAX_CODINGS) throw new NetworkError('EPROTO', `The response from ${limit.url.href} has ${codings.length} content codings; at most ${MAX_CODINGS} are undone: a request header 'accept-encoding: identity' asks for none`);
  let decoded = body;
  // The last was applied last.
  for (const coding of codings.reverse()) {
    const decode = decoderFor(coding, decoded);
    if (decode === null || decoded.length === 0) return decoded;
    try {
      // zlib wants at least one byte of room.
      decoded = await decode(decoded, { maxOutputLength: Math.min(Math.max(1, limit.maxBodyBytes), MAX_OUTPUT_BYTES) });
    } catch (error) {
      if (error instanceof RangeError) throw tooLarge(limit);
      throw new NetworkError('EPROTO', `The body from ${limit.url.href} is not valid ${coding}: ${error instanceof Error ? error.message : String(error)}; a request header 'accept-encoding: identity' asks for it as it is`);
    }
  }
  if (decoded.length > limit.maxBodyBytes) throw tooLarge(limit);
  return decoded;
}

/** The largest Buffer of Node 20. */
const MAX_OUTPUT_BYTES = 2 ** 32;

function decoderFor(coding: string, body: Buffer) {
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return decoders.gunzip;
    case 'br':
      return decoders.brotli;
    case 'deflate':
      // RFC 9110 §8.4.1.2: the zlib format; some servers send the bare one. A zlib header's first nibble is 8.
      return ((body[0] ?? 0) & 0x0f) === 8 ? decoders.inflate : decoders.inflateRaw;
    default:
      return null;
  }
}
