/**
 * The names that Riftnet scripts find without importing anything. This file is the reference for script
 * authors; sizes and times are defaults, and what a function throws is said with it. Nothing that the
 * network does ever throws into a script: it shows in a status, or in the response of a fetch.
 *
 * For a folder whose tsconfig.json has `"lib": ["ES2023"]` and `"types": []`: the names of browsers and of
 * Node are other ones.
 */

/** Encodings of text that `Buffer` and `Socket.write` know. */
type BufferEncoding = 'ascii' | 'utf8' | 'utf-8' | 'utf16le' | 'utf-16le' | 'ucs2' | 'ucs-2' | 'base64' | 'base64url' | 'latin1' | 'binary' | 'hex';

// ---------------------------------------------------------------------------------------------- network

/** Why a connection or an exchange failed. */
interface NetworkError {
  /**
   * A stable code: `ENOTFOUND` (no such name), `EAI_AGAIN` (no name server answered), `ECONNREFUSED`, `ECONNRESET`,
   * `ETIMEDOUT`, `EHOSTUNREACH`, `ENETUNREACH`, `EADDRNOTAVAIL` (a loopback or other unusable address), …
   */
  readonly code: string;
  /** One sentence with the address concerned. */
  readonly message: string;
}

/**
 * - `connecting`: the name is being resolved, or the connection is not open yet (at most about 2 minutes).
 * - `connected`: ready to read and write.
 * - `error`: the resolution, the connection or the transfer failed; see {@link Socket.error}.
 * - `fin`: closed, by the script or, once everything received has been read, by the peer.
 */
type SocketStatus = 'connecting' | 'connected' | 'error' | 'fin';

/**
 * A TCP connection, polled. What the network does shows between the script's turns (whenever it awaits), never
 * in the middle of its synchronous code.
 *
 * The peer's close shows as `fin` only when everything that came before it has been read, or `read(n)` asked for
 * more than is left: a loop of `read()`, `await Event.OnTick` and a look at the status never loses data. A reset
 * shows as `error` in the same way.
 */
interface Socket {
  readonly status: SocketStatus;
  /** Why the status is `error`, or why closing failed; else null. */
  readonly error: NetworkError | null;
  /** As given to `Network.Connect`, in lower case. */
  readonly host: string;
  /** Dotted IPv4; null until connected. */
  readonly remoteAddress: string | null;
  readonly remotePort: number;
  /** null until connected. */
  readonly localPort: number | null;
  /** Bytes written that the peer has not acknowledged yet. */
  readonly bufferedAmount: number;
  /** Bytes that `read` has given so far. */
  readonly bytesRead: number;
  /** Bytes that `write` has taken so far. */
  readonly bytesWritten: number;

  /**
   * Queues bytes for sending: all of them, in order, or none.
   *
   * @returns false if the socket is not connected, or if the send queue (64 MiB, on top of the stack's own 4 MiB)
   * has no room for all of them now: try again on a later tick.
   * @throws TypeError for data of another kind; RangeError for more than 64 MiB at once.
   */
  write(data: Uint8Array): boolean;
  /** @throws TypeError, RangeError if a value is not a whole number from 0 to 255 */
  write(bytes: readonly number[]): boolean;
  /** @param encoding utf8 unless told @throws TypeError for an unknown encoding */
  write(text: string, encoding?: BufferEncoding): boolean;

  /** Everything that has arrived, or null if nothing has. */
  read(): Buffer | null;
  /**
   * Exactly `n` bytes; null, and nothing consumed, if fewer have arrived. The connection then receives as many, whatever
   * its window.
   *
   * @param n 0 to 67 108 864 (64 MiB)
   * @throws TypeError; RangeError if n is larger, or if the pending reads of all the script's sockets would hold more than
   * half of its memory limit together (at least 64 MiB, at most 256 MiB).
   */
  read(n: number): Buffer | null;

  /**
   * Sends what is queued, then closes; what the peer still sends is dropped. The status becomes `fin`. May be called again.
   * When a script ends, its sockets have 10 s for this, then they are reset.
   */
  close(): void;
}

declare const Network: {
  /**
   * Opens a connection; returns at once, with status `connecting`.
   *
   * The hosts file is ignored: names are resolved by the stack's own DNS client. `localhost` is this computer by its own
   * address, where a server must listen on 0.0.0.0; 127.0.0.1, and names that resolve to it, end in `error`.
   *
   * @param host a dotted IPv4 address or a name
   * @param port 1 to 65535
   * @throws TypeError, RangeError naming the argument and its value
   */
  Connect(host: string, port: number): Socket;
};

