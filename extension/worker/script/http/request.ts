/** What a script gives to `fetch`, checked. It never throws into the script: the message becomes the response's error. */
import { Buffer } from 'node:buffer';
import { shown } from '../arguments';

const OPTIONS = ['method', 'headers', 'body', 'redirect', 'timeoutMs', 'maxBodyBytes'];
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH'];
/** Time limit of a whole exchange, ms, unless the script sets one. */
export const DEFAULT_TIMEOUT_MS = 300_000;
/** URI and headers of one request together, characters: what no server takes by far. */
const MAX_REQUEST_HEAD = 1 << 20;
/** Of one response, bytes: as Node's own client has it. */
export const MAX_HEADER_BYTES = 16 << 10;
const MAX_TIMEOUT_MS = 2_147_483_647;

/** RFC 9110 §5.6.2 and §5.5. */
const FIELD_NAME = /^[\w!#$%&'*+\-.^`|~]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** How the message is framed, and what becomes of the connection: set by a script they would contradict what is sent. */
const CLIENTS_OWN = ['expect', 'keep-alive', 'transfer-encoding', 'upgrade'];

export interface HttpRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array | null;
  readonly redirect: 'follow' | 'manual';
  readonly timeoutMs: number;
  readonly maxBodyBytes: number;
}

/** @throws TypeError, RangeError naming the option and its value */
export function parseRequest(uri: unknown, options: unknown, defaultMaxBodyBytes: number): HttpRequest {
  const given: Readonly<Record<string, unknown>> = isRecord(options) ? options : {};
  if (options !== undefined && options !== null && !isRecord(options)) throw new TypeError(`fetch(uri, options): options must be an object, not ${shown(options)}`);
  refuseOthers(given);
  const url = parseUrl(uri);
  const headers = parseHeaders(given['headers']);
  const method = parseMethod(given['method']);
  const body = parseBody(given['body'], headers);
  if (body !== null && (method === 'GET' || method === 'HEAD')) throw new TypeError(`fetch: ${method} has no body; use another method`);
  return {
    url,
    method,
    headers: { 'user-agent': 'riftnet', accept: '*/*', 'accept-encoding': 'gzip, deflate, br', ...Object.fromEntries(headers) },
    body,
    redirect: parseRedirect(given['redirect']),
    timeoutMs: parseNumber('timeoutMs', given['timeoutMs'], DEFAULT_TIMEOUT_MS, 1, MAX_TIMEOUT_MS),
    maxBodyBytes: parseNumber('maxBodyBytes', given['maxBodyBytes'], defaultMaxBodyBytes, 0, Number.MAX_SAFE_INTEGER),
  };
}

/** A name mistyped, or one of the web's that nothing here heeds, would change what the script means without a word. */
function refuseOthers(given: Readonly<Record<string, unknown>>): void {
  const other = Object.keys(given).find((name) => !OPTIONS.includes(name) && given[name] !== undefined);
  if (other === undefined) return;
  const instead = other === 'signal' ? 'timeoutMs ends an exchange early' : `there are ${OPTIONS.join(', ')}`;
  throw new TypeError(`fetch: there is no option ${shown(other)}; ${instead}`);
}

