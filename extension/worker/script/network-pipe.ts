/** The script's end of the pipe to the worker: frames to channels and back. */
import { Buffer } from 'node:buffer';
import type { FetchReport } from '../../protocol';
import { Allowance } from './allowance';
import { Channel } from './channel';
import {
  decodeCredit, decodeLoad, decodeOpened, FrameReader, FrameWriter, MAX_WORKER_MESSAGE_BYTES, Op,
  type EndMessage, type LoadOptions, type WireError,
} from './wire';

export interface Program {
  readonly options: LoadOptions;
  readonly program: string;
  readonly sourceMap: string;
}

/** The end of a pipe, as far as it is used here: of `net.Socket`, or in a test's memory. */
export interface PipeEnd {
  write(bytes: Uint8Array, done: () => void): unknown;
  /** A chunk is valid only during the call. */
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  on(event: 'close' | 'error', listener: () => void): unknown;
  ref(): unknown;
  unref(): unknown;
  /** Closes our direction, behind what has been written. */
  end(): unknown;
}

/** How long the report of a fetch waits for others, ms: each by itself would wake the worker, and the view shows them later still. */
const REPORT_MS = 20;
/** A pipe that so much came through between two turns may have been full: the systems' buffers begin at this size. */
const FULL_PIPE_BYTES = 64 << 10;

export interface PipeOptions {
  readonly pipe: PipeEnd;
  /** Runs its argument at the end of the script's present turn. */
  readonly soon: (run: () => void) => void;
  /** Runs its argument after so many ms; does not keep the process alive. */
  readonly later: (run: () => void, ms: number) => void;
  readonly onLoad: (program: Program) => void;
  /** Nothing is left to run for. */
  readonly exit: (code: number) => void;
}

export class NetworkPipe {
  private readonly pipe: PipeEnd;
  private readonly onLoad: (program: Program) => void;
  private readonly later: PipeOptions['later'];
  private readonly writer: FrameWriter;
  private readonly channels = new Map<number, Channel>();
  private allowance = Allowance.forMemory(64);
  private lastId = 0;
  private holds = 0;
  /** Bytes that have come since the last turn of the script's loop. */
  private arrived = 0;
  private whenCaughtUp: (() => void) | null = null;
  /** Not told yet; of each fetch the last. */
  private readonly reports = new Map<number, Omit<FetchReport, 'runId'>>();
  private over = false;
  private handedOver = false;

  constructor({ pipe, soon, later, onLoad, exit }: PipeOptions) {
    this.pipe = pipe;
    this.later = later;
    this.onLoad = onLoad;
    this.writer = new FrameWriter({ write: (bytes, done) => void pipe.write(bytes, done) }, soon);
    const reader = new FrameReader(this, MAX_WORKER_MESSAGE_BYTES);
    pipe.on('data', (chunk) => {
      this.arrived += chunk.length;
      if (reader.push(chunk) !== null) exit(1);
    });
    // The worker has read the last of it, or is gone, and with it the network.
    pipe.on('close', () => exit(this.handedOver ? 0 : 1));
    pipe.on('error', () => exit(1));
  }

  get demandBytes(): number {
    return this.allowance.demandBytes;
  }

  open(host: string, port: number, fetchId: number, firstWindowBytes: number): Channel {
    const id = ++this.lastId;
    // The worker hears of a fetch before it does of its connection.
    this.tellReports();
    const channel = new Channel(id, host, port, this.writer, this.allowance, () => this.whenFlushed(), fetchId, firstWindowBytes);
    this.channels.set(id, channel);
    return channel;
  }

  reportFetch(report: Omit<FetchReport, 'runId'>): void {
    if (this.reports.size === 0) this.later(() => this.tellReports(), REPORT_MS);
    this.reports.set(report.id, report);
  }

  /** Keeps the process alive until the returned function is called. */
  hold(): () => void {
    if (this.holds++ === 0) this.pipe.ref();
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      if (--this.holds === 0) this.pipe.unref();
    };
  }

  /**
   * Calls `run` when all that the worker had for this script is here: now, unless so much has come since the last call
   * that the pipe may have been full, as after a long turn. Then the worker is asked, and its answer comes behind it.
   */
  catchUp(run: () => void): void {
    const behind = this.arrived >= FULL_PIPE_BYTES;
    this.arrived = 0;
    if (!behind || this.over || this.handedOver) return run();
    const release = this.hold();
    this.whenCaughtUp = () => {
      release();
      run();
    };
    this.writer.message(Op.sync, 0);
    this.writer.flush();
  }

  /** Says how the script ended, hands over what its sockets have queued, closes them, and ends the process. */
  end(message: EndMessage): void {
    this.over = true;
    this.hold();
    this.tellReports();
    this.writer.message(Op.end, 0, Buffer.from(JSON.stringify(message)));
    for (const channel of [...this.channels.values()]) {
      channel.onActivity = null;
      channel.close();
    }
    this.whenFlushed();
  }

  // ---- FrameHandler

  message(op: number, id: number, payload: Buffer): void {
    if (op === Op.load) {
      const loaded = decodeLoad(payload);
      this.allowance = Allowance.forMemory(loaded.options.memoryMb);
      this.pipe.unref();
      this.writer.message(Op.running, 0);
      // Told before the script's first line, which may never yield.
      this.writer.flush();
      this.onLoad(loaded);
      return;
    }
    if (op === Op.sync) {
      const run = this.whenCaughtUp;
      this.whenCaughtUp = null;
      return run?.();
    }
    const channel = this.channels.get(id);
    if (channel === undefined) return;
    this.toChannel(channel, op, payload);
  }

  data(id: number, bytes: Buffer): void {
    this.channels.get(id)?.received(bytes);
  }

  private toChannel(channel: Channel, op: number, payload: Buffer): void {
    switch (op) {
      case Op.opened: {
        const message = decodeOpened(payload);
        if (message) channel.opened(message);
        return;
      }
      case Op.credit: {
        const message = decodeCredit(payload);
        if (message) channel.credited(message.limit, message.acknowledged);
        return;
      }
      case Op.broken:
        return channel.broken(errorOf(payload));
      case Op.fin:
        return channel.peerClosed();
      case Op.failed:
        return channel.failed(errorOf(payload));
      case Op.close:
        channel.close();
        return channel.onActivity?.();
      case Op.closed:
        this.channels.delete(channel.id);
        return channel.closed();
    }
  }

  private tellReports(): void {
    for (const report of this.reports.values()) this.writer.message(Op.fetch, 0, Buffer.from(JSON.stringify(report)));
    this.reports.clear();
  }

  private whenFlushed(): void {
    if (!this.over) return;
    for (const channel of this.channels.values()) if (!channel.flushed) return;
    this.writer.flush();
    this.over = false;
    this.handedOver = true;
    // The worker closes its side once it has read all. A process that did not wait for that could cost what lies in
    // the pipe still: a write to one that is gone closes the worker's side at once.
    this.pipe.end();
  }
}

function errorOf(payload: Buffer): WireError {
  const error: WireError = JSON.parse(payload.toString());
  return error;
}