// ---------------------------------------------------------------------------------------------- events

/**
 * Something that happens again and again. Awaiting it resumes at the next time, once for each await:
 * `const n = await Event.OnTick`. A bound handler keeps the script alive. A handler that throws is reported with its
 * line; the others run all the same. Bound twice, a handler runs once.
 */
interface Event<T> extends PromiseLike<T>, AsyncIterable<T> {
  on(handler: (value: T) => unknown): void;
  /** Runs the handler at the next time only. */
  once(handler: (value: T) => unknown): void;
  /** @returns whether the handler was bound */
  off(handler: (value: T) => unknown): boolean;
  /** What happens while the loop's body waits for something else is left out. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined, undefined>;
}

declare const Event: {
  /**
   * At {@link Engine.TICK_RATE} a second, before the frame of the same moment; carries the number of the tick, from 1.
   * After a late tick the missed ones are left out: there is no burst.
   */
  readonly OnTick: Event<number>;
  /** Twice as often as ticks, at least 60 times a second; carries the number of the frame, from 1. */
  readonly OnRender: Event<number>;
};

declare const Engine: {
  /** Ticks a second; 30 unless set. */
  readonly TICK_RATE: number;
  /** Milliseconds since the script's environment started, with a fraction. */
  Time(): number;
  /** Ticks so far. */
  GetTickCount(): number;
  /** Runs `fn` after the script's present turn, before the next tick; it gets the time. */
  Defer(fn: (time: number) => unknown): void;
  /** Runs `fn` once, `ms` milliseconds from now; it gets the time. @param ms 0 to 2147483647 @returns a key for Cancel */
  Delay(fn: (time: number) => unknown, ms: number): number;
  /** Runs `fn` every `ms` milliseconds, until it returns true; it gets the time. @param ms 0 (as 1) to 2147483647 @returns a key for Cancel */
  Timer(fn: (time: number) => unknown, ms: number): number;
  /** @returns whether something was pending under that key */
  Cancel(key: number): boolean;
};

/** As Engine.Defer. */
declare function queueMicrotask(fn: (time: number) => unknown): void;
/** As Engine.Delay. A missing or negative time is 0; further arguments are passed instead of the time. */
declare function setTimeout<A extends readonly unknown[]>(fn: (...values: A) => unknown, ms: number | undefined, ...values: A): number;
declare function setTimeout(fn: (time: number) => unknown, ms?: number): number;
/** As Engine.Timer. */
declare function setInterval<A extends readonly unknown[]>(fn: (...values: A) => unknown, ms: number | undefined, ...values: A): number;
declare function setInterval(fn: (time: number) => unknown, ms?: number): number;
/** As Engine.Delay with 0. */
declare function setImmediate<A extends readonly unknown[]>(fn: (...values: A) => unknown, ...values: A): number;
declare function setImmediate(fn: (time: number) => unknown): number;
/** As Engine.Cancel. */
declare function clearTimeout(key: number | undefined): boolean;
declare function clearInterval(key: number | undefined): boolean;
declare function clearImmediate(key: number | undefined): boolean;

// ---------------------------------------------------------------------------------------------- fetch

interface FetchOptions {
  /** GET unless told. */
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'PATCH';
  readonly headers?: Readonly<Record<string, string>>;
  /** `{ json }` is serialised and sent as application/json. Not with GET or HEAD: such an exchange fails. */
  readonly body?: Uint8Array | string | { readonly json: unknown };
  /** Time limit of the whole exchange, ms; 300 000 (5 minutes) unless told. */
  readonly timeoutMs?: number;
  /** `follow` (the default; at most 20) as on the web, or `manual`: the redirect itself is the response. */
  readonly redirect?: 'follow' | 'manual';
  /** Largest body, in bytes after decoding; 268 435 456 (256 MiB) unless told. A larger one fails the exchange. */
  readonly maxBodyBytes?: number;
}

/** Milliseconds. */
interface FetchTimings {
  /** Resolving the name, opening the connection, TLS: 0 if an open connection was used. */
  readonly dns: number;
  readonly connect: number;
  readonly tls: number;
  /** From the call to the response's head. */
  readonly firstByte: number;
  /** From the call to the end. */
  readonly total: number;
}

