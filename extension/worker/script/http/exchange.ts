/** One call of `fetch`: never rejects, ends within its time limit, and tells the worker how it goes. */
import type { HttpHost } from '../fetch';
import { shown } from '../arguments';
import type { WireError } from '../wire';
import type { ConnectTimings, HttpConnection } from './connection';
import { decodeBody } from './decode';
import { explain } from './explain';
import { Hop, type HopResponse } from './hop';
import { originOf, type Origin } from './origin';
import type { ConnectionPool } from './pool';
import { isRedirect, MAX_REDIRECTS, redirected } from './redirect';
import { parseRequest, type HttpRequest } from './request';
import { Response, type Timings } from './response';
import { NetworkError } from './stream';
import type { LimitTime } from './time-limit';

/** Reports of progress, ms apart. */
const PROGRESS_MS = 100;
/** What a report shows of a long text. */
const MAX_REPORTED_TEXT = 2_000;
/** RFC 9110 §9.2.2: what may be sent again, since twice has the effect of once. */
const IDEMPOTENT = ['GET', 'HEAD', 'PUT', 'DELETE'];

export interface ExchangeContext {
  readonly pool: ConnectionPool<HttpConnection>;
  readonly host: HttpHost;
  /** Largest body of a response, bytes after decoding, unless the script sets one. */
  readonly defaultMaxBodyBytes: number;
  readonly limitTime: LimitTime;
}

export class Exchange {
  private readonly startedAt = performance.now();
  private readonly wallStart = Date.now();
  private readonly timings: ConnectTimings = { dns: 0, connect: 0, tls: 0 };
  private firstByteAt: number | null = null;
  private method = 'GET';
  private url = '';
  private status: number | null = null;
  private statusMessage: string | null = null;
  /** Of the request's body. */
  private sentBytes = 0;
  private requestBytes: number | null = null;
  private expectedBytes: number | null = null;
  private bodyBytes = 0;
  /** Armed while there is progress that has not been reported. */
  private progressTimer: NodeJS.Timeout | null = null;
  /** Ends what is under way at present. */
  private giveUp: ((error: Error) => void) | null = null;
  private late: NetworkError | null = null;

  constructor(
    private readonly id: number,
    private readonly context: ExchangeContext,
  ) {}

  async run(uri: unknown, options: unknown): Promise<Response> {
    const release = this.context.host.hold();
    try {
      this.url = typeof uri === 'string' ? uri : shown(uri);
      return await this.attempt(parseRequest(uri, options, this.context.defaultMaxBodyBytes));
    } catch (error) {
      return this.fail(explain(error, { method: this.method, url: this.url, hasHead: this.firstByteAt !== null, bodyBytes: this.bodyBytes, expectedBytes: this.expectedBytes }));
    } finally {
      release();
    }
  }

  private async attempt(request: HttpRequest): Promise<Response> {
    this.method = request.method;
    this.url = request.url.href;
    this.report(null, null);
    const release = this.context.limitTime(request.timeoutMs, () => {
      this.late = new NetworkError('ETIMEDOUT', `${request.method} ${this.url} did not finish within ${request.timeoutMs} ms (option timeoutMs)`);
      this.giveUp?.(this.late);
    });
    try {
      return await this.follow(request);
    } finally {
      release();
    }
  }

  private async follow(first: HttpRequest): Promise<Response> {
    let request = first;
    for (let redirects = 0; ; redirects++) {
      const response = await this.send(request);
      const location = response.headers['location'];
      if (request.redirect === 'manual' || location === undefined || !isRedirect(response.status, response.headers)) return this.complete(request, response);
      if (redirects === MAX_REDIRECTS) throw new NetworkError('ELOOP', `${first.url.href} redirects more than ${MAX_REDIRECTS} times: redirect 'manual' shows where each leads`);
      request = redirected(request, response.status, location);
      this.method = request.method;
      this.url = request.url.href;
    }
  }

  private async send(request: HttpRequest): Promise<HopResponse> {
    const { pool } = this.context;
    const origin = originOf(request.url);
    for (let again = false; ; again = true) {
      const connection = await this.connection(origin);
      try {
        return await this.exchange(request, connection);
      } catch (error) {
        // RFC 9112 §9.3.1: it may be sent again by itself if that does no harm, once.
        if (again || this.late !== null || !connection.wasStale || !IDEMPOTENT.includes(request.method)) throw error;
        pool.closeIdle(origin);
      } finally {
        this.giveUp = null;
        pool.release(connection);
      }
    }
  }

  private connection(origin: Origin): Promise<HttpConnection> {
    return new Promise((resolve, reject) => {
      const cancel = this.context.pool.acquire(origin, resolve);
      this.giveUp = (error) => {
        cancel();
        reject(error);
      };
    });
  }

  private exchange(request: HttpRequest, connection: HttpConnection): Promise<HopResponse> {
    if (this.late !== null) throw this.late;
    this.sentBytes = 0;
    this.requestBytes = request.body?.length ?? null;
    const hop = new Hop({ ...request, isRedirect: (status, headers) => request.redirect === 'follow' && isRedirect(status, headers) }, connection, {
      head: (status, statusMessage, expectedBytes) => {
        this.firstByteAt = performance.now();
        this.status = status;
        this.statusMessage = statusMessage;
        this.expectedBytes = expectedBytes;
        this.report(null, null);
      },
      progress: (bytes) => {
        this.bodyBytes = bytes;
        this.reportSoon();
      },
    });
    this.giveUp = (error) => hop.abort(error);
    return hop.run({
      fetchId: this.id,
      timings: this.timings,
      sent: (bytes) => {
        if (bytes === this.sentBytes) return;
        this.sentBytes = bytes;
        this.reportSoon();
      },
    });
  }

  private async complete(request: HttpRequest, { status, statusMessage, headers, body }: HopResponse): Promise<Response> {
    const decoded = await new Promise<Buffer>((resolve, reject) => {
      this.giveUp = reject;
      decodeBody(body, headers['content-encoding'], request).then(resolve, reject);
    });
    this.bodyBytes = decoded.length;
    // That was the length of what came over the wire.
    if (decoded !== body) this.expectedBytes = null;
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

  /** A server that pauses is shown where it has: the last of the progress is told, too. */
  private reportSoon(): void {
    this.progressTimer ??= setTimeout(() => this.report(null, null), PROGRESS_MS);
  }

  private report(durationMs: number | null, error: WireError | null): void {
    if (this.progressTimer !== null) clearTimeout(this.progressTimer);
    this.progressTimer = null;
    this.context.host.reportFetch({
      id: this.id,
      method: this.method,
      url: cut(this.url),
      status: this.status,
      statusMessage: this.statusMessage === null ? null : cut(this.statusMessage),
      sentBytes: this.sentBytes,
      requestBytes: this.requestBytes,
      bodyBytes: this.bodyBytes,
      expectedBytes: this.expectedBytes,
      startedAt: this.wallStart,
      durationMs,
      error: error === null ? null : { code: error.code, message: cut(error.message) },
    });
  }
}

function cut(text: string): string {
  return text.length > MAX_REPORTED_TEXT ? `${text.slice(0, MAX_REPORTED_TEXT)}…` : text;
}
