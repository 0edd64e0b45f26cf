/** One call of `fetch`: never rejects, ends within its time limit, and tells the worker how it goes. */
import { Buffer } from 'node:buffer';
import { fetch, type Response as WebResponse } from 'undici';
import type { HttpHost } from '../fetch';
import { shown } from '../arguments';
import type { WireError } from '../wire';
import { originOf, type ConnectTimings, type HttpAgent } from './agent';
import { explain } from './explain';
import { parseRequest, type HttpRequest } from './request';
import { Response, type Timings } from './response';
import { NetworkError } from './stream';

/** Reports of progress, ms apart. */
const PROGRESS_MS = 100;

export class Exchange {
  private readonly startedAt = performance.now();
  private readonly wallStart = Date.now();
  private readonly timings: ConnectTimings = { dns: 0, connect: 0, tls: 0 };
  private firstByteAt: number | null = null;
  private method = 'GET';
  private url = '';
  private status: number | null = null;
  private statusMessage: string | null = null;
  private expectedBytes: number | null = null;
  private bodyBytes = 0;
  private reportedAt = 0;

  constructor(
    private readonly id: number,
    private readonly agent: HttpAgent,
    private readonly host: HttpHost,
  ) {}

  async run(uri: unknown, options: unknown): Promise<Response> {
    const release = this.host.hold();
    try {
      return await this.attempt(uri, options);
    } catch (error) {
      return this.fail(explain(error, this.url, this.bodyBytes, this.expectedBytes));
    } finally {
      release();
    }
  }

  private async attempt(uri: unknown, options: unknown): Promise<Response> {
    this.url = typeof uri === 'string' ? uri : shown(uri);
    const request = parseRequest(uri, options);
    this.method = request.method;
    this.url = request.url.href;
    this.report(null, null);
    const { hostname, port, protocol } = request.url;
    const origin = originOf(protocol, hostname, Number(port || (protocol === 'https:' ? 443 : 80)));
    const opener = { id: this.id, timings: this.timings };
    this.agent.openers.set(origin, opener);
    const abort = new AbortController();
    const timer = setTimeout(() => {
      abort.abort(new NetworkError('ETIMEDOUT', `${request.method} ${this.url} did not finish within ${request.timeoutMs} ms (option timeoutMs)`));
    }, request.timeoutMs);
    try {
      return await this.exchange(request, abort);
    } finally {
      clearTimeout(timer);
      if (this.agent.openers.get(origin) === opener) this.agent.openers.delete(origin);
    }
  }

  private async exchange(request: HttpRequest, abort: AbortController): Promise<Response> {
    const response = await fetch(request.url, {
      method: request.method,
      headers: { 'user-agent': 'riftnet', ...request.headers },
      body: request.body,
      redirect: request.redirect,
      signal: abort.signal,
      dispatcher: this.agent.dispatcher,
    });
    this.firstByteAt = performance.now();
    this.status = response.status;
    this.statusMessage = response.statusText;
    this.url = response.url || this.url;
    this.expectedBytes = lengthOf(response, request.method);
    this.report(null, null);
    const body = await this.readBody(response, request, abort);
    // undici takes a turn to free a connection: without it the next request would open another.
    await new Promise<void>((resolve) => setImmediate(resolve));
    const timings = this.finalTimings();
    this.report(timings.total, null);
    return new Response({ status: response.status, statusMessage: response.statusText, headers: headersOf(response), body, url: this.url, error: null, timings });
  }

  private async readBody(response: WebResponse, request: HttpRequest, abort: AbortController): Promise<Buffer> {
    if (response.body === null) return Buffer.alloc(0);
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body) {
      if (!(chunk instanceof Uint8Array)) continue;
      this.bodyBytes += chunk.length;
      if (this.bodyBytes > request.maxBodyBytes) {
        const error = new NetworkError('EMSGSIZE', `The body from ${this.url} is larger than ${request.maxBodyBytes} bytes (option maxBodyBytes)`);
        abort.abort(error);
        throw error;
      }
      chunks.push(chunk);
      if (performance.now() - this.reportedAt >= PROGRESS_MS) this.report(null, null);
    }
    return chunks.length === 1 && chunks[0] ? Buffer.from(chunks[0].buffer, chunks[0].byteOffset, chunks[0].byteLength) : Buffer.concat(chunks);
  }

  private fail(error: WireError): Response {
    this.status = -1;
    this.statusMessage = 'socket error';
    const timings = this.finalTimings();
    this.report(timings.total, error);
    return Response.failed(this.url, error, timings);
  }

  private finalTimings(): Timings {
    const total = performance.now() - this.startedAt;
    return { ...this.timings, firstByte: this.firstByteAt === null ? total : this.firstByteAt - this.startedAt, total };
  }

  private report(durationMs: number | null, error: WireError | null): void {
    this.reportedAt = performance.now();
    this.host.reportFetch({
      id: this.id,
      method: this.method,
      url: this.url,
      status: this.status,
      statusMessage: this.statusMessage,
      bodyBytes: this.bodyBytes,
      expectedBytes: this.expectedBytes,
      startedAt: this.wallStart,
      durationMs,
      error,
    });
  }
}

/** Names in lower case; repeated ones joined with `, ` (RFC 9110 §5.3), Set-Cookie too. */
function headersOf(response: WebResponse): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of response.headers) headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  return headers;
}

/** Content-Length, where it says how many bytes `bodyBytes` will reach. */
function lengthOf(response: WebResponse, method: string): number | null {
  const length = response.headers.get('content-length');
  if (length === null || method === 'HEAD' || response.headers.has('content-encoding')) return null;
  return /^\d+$/.test(length) ? Number(length) : null;
}