interface Response {
  /** -1 if the exchange failed. */
  readonly status: number;
  /** `socket error` if the exchange failed. */
  readonly statusMessage: string;
  /** Names in lower case; repeated ones joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** Complete, and decoded (gzip, deflate, br). */
  readonly body: Buffer;
  /** Whether the status is 200 to 299. */
  readonly ok: boolean;
  /** The address the response came from, after redirects. */
  readonly url: string;
  /** Why the exchange failed; null if it did not. */
  readonly error: NetworkError | null;
  readonly timings: FetchTimings;
  /** The body as UTF-8. */
  text(): string;
  /** The body as JSON. @throws SyntaxError if it is none */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as on the web: what comes back is for the script to know
  json<T = any>(): T;
}

/**
 * An HTTP/1.1 exchange, over http: or https: (certificates are verified). It never rejects: whatever goes wrong, an
 * unusable address or option included, gives a response with status -1.
 */
declare function fetch(uri: string | URL, options?: FetchOptions): Promise<Response>;

// ---------------------------------------------------------------------------------------------- output

/** Writes a line to the output: strings as they are, everything else as Node inspects it, separated by spaces. */
declare function print(...values: unknown[]): void;

/** Writes lines with a level; formats as Node's console does. */
declare const console: {
  log(...values: unknown[]): void;
  info(...values: unknown[]): void;
  warn(...values: unknown[]): void;
  error(...values: unknown[]): void;
  debug(...values: unknown[]): void;
  trace(...values: unknown[]): void;
  dir(value: unknown, options?: { readonly depth?: number | null; readonly showHidden?: boolean }): void;
  table(rows: unknown, columns?: readonly string[]): void;
  assert(condition: unknown, ...values: unknown[]): void;
  count(label?: string): void;
  countReset(label?: string): void;
  group(...values: unknown[]): void;
  groupEnd(): void;
  time(label?: string): void;
  timeLog(label?: string, ...values: unknown[]): void;
  timeEnd(label?: string): void;
};

// ---------------------------------------------------------------------------------------------- bytes and text

/** Node's Buffer: bytes, with ways to read and write numbers and text. */
interface Buffer extends Uint8Array<ArrayBuffer> {
  toString(encoding?: BufferEncoding, start?: number, end?: number): string;
  toJSON(): { type: 'Buffer'; data: number[] };
  write(text: string, encoding?: BufferEncoding): number;
  write(text: string, offset: number, encoding?: BufferEncoding): number;
  write(text: string, offset: number, length: number, encoding?: BufferEncoding): number;
  equals(other: Uint8Array): boolean;
  compare(other: Uint8Array, targetStart?: number, targetEnd?: number, sourceStart?: number, sourceEnd?: number): -1 | 0 | 1;
  copy(target: Uint8Array, targetStart?: number, sourceStart?: number, sourceEnd?: number): number;
  /** A view of the same memory. */
  subarray(start?: number, end?: number): Buffer;
  /** A view of the same memory, unlike Uint8Array's. */
  slice(start?: number, end?: number): Buffer;
  fill(value: string | Uint8Array | number, start?: number, end?: number, encoding?: BufferEncoding): this;
  indexOf(value: string | number | Uint8Array, start?: number, encoding?: BufferEncoding): number;
  lastIndexOf(value: string | number | Uint8Array, start?: number, encoding?: BufferEncoding): number;
  includes(value: string | number | Uint8Array, start?: number, encoding?: BufferEncoding): boolean;
  swap16(): this;
  swap32(): this;
  swap64(): this;
  readUInt8(offset?: number): number;
  readUInt16LE(offset?: number): number;
  readUInt16BE(offset?: number): number;
  readUInt32LE(offset?: number): number;
  readUInt32BE(offset?: number): number;
  readInt8(offset?: number): number;
  readInt16LE(offset?: number): number;
  readInt16BE(offset?: number): number;
  readInt32LE(offset?: number): number;
  readInt32BE(offset?: number): number;
  readUIntLE(offset: number, byteLength: number): number;
  readUIntBE(offset: number, byteLength: number): number;
  readIntLE(offset: number, byteLength: number): number;
  readIntBE(offset: number, byteLength: number): number;
  readFloatLE(offset?: number): number;
  readFloatBE(offset?: number): number;
  readDoubleLE(offset?: number): number;
  readDoubleBE(offset?: number): number;
  readBigUInt64LE(offset?: number): bigint;
  readBigUInt64BE(offset?: number): bigint;
  readBigInt64LE(offset?: number): bigint;
  readBigInt64BE(offset?: number): bigint;
  writeUInt8(value: number, offset?: number): number;
  writeUInt16LE(value: number, offset?: number): number;
  writeUInt16BE(value: number, offset?: number): number;
  writeUInt32LE(value: number, offset?: number): number;
  writeUInt32BE(value: number, offset?: number): number;
  writeInt8(value: number, offset?: number): number;
  writeInt16LE(value: number, offset?: number): number;
  writeInt16BE(value: number, offset?: number): number;
  writeInt32LE(value: number, offset?: number): number;
  writeInt32BE(value: number, offset?: number): number;
  writeUIntLE(value: number, offset: number, byteLength: number): number;
  writeUIntBE(value: number, offset: number, byteLength: number): number;
  writeIntLE(value: number, offset: number, byteLength: number): number;
  writeIntBE(value: number, offset: number, byteLength: number): number;
  writeFloatLE(value: number, offset?: number): number;
  writeFloatBE(value: number, offset?: number): number;
  writeDoubleLE(value: number, offset?: number): number;
  writeDoubleBE(value: number, offset?: number): number;
  writeBigUInt64LE(value: bigint, offset?: number): number;
  writeBigUInt64BE(value: bigint, offset?: number): number;
  writeBigInt64LE(value: bigint, offset?: number): number;
  writeBigInt64BE(value: bigint, offset?: number): number;
}

