/** What a script's process reports on its descriptor 1: lines, in pieces, and errors. */
import type { Readable } from 'node:stream';
import type { OutputLevel, ScriptError } from '../protocol';
import { LAST_PIECE, MAX_REPORT_BYTES, OUTPUT_LEVELS, REPORT_ERROR } from './script/report';
import { FrameReader } from './script/wire';

export interface OutputHandler {
  /** A piece of a line, UTF-8; a view valid during the call. @param last whether the line ends with it */
  output(level: OutputLevel, piece: Buffer, last: boolean): void;
  error(error: ScriptError): void;
  /** The stream is broken: the script's process is not to be trusted any further. */
  broken(reason: string): void;
}

export class OutputReader {
  constructor(
    private readonly stream: Readable,
    handler: OutputHandler,
  ) {
    const reader = new FrameReader(
      {
        message(op, id, payload) {
          const level = OUTPUT_LEVELS[op];
          if (level !== undefined) return handler.output(level, payload, id === LAST_PIECE);
          const error = op === REPORT_ERROR ? parseError(payload) : null;
          if (error === null) handler.broken(`a report of unknown kind ${op}`);
          else handler.error(error);
        },
        data: () => handler.broken('data among the reports'),
      },
      MAX_REPORT_BYTES,
      true,
    );
    stream.on('data', (chunk: Buffer) => {
      const failure = reader.push(chunk);
      if (failure !== null) handler.broken(failure);
    });
  }

  /** While paused nothing is read, and a script that prints is held up once the pipe is full. */
  setPaused(paused: boolean): void {
    if (paused) this.stream.pause();
    else this.stream.resume();
  }
}

/** A script's process is not trusted: what it says is an error must look like one. */
export function parseError(payload: Buffer): ScriptError | null {
  try {
    return toScriptError(JSON.parse(payload.toString()));
  } catch {
    return null;
  }
}

const KINDS: readonly ScriptError['kind'][] = ['syntax', 'throw', 'rejection', 'handler', 'stuck'];

export function toScriptError(value: unknown): ScriptError | null {
  if (typeof value !== 'object' || value === null || !('kind' in value) || !('message' in value) || !('stack' in value) || !('location' in value)) return null;
  const kind = KINDS.find((known) => known === value.kind);
  if (kind === undefined || typeof value.message !== 'string' || typeof value.stack !== 'string') return null;
  return { kind, message: value.message, stack: value.stack, location: toLocation(value.location) };
}

function toLocation(value: unknown): ScriptError['location'] {
  if (typeof value !== 'object' || value === null || !('file' in value) || !('line' in value) || !('column' in value)) return null;
  const { file, line, column } = value;
  return typeof file === 'string' && typeof line === 'number' && typeof column === 'number' ? { file, line, column } : null;
}

/** Joins pieces to lines and holds the output to a rate; what exceeds it is dropped, and the count told. */
export class LineLimiter {
  private windowStart = -Infinity;
  private used = 0;
  private dropped = 0;
  private pieces: Buffer[] = [];
  private pieceBytes = 0;
  /** Bytes that the present line was cut by. */
  private cut = 0;

  constructor(
    private readonly bytesPerSecond: number,
    private readonly now: () => number,
    private readonly emit: (level: OutputLevel, text: string) => void,
  ) {}

  add(level: OutputLevel, piece: Buffer, last: boolean): void {
    // A line can be no longer than what may be passed on in a second: the rest is dropped and counted.
    const room = Math.max(0, this.bytesPerSecond - this.pieceBytes);
    const kept = Math.min(room, piece.length);
    // Not the empty ones: there can be any number of them.
    if (kept > 0) this.pieces.push(Buffer.from(piece.subarray(0, kept)));
    this.pieceBytes += kept;
    this.cut += Math.max(0, piece.length - room);
    if (!last) return;
    const line = this.pieces.length === 1 && this.pieces[0] ? this.pieces[0] : Buffer.concat(this.pieces);
    this.pieces = [];
    this.pieceBytes = 0;
    this.line(level, line);
    this.dropped += this.cut;
    this.cut = 0;
  }

  /** Tells what was dropped since it was last told. */
  flush(): void {
    if (this.dropped === 0) return;
    const text = `[riftnet] ${this.dropped} bytes of output were dropped: the limit is ${this.bytesPerSecond} bytes a second; print less, or raise the output limit`;
    this.dropped = 0;
    this.emit('warn', text);
  }

  /** Whether this many bytes may be passed on now; if not they are dropped, and the count is told later. */
  admit(bytes: number): boolean {
    const now = this.now();
    if (now - this.windowStart >= 1_000) {
      this.flush();
      this.windowStart = now;
      this.used = 0;
    }
    if (this.used > 0 && this.used + bytes > this.bytesPerSecond) {
      this.dropped += bytes;
      return false;
    }
    this.used += bytes;
    return true;
  }

  private line(level: OutputLevel, line: Buffer): void {
    if (this.admit(line.length + 1)) this.emit(level, line.toString());
  }
}
