/**
 * The names that Riftnet scripts find without importing anything: the reference for script authors, shown by
 * the editor. Sizes and times are defaults; what a function throws is said with it. Nothing that the network
 * does ever throws into a script: it shows in a status, or in the response of a fetch.
 *
 * The examples run against `node examples/server.js`: HTTP on port 18080, a chat on 18081 and an echo on 18082.
 *
 * For a folder whose tsconfig.json has `"lib": ["ES2023"]` and `"types": []`: the names of browsers and of
 * Node are other ones. TypeScript 6 and 7 are tested.
 *
 * @packageDocumentation
 */

/** Encodings of text that `Buffer` and {@link Socket.write} know, in upper or lower case at run time. */
type BufferEncoding = 'ascii' | 'utf8' | 'utf-8' | 'utf16le' | 'utf-16le' | 'ucs2' | 'ucs-2' | 'base64' | 'base64url' | 'latin1' | 'binary' | 'hex';

// ---------------------------------------------------------------------------------------------- network

/** Why a connection or an exchange failed. */
interface NetworkError {
  /**
   * A stable code, to decide by:
   *
   * - `ENOTFOUND`: the name does not exist, or has no IPv4 address.
   * - `EAI_AGAIN`: no name server answered; the name may exist.
   * - `ECONNREFUSED`: nothing listens on that port there.
   * - `ECONNRESET`: the peer, or the stack on its behalf, broke the connection off.
   * - `ETIMEDOUT`: no answer in time.
   * - `EHOSTUNREACH`, `ENETUNREACH`, `EACCES`: the way there does not exist, or is forbidden.
   * - `EADDRNOTAVAIL`: a loopback or other address that no connection can go to.
   * - `ENETDOWN`: the link is down, or has no address.
   * - `ENOBUFS`: too many connections, here or in the stack.
   *
   * Of `fetch` alone: `EPROTO` (the answer breaks HTTP), `EMSGSIZE` (the body is larger than `maxBodyBytes`), `ELOOP` (too
   * many redirects), `EINVAL` (the address or an option cannot be used), `ECONNABORTED` (given up), and the codes of TLS
   * and certificates as Node names them, such as `CERT_HAS_EXPIRED`.
   */
  readonly code: string;
  /** One sentence for people: what failed, with the address, and where there is one the next step. May change. */
  readonly message: string;
}

/**
 * How far a connection is.
 *
 * - `connecting`: the name is being resolved, or the connection is not open yet: until it is refused, or at most 127 s
 *   after the name was resolved.
 * - `connected`: ready to read and write.
 * - `error`: the resolution, the connection or the transfer failed; {@link Socket.error} says why.
 * - `fin`: closed, by the script or, once everything received has been read, by the peer.
 *
 * It goes from `connecting` to `connected`, and from either to `error` or `fin`, where it stays.
 */
type SocketStatus = 'connecting' | 'connected' | 'error' | 'fin';

/**
 * A TCP connection, polled. What the network does shows between the script's turns (whenever it awaits), never
 * in the middle of its synchronous code.
 *
 * The peer's close shows as `fin` only when everything that came before it has been read, or `read(n)` asked for
 * more than is left: a loop of `read()`, `await Event.OnTick` and a look at the status never loses data. A reset
 * shows as `error` in the same way. Writing is refused from the moment the reset arrives.
 *
 * @example
 * ```ts server=http
 * const socket = Network.Connect('localhost', 18080);
 * while (socket.status === 'connecting') await Event.OnTick;
 * socket.write('GET /hello.txt HTTP/1.0\r\n\r\n');
 * let text = '';
 * while (socket.status === 'connected') {
 *   text += socket.read()?.toString('latin1') ?? '';
 *   await Event.OnTick;
 * }
 * print(socket.error?.message ?? text.split('\r\n')[0]);
 * ```
 * prints
 * ```text
 * HTTP/1.1 200 OK
 * ```
 */
interface Socket {
  /** How far the connection is; it changes only while the script awaits, or by `read` and `close`. */
  readonly status: SocketStatus;
  /**
   * Why the status is `error`; else null. After a `close` of the script's own the status stays `fin`, and this says what
   * kept the rest from being sent, if something did.
   */
  readonly error: NetworkError | null;
  /** The host as given to `Network.Connect`, in lower case, and in ASCII form if it is an international name. */
  readonly host: string;
  /** The peer's address, dotted IPv4; null until connected. */
  readonly remoteAddress: string | null;
  /** The port as given to `Network.Connect`, 1 to 65535. */
  readonly remotePort: number;
  /** The port on this side, 1 to 65535; null until connected. */
  readonly localPort: number | null;
  /** Bytes written that the peer has not acknowledged yet: of the 64 MiB queue and of the stack's own buffer. */
  readonly bufferedAmount: number;
  /** Bytes that `read` has given so far. */
  readonly bytesRead: number;
  /** Bytes that `write` has taken so far. */
  readonly bytesWritten: number;

