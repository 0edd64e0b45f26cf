/** The worker's end of one script's pipe: its connections, and what it says about its fetches and its end. */
import type { FetchReport, ScriptError } from '../protocol';
import type { Activity } from './activity';
import { Connection, type ConnectionNetwork } from './connection';
import { toFetchReport } from './fetch-report';
import { decodeCredit, decodeOpen, FrameReader, FrameWriter, MAX_SCRIPT_MESSAGE_BYTES, Op } from './script/wire';
import { toScriptError } from './script-output';

/** Connections of one script that are not closed yet. */
const MAX_CONNECTIONS = 20_000;
/** Fetches of one script that are known to be under way, to be told as failed if the script ends before. */
const MAX_PENDING_FETCHES = 20_000;
/** While more than this waits for a script's process, nothing is read from it: each of its messages can cause others. */
const MAX_BACKLOG_BYTES = 8 << 20;

/** The end of a pipe, as far as it is used here: of `net.Socket`, or in a test's memory. */
export interface PipeEnd {
  readonly writable: boolean;
  write(bytes: Uint8Array, done: () => void): unknown;
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  on(event: 'error', listener: () => void): unknown;
  pause(): unknown;
  resume(): unknown;
  destroy(): unknown;
}

export interface ScriptNetworkOptions {
  readonly runId: string;
  readonly pipe: PipeEnd;
  readonly network: ConnectionNetwork;
  /** Runs its argument at the end of the present turn. */
  readonly soon: (run: () => void) => void;
  readonly activity: Pick<Activity, 'connection' | 'fetch'>;
  /** The script's first line is about to run. */
  readonly onRunning: () => void;
  /** The script is over, and its process about to end. */
  readonly onEnd: (error: ScriptError | null) => void;
  /** The script's process broke the protocol. */
  readonly onViolation: (reason: string) => void;
  /** What sockets wait for that are not connected yet: told once for each reason. */
  readonly onWait: (waitsFor: string) => void;
  /** What was queued on a socket that the script had closed is lost: which, and why. */
  readonly onLost: (message: string) => void;
  /** The last connection has ended. */
  readonly onIdle: () => void;
}

export class ScriptNetwork {
  readonly writer: FrameWriter;
  private readonly options: ScriptNetworkOptions;
  private readonly connections = new Map<number, Connection>();
  private readonly blocked = new Set<Connection>();
  private readonly pendingFetches = new Map<number, FetchReport>();
  private running = false;
  private waitsFor = '';
  private violated = false;

  constructor(options: ScriptNetworkOptions) {
    this.options = options;
    const { pipe } = options;
    this.writer = new FrameWriter(
      { write: (bytes, done) => void (!pipe.writable ? done() : pipe.write(bytes, () => done())) },
      options.soon,
    );
    this.writer.onDrain = () => this.drained();
    const reader = new FrameReader(this, MAX_SCRIPT_MESSAGE_BYTES);
    pipe.on('data', (chunk: Buffer) => {
      const failure = this.violated ? null : reader.push(chunk);
      if (failure !== null) this.violation(failure);
      if (this.writer.backlog > MAX_BACKLOG_BYTES) pipe.pause();
    });
    // The script's process has ended; what that means is told by its exit.
    pipe.on('error', () => pipe.destroy());
  }

  /** Connections that have not ended yet. */
  get open(): readonly Connection[] {
    return [...this.connections.values()];
  }

  /** Asks the script's side to close a socket, as a person wished. */
  closeSocket(id: number): void {
    if (this.connections.has(id)) this.writer.message(Op.close, id);
  }

  /** The script's process is gone: closes what it left open, in order or with a reset. */
  closeAll(how: 'close' | 'abort'): void {
    for (const connection of [...this.connections.values()]) {
      if (how === 'close') connection.close();
      else connection.abort();
    }
    for (const report of this.pendingFetches.values()) this.endFetch(report);
    this.pendingFetches.clear();
  }

