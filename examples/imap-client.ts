/** As much of IMAP as a dialogue needs: tagged commands, untagged answers, and literals (RFC 9051 §2.2 and §4.3). */

/** An answer's line, in which each literal has been replaced by its `{n}`. */
export interface ImapLine {
  readonly text: string;
  readonly literals: readonly Buffer[];
}

/** A line may have this many bytes. */
const MAX_LINE_BYTES = 64 * 1024;

export class ImapClient {
  /** The server's first line. */
  greeting = '';
  private unread = Buffer.alloc(0);
  private lastTag = 0;

  private constructor(readonly socket: Socket) {}

  static async connect(host: string, port: number): Promise<ImapClient> {
    const socket = Network.Connect(host, port);
    while (socket.status === 'connecting') await Event.OnTick;
    const client = new ImapClient(socket);
    client.greeting = (await client.line()).text;
    if (!client.greeting.startsWith('* OK')) throw new Error(`the server does not greet: ${client.greeting}`);
    return client;
  }

  /** Sends a command. @returns the untagged lines that came before its end @throws Error if the server says NO or BAD */
  async call(command: string): Promise<ImapLine[]> {
    const tag = this.send(command);
    return this.until(tag, command);
  }

  /** Stores a message in a mailbox, in two steps: the server asks for the literal. */
  async append(mailbox: string, message: string): Promise<void> {
    const command = `APPEND ${mailbox}`;
    const tag = this.send(`${command} {${Buffer.byteLength(message)}}`);
    let answer = await this.line();
    // The server may tell other things first.
    while (answer.text.startsWith('* ')) answer = await this.line();
    if (!answer.text.startsWith('+')) throw new Error(`${command}: ${answer.text}`);
    this.write(`${message}\r\n`);
    await this.until(tag, command);
  }

  /** Says goodbye, and waits until the server has closed. */
  async logout(): Promise<void> {
    await this.call('LOGOUT');
    while (this.socket.status === 'connected') {
      this.socket.read();
      await Event.OnTick;
    }
  }

  private send(command: string): string {
    const tag = `a${++this.lastTag}`;
    this.write(`${tag} ${command}\r\n`);
    return tag;
  }

  private write(text: string): void {
    if (!this.socket.write(text)) throw new Error(this.socket.error?.message ?? 'the connection is closed');
  }

  private async until(tag: string, command: string): Promise<ImapLine[]> {
    const lines: ImapLine[] = [];
    for (;;) {
      const line = await this.line();
      if (!line.text.startsWith(`${tag} `)) lines.push(line);
      else if (line.text.startsWith(`${tag} OK`)) return lines;
      // Not the arguments: a password may be among them.
      else throw new Error(`${command.split(' ')[0]}: ${line.text.slice(tag.length + 1)}`);
    }
  }

  private async line(): Promise<ImapLine> {
    const literals: Buffer[] = [];
    let text = '';
    for (;;) {
      text += await this.plainLine();
      const length = /\{(\d+)\}$/.exec(text)?.[1];
      if (length === undefined) return { text, literals };
      literals.push(await this.bytes(Number(length)));
    }
  }

  private async plainLine(): Promise<string> {
    for (;;) {
      const end = this.unread.indexOf('\r\n');
      if (end >= 0) {
        const text = this.unread.toString('utf8', 0, end);
        this.unread = this.unread.subarray(end + 2);
        return text;
      }
      if (this.unread.length > MAX_LINE_BYTES) throw new Error(`a line of more than ${MAX_LINE_BYTES} bytes`);
      await this.more();
    }
  }

  private async bytes(length: number): Promise<Buffer> {
    while (this.unread.length < length) await this.more();
    const bytes = this.unread.subarray(0, length);
    this.unread = this.unread.subarray(length);
    return bytes;
  }

  /** Waits for bytes. @throws Error if the connection ends first */
  private async more(): Promise<void> {
    for (;;) {
      const data = this.socket.read();
      if (data !== null) {
        this.unread = Buffer.concat([this.unread, data]);
        return;
      }
      if (this.socket.status !== 'connected') throw new Error(this.socket.error?.message ?? 'the server closed the connection');
      await Event.OnTick;
    }
  }
}