  /**
   * Queues bytes for sending: all of them, in order, or none. They are copied: what happens to `data` afterwards does
   * not matter.
   *
   * @param data - at most 67 108 864 bytes (64 MiB), the size of the queue
   * @returns false if the socket is not connected, or if the send queue (64 MiB, on top of the stack's own 4 MiB) has no
   * room for all of them now: try again on a later tick
   * @throws TypeError if `data` is of another kind, RangeError if it is larger than the queue
   *
   * @example
   * ```ts server=echo
   * const socket = Network.Connect('localhost', 18082);
   * while (socket.status === 'connecting') await Event.OnTick;
   * const data = Buffer.alloc(8 << 20, 'riftnet ');
   * while (!socket.write(data) && socket.status === 'connected') await Event.OnTick;
   * while (socket.bufferedAmount > 0 && socket.status === 'connected') await Event.OnTick;
   * print(socket.bytesWritten, socket.bufferedAmount);
   * ```
   * prints
   * ```text
   * 8388608 0
   * ```
   */
  write(data: Uint8Array): boolean;
  /**
   * Queues bytes for sending, given as numbers.
   *
   * @param bytes - at most 64 MiB of them, each a whole number from 0 to 255
   * @returns as for bytes in a Buffer
   * @throws TypeError, RangeError if a value is not such a number; then nothing is queued
   */
  write(bytes: readonly number[]): boolean;
  /**
   * Queues text for sending.
   *
   * @param text - at most 64 MiB of bytes in its encoding
   * @param encoding - utf8 unless told
   * @returns as for bytes in a Buffer
   * @throws TypeError for an unknown encoding, RangeError if the text is larger than the queue; then nothing is queued
   */
  write(text: string, encoding?: BufferEncoding): boolean;
  /**
   * Queues whichever of the three a variable holds; text is sent as UTF-8.
   *
   * @param data - at most 64 MiB of bytes
   * @returns as for bytes in a Buffer
   * @throws TypeError, RangeError as for each of them; then nothing is queued
   */
  write(data: Uint8Array | readonly number[] | string): boolean;

  /**
   * Everything that has arrived and has not been read.
   *
   * @returns the bytes, which are the script's own from then on; null if nothing has arrived
   */
  read(): Buffer | null;
  /**
   * Exactly `n` bytes, or none. While fewer have arrived the connection goes on to receive up to `n`, whatever its window.
   * If the peer has closed and fewer are left, the status becomes `fin`, and `read()` still gives them.
   *
   * @param n - bytes, a whole number from 0 to 67 108 864 (64 MiB)
   * @returns the bytes; null, and nothing consumed, if fewer have arrived
   * @throws TypeError if `n` is no number; RangeError if it is out of range, or if the pending reads of all the script's
   * sockets would hold more than half of its memory limit together (at least 64 MiB, at most 256 MiB)
   *
   * @example
   * ```ts server=echo
   * const socket = Network.Connect('localhost', 18082);
   * while (socket.status === 'connecting') await Event.OnTick;
   * socket.write([0, 5]);
   * socket.write('hello and more');
   * let head: Buffer | null;
   * while ((head = socket.read(2)) === null && socket.status === 'connected') await Event.OnTick;
   * let body: Buffer | null = null;
   * if (head) while ((body = socket.read(head.readUInt16BE())) === null && socket.status === 'connected') await Event.OnTick;
   * print(body?.toString());
   * ```
   * prints
   * ```text
   * hello
   * ```
   */
  read(n: number): Buffer | null;

  /**
   * Sends what is queued, then closes; what the peer still sends is dropped. The status becomes `fin` at once, unless it
   * is `error`. May be called again. A peer that takes nothing of what is queued for 100 s is reset: `error` then says
   * `ETIMEDOUT`. When a script ends, its sockets have 10 s for this, then they are reset.
   */
  close(): void;
}

/** The way to the network: TCP over a stack of Riftnet's own. */
declare const Network: {
  /**
   * Opens a connection; returns at once, with status `connecting`.
   *
   * The hosts file is ignored: names are resolved by the stack's own DNS client. `localhost` is this computer by its own
   * address, where a server must listen on 0.0.0.0, unless the setting `riftnet.hostAddress` (`--host-address`) names
   * another; 127.0.0.1, and names that resolve to it, end in `error`.
   *
   * A connection alone does not keep a script alive: something must wait for it, such as `await Event.OnTick`.
   *
   * @param host - a dotted IPv4 address or a name of at most 253 characters
   * @param port - a whole number from 1 to 65535
   * @throws TypeError, RangeError naming the argument and its value
   *
   * @example
   * ```ts server=closed
   * const socket = Network.Connect('localhost', 18099);
   * while (socket.status === 'connecting') await Event.OnTick;
   * print(socket.status, socket.error?.code);
   * ```
   * prints
   * ```text
   * error ECONNREFUSED
   * ```
   */
  Connect(host: string, port: number): Socket;
};

// ---------------------------------------------------------------------------------------------- events

/**
 * Something that happens again and again. Awaiting it resumes at the next time, once for each await:
 * `const n = await Event.OnTick`. A bound handler keeps the script alive until it is taken off. A handler that throws,
 * or whose promise is rejected, is reported with its line; the others run all the same. Handlers run in the order they
 * were bound, before those who await resume.
 *
 * @example
 * ```ts
 * let left = 3;
 * const count = (tick: number): void => {
 *   print('tick', tick > 0, --left);
 *   if (left === 0) Event.OnTick.off(count);
 * };
 * Event.OnTick.on(count);
 * ```
 * prints
 * ```text
 * tick true 2
 * tick true 1
 * tick true 0
 * ```
 */
interface Event<T> extends PromiseLike<T>, AsyncIterable<T> {
  /**
   * Runs the handler each time. Bound twice, a handler keeps its place and runs once.
   *
   * @param handler - gets the number of the tick or frame
   * @throws TypeError if it is no function
   */
  on(handler: (value: T) => unknown): void;
  /**
   * Runs the handler at the next time only.
   *
   * @param handler - gets the number of the tick or frame
   * @throws TypeError if it is no function
   */
  once(handler: (value: T) => unknown): void;
  /**
   * Takes a handler off.
   *
   * @param handler - the same function as was bound
   * @returns whether it was bound
   * @throws TypeError if it is no function
   */
  off(handler: (value: T) => unknown): boolean;
  /**
   * `for await (const n of Event.OnTick)`. What happens while the loop's body waits for something else is left out.
   *
   * @returns an endless iterator; `break` ends it
   */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined, undefined>;
}