  // ---- FrameHandler

  message(op: number, id: number, payload: Buffer): void {
    const connection = this.connections.get(id);
    switch (op) {
      case Op.open:
        return this.openConnection(id, payload);
      case Op.credit: {
        const message = decodeCredit(payload);
        if (message === null) return this.violation('a credit that is none');
        return connection?.credit(message.limit);
      }
      case Op.closing:
        return connection?.closes();
      case Op.close:
        return connection?.close();
      case Op.abort:
        return connection?.abort();
      case Op.fetch:
        return this.fetch(payload);
      case Op.end:
        return this.end(payload);
      case Op.running:
        // Told again, the run's time would begin anew.
        if (this.running) return this.violation('its beginning twice');
        this.running = true;
        return this.options.onRunning();
      case Op.sync:
        // Behind what waits already.
        return this.writer.message(Op.sync, 0);
      default:
        return this.violation(`a message of unknown type ${op}`);
    }
  }

  data(id: number, bytes: Buffer): void {
    this.connections.get(id)?.data(bytes);
  }

  private openConnection(id: number, payload: Buffer): void {
    const open = decodeOpen(payload);
    if (open === null || open.port === 0 || open.host.length > 255 || this.connections.has(id)) return this.violation('a socket that cannot be opened');
    if (this.connections.size >= MAX_CONNECTIONS) {
      const error = { code: 'ENOBUFS', message: `${open.host}:${open.port}: the script has ${MAX_CONNECTIONS} sockets already; close some first` };
      this.writer.message(Op.failed, id, Buffer.from(JSON.stringify(error)));
      this.writer.message(Op.closed, id);
      return;
    }
    const { network, activity, runId } = this.options;
    const connection = new Connection({
      network,
      runId,
      id,
      open,
      writer: this.writer,
      onActivity: (changed) => activity.connection(changed),
      onWait: (waitsFor) => this.wait(waitsFor),
      onLost: (message) => this.options.onLost(message),
      onBlocked: (waiting) => void this.blocked.add(waiting),
      onEnd: (ended) => this.ended(ended),
    });
    if (!connection.ended) this.connections.set(id, connection);
  }

  private wait(waitsFor: string): void {
    if (waitsFor !== this.waitsFor) this.options.onWait(waitsFor);
    this.waitsFor = waitsFor;
  }

  private ended(connection: Connection): void {
    this.connections.delete(connection.id);
    this.blocked.delete(connection);
    if (this.connections.size === 0) this.options.onIdle();
  }

  private drained(): void {
    this.options.pipe.resume();
    const waiting = [...this.blocked];
    this.blocked.clear();
    for (const connection of waiting) connection.resume();
  }

  private fetch(payload: Buffer): void {
    const report = toFetchReport(this.options.runId, payload);
    if (report === null) return this.violation('a report of a fetch that is none');
    const { pendingFetches } = this;
    if (report.durationMs !== null) pendingFetches.delete(report.id);
    else if (pendingFetches.size < MAX_PENDING_FETCHES || pendingFetches.has(report.id)) pendingFetches.set(report.id, report);
    this.options.activity.fetch(report);
  }

  private endFetch(report: FetchReport): void {
    const error = { code: 'ECONNABORTED', message: 'The script ended before the exchange did' };
    this.options.activity.fetch({ ...report, status: -1, statusMessage: 'socket error', durationMs: Date.now() - report.startedAt, error });
  }

  private end(payload: Buffer): void {
    let error: unknown;
    try {
      const message: unknown = JSON.parse(payload.toString());
      error = typeof message === 'object' && message !== null && 'error' in message ? message.error : undefined;
    } catch {
      error = undefined;
    }
    const described = error === null ? null : toScriptError(error);
    if (described === null && error !== null) return this.violation('an end that is none');
    this.options.onEnd(described);
  }

  private violation(reason: string): void {
    if (this.violated) return;
    this.violated = true;
    this.options.onViolation(reason);
  }
}