function parseUrl(uri: unknown): URL {
  if (typeof uri !== 'string' && !(uri instanceof URL)) throw new TypeError(`fetch(uri): uri must be a string, not ${shown(uri)}`);
  let url: URL;
  try {
    url = new URL(uri);
  } catch {
    throw new TypeError(`fetch(uri): ${shown(uri)} is no absolute URI, such as 'http://example.com/'`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new TypeError(`fetch(uri): the protocol of ${shown(uri)} must be http: or https:`);
  if (url.href.length > MAX_REQUEST_HEAD) throw new RangeError(`fetch(uri): the uri has ${url.href.length} characters; at most ${MAX_REQUEST_HEAD} are sent`);
  if (url.port === '0') throw new RangeError(`fetch(uri): the port of ${shown(uri)} must be from 1 to 65535`);
  if (url.username !== '' || url.password !== '') throw new TypeError('fetch(uri): a name and password in the uri are not sent; use the header authorization');
  return url;
}

function parseMethod(method: unknown): string {
  if (method === undefined) return 'GET';
  const name = typeof method === 'string' ? method.toUpperCase() : '';
  if (!METHODS.includes(name)) throw new TypeError(`fetch: method must be one of ${METHODS.join(', ')}, not ${shown(method)}`);
  return name;
}

function parseHeaders(headers: unknown): Map<string, string> {
  const parsed = new Map<string, string>();
  if (headers === undefined || headers === null) return parsed;
  // A Map's entries are no properties of it: it would be no headers, without a word.
  if (!isRecord(headers) || Symbol.iterator in headers) throw new TypeError(`fetch: headers must be an object of strings, not ${shown(headers)}`);
  let length = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value !== 'string' && typeof value !== 'number') throw new TypeError(`fetch: header ${shown(name)} must be a string, not ${shown(value)}`);
    if (!FIELD_NAME.test(name)) throw new TypeError(`fetch: ${shown(name)} is no name of a header: only letters, digits and !#$%&'*+-.^_\`|~ may be in one`);
    const text = String(value);
    if (!FIELD_VALUE.test(text)) throw new TypeError(`fetch: header ${shown(name)} must be text in Latin-1 without line breaks, not ${shown(value)}`);
    const lower = name.toLowerCase();
    if (CLIENTS_OWN.includes(lower)) throw new TypeError(`fetch: header ${shown(name)} cannot be set: it is this client's own to send`);
    length += name.length + text.length;
    if (length > MAX_REQUEST_HEAD) throw new RangeError(`fetch: headers have more than ${MAX_REQUEST_HEAD} characters`);
    // As on the web: names that differ in case only are one header with both values.
    const other = parsed.get(lower);
    parsed.set(lower, other === undefined ? text : `${other}, ${text}`);
  }
  return parsed;
}

/** @returns a copy: a Buffer may be written to while it is still being sent, or is sent again after a redirect */
function parseBody(body: unknown, headers: Map<string, string>): Uint8Array | null {
  if (body === undefined || body === null) return null;
  if (typeof body === 'string') {
    addContentType(headers, 'text/plain;charset=UTF-8');
    return Buffer.from(body);
  }
  if (body instanceof Uint8Array) return Buffer.from(body);
  if (!isRecord(body) || !('json' in body)) throw new TypeError(`fetch: body must be a string, a Buffer or { json }, not ${shown(body)}`);
  const value = body['json'];
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    // A circle, a BigInt, a string too long, or a toJSON that threw.
    throw new TypeError(`fetch: body.json is ${shown(value)}, which cannot be written as JSON: ${error instanceof Error ? error.message : shown(error)}`, { cause: error });
  }
  if (text === undefined) throw new TypeError(`fetch: body.json must be something JSON can hold, not ${shown(value)}`);
  addContentType(headers, 'application/json');
  return Buffer.from(text);
}

function addContentType(headers: Map<string, string>, type: string): void {
  if (!headers.has('content-type')) headers.set('content-type', type);
}

function parseRedirect(redirect: unknown): 'follow' | 'manual' {
  if (redirect === undefined) return 'follow';
  if (redirect !== 'follow' && redirect !== 'manual') throw new TypeError(`fetch: redirect must be 'follow' or 'manual', not ${shown(redirect)}`);
  return redirect;
}

function parseNumber(name: string, value: unknown, otherwise: number, min: number, max: number): number {
  if (value === undefined) return otherwise;
  if (typeof value !== 'number' || !(value >= min && value <= max)) throw new RangeError(`fetch: ${name} must be a number from ${min} to ${max}, not ${shown(value)}`);
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