/** What the engine's loop tells. */
declare const Event: {
  /**
   * At {@link Engine.TICK_RATE} a second, before the frame of the same moment; carries the number of the tick, from 1.
   * After a late tick the missed ones are left out: there is no burst, and no drift.
   */
  readonly OnTick: Event<number>;
  /** Twice as often as ticks, at least 60 times a second; carries the number of the frame, from 1. */
  readonly OnRender: Event<number>;
};

/**
 * Time, and calls at a later time. A callback that throws is reported with its line, and the script goes on. Timers keep
 * a script alive until they have run or are cancelled.
 */
declare const Engine: {
  /** Ticks a second: 30 unless the setting `riftnet.tickRate` (`--tick-rate`) says otherwise, 1 to 1000. */
  readonly TICK_RATE: number;
  /**
   * The time since the script's environment started.
   *
   * @returns milliseconds, with a fraction; it never goes back
   */
  Time(): number;
  /**
   * The ticks so far.
   *
   * @returns the number of the present tick; 0 before the first
   */
  GetTickCount(): number;
  /**
   * Runs `fn` after the script's present turn, before the next tick.
   *
   * @param fn - gets the time, ms
   * @throws TypeError if it is no function
   */
  Defer(fn: (time: number) => unknown): void;
  /**
   * Runs `fn` once, later.
   *
   * @param fn - gets the time, ms
   * @param ms - from now, 0 to 2 147 483 647 (24.8 days)
   * @returns a key for {@link Engine.Cancel}
   * @throws TypeError, RangeError naming the argument and its value
   */
  Delay(fn: (time: number) => unknown, ms: number): number;
  /**
   * Runs `fn` again and again, until it returns true. Its times are fixed: they neither drift nor burst after a late one.
   *
   * @param fn - gets the time, ms
   * @param ms - between two calls, 0 (as 1) to 2 147 483 647
   * @returns a key for {@link Engine.Cancel}
   * @throws TypeError, RangeError naming the argument and its value
   *
   * @example
   * ```ts
   * let rounds = 0;
   * Engine.Timer(() => {
   *   print('round', ++rounds);
   *   return rounds === 3;
   * }, 20);
   * ```
   * prints
   * ```text
   * round 1
   * round 2
   * round 3
   * ```
   */
  Timer(fn: (time: number) => unknown, ms: number): number;
  /**
   * Calls off what `Delay`, `Timer` or an alias of theirs began.
   *
   * @param key - as they returned it
   * @returns whether something was pending under that key
   */
  Cancel(key: number): boolean;
};

/**
 * As {@link Engine.Defer}.
 *
 * @param fn - gets the time, ms
 * @throws TypeError if it is no function
 */
declare function queueMicrotask(fn: (time: number) => unknown): void;
/**
 * As {@link Engine.Delay}, with arguments for the function.
 *
 * @param fn - gets the values instead of the time
 * @param ms - a missing or negative one is 0
 * @param values - passed to the function
 * @returns a key for `clearTimeout`
 * @throws TypeError, RangeError naming the argument and its value
 */
declare function setTimeout<A extends readonly [unknown, ...unknown[]]>(fn: (...values: A) => unknown, ms: number | undefined, ...values: A): number;
/**
 * As {@link Engine.Delay}.
 *
 * @param fn - gets the time, ms
 * @param ms - a missing or negative one is 0
 * @returns a key for `clearTimeout`
 * @throws TypeError, RangeError naming the argument and its value
 */
declare function setTimeout(fn: (time: number) => unknown, ms?: number): number;
/**
 * As {@link Engine.Timer}, with arguments for the function.
 *
 * @param fn - gets the values instead of the time; returning true ends it
 * @param ms - a missing or negative one is 0
 * @param values - passed to the function
 * @returns a key for `clearInterval`
 * @throws TypeError, RangeError naming the argument and its value
 */
declare function setInterval<A extends readonly [unknown, ...unknown[]]>(fn: (...values: A) => unknown, ms: number | undefined, ...values: A): number;
/**
 * As {@link Engine.Timer}.
 *
 * @param fn - gets the time, ms; returning true ends it
 * @param ms - a missing or negative one is 0
 * @returns a key for `clearInterval`
 * @throws TypeError, RangeError naming the argument and its value
 */
declare function setInterval(fn: (time: number) => unknown, ms?: number): number;
/**
 * As {@link Engine.Delay} with 0 ms, with arguments for the function.
 *
 * @param fn - gets the values instead of the time
 * @param values - passed to the function
 * @returns a key for `clearImmediate`
 * @throws TypeError if `fn` is no function
 */
declare function setImmediate<A extends readonly [unknown, ...unknown[]]>(fn: (...values: A) => unknown, ...values: A): number;
/**
 * As {@link Engine.Delay} with 0 ms.
 *
 * @param fn - gets the time, ms
 * @returns a key for `clearImmediate`
 * @throws TypeError if `fn` is no function
 */
declare function setImmediate(fn: (time: number) => unknown): number;
/**
 * As {@link Engine.Cancel}.
 *
 * @param key - undefined is none
 * @returns whether something was pending under that key
 */
declare function clearTimeout(key: number | undefined): boolean;
/**
 * As {@link Engine.Cancel}.
 *
 * @param key - undefined is none
 * @returns whether something was pending under that key
 */
declare function clearInterval(key: number | undefined): boolean;
/**
 * As {@link Engine.Cancel}.
 *
 * @param key - undefined is none
 * @returns whether something was pending under that key
 */
declare function clearImmediate(key: number | undefined): boolean;

// ---------------------------------------------------------------------------------------------- fetch

