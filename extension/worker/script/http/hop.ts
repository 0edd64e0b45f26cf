/** One request and its response on one connection. */
import type { Buffer } from 'node:buffer';
import type { Dispatcher } from 'undici';
import { BodyBuffer } from './body-buffer';
import type { ConnectionUser, HttpConnection } from './connection';
import { NetworkError } from './stream';

/** What comes before a redirect is read this far, so that the connection can be used again. */
const MAX_DISCARD_BYTES = 64 * 1024;

export interface HopRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
  readonly maxBodyBytes: number;
  /** Whether a response with this status and these headers is only a redirect, whose body nobody needs. */
  readonly isRedirect: (status: number, headers: Readonly<Record<string, string>>) => boolean;
}

export interface HopResponse {
  readonly status: number;
  readonly statusMessage: string;
  readonly headers: Record<string, string>;
  /** As it came, still encoded. */
  readonly body: Buffer;
}

export interface HopEvents {
  /** @param expectedBytes of the body, encoded as it comes, if the server says */
  head(status: number, statusMessage: string, expectedBytes: number | null): void;
  /** @param bytes of the body so far */
  progress(bytes: number): void;
}

export class Hop implements Dispatcher.DispatchHandler {
  private settled = false;
  private status = 0;
  private statusMessage = '';
  private headers: Record<string, string> = {};
  private body = new BodyBuffer(null);
  private discards = false;
  private resolve: (response: HopResponse) => void = () => {};
  private reject: (error: Error) => void = () => {};

  constructor(
    private readonly request: HopRequest,
    private readonly connection: HttpConnection,
    private readonly events: HopEvents,
  ) {}

  /** Rejects with undici's error or ours; settles at the latest when `abort` is called. */
  run(user: ConnectionUser): Promise<HopResponse> {
    const { url, method, headers, body } = this.request;
    return new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
      this.connection.dispatch(user, { path: url.pathname + url.search, method, headers: Object.entries(headers).flat(), body }, this);
    });
  }

  abort(error: Error): void {
    if (this.settled) return;
    this.settled = true;
    this.reject(error);
    this.connection.destroy(error);
  }

  // ---- DispatchHandler

  onRequestStart(): void {
    this.connection.started();
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, parsed: Record<string, string | string[] | undefined>, statusMessage = ''): void {
    if (this.settled) return;
    this.status = status;
    this.statusMessage = statusMessage;
    // RFC 9110 §5.3: repeated fields are joined. Defined, not assigned: a server may call one `__proto__`.
    this.headers = Object.fromEntries(Object.entries(parsed).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]));
    this.discards = this.request.isRedirect(status, this.headers);
    // Joined, they would be one address that nobody meant.
    if (this.discards && Array.isArray(parsed['location'])) return this.abort(new NetworkError('EPROTO', `${this.request.url.href} redirects to more than one address: redirect 'manual' gives the redirect itself`));
    if (this.discards) return;
    const { method, maxBodyBytes } = this.request;
    const length = this.headers['content-length'];
    const expected = length !== undefined && method !== 'HEAD' && /^\d+$/.test(length) ? Number(length) : null;
    this.events.head(status, statusMessage, expected);
    if (!hasBody(status)) return this.complete();
    if (expected !== null && expected > maxBodyBytes) return this.abort(tooLarge(this.request));
    if (expected !== null) this.body = new BodyBuffer(expected);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.settled) return;
    const { body, discards, request, events } = this;
    if (discards) {
      body.skip(chunk.length);
      if (body.length > MAX_DISCARD_BYTES) this.endEarly();
      return;
    }
    if (body.length + chunk.length > request.maxBodyBytes) return this.abort(tooLarge(request));
    body.add(chunk);
    events.progress(body.length);
  }

  onResponseEnd(): void {
    this.complete();
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.settled) return;
    this.settled = true;
    this.reject(error);
  }

  /** The rest is not needed, and too long to be read for the connection's sake. */
  private endEarly(): void {
    this.finish();
    this.connection.destroy(new NetworkError('ECONNABORTED', 'The rest of a redirect is not read'));
  }

  private complete(): void {
    this.connection.completed();
    this.finish();
  }

  private finish(): void {
    if (this.settled) return;
    this.settled = true;
    const { status, statusMessage, headers, body } = this;
    this.resolve({ status, statusMessage, headers, body: body.take() });
  }
}

/** RFC 9112 §6.3: these end with their head, whatever length it names; undici would wait for that length. */
function hasBody(status: number): boolean {
  return status !== 204 && status !== 304;
}

export function tooLarge({ url, maxBodyBytes }: { readonly url: URL; readonly maxBodyBytes: number }): NetworkError {
  return new NetworkError('EMSGSIZE', `The body from ${url.href} is larger than ${maxBodyBytes} bytes (option maxBodyBytes)`);
}
