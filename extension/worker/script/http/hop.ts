/** One request and its response on one connection, over undici's dispatcher. */
import { Buffer } from 'node:buffer';
import type { Dispatcher } from 'undici';
import { NetworkError } from './stream';

/** What comes before a redirect is read this far, so that the connection can be used again. */
const MAX_DISCARD_BYTES = 64 * 1024;

export interface HopRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string | null;
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
  head(status: number, statusMessage: string, headers: Readonly<Record<string, string>>): void;
  /** @param bytes of the body so far */
  progress(bytes: number): void;
}

type Controller = Dispatcher.DispatchController;

export class Hop implements Dispatcher.DispatchHandler {
  private controller: Controller | null = null;
  private settled = false;
  private status = 0;
  private statusMessage = '';
  private headers: Record<string, string> = {};
  private chunks: Buffer[] = [];
  private bytes = 0;
  private discards = false;
  private resolve: (response: HopResponse) => void = () => {};
  private reject: (error: Error) => void = () => {};

  constructor(
    private readonly request: HopRequest,
    private readonly events: HopEvents,
  ) {}

  /** Rejects with undici's error or ours; settles at the latest when `abort` is called. */
  run(dispatcher: Dispatcher): Promise<HopResponse> {
    const { url, method, headers, body } = this.request;
    return new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
      const names = Object.entries(headers).flat();
      dispatcher.dispatch({ origin: url.origin, path: url.pathname + url.search, method, headers: names, body }, this);
    });
  }

  abort(error: Error): void {
    if (this.settled) return;
    this.settled = true;
    this.reject(error);
    this.controller?.abort(error);
  }

  // ---- DispatchHandler

  onRequestStart(controller: Controller): void {
    this.controller = controller;
    if (this.settled) controller.abort(new NetworkError('ECONNABORTED', 'The exchange was given up'));
  }

  onResponseStart(_controller: Controller, status: number, headers: Record<string, string | string[] | undefined>, statusMessage = ''): void {
    // Interim responses (RFC 9110 §15.2) come before the one that was asked for.
    if (status < 200 || this.settled) return;
    this.status = status;
    this.statusMessage = statusMessage;
    // RFC 9110 §5.3: repeated fields are joined.
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) this.headers[name] = Array.isArray(value) ? value.join(', ') : value;
    this.discards = this.request.isRedirect(status, this.headers);
    if (!this.discards) this.events.head(status, statusMessage, this.headers);
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.settled) return;
    this.bytes += chunk.length;
    if (this.discards) {
      if (this.bytes <= MAX_DISCARD_BYTES) return;
      this.finish();
      controller.abort(new NetworkError('ECONNABORTED', 'The rest of a redirect is not read'));
      return;
    }
    if (this.bytes > this.request.maxBodyBytes) return this.abort(tooLarge(this.request));
    this.chunks.push(chunk);
    this.events.progress(this.bytes);
  }

  onResponseEnd(): void {
    // undici frees a connection in the turn after this: a request that came before it would open another.
    setImmediate(() => setImmediate(() => this.finish()));
  }

  onResponseError(_controller: Controller, error: Error): void {
    if (this.settled) return;
    this.settled = true;
    this.reject(error);
  }

  private finish(): void {
    if (this.settled) return;
    this.settled = true;
    const { status, statusMessage, headers, chunks } = this;
    const [first] = chunks;
    const body = this.discards ? Buffer.alloc(0) : chunks.length === 1 && first ? first : Buffer.concat(chunks);
    this.chunks = [];
    this.resolve({ status, statusMessage, headers, body });
  }
}

export function tooLarge({ url, maxBodyBytes }: { readonly url: URL; readonly maxBodyBytes: number }): NetworkError {
  return new NetworkError('EMSGSIZE', `The body from ${url.href} is larger than ${maxBodyBytes} bytes (option maxBodyBytes)`);
}
