/** Why an exchange failed, in one code and one sentence: undici wraps the cause several times. */
import { shown } from '../arguments';
import type { WireError } from '../wire';
import { MAX_HEADER_BYTES } from './request';
import { explainTls } from './tls-errors';

/** What to do about a server that does not keep to HTTP. */
const AT_FAULT = '. The server, or a proxy before it, is at fault: a capture shows what it sent';

export interface FailedExchange {
  readonly method: string;
  readonly url: string;
  /** Whether the head of the response had arrived. */
  readonly hasHead: boolean;
  /** Bytes of the body that had arrived, and how many the server had promised. */
  readonly bodyBytes: number;
  readonly expectedBytes: number | null;
}

/** Never throws: what was thrown may be anything, by a getter of the script's own. */
export function explain(thrown: unknown, exchange: FailedExchange): WireError {
  try {
    return explained(deepest(thrown), exchange);
  } catch {
    return { code: 'EINVAL', message: 'fetch: an option threw something that cannot be shown' };
  }
}

function explained(error: Error, exchange: FailedExchange): WireError {
  const { url, hasHead } = exchange;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const message = String(error.message);
  // What is found out in front of the parser does not know whose response it is.
  if (error.name === 'NetworkError') return { code, message: code !== 'EPROTO' || message.includes(url) ? message : `${url}: ${message}${AT_FAULT}` };
  // undici says so of every error in a head that has a length, too.
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' && !hasHead) {
    return { code: 'EPROTO', message: `The response from ${url} breaks HTTP/1.1: its Content-Length contradicts another one or Transfer-Encoding, or is no number${AT_FAULT}` };
  }
  if (code === 'UND_ERR_SOCKET' || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' || code === 'HPE_INVALID_EOF_STATE') {
    return message === 'bad upgrade' ? { code: 'EPROTO', message: `The response from ${url} breaks HTTP/1.1: it changes the protocol, which nobody asked for (status 101)${AT_FAULT}` } : { code: 'ECONNRESET', message: closedEarly(exchange) };
  }
  if (error.name === 'HTTPParserError' || code.startsWith('HPE_')) return { code: 'EPROTO', message: `The response from ${url} breaks HTTP/1.1: ${reasonOf(message)}${AT_FAULT}` };
  // The parser takes any three digits, undici asserts what they may be.
  if (code === 'ERR_ASSERTION') return { code: 'EPROTO', message: `The response from ${url} breaks HTTP/1.1: its status is not from 100 to 999${AT_FAULT}` };
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return { code: 'EPROTO', message: `The response from ${url} has more than ${MAX_HEADER_BYTES} bytes of headers${AT_FAULT}` };
  const tls = explainTls(error, code, url);
  if (tls !== null) return { code, message: tls };
  if (code.startsWith('UND_ERR_')) return { code: 'EINVAL', message: `fetch: ${message}` };
  if (code === '') return { code: 'EINVAL', message };
  return { code, message: `${url}: ${message}` };
}

/** The parser's own word for it, without what is said already. */
function reasonOf(message: string): string {
  return /^Response does not match the HTTP\/1\.1 protocol \((.+)\)$/.exec(message)?.[1] ?? message;
}

function closedEarly({ method, url, bodyBytes, expectedBytes }: FailedExchange): string {
  const of = expectedBytes === null ? '' : ` of ${expectedBytes}`;
  return `The server closed the connection before the response to ${method} ${url} was complete (${bodyBytes}${of} bytes of the body had arrived): try again, or look at the server's log`;
}

function deepest(thrown: unknown): Error {
  let error = thrown instanceof Error ? thrown : new Error(`fetch: an option threw ${shown(thrown)}`);
  for (let depth = 0; depth < 8 && error.cause instanceof Error; depth++) error = error.cause;
  return error;
}