declare const Buffer: {
  readonly prototype: Buffer;
  from(text: string, encoding?: BufferEncoding): Buffer;
  from(bytes: Uint8Array | readonly number[]): Buffer;
  from(memory: ArrayBuffer | SharedArrayBuffer, byteOffset?: number, length?: number): Buffer;
  alloc(size: number, fill?: string | Uint8Array | number, encoding?: BufferEncoding): Buffer;
  allocUnsafe(size: number): Buffer;
  concat(list: readonly Uint8Array[], totalLength?: number): Buffer;
  compare(a: Uint8Array, b: Uint8Array): -1 | 0 | 1;
  byteLength(text: string | Uint8Array | ArrayBuffer, encoding?: BufferEncoding): number;
  isBuffer(value: unknown): value is Buffer;
  isEncoding(encoding: string): encoding is BufferEncoding;
};

interface TextEncoder {
  readonly encoding: 'utf-8';
  encode(text?: string): Uint8Array;
  encodeInto(text: string, target: Uint8Array): { read: number; written: number };
}
declare const TextEncoder: { new (): TextEncoder; readonly prototype: TextEncoder };

interface TextDecoder {
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  decode(bytes?: ArrayBuffer | ArrayBufferView, options?: { readonly stream?: boolean }): string;
}
declare const TextDecoder: {
  new (encoding?: string, options?: { readonly fatal?: boolean; readonly ignoreBOM?: boolean }): TextDecoder;
  readonly prototype: TextDecoder;
};

declare function atob(base64: string): string;
declare function btoa(binary: string): string;
declare function structuredClone<T>(value: T, options?: { readonly transfer?: readonly ArrayBuffer[] }): T;

// ---------------------------------------------------------------------------------------------- addresses

interface URL {
  hash: string;
  host: string;
  hostname: string;
  href: string;
  readonly origin: string;
  password: string;
  pathname: string;
  port: string;
  protocol: string;
  search: string;
  readonly searchParams: URLSearchParams;
  username: string;
  toString(): string;
  toJSON(): string;
}
declare const URL: {
  new (url: string | URL, base?: string | URL): URL;
  readonly prototype: URL;
  canParse(url: string | URL, base?: string | URL): boolean;
};

interface URLSearchParams extends Iterable<[string, string]> {
  readonly size: number;
  append(name: string, value: string): void;
  delete(name: string, value?: string): void;
  get(name: string): string | null;
  getAll(name: string): string[];
  has(name: string, value?: string): boolean;
  set(name: string, value: string): void;
  sort(): void;
  forEach(run: (value: string, name: string, parent: URLSearchParams) => void): void;
  entries(): IterableIterator<[string, string]>;
  keys(): IterableIterator<string>;
  values(): IterableIterator<string>;
  toString(): string;
}
declare const URLSearchParams: {
  new (init?: string | URLSearchParams | Readonly<Record<string, string>> | Iterable<readonly [string, string]>): URLSearchParams;
  readonly prototype: URLSearchParams;
};

// ---------------------------------------------------------------------------------------------- cancellation

/** For code that takes one; `fetch` has `timeoutMs` instead. */
interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}
declare const AbortSignal: {
  readonly prototype: AbortSignal;
  abort(reason?: unknown): AbortSignal;
  timeout(ms: number): AbortSignal;
  any(signals: readonly AbortSignal[]): AbortSignal;
};

interface AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}
declare const AbortController: { new (): AbortController; readonly prototype: AbortController };
