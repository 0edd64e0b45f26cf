/** Lines of text over a socket: what arrives in pieces comes out line by line. */

/** A line may have this many bytes; a peer that sends more without an end is not waited for. */
const MAX_LINE_BYTES = 64 * 1024;

export class Lines {
  private rest = Buffer.alloc(0);

  constructor(readonly socket: Socket) {}

  /** The lines that are complete by now, without their ends; call it once a tick. */
  poll(): string[] {
    const data = this.socket.read();
    if (data === null) return [];
    // Cut as bytes: a character may be split between two pieces, and LF occurs in no other character of UTF-8.
    const bytes = Buffer.concat([this.rest, data]);
    const end = bytes.lastIndexOf('\n') + 1;
    this.rest = bytes.subarray(end);
    if (this.rest.length > MAX_LINE_BYTES) throw new Error(`${this.socket.host} sent more than ${MAX_LINE_BYTES} bytes without a line end`);
    if (end === 0) return [];
    return bytes.toString('utf8', 0, end - 1).split('\n').map((line) => line.replace(/\r$/, ''));
  }

  send(line: string): void {
    if (!this.socket.write(`${line}\n`)) throw new Error(`${this.socket.host}: ${this.socket.error?.message ?? 'the connection is closed'}`);
  }
}
