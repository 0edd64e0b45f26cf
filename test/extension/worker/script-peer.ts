/** The worker's end of a script's pipe, in memory: reads what a channel sends, and tells it what a worker would. */
import { Allowance } from '../../../extension/worker/script/allowance';
import { Channel, FIRST_WINDOW_BYTES } from '../../../extension/worker/script/channel';
import { decodeCredit, decodeOpen, FrameReader, FrameWriter, MAX_WORKER_MESSAGE_BYTES, Op } from '../../../extension/worker/script/wire';

export const OPENED = { remoteAddress: 0xc000_0201, remotePort: 80, localPort: 50_000, dnsMs: 1, connectMs: 2 };

export class ScriptPeer {
  /** Names of the messages received, `data` with its length. */
  readonly messages: string[] = [];
  readonly written: Buffer[] = [];
  limit = 0;
  flushed = 0;
  readonly writer: FrameWriter;
  readonly channel: Channel;
  private readonly pending: (() => void)[] = [];

  constructor(options: { allowance?: Allowance; window?: number; host?: string } = {}) {
    const names = new Map<number, string>(Object.entries(Op).map(([name, op]) => [op, name]));
    const reader = new FrameReader(
      {
        message: (op, _id, payload) => {
          this.messages.push(names.get(op) ?? '?');
          if (op === Op.open) this.limit = decodeOpen(payload)?.limit ?? -1;
          if (op === Op.credit) this.limit = decodeCredit(payload)?.limit ?? -1;
        },
        data: (_id, bytes) => {
          this.messages.push(`data ${bytes.length}`);
          this.written.push(Buffer.from(bytes));
        },
      },
      MAX_WORKER_MESSAGE_BYTES,
    );
    this.writer = new FrameWriter(
      {
        write: (bytes, done) => {
          reader.push(Buffer.from(bytes));
          done();
        },
      },
      (run) => this.pending.push(run),
    );
    this.channel = new Channel(1, options.host ?? 'example.com', 80, this.writer, options.allowance ?? new Allowance(1 << 30, 256 << 20), () => this.flushed++, 0, options.window ?? FIRST_WINDOW_BYTES);
  }

  /** What happens at the end of the script's turn. */
  turn(): this {
    for (const run of this.pending.splice(0)) run();
    return this;
  }

  connect(sendLimit = 1 << 20): this {
    this.channel.opened({ ...OPENED, limit: sendLimit });
    return this;
  }

  /** Takes and forgets the messages so far. */
  take(): string[] {
    this.turn();
    return this.messages.splice(0);
  }

  text(): string {
    this.turn();
    return Buffer.concat(this.written).toString();
  }
}
