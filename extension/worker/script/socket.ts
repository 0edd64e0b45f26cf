/** `Network` and its sockets as scripts see them: polled, and silent about whatever the network does. */
import { Buffer } from 'node:buffer';
import { inspect, type InspectOptions } from 'node:util';
import type { SocketStatus } from '../../protocol';
import { checkWhole, outOfRange, shown, wrongType } from './arguments';
import { MAX_READ_BYTES, SEND_QUEUE_BYTES, type Channel } from './channel';
import { checkHost } from './host-name';
import type { WireError } from './wire';

/** How many of the script's sockets' bytes the allowance holds, for the message of a refused `read(n)`. */
export interface SocketLimits {
  readonly demandBytes: number;
}

export class Socket {
  readonly #channel: Channel;
  readonly #limits: SocketLimits;
  /** The host as the script wrote it. */
  readonly #written: string;
  #error: WireError | null = null;

  constructor(channel: Channel, limits: SocketLimits, written: string = channel.host) {
    this.#written = written;
    this.#channel = channel;
    this.#limits = limits;
  }

  get status(): SocketStatus {
    return this.#channel.status;
  }

  get error(): WireError | null {
    // A reset shows only with the status, once what came before it has been read.
    const { status, error, host } = this.#channel;
    if (status === 'connected') return null;
    if (error === null || !/(^|\.)xn--/.test(host) || this.#written === host) return error;
    // DNS takes another form of an international name than the script wrote.
    return (this.#error ??= { ...error, message: error.message.replace(host, () => `${this.#written} (${host})`) });
  }

  get host(): string {
    return this.#channel.host;
  }

  get remoteAddress(): string | null {
    const address = this.#channel.remoteAddress;
    return address === null ? null : [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
  }

  get remotePort(): number {
    return this.#channel.remotePort;
  }

  get localPort(): number | null {
    return this.#channel.localPort;
  }

  get bufferedAmount(): number {
    return this.#channel.bufferedAmount;
  }

  get bytesRead(): number {
    return this.#channel.bytesRead;
  }

  get bytesWritten(): number {
    return this.#channel.bytesWritten;
  }

  write(data: unknown, encoding?: unknown): boolean {
    return this.#channel.write(bytesOf(data, encoding));
  }

  read(n?: unknown): Buffer | null {
    if (n === undefined) return this.#channel.readAll();
    checkWhole('socket.read(n)', 'n', n, 0, MAX_READ_BYTES);
    const result = this.#channel.readExactly(n);
    if (result !== 'too-much') return result;
    throw new RangeError(
      `socket.read(n): n is ${n}, but the pending reads of this script's sockets may hold ${this.#limits.demandBytes} bytes together; ` +
        'read in smaller parts, or raise the script\'s memory limit (option --memory, setting riftnet.memoryLimit)',
    );
  }

  close(): void {
    this.#channel.close();
  }

  /** What `print(socket)` shows: its state lives behind getters, which Node leaves out. */
  [inspect.custom](depth: number, options: InspectOptions): string {
    if (depth < 0) return '[Socket]';
    const { status, error, host, remoteAddress, remotePort, localPort, bufferedAmount, bytesRead, bytesWritten } = this;
    return `Socket ${inspect({ status, error, host, remoteAddress, remotePort, localPort, bufferedAmount, bytesRead, bytesWritten }, options)}`;
  }
}

/** The bytes that `write` was given, checked before anything is queued. */
function bytesOf(data: unknown, encoding: unknown): Uint8Array {
  let bytes: Uint8Array;
  if (typeof data === 'string') bytes = Buffer.from(data, checkEncoding(encoding));
  else if (data instanceof Uint8Array) bytes = data;
  else if (Array.isArray(data)) bytes = bytesOfArray(data);
  else throw wrongType('socket.write(data)', 'data', 'a string, a Buffer, a Uint8Array or an array of bytes', data);
  checkSize(bytes.length);
  return bytes;
}

function checkSize(bytes: number): void {
  if (bytes <= SEND_QUEUE_BYTES) return;
  throw new RangeError(`socket.write(data): data has ${bytes} bytes, more than the whole send queue of ${SEND_QUEUE_BYTES}; write it in parts`);
}

function bytesOfArray(values: readonly unknown[]): Uint8Array {
  // Before memory is asked for: an array's length can be anything.
  checkSize(values.length);
  const bytes = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value !== 'number') throw wrongType('socket.write(bytes)', `bytes[${i}]`, 'a number', value);
    if (!Number.isInteger(value) || value < 0 || value > 255) throw outOfRange('socket.write(bytes)', `bytes[${i}]`, 'a whole number from 0 to 255', value);
    bytes[i] = value;
  }
  return bytes;
}

function checkEncoding(encoding: unknown): BufferEncoding {
  if (encoding === undefined) return 'utf8';
  if (typeof encoding === 'string' && Buffer.isEncoding(encoding)) return encoding;
  throw new TypeError(`socket.write(text, encoding): unknown encoding ${shown(encoding)}; known are utf8, utf16le, latin1, ascii, hex, base64 and base64url`);
}

/** Who tells that a socket is forgotten: the collector of garbage, or a test in its place. */
export type WatchForgotten = (forgotten: (channel: Channel) => void) => Pick<FinalizationRegistry<Channel>, 'register'>;

const watchByCollector: WatchForgotten = (forgotten) => new FinalizationRegistry(forgotten);

/** @param watch has a function called with each socket's channel once nothing refers to the socket any more */
export function createNetwork(
  open: (host: string, port: number) => Channel, limits: SocketLimits, watch: WatchForgotten = watchByCollector,
): { Connect(host: unknown, port: unknown): Socket } {
  // Nobody can read or write a socket that nothing refers to any more: what it has queued is sent, and it closes, like
  // one that was forgotten with unread data after its peer had closed.
  const forgotten = watch((channel) => channel.close());
  return Object.freeze({
    Connect(host: unknown, port: unknown): Socket {
      const name = checkHost('Network.Connect(host, port)', host);
      checkWhole('Network.Connect(host, port)', 'port', port, 1, 65_535);
      const channel = open(name, port);
      const socket = new Socket(channel, limits, String(host));
      forgotten.register(socket, channel);
      return socket;
    },
  });
}
