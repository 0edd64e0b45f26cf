/** One call of `fetch`: never rejects, ends within its time limit, and tells the worker how it goes. */
import type { HttpHost } from '../fetch';
import { shown } from '../arguments';
import type { WireError } from '../wire';
import { originOf, type ConnectTimings, type HttpAgent } from './agent';
import { decodeBody } from './decode';
import { explain } from './explain';
import { Hop, type HopResponse } from './hop';
import { isRedirect, MAX_REDIRECTS, redirected } from './redirect';
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
  private hop: Hop | null = null;

  constructor(
    private readonly id: number,
    private readonly agent: HttpAgent,
    private readonly host: HttpHost,
  ) {}

  async run(uri: unknown, options: unknown): Promise<Response> {
    const release = this.host.hold();
    try {
      this.url = typeof uri === 'string' ? uri : shown(uri);
      return await this.attempt(parseRequest(uri, options));
    } catch (error) {
      return this.fail(explain(error, this.url, this.bodyBytes, this.expectedBytes));
    } finally {
      release();
    }
  }

  private async attempt(request: HttpRequest): Promise<Response> {
    this.method = request.method;
    this.url = request.url.href;
    this.report(null, null);
    const timer = setTimeout(() => {
      this.hop?.abort(new NetworkError('ETIMEDOUT', `${request.method} ${this.url} did not finish within ${request.timeoutMs} ms (option timeoutMs)`));
    }, request.timeoutMs);
    try {
      return await this.follow(request);
    } finally {
      clearTimeout(timer);
    }
  }

  private async follow(first: HttpRequest): Promise<Response> {
    let request = first;
    for (let redirects = 0; ; redirects++) {
      const response = await this.send(request);
      const location = response.headers['location'];
      if (request.redirect === 'manual' || location === undefined || !isRedirect(response.status, response.headers)) return this.complete(request, response);
      if (redirects === MAX_REDIRECTS) throw new NetworkError('ELOOP', `${first.url.href} redirects more than ${MAX_REDIRECTS} times`);
      request = redirected(request, response.status, location);
      this.url = request.url.href;
    }
  }

  private async send(request: HttpRequest): Promise<HopResponse> {
    const origin = originOf(request.url);
    const opener = { id: this.id, timings: this.timings };
    this.agent.openers.set(origin, opener);
    this.hop = new Hop(
      { ...request, isRedirect: (status, headers) => request.redirect === 'follow' && isRedirect(status, headers) },
      {
        head: (status, statusMessage, headers) => this.head(request, status, statusMessage, headers),
        progress: (bytes) => {
          this.bodyBytes = bytes;
          if (performance.now() - this.reportedAt >= PROGRESS_MS) this.report(null, null);
        },
      },
    );
    try {
      return await this.hop.run(this.agent.dispatcher);
    } finally {
      if (this.agent.openers.get(origin) === opener) this.agent.openers.delete(origin);
    }
  }

  private head(request: HttpRequest, status: number, statusMessage: string, headers: Readonly<Record<string, string>>): void {
    this.firstByteAt = performance.now();
    this.status = status;
    this.statusMessage = statusMessage;
    const length = headers['content-length'];
    this.expectedBytes = length !== undefined && request.method !== 'HEAD' && /^\d+$/.test(length) ? Number(length) : null;
    this.report(null, null);
  }

  private async complete(request: HttpRequest, { status, statusMessage, headers, body }: HopResponse): Promise<Response> {
    const decoded = await decodeBody(body, headers['content-encoding'], request);
    this.bodyBytes = decoded.length;
    const timings = this.finalTimings();
    this.report(timings.total, null);
    // Without the fragment, as the web has it.
    const url = this.url.split('#')[0] ?? this.url;
    return new Response({ status, statusMessage, headers, body: decoded, url, error: null, timings });
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
