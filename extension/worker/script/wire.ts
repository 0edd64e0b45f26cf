/**
 * The protocol on the pipe (descriptor 3) between the worker and a script's process. Both directions
 * carry frames: `u32 payload length, u8 operation, u32 socket id`, little-endian, then the payload.
 * Socket data travel as they are; the rare control messages carry small JSON.
 *
 * Flow control is by credit, in both directions alike: the receiver names the offset in the stream of
 * bytes up to which it will take data (`limit`), the sender never goes beyond it. Offsets are whole
 * numbers in a float64, exact up to 2⁵³.
 *
 * Both sides bundle it.
 */
import { Buffer } from 'node:buffer';
import type { ScriptError } from '../../protocol';

export const HEADER_BYTES = 9;
/** Frames are gathered into batches of this size: one system call each. */
export const BATCH_BYTES = 64 * 1024;
/** Largest payload of a `data` frame. */
export const MAX_DATA_BYTES = BATCH_BYTES - HEADER_BYTES;
/** Largest message from a script's process; the worker ends a script that sends a larger one. */
export const MAX_SCRIPT_MESSAGE_BYTES = 1 << 20;
/** Largest message to a script's process: its program and source map. */
export const MAX_WORKER_MESSAGE_BYTES = 512 << 20;

export const Op = {
  /** Worker -> script. `u32 length, JSON LoadOptions, u32 length, program, source map`. */
  load: 1,
  /** Script -> worker. `u16 port, u32 fetch id (0: none), f64 limit, host`. */
  open: 2,
  /** Worker -> script: connected. OpenedMessage: `u32, u16, u16, f64, f64, f64`. */
  opened: 3,
  /** Both ways: bytes of the stream. */
  data: 4,
  /** Both ways. `f64 limit, f64 acknowledged`: the second only from the worker, bytes the peer has acknowledged. */
  credit: 5,
  /** Script -> worker: everything written has been handed over; close in order. Worker -> script: asks the script's side to close. */
  close: 6,
  /** Script -> worker: reset the connection. */
  abort: 7,
  /** Worker -> script: writes are refused from now on, received data still follow. */
  broken: 8,
  /** Worker -> script: the peer has closed, and all its data have been sent before this. */
  fin: 9,
  /** Worker -> script: the connection ended abnormally, after all received data. JSON WireError. */
  failed: 10,
  /** Worker -> script: nothing more will be said about this socket. */
  closed: 11,
  /** Script -> worker: a JSON FetchReport without the run's id. */
  fetch: 12,
  /** Script -> worker: the script is over; JSON EndMessage. The process then hands over what is queued, closes its side, and exits once the worker has closed the other. */
  end: 13,
  /** Script -> worker: the program has arrived, and runs from now on. */
  running: 14,
  /** Script -> worker: asks for the same back. Worker -> script: all that was under way before the question has come. */
  sync: 15,
  /** Script -> worker: the script has closed; what it had queued still follows, and then `close`. */
  closing: 16,
} as const;
export type Op = (typeof Op)[keyof typeof Op];

export interface WireError {
  readonly code: string;
  readonly message: string;
}

export interface LoadOptions {
  /** Absolute path of the script: what the mapped stack shows if the map says nothing. */
  readonly file: string;
  /** Absolute folder the source map's sources are relative to. */
  readonly sourceRoot: string;
  /** Hz. */
  readonly tickRate: number;
  readonly memoryMb: number;
  /** PEM of authorities that fetch trusts beside Node's own; may be empty: the process may read no file. */
  readonly extraCaCertificates: string;
  /** Name of the program in V8's stack traces. */
  readonly programName: string;
  /** A debugger may hold the script up: time in which it does is nobody's delay. */
  readonly debug: boolean;
}

export interface FrameHandler {
  /** A whole message. `payload` is valid only during the call. */
  message(op: number, id: number, payload: Buffer): void;
  /** Some bytes of a `data` frame, in order: a view of the chunk given to `push`, valid only during the call. */
  data(id: number, bytes: Buffer): void;
}

/** Takes chunks as the pipe gives them and hands on frames; the bytes of `data` frames without copying. */
export class FrameReader {
  private readonly header = Buffer.alloc(HEADER_BYTES);
  private headerUsed = 0;
  /** Bytes of the present payload still to come; meaningless while the header is incomplete. */
  private missing = 0;
  private op = 0;
  private id = 0;
  /** The message under way, gathered over several chunks; null for data, or if it has not begun. */
  private gathered: Buffer | null = null;
  private failure: string | null = null;

  constructor(
    private readonly handler: FrameHandler,
    private readonly maxMessageBytes: number,
    /** Whether every frame is a message: a stream whose operations are others than those of `Op`. */
    private readonly messagesOnly = false,
  ) {}

  /** @returns null, or what is wrong with the stream; afterwards nothing more is read from it. */
  push(chunk: Buffer): string | null {
    let at = 0;
    while (this.failure === null && at < chunk.length) {
      at = this.headerUsed < HEADER_BYTES ? this.readHeader(chunk, at) : this.readPayload(chunk, at);
    }
    return this.failure;
  }

