/** Why an exchange failed, in one code and one sentence: undici wraps the cause several times. */
import type { WireError } from '../wire';
import { MAX_HEADER_BYTES } from './request';

export function explain(thrown: unknown, url: string, bodyBytes: number, expectedBytes: number | null): WireError {
  const error = deepest(thrown);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (error.name === 'NetworkError') return { code, message: error.message };
  if (error.name === 'HTTPParserError' || code.startsWith('HPE_') || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') {
    return { code: 'EPROTO', message: `The response from ${url} breaks HTTP/1.1: ${error.message}` };
  }
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return { code: 'EPROTO', message: `The response from ${url} has more than ${MAX_HEADER_BYTES} bytes of headers` };
  }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') {
    return { code, message: `${url}: the server does not speak TLS on this port; is it an http: address?` };
  }
  if (code === 'UND_ERR_SOCKET') {
    const of = expectedBytes === null ? '' : ` of ${expectedBytes}`;
    return { code: 'ECONNRESET', message: `The server closed the connection before the response from ${url} was complete (${bodyBytes}${of} bytes of the body had arrived)` };
  }
  if (code.startsWith('UND_ERR_')) return { code: 'EINVAL', message: `fetch: ${error.message}` };
  if (code === '') return { code: 'EINVAL', message: error.message };
  return { code, message: `${url}: ${inWords(error)}` };
}

/** OpenSSL's errors name its source's file and line: their reason is what a person can use. */
function inWords(error: Error): string {
  const reason = 'reason' in error && typeof error.reason === 'string' ? error.reason : '';
  return error.message.includes(':SSL routines:') && reason !== '' ? `TLS failed: ${reason}` : error.message;
}

function deepest(thrown: unknown): Error {
  let error = thrown instanceof Error ? thrown : new Error(String(thrown));
  for (let depth = 0; depth < 8 && error.cause instanceof Error; depth++) error = error.cause;
  return error;
}
