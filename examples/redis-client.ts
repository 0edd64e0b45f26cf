/** RESP2, the protocol of Redis: https://redis.io/docs/latest/develop/reference/protocol-spec/ */

/** What a command gives: text, a number, nothing, or a list of such, in which a single command may have failed. */
export type Reply = string | number | null | RedisError | Reply[];

/** What the server refused. */
export class RedisError extends Error {
  override readonly name = 'RedisError';
}

interface Call {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

/** A reply may be a list in a list this often. */
const MAX_DEPTH = 32;

export class RedisClient {
  private readonly calls: Call[] = [];
  private unread = Buffer.alloc(0);
  private readonly look = (): void => this.poll();

  private constructor(private readonly socket: Socket) {
    Event.OnTick.on(this.look);
  }

  static async connect(host: string, port: number): Promise<RedisClient> {
    const socket = Network.Connect(host, port);
    while (socket.status === 'connecting') await Event.OnTick;
    if (socket.status !== 'connected') throw new Error(socket.error?.message ?? `${host}:${port}: closed`);
    return new RedisClient(socket);
  }

  /** Sends a command; several may be under way. Rejects with a RedisError, or because the connection ended. */
  call(...words: readonly string[]): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
      if (!this.socket.write(`*${words.length}\r\n${parts.join('')}`)) return void reject(new Error('the command was not sent: closed, or too much is queued'));
      this.calls.push({ resolve, reject });
    });
  }

  close(): void {
    this.socket.close();
  }

  private poll(): void {
    const data = this.socket.read();
    try {
      if (data !== null) this.take(data);
    } catch (error) {
      this.socket.close();
      this.failAll(error instanceof Error ? error : new Error(String(error)));
    }
    if (this.socket.status === 'connected') return;
    Event.OnTick.off(this.look);
    this.failAll(new Error(this.socket.error?.message ?? 'the connection was closed'));
  }

  private take(data: Buffer): void {
    this.unread = this.unread.length === 0 ? data : Buffer.concat([this.unread, data]);
    let at = 0;
    for (;;) {
      const parsed = parse(this.unread, at, 0);
      if (parsed === null) break;
      at = parsed.end;
      const call = this.calls.shift();
      if (call === undefined) throw new Error('the server answered without being asked');
      if (parsed.value instanceof RedisError) call.reject(parsed.value);
      else call.resolve(parsed.value);
    }
    this.unread = this.unread.subarray(at);
  }

  private failAll(error: Error): void {
    for (const call of this.calls.splice(0)) call.reject(error);
  }
}

interface Parsed {
  readonly value: Reply;
  /** Offset of what follows. */
  readonly end: number;
}

/** @returns the value at an offset, or null while it is not complete @throws Error if it is none */
function parse(bytes: Buffer, at: number, depth: number): Parsed | null {
  const lineEnd = bytes.indexOf('\r\n', at);
  if (lineEnd < 0) return null;
  const text = bytes.toString('utf8', at + 1, lineEnd);
  const end = lineEnd + 2;
  switch (String.fromCharCode(bytes[at] ?? 0)) {
    case '+':
      return { value: text, end };
    case '-':
      return { value: new RedisError(text), end };
    case ':':
      return { value: Number(text), end };
    case '$': {
      const length = Number(text);
      if (length < 0) return { value: null, end };
      if (bytes.length < end + length + 2) return null;
      return { value: bytes.toString('utf8', end, end + length), end: end + length + 2 };
    }
    case '*':
      return parseList(bytes, end, Number(text), depth);
    default:
      throw new Error(`the server does not speak RESP2: ${JSON.stringify(bytes.toString('latin1', at, at + 20))}`);
  }
}

function parseList(bytes: Buffer, at: number, length: number, depth: number): Parsed | null {
  if (length < 0) return { value: null, end: at };
  if (depth === MAX_DEPTH) throw new Error(`the server sent a list in a list ${MAX_DEPTH} times`);
  const list: Reply[] = [];
  let end = at;
  for (let i = 0; i < length; i++) {
    const item = parse(bytes, end, depth + 1);
    if (item === null) return null;
    list.push(item.value);
    end = item.end;
  }
  return { value: list, end };
}
