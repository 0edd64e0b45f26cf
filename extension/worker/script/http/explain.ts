/** Why an exchange failed, in one code and one sentence: undici wraps the cause several times. */
import type { WireError } from '../wire';

export function explain(thrown: unknown, url: string, bodyBytes: number, expectedBytes: number | null): WireError {
  const error = deepest(thrown);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (error.name === 'NetworkError') return { code, message: error.message };
  if (code.startsWith('HPE_') || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') {
    return { code: 'EPROTO', message: `The response from ${url} breaks HTTP/1.1: ${error.message}` };
  }
  if (code === 'UND_ERR_SOCKET') {
    const of = expectedBytes === null ? '' : ` of ${expectedBytes}`;
    return { code: 'ECONNRESET', message: `The server closed the connection before the response from ${url} was complete (${bodyBytes}${of} bytes of the body had arrived)` };
  }
  if (code.startsWith('UND_ERR_') || code === '') {
    return { code: 'EINVAL', message: error.message };
  }
  return { code, message: `${url}: ${error.message}` };
}

function deepest(thrown: unknown): Error {
  let error = thrown instanceof Error ? thrown : new Error(String(thrown));
  for (let depth = 0; depth < 8 && error.cause instanceof Error; depth++) error = error.cause;
  return error;
}
