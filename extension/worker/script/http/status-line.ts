/**
 * What comes before a response's own head is read here, in front of the parser: interim responses
 * (RFC 9110 §15.2: a client parses any number of them, asked for or not), which the parser takes for an error
 * where nothing was asked for, and a status line that comes in pieces, of which it keeps only the last.
 */
import { Buffer } from 'node:buffer';
import { NetworkError } from './stream';

/** Longest status line, bytes: a reason phrase is a few words. */
const MAX_STATUS_LINE_BYTES = 8 << 10;
/** All interim responses before one response, bytes: some 2 000 of the kind that says that work goes on. */
const MAX_INTERIM_BYTES = 64 << 10;

/** 101 ends HTTP on this connection: that is for the parser to refuse. */
const INTERIM = /^HTTP\/1\.[01] 1(?!01)\d\d\b/;
const NOTHING = Buffer.alloc(0);

export class StatusLineReader {
  private state: 'through' | 'line' | 'interim' = 'through';
  private held: Buffer = NOTHING;
  private interimBytes = 0;
  private started = false;

  /** A request is about to be sent: what comes next begins with a status line. */
  expect(): void {
    this.state = 'line';
    this.held = NOTHING;
    this.interimBytes = 0;
    this.started = false;
  }

  /** Whether anything has come since the request. */
  get answered(): boolean {
    return this.started;
  }

  /** @returns what the parser is to read, empty if that is still to come. @throws NetworkError for a line without end */
  take(chunk: Buffer): Buffer {
    this.started = true;
    if (this.state === 'through') return chunk;
    let bytes = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk]);
    this.held = NOTHING;
    for (;;) {
      if (this.state === 'interim') {
        const length = headLength(bytes);
        if (this.interimBytes + (length ?? bytes.length) > MAX_INTERIM_BYTES) throw new NetworkError('EPROTO', `the server sent more than ${MAX_INTERIM_BYTES} bytes of interim responses (status 1xx)`);
        if (length === null) return this.hold(bytes);
        this.interimBytes += length;
        bytes = bytes.subarray(length);
        this.state = 'line';
      }
      const end = bytes.indexOf('\n');
      if (end < 0 && bytes.length <= MAX_STATUS_LINE_BYTES && mayBeStatusLine(bytes)) return this.hold(bytes);
      if (end < 0 && mayBeStatusLine(bytes)) throw new NetworkError('EPROTO', `the server sent a status line of more than ${MAX_STATUS_LINE_BYTES} bytes`);
      if (!INTERIM.test(bytes.toString('latin1', 0, 16))) {
        this.state = 'through';
        return bytes;
      }
      this.state = 'interim';
    }
  }

  private hold(bytes: Buffer): Buffer {
    this.held = bytes;
    return NOTHING;
  }
}

function mayBeStatusLine(bytes: Buffer): boolean {
  return 'HTTP/'.startsWith(bytes.toString('latin1', 0, 5));
}

/** Up to and with the empty line. A line may end without a carriage return (RFC 9112 §2.2). */
function headLength(bytes: Buffer): number | null {
  for (let end = bytes.indexOf('\n'); end >= 0; end = bytes.indexOf('\n', end + 1)) {
    const next = bytes[end + 1] === 0x0d ? end + 2 : end + 1;
    if (bytes[next] === 0x0a) return next + 1;
  }
  return null;
}