  private get isData(): boolean {
    return this.op === Op.data && !this.messagesOnly;
  }

  private readHeader(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + HEADER_BYTES - this.headerUsed);
    chunk.copy(this.header, this.headerUsed, at, end);
    this.headerUsed += end - at;
    if (this.headerUsed < HEADER_BYTES) return end;
    this.missing = this.header.readUInt32LE(0);
    this.op = this.header[4] ?? 0;
    this.id = this.header.readUInt32LE(5);
    const max = this.isData ? MAX_DATA_BYTES : this.maxMessageBytes;
    if (this.missing > max) this.failure = `a message of type ${this.op} with ${this.missing} bytes; at most ${max} are allowed`;
    else if (this.missing === 0) this.finish(chunk.subarray(0, 0));
    return end;
  }

  private readPayload(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.missing);
    const part = chunk.subarray(at, end);
    if (this.isData) {
      this.missing -= part.length;
      if (this.missing === 0) this.headerUsed = 0;
      this.handler.data(this.id, part);
    } else if (this.gathered === null && part.length === this.missing) {
      this.finish(part);
    } else {
      this.gather(part);
    }
    return end;
  }

  private gather(part: Buffer): void {
    this.gathered ??= Buffer.allocUnsafe(this.missing);
    part.copy(this.gathered, this.gathered.length - this.missing);
    this.missing -= part.length;
    if (this.missing > 0) return;
    const whole = this.gathered;
    this.gathered = null;
    this.finish(whole);
  }

  private finish(payload: Buffer): void {
    this.headerUsed = 0;
    if (!this.isData) this.handler.message(this.op, this.id, payload);
  }
}

/** Where batches go: `done` is called once the system has taken the bytes. */
export interface FrameSink {
  write(bytes: Uint8Array, done: () => void): void;
}

/** Gathers frames into batches; a batch leaves when it is full, or at the end of the present turn. */
export class FrameWriter {
  private batch: Buffer | null = null;
  private used = 0;
  private scheduled = false;
  private readonly spare: Buffer[] = [];
  private pending = 0;
  /** Called when the backlog has fallen to nothing. */
  onDrain: (() => void) | null = null;

  /** @param soon runs its argument at the end of the present turn */
  constructor(
    private readonly sink: FrameSink,
    private readonly soon: (run: () => void) => void,
  ) {}

  /** Bytes given to the sink that the system has not taken yet, and those of the batch. */
  get backlog(): number {
    return this.pending + this.used;
  }

  /** A control message. The payload is copied, unless it is larger than a batch: then nobody may change it any more. */
  message(op: Op, id: number, payload: Uint8Array = EMPTY): void {
    if (payload.length > MAX_DATA_BYTES) {
      this.header(op, id, payload.length);
      this.flush();
      this.pass(payload, null);
      return;
    }
    const batch = this.room(HEADER_BYTES + payload.length);
    this.header(op, id, payload.length);
    batch.set(payload, this.used);
    this.used += payload.length;
  }

  /** Bytes of a stream, copied into the batch. */
  data(id: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      at += this.dataFrom(id, bytes.length - at, (target) => {
        const part = bytes.subarray(at, at + target.length);
        target.set(part);
        return part.length;
      });
    }
  }

  /** Bytes of a stream that nobody changes any more: large ones leave without a copy. */
  ownedData(id: number, bytes: Uint8Array): void {
    if (bytes.length < COPY_BELOW_BYTES) return this.data(id, bytes);
    for (let at = 0; at < bytes.length; at += MAX_DATA_BYTES) {
      const part = bytes.subarray(at, at + MAX_DATA_BYTES);
      this.header(Op.data, id, part.length);
      this.flush();
      this.pass(part, null);
    }
  }

  /**
   * One `data` frame of at most `max` bytes that `fill` writes straight into the batch.
   * @returns how many bytes `fill` gave; with 0 no frame is sent
   */
  dataFrom(id: number, max: number, fill: (target: Uint8Array) => number): number {
    // A frame that would be cut short by the end of the batch begins the next one instead.
    const wanted = Math.min(max, MAX_DATA_BYTES);
    const batch = this.room(HEADER_BYTES + Math.min(wanted, COPY_BELOW_BYTES));
    const start = this.used;
    const length = fill(batch.subarray(start + HEADER_BYTES, Math.min(BATCH_BYTES, start + HEADER_BYTES + wanted)));
    if (length === 0) return 0;
    this.header(Op.data, id, length);
    this.used += length;
    return length;
  }

  /** Gives the batch to the sink now. */
  flush(): void {
    const { batch, used } = this;
    if (batch === null || used === 0) return;
    this.batch = null;
    this.used = 0;
    this.pass(batch.subarray(0, used), batch);
  }

  private pass(bytes: Uint8Array, reuse: Buffer | null): void {
    this.pending += bytes.length;
    this.sink.write(bytes, () => {
      this.pending -= bytes.length;
      if (reuse !== null && this.spare.length < MAX_SPARE) this.spare.push(reuse);
      if (this.pending === 0) this.onDrain?.();
    });
  }

  private header(op: Op, id: number, length: number): void {
    const batch = this.room(HEADER_BYTES);
    batch.writeUInt32LE(length, this.used);
    batch[this.used + 4] = op;
    batch.writeUInt32LE(id, this.used + 5);
    this.used += HEADER_BYTES;
  }

  /** A batch with at least `bytes` free. */
  private room(bytes: number): Buffer {
    if (this.batch !== null && this.used + bytes > BATCH_BYTES) this.flush();
    this.batch ??= this.spare.pop() ?? Buffer.allocUnsafeSlow(BATCH_BYTES);
    if (!this.scheduled) {
      this.scheduled = true;
      this.soon(() => {
        this.scheduled = false;
        this.flush();
      });
    }
    return this.batch;
  }
}

