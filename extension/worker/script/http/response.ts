/** What `fetch` resolves to: complete, and the same shape whether the exchange worked or not. */
import { Buffer } from 'node:buffer';
import type { WireError } from '../wire';

export interface Timings {
  readonly dns: number;
  readonly connect: number;
  readonly tls: number;
  readonly firstByte: number;
  readonly total: number;
}

export interface ResponseFields {
  readonly status: number;
  readonly statusMessage: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
  readonly url: string;
  readonly error: WireError | null;
  readonly timings: Timings;
}

export class Response implements ResponseFields {
  readonly status: number;
  readonly statusMessage: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
  readonly ok: boolean;
  readonly url: string;
  readonly error: WireError | null;
  readonly timings: Timings;

  constructor(fields: ResponseFields) {
    this.status = fields.status;
    this.statusMessage = fields.statusMessage;
    this.headers = fields.headers;
    this.body = fields.body;
    this.ok = fields.status >= 200 && fields.status < 300;
    this.url = fields.url;
    this.error = fields.error;
    this.timings = fields.timings;
  }

  /** The body as UTF-8; as on the web without a byte order mark. */
  text(): string {
    const { body } = this;
    return body.toString('utf8', body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0);
  }

  /** The body as JSON. @throws SyntaxError naming the address if it is none */
  json(): unknown {
    if (this.error !== null) throw new SyntaxError(`The response from ${this.url} has no JSON: ${this.error.message}`);
    try {
      return JSON.parse(this.text());
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new SyntaxError(`The response from ${this.url} (status ${this.status}, ${this.body.length} bytes) is not JSON: ${reason}`, { cause: error });
    }
  }

  static failed(url: string, error: WireError, timings: Timings): Response {
    // `this`: a reference to the class by name has the bundler rename it, and print shows that.
    return new this({ status: -1, statusMessage: 'socket error', headers: {}, body: Buffer.alloc(0), url, error, timings });
  }
}