/** What {@link fetch} may be told. An option that cannot be used fails the exchange: it does not throw. */
interface FetchOptions {
  /** GET unless told. */
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'PATCH';
  /**
   * Header fields, added to `user-agent`, `accept` and `accept-encoding`, which may be replaced. Names and values are
   * text in Latin-1 without line breaks. `transfer-encoding`, `keep-alive`, `upgrade` and `expect` are the client's own.
   */
  readonly headers?: Readonly<Record<string, string>>;
  /** `{ json }` is serialised and sent as application/json; a string is sent as UTF-8. Not with GET or HEAD. */
  readonly body?: Uint8Array | string | { readonly json: unknown };
  /** Time limit of the whole exchange, redirects included, 1 to 2 147 483 647 ms; 300 000 (5 minutes) unless told. */
  readonly timeoutMs?: number;
  /** `follow` (at most 20, as on the web) unless told; with `manual` the redirect itself is the response. */
  readonly redirect?: 'follow' | 'manual';
  /** Largest body, bytes after decoding; a quarter of the memory limit (128 MiB) unless told. A larger one fails the exchange: `EMSGSIZE`. */
  readonly maxBodyBytes?: number;
}

/** Where the time of an exchange went, milliseconds with fractions. */
interface FetchTimings {
  /** Resolving the name, ms; 0 if an open connection was used. */
  readonly dns: number;
  /** Opening the connection, ms; 0 if an open one was used. */
  readonly connect: number;
  /** The TLS handshake, ms; 0 for http: or if an open connection was used. */
  readonly tls: number;
  /** From the call to the response's head, ms; as `total` if none came. */
  readonly firstByte: number;
  /** From the call to the end, ms. */
  readonly total: number;
}