const EMPTY = new Uint8Array(0);
const COPY_BELOW_BYTES = 8 * 1024;
const MAX_SPARE = 16;

export interface OpenMessage {
  readonly port: number;
  readonly fetchId: number;
  readonly limit: number;
  readonly host: string;
}

export function encodeOpen(message: OpenMessage): Buffer {
  const host = Buffer.from(message.host);
  const out = Buffer.allocUnsafe(14 + host.length);
  out.writeUInt16LE(message.port, 0);
  out.writeUInt32LE(message.fetchId, 2);
  out.writeDoubleLE(message.limit, 6);
  host.copy(out, 14);
  return out;
}

/** @returns null if the payload is no such message */
export function decodeOpen(payload: Buffer): OpenMessage | null {
  if (payload.length < 14) return null;
  return {
    port: payload.readUInt16LE(0),
    fetchId: payload.readUInt32LE(2),
    limit: payload.readDoubleLE(6),
    host: payload.toString('utf8', 14),
  };
}

export interface OpenedMessage {
  readonly remoteAddress: number;
  readonly remotePort: number;
  readonly localPort: number;
  readonly limit: number;
  /** How long the name's resolution and then the handshake took, ms. */
  readonly dnsMs: number;
  readonly connectMs: number;
}

export function encodeOpened(message: OpenedMessage): Buffer {
  const out = Buffer.allocUnsafe(32);
  out.writeUInt32LE(message.remoteAddress, 0);
  out.writeUInt16LE(message.remotePort, 4);
  out.writeUInt16LE(message.localPort, 6);
  out.writeDoubleLE(message.limit, 8);
  out.writeDoubleLE(message.dnsMs, 16);
  out.writeDoubleLE(message.connectMs, 24);
  return out;
}

export function decodeOpened(payload: Buffer): OpenedMessage | null {
  if (payload.length !== 32) return null;
  return {
    remoteAddress: payload.readUInt32LE(0),
    remotePort: payload.readUInt16LE(4),
    localPort: payload.readUInt16LE(6),
    limit: payload.readDoubleLE(8),
    dnsMs: payload.readDoubleLE(16),
    connectMs: payload.readDoubleLE(24),
  };
}

export function encodeCredit(limit: number, acknowledged: number): Buffer {
  const out = Buffer.allocUnsafe(16);
  out.writeDoubleLE(limit, 0);
  out.writeDoubleLE(acknowledged, 8);
  return out;
}

export function decodeCredit(payload: Buffer): { readonly limit: number; readonly acknowledged: number } | null {
  if (payload.length !== 16) return null;
  const limit = payload.readDoubleLE(0);
  const acknowledged = payload.readDoubleLE(8);
  return Number.isSafeInteger(limit) && Number.isSafeInteger(acknowledged) ? { limit, acknowledged } : null;
}

export function encodeLoad(options: LoadOptions, program: string, sourceMap: string): Buffer {
  const head = Buffer.from(JSON.stringify(options));
  const code = Buffer.from(program);
  const out = Buffer.concat([Buffer.alloc(4), head, Buffer.alloc(4), code, Buffer.from(sourceMap)]);
  out.writeUInt32LE(head.length, 0);
  out.writeUInt32LE(code.length, 4 + head.length);
  return out;
}

/** The worker is trusted by the script's process (never the other way round): a broken message throws. */
export function decodeLoad(payload: Buffer): { readonly options: LoadOptions; readonly program: string; readonly sourceMap: string } {
  const headEnd = 4 + payload.readUInt32LE(0);
  const codeEnd = headEnd + 4 + payload.readUInt32LE(headEnd);
  const options: LoadOptions = JSON.parse(payload.toString('utf8', 4, headEnd));
  return { options, program: payload.toString('utf8', headEnd + 4, codeEnd), sourceMap: payload.toString('utf8', codeEnd) };
}

/** How a script ended, of its own accord. */
export interface EndMessage {
  readonly error: ScriptError | null;
}