/** What {@link fetch} resolves to: complete, and of the same shape whether the exchange worked or not. */
interface Response {
  /** 200 to 999 as the server said, or -1 if the exchange failed. */
  readonly status: number;
  /** The server's words for the status, which may be empty; `socket error` if the exchange failed. */
  readonly statusMessage: string;
  /** Names in lower case; repeated ones joined with `, `. Empty if the exchange failed. */
  readonly headers: Readonly<Record<string, string>>;
  /** Complete, and decoded (gzip, deflate, br). Empty if the exchange failed. */
  readonly body: Buffer;
  /** Whether the status is 200 to 299. */
  readonly ok: boolean;
  /** The address the response came from, after redirects, without its fragment. */
  readonly url: string;
  /** Why the exchange failed; null if it did not. */
  readonly error: NetworkError | null;
  /** Where the time went, ms. */
  readonly timings: FetchTimings;
  /**
   * The body as UTF-8, without a byte order mark.
   *
   * @returns the text; what is no UTF-8 becomes U+FFFD
   */
  text(): string;
  /**
   * The body as JSON.
   *
   * @typeParam T - what it is taken for; nothing checks it
   * @returns the value
   * @throws SyntaxError naming the address, if it is none or the exchange failed
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as on the web: what comes back is for the script to know
  json<T = any>(): T;
}

/**
 * An HTTP/1.1 exchange, over http: or https: (certificates are verified). It never rejects: whatever goes wrong, an
 * unusable address or option included, gives a response with status -1. A pending fetch keeps the script alive.
 *
 * @param uri - absolute, without a name and password
 * @param options - method, headers, body, limits
 * @returns a promise of the response, with its whole body
 *
 * @example
 * ```ts server=http
 * const response = await fetch('http://localhost:18080/players/1', { method: 'PATCH', body: { json: { score: 7 } } });
 * if (response.ok) print(response.json<{ score: number }>().score);
 * else print(response.error?.message ?? response.status);
 * ```
 * prints
 * ```text
 * 7
 * ```
 */
declare function fetch(uri: string | URL, options?: FetchOptions): Promise<Response>;

// ---------------------------------------------------------------------------------------------- output

/**
 * Writes a line to the output: strings as they are, everything else as Node inspects it, separated by spaces.
 *
 * @param values - anything
 *
 * @example
 * ```ts
 * print('a', 1, { b: [2] }, null);
 * ```
 * prints
 * ```text
 * a 1 { b: [ 2 ] } null
 * ```
 */
declare function print(...values: unknown[]): void;

/** Writes lines with a level; formats as Node's console does (`%s`, `%d`, `%j`, `%o`). In VS Code each level has its colour. */
declare const console: {
  /** A line of level log. */
  log(...values: unknown[]): void;
  /** A line of level info. */
  info(...values: unknown[]): void;
  /** A line of level warn; at the terminal it goes to stderr. */
  warn(...values: unknown[]): void;
  /** A line of level error; at the terminal it goes to stderr. */
  error(...values: unknown[]): void;
  /** A line of level debug. */
  debug(...values: unknown[]): void;
  /** The values and the stack, at level error. */
  trace(...values: unknown[]): void;
  /** One value, inspected to a depth of 2 unless told; null is no limit. */
  dir(value: unknown, options?: { readonly depth?: number | null; readonly showHidden?: boolean }): void;
  /** Rows as a table, all columns unless told. */
  table(rows: unknown, columns?: readonly string[]): void;
  /** The values at level warn, if the condition is false. */
  assert(condition: unknown, ...values: unknown[]): void;
  /** How often it has been called with this label. */
  count(label?: string): void;
  /** Sets a count back to 0. */
  countReset(label?: string): void;
  /** Prints the values, as a heading of what follows until `groupEnd`. */
  group(...values: unknown[]): void;
  /** Ends the innermost group. */
  groupEnd(): void;
  /** Starts a timer under this label. */
  time(label?: string): void;
  /** Prints how long the timer has run. */
  timeLog(label?: string, ...values: unknown[]): void;
  /** Prints how long the timer has run, and ends it. */
  timeEnd(label?: string): void;
};

// ---------------------------------------------------------------------------------------------- bytes and text

/** Node's Buffer: bytes, with ways to read and write numbers and text. What it does not have of its own it has of `Uint8Array`. */
interface Buffer extends Uint8Array<ArrayBuffer> {
  /**
   * The bytes from `start` to before `end` as text.
   *
   * @param encoding - utf8 unless told
   */
  toString(encoding?: BufferEncoding, start?: number, end?: number): string;
  /** What `JSON.stringify` makes of it. */
  toJSON(): { type: 'Buffer'; data: number[] };
  /**
   * Writes text at the beginning, as far as it fits.
   *
   * @returns bytes written
   */
  write(text: string, encoding?: BufferEncoding): number;
  /**
   * Writes text at an offset, as far as it fits.
   *
   * @returns bytes written
   */
  write(text: string, offset: number, encoding?: BufferEncoding): number;
  /**
   * Writes text at an offset, at most `length` bytes.
   *
   * @returns bytes written
   */
  write(text: string, offset: number, length: number, encoding?: BufferEncoding): number;
  /** Whether both hold the same bytes. */
  equals(other: Uint8Array): boolean;
  /** Order by bytes: -1, 0 or 1 if this one comes before, is equal, or comes after. */
  compare(other: Uint8Array, targetStart?: number, targetEnd?: number, sourceStart?: number, sourceEnd?: number): -1 | 0 | 1;
  /**
   * Copies bytes into another, as far as they fit.
   *
   * @returns bytes copied
   */
  copy(target: Uint8Array, targetStart?: number, sourceStart?: number, sourceEnd?: number): number;
  /** A view of the same memory. */
  subarray(start?: number, end?: number): Buffer;
  /** A view of the same memory, unlike that of `Uint8Array`, which copies. */
  slice(start?: number, end?: number): Buffer;
  /** Fills it with a byte, or with text or bytes repeated. */
  fill(value: string | Uint8Array | number, start?: number, end?: number, encoding?: BufferEncoding): this;
  /** The first place of a byte, text or bytes from `start` on; -1 if there is none. */
  indexOf(value: string | number | Uint8Array, start?: number, encoding?: BufferEncoding): number;
  /** The last place of a byte, text or bytes, from `start` back; -1 if there is none. */
  lastIndexOf(value: string | number | Uint8Array, start?: number, encoding?: BufferEncoding): number;
  /** Whether a byte, text or bytes occur from `start` on. */
  includes(value: string | number | Uint8Array, start?: number, encoding?: BufferEncoding): boolean;
  /**
   * Turns the byte order of numbers of 16 bits round, in place.
   *
   * @throws RangeError if the length is no multiple of 2
   */
  swap16(): this;
  /**
   * Turns the byte order of numbers of 32 bits round, in place.
   *
   * @throws RangeError if the length is no multiple of 4
   */
  swap32(): this;
  /**
   * Turns the byte order of numbers of 64 bits round, in place.
   *
   * @throws RangeError if the length is no multiple of 8
   */
  swap64(): this;
  /**
   * Reads an unsigned whole number of 8 bits, at `offset` (0 unless told).
   *
   * @returns the number
   * @throws RangeError if it lies beyond the end
   */
  readUInt8(offset?: number): number;
  /**
   * Reads an unsigned whole number of 16 bits, little-endian, at `offset` (0 unless told).
   *
   * @returns the number
   * @throws RangeError if it lies beyond the end
   */
  readUInt16LE(offset?: number): number;
  /**
   * Reads an unsigned whole number of 16 bits, big-endian (network order), at `offset` (0 unless told).
   *
   * @returns the number
   * @throws RangeError if it lies beyond the end
   */
  readUInt16BE(offset?: number): number;
  /**
   * Reads an unsigned whole number of 32 bits, little-endian, at `offset` (0 unless told).
   *
   * @returns the number
   * @throws RangeError if it lies beyond the end
   */
  readUInt32LE(offset?: number): number;
  /**
   * Reads an unsigned whole number of 32 bits, big-endian (network order), at `offset` (0 unless told).
   *
   * @returns the number
   * @throws RangeError if it lies beyond the end
   */
  readUInt32BE(offset?: number): number;
  /**
   * Reads a signed whole number of 8 bits, at `offset` (0 unless told).
   *
   * @returns the number
   * @throws RangeError if it lies beyond the end
   */
  readInt8(offset?: number): number;
  /**
   * Reads a signed whole number of 16 bits, little-endian, at `offset` (0 unless told).
   *
   * @returns the number
   * @throws RangeError if it lies beyond the end
   */
  readInt16LE(offset?: number): number;
  /**
   * Reads a signed whole number of 16 bits, big-endian (network order), at `offset` (0 unless told).
   *
   * @returns the number
   * @throws RangeError if it lies beyond the end
   */
  readInt16BE(offset?: number): number;
  /**
   * Reads a signed whole number of 32 bits, little-endian, at `offset` (0 unless told).
   *
   * @returns the number
   * @throws RangeError if it lies beyond the end
   */
  readInt32LE(offset?: number): number;
  /**
   * Reads a signed whole number of 32 bits, big-endian (network order), at `offset` (0 unless told).
   *
   * @returns the number
   * @throws RangeError if it lies beyond the end
   */
  readInt32BE(offset?: number): number;
  /**
   * Reads an unsigned whole number, little-endian, at `offset`, in `byteLength` bytes (1 to 6).
   *
   * @returns the number
   * @throws RangeError if it lies beyond the end
   */
  readUIntLE(offset: number, byteLength: number): number;
  /**
   * Reads an unsigned whole number, big-endian (network order), at `offset`, in `byteLength` bytes (1 to 6).
   *
   * @returns the number
   * @throws RangeError if it lies beyond the end
   */
  readUIntBE(offset: number, byteLength: number): number;
  /**
   * Reads a signed whole number, little-endian, at `offset`, in `byteLength` bytes (1 to 6).
   *
   * @returns the number
   * @throws RangeError if it lies beyond the end
   */
  readIntLE(offset: number, byteLength: number): number;
  /**
   * Reads a signed whole number, big-endian (network order), at `offset`, in `byteLength` bytes (1 to 6).
   *
   * @returns the number
   * @throws RangeError if it lies beyond the end
   */
  readIntBE(offset: number, byteLength: number): number;
  /**
   * Reads a floating-point number of 32 bits, little-endian, at `offset` (0 unless told).
   *
   * @returns the number
   * @throws RangeError if it lies beyond the end
   */
  readFloatLE(offset?: number): number;
  /**
   * Reads a floating-point number of 32 bits, big-endian, at `offset` (0 unless told).
   *
   * @returns the number
   * @throws RangeError if it lies beyond the end
   */
  readFloatBE(offset?: number): number;
  /**
   * Reads a floating-point number of 64 bits, little-endian, at `offset` (0 unless told).
   *
   * @returns the number
   * @throws RangeError if it lies beyond the end
   */
  readDoubleLE(offset?: number): number;
  /**
   * Reads a floating-point number of 64 bits, big-endian, at `offset` (0 unless told).
   *
   * @returns the number
   * @throws RangeError if it lies beyond the end
   */
  readDoubleBE(offset?: number): number;
  /**
   * Reads an unsigned whole number of 64 bits, little-endian, at `offset` (0 unless told).
   *
   * @returns the number
   * @throws RangeError if it lies beyond the end
   */
  readBigUInt64LE(offset?: number): bigint;
  /**
   * Reads an unsigned whole number of 64 bits, big-endian (network order), at `offset` (0 unless told).
   *
   * @returns the number
   * @throws RangeError if it lies beyond the end
   */
  readBigUInt64BE(offset?: number): bigint;
  /**
   * Reads a signed whole number of 64 bits, little-endian, at `offset` (0 unless told).
   *
   * @returns the number
   * @throws RangeError if it lies beyond the end
   */
  readBigInt64LE(offset?: number): bigint;
  /**
   * Reads a signed whole number of 64 bits, big-endian (network order), at `offset` (0 unless told).
   *
   * @returns the number
   * @throws RangeError if it lies beyond the end
   */
  readBigInt64BE(offset?: number): bigint;
  /**
   * Writes an unsigned whole number of 8 bits, at `offset` (0 unless told).
   *
   * @returns the offset behind it
   * @throws RangeError if it does not fit, or lies beyond the end
   */
  writeUInt8(value: number, offset?: number): number;
  /**
   * Writes an unsigned whole number of 16 bits, little-endian, at `offset` (0 unless told).
   *
   * @returns the offset behind it
   * @throws RangeError if it does not fit, or lies beyond the end
   */
  writeUInt16LE(value: number, offset?: number): number;
  /**
   * Writes an unsigned whole number of 16 bits, big-endian (network order), at `offset` (0 unless told).
   *
   * @returns the offset behind it
   * @throws RangeError if it does not fit, or lies beyond the end
   */
  writeUInt16BE(value: number, offset?: number): number;
  /**
   * Writes an unsigned whole number of 32 bits, little-endian, at `offset` (0 unless told).
   *
   * @returns the offset behind it
   * @throws RangeError if it does not fit, or lies beyond the end
   */
  writeUInt32LE(value: number, offset?: number): number;
  /**
   * Writes an unsigned whole number of 32 bits, big-endian (network order), at `offset` (0 unless told).
   *
   * @returns the offset behind it
   * @throws RangeError if it does not fit, or lies beyond the end
   */
  writeUInt32BE(value: number, offset?: number): number;
  /**
   * Writes a signed whole number of 8 bits, at `offset` (0 unless told).
   *
   * @returns the offset behind it
   * @throws RangeError if it does not fit, or lies beyond the end
   */
  writeInt8(value: number, offset?: number): number;
  /**
   * Writes a signed whole number of 16 bits, little-endian, at `offset` (0 unless told).
   *
   * @returns the offset behind it
   * @throws RangeError if it does not fit, or lies beyond the end
   */
  writeInt16LE(value: number, offset?: number): number;
  /**
   * Writes a signed whole number of 16 bits, big-endian (network order), at `offset` (0 unless told).
   *
   * @returns the offset behind it
   * @throws RangeError if it does not fit, or lies beyond the end
   */
  writeInt16BE(value: number, offset?: number): number;
  /**
   * Writes a signed whole number of 32 bits, little-endian, at `offset` (0 unless told).
   *
   * @returns the offset behind it
   * @throws RangeError if it does not fit, or lies beyond the end
   */
  writeInt32LE(value: number, offset?: number): number;
  /**
   * Writes a signed whole number of 32 bits, big-endian (network order), at `offset` (0 unless told).
   *
   * @returns the offset behind it
   * @throws RangeError if it does not fit, or lies beyond the end
   */
  writeInt32BE(value: number, offset?: number): number;
  /**
   * Writes an unsigned whole number, little-endian, at `offset`, in `byteLength` bytes (1 to 6).
   *
   * @returns the offset behind it
   * @throws RangeError if it does not fit, or lies beyond the end
   */
  writeUIntLE(value: number, offset: number, byteLength: number): number;
  /**
   * Writes an unsigned whole number, big-endian (network order), at `offset`, in `byteLength` bytes (1 to 6).
   *
   * @returns the offset behind it
   * @throws RangeError if it does not fit, or lies beyond the end
   */
  writeUIntBE(value: number, offset: number, byteLength: number): number;
  /**
   * Writes a signed whole number, little-endian, at `offset`, in `byteLength` bytes (1 to 6).
   *
   * @returns the offset behind it
   * @throws RangeError if it does not fit, or lies beyond the end
   */
  writeIntLE(value: number, offset: number, byteLength: number): number;
  /**
   * Writes a signed whole number, big-endian (network order), at `offset`, in `byteLength` bytes (1 to 6).
   *
   * @returns the offset behind it
   * @throws RangeError if it does not fit, or lies beyond the end
   */
  writeIntBE(value: number, offset: number, byteLength: number): number;
  /**
   * Writes a floating-point number of 32 bits, little-endian, at `offset` (0 unless told).
   *
   * @returns the offset behind it
   * @throws RangeError if it does not fit, or lies beyond the end
   */
  writeFloatLE(value: number, offset?: number): number;
  /**
   * Writes a floating-point number of 32 bits, big-endian, at `offset` (0 unless told).
   *
   * @returns the offset behind it
   * @throws RangeError if it does not fit, or lies beyond the end
   */
  writeFloatBE(value: number, offset?: number): number;
  /**
   * Writes a floating-point number of 64 bits, little-endian, at `offset` (0 unless told).
   *
   * @returns the offset behind it
   * @throws RangeError if it does not fit, or lies beyond the end
   */
  writeDoubleLE(value: number, offset?: number): number;
  /**
   * Writes a floating-point number of 64 bits, big-endian, at `offset` (0 unless told).
   *
   * @returns the offset behind it
   * @throws RangeError if it does not fit, or lies beyond the end
   */
  writeDoubleBE(value: number, offset?: number): number;
  /**
   * Writes an unsigned whole number of 64 bits, little-endian, at `offset` (0 unless told).
   *
   * @returns the offset behind it
   * @throws RangeError if it does not fit, or lies beyond the end
   */
  writeBigUInt64LE(value: bigint, offset?: number): number;
  /**
   * Writes an unsigned whole number of 64 bits, big-endian (network order), at `offset` (0 unless told).
   *
   * @returns the offset behind it
   * @throws RangeError if it does not fit, or lies beyond the end
   */
  writeBigUInt64BE(value: bigint, offset?: number): number;
  /**
   * Writes a signed whole number of 64 bits, little-endian, at `offset` (0 unless told).
   *
   * @returns the offset behind it
   * @throws RangeError if it does not fit, or lies beyond the end
   */
  writeBigInt64LE(value: bigint, offset?: number): number;
  /**
   * Writes a signed whole number of 64 bits, big-endian (network order), at `offset` (0 unless told).
   *
   * @returns the offset behind it
   * @throws RangeError if it does not fit, or lies beyond the end
   */
  writeBigInt64BE(value: bigint, offset?: number): number;
}

/** Makes Buffers; `new Buffer` is not for scripts. */
declare const Buffer: {
  /** What all Buffers have. */
  readonly prototype: Buffer;
  /**
   * The bytes of a text.
   *
   * @param encoding - utf8 unless told; what is no hex or base64 ends the bytes
   */
  from(text: string, encoding?: BufferEncoding): Buffer;
  /** A copy of bytes; of numbers the lowest 8 bits. */
  from(bytes: Uint8Array | readonly number[]): Buffer;
  /** A view of memory, not a copy. */
  from(memory: ArrayBuffer | SharedArrayBuffer, byteOffset?: number, length?: number): Buffer;
  /** New memory, filled with zeros unless told. */
  alloc(size: number, fill?: string | Uint8Array | number, encoding?: BufferEncoding): Buffer;
  /** New memory with whatever is in it: to be written over. */
  allocUnsafe(size: number): Buffer;
  /** A copy of all, one after the other, cut or filled with zeros to `totalLength`. */
  concat(list: readonly Uint8Array[], totalLength?: number): Buffer;
  /** Order by bytes, for `sort`. */
  compare(a: Uint8Array, b: Uint8Array): -1 | 0 | 1;
  /** How many bytes a text has in an encoding, utf8 unless told. */
  byteLength(text: string | Uint8Array | ArrayBuffer, encoding?: BufferEncoding): number;
  /** Whether a value is a Buffer. */
  isBuffer(value: unknown): value is Buffer;
  /** Whether a text names an encoding. */
  isEncoding(encoding: string): encoding is BufferEncoding;
};

/** Text to UTF-8. */
interface TextEncoder {
  /** Always `utf-8`. */
  readonly encoding: 'utf-8';
  /** The text's bytes. */
  encode(text?: string): Uint8Array<ArrayBuffer>;
  /** Writes as much as fits. It tells how many units of the text were read, and bytes written. */
  encodeInto(text: string, target: Uint8Array): { read: number; written: number };
}
/** Text to UTF-8. */
declare const TextEncoder: {
  /** An encoder; it has no state. */
  new (): TextEncoder;
  /** What all have. */
  readonly prototype: TextEncoder;
};

/** Bytes to text; with `stream` a character may be split between two calls. */
interface TextDecoder {
  /** The encoding's name, in lower case. */
  readonly encoding: string;
  /** Whether what is not in the encoding throws. */
  readonly fatal: boolean;
  /** Whether a byte order mark is kept. */
  readonly ignoreBOM: boolean;
  /**
   * The text of bytes.
   *
   * @param options - `stream`: more will follow
   * @throws TypeError if `fatal` and they are not in the encoding
   */
  decode(bytes?: ArrayBuffer | ArrayBufferView, options?: { readonly stream?: boolean }): string;
}
/** Bytes to text. */
declare const TextDecoder: {
  /**
   * A decoder.
   *
   * @param encoding - utf-8 unless told
   * @throws RangeError for an unknown encoding
   */
  new (encoding?: string, options?: { readonly fatal?: boolean; readonly ignoreBOM?: boolean }): TextDecoder;
  /** What all have. */
  readonly prototype: TextDecoder;
};

/**
 * Base64 to a string with a byte in each character. For bytes take `Buffer.from(text, 'base64')`.
 *
 * @throws DOMException if it is no base64
 */
declare function atob(base64: string): string;
/**
 * A string with a byte in each character to base64. For bytes take `buffer.toString('base64')`.
 *
 * @throws DOMException if a character is above U+00FF
 */
declare function btoa(binary: string): string;
/**
 * A deep copy: also of Map, Set, Date, RegExp, errors, typed arrays and circles.
 *
 * @param options - `transfer`: memory to move instead of copying
 * @throws DOMException for functions and other things that cannot be copied
 */
declare function structuredClone<T>(value: T, options?: { readonly transfer?: readonly ArrayBuffer[] }): T;

/** An error with a name of the web's list, such as `AbortError` or `DataCloneError`. */
interface DOMException extends Error {
  /** A number, for old names; else 0. */
  readonly code: number;
}
/** The web's errors. */
declare const DOMException: {
  /** An error; its name is `Error` unless told. */
  new (message?: string, name?: string): DOMException;
  /** What all have. */
  readonly prototype: DOMException;
};

// ---------------------------------------------------------------------------------------------- addresses

/** An address of the web, in parts; each may be set, and the others follow. */
interface URL {
  /** `#fragment`, or empty. */
  hash: string;
  /** Name and port. */
  host: string;
  /** Name without the port. */
  hostname: string;
  /** All of it. */
  href: string;
  /** Protocol, name and port. */
  readonly origin: string;
  /** Of `user:password@`; `fetch` refuses it. */
  password: string;
  /** From the first `/` to the query. */
  pathname: string;
  /** Digits; empty for the protocol's own. */
  port: string;
  /** `http:`, `https:`, … */
  protocol: string;
  /** `?query`, or empty. */
  search: string;
  /** The query in parts; a change of them changes the address. */
  readonly searchParams: URLSearchParams;
  /** Of `user:password@`; `fetch` refuses it. */
  username: string;
  /** As `href`. */
  toString(): string;
  /** As `href`. */
  toJSON(): string;
}
/** Addresses of the web. */
declare const URL: {
  /**
   * Takes an address apart.
   *
   * @param base - what a relative address is relative to
   * @throws TypeError if it is none
   */
  new (url: string | URL, base?: string | URL): URL;
  /** What all have. */
  readonly prototype: URL;
  /** Whether `new URL` would take it. */
  canParse(url: string | URL, base?: string | URL): boolean;
};

/** The query of an address: names and values in order, escaped by itself. */
interface URLSearchParams extends Iterable<[string, string]> {
  /** How many pairs there are. */
  readonly size: number;
  /** Adds a pair at the end. */
  append(name: string, value: string): void;
  /** Takes out all pairs of that name, or of that name and value. */
  delete(name: string, value?: string): void;
  /** The first value of a name, or null. */
  get(name: string): string | null;
  /** All values of a name. */
  getAll(name: string): string[];
  /** Whether there is a pair of that name, or of that name and value. */
  has(name: string, value?: string): boolean;
  /** One pair in place of all of that name. */
  set(name: string, value: string): void;
  /** Orders the pairs by name. */
  sort(): void;
  /** Calls `run` for each pair. */
  forEach(run: (value: string, name: string, parent: URLSearchParams) => void): void;
  /** The pairs. */
  entries(): IterableIterator<[string, string]>;
  /** The names. */
  keys(): IterableIterator<string>;
  /** The values. */
  values(): IterableIterator<string>;
  /** As it stands in an address, without the `?`. */
  toString(): string;
}
/** Queries of addresses. */
declare const URLSearchParams: {
  /** Takes a query apart, or puts one together. */
  new (init?: string | URLSearchParams | Readonly<Record<string, string>> | Iterable<readonly [string, string]>): URLSearchParams;
  /** What all have. */
  readonly prototype: URLSearchParams;
};

// ---------------------------------------------------------------------------------------------- cancellation

/** Tells code that takes one to stop; `fetch` has `timeoutMs` instead. */
interface AbortSignal {
  /** Whether it has been told. */
  readonly aborted: boolean;
  /** Why; undefined before. */
  readonly reason: unknown;
  /**
   * Does nothing before.
   *
   * @throws the reason, once it has been told
   */
  throwIfAborted(): void;
  /** Calls the listener when it is told. */
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void;
  /** Calls it no more. */
  removeEventListener(type: 'abort', listener: () => void): void;
}
/** Signals that need no controller. */
declare const AbortSignal: {
  /** What all have. */
  readonly prototype: AbortSignal;
  /** One that has been told already. */
  abort(reason?: unknown): AbortSignal;
  /** One that is told after a time, ms. It does not keep the script alive. */
  timeout(ms: number): AbortSignal;
  /** One that is told as soon as any of them is. */
  any(signals: readonly AbortSignal[]): AbortSignal;
};

/** Has a signal, and tells it. */
interface AbortController {
  /** What is handed to the code that may be stopped. */
  readonly signal: AbortSignal;
  /** Tells it; the reason is an `AbortError` unless given. */
  abort(reason?: unknown): void;
}
/** Controllers of signals. */
declare const AbortController: {
  /** One whose signal has not been told. */
  new (): AbortController;
  /** What all have. */
  readonly prototype: AbortController;
};
