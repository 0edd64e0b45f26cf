/**
 * The worker's side of a script's socket: joins a TCP connection of the stack to the pipe. It buffers nothing
 * itself: what the script has not asked for stays in the stack's receive buffer, which closes the window, and
 * the script is given only as much credit as the stack's send buffer has room.
 */
import { formatIpv4, StackError, type TcpSocket, type Timer } from '../../stack';
import type { SocketReport, SocketStatus } from '../protocol';
import type { Uplink } from './attachment';
import { isName, isThisComputer, lookUp } from './host-lookup';
import type { Network } from './network';
import { encodeCredit, encodeOpened, Op, type FrameWriter, type OpenMessage, type WireError } from './script/wire';

/** While more than this waits for the script's process, nothing is added: its kernel buffer holds some 200 KiB, and a few batches stay in the processor's cache. */
const PIPE_BACKLOG_BYTES = 256 << 10;
/** Credit is renewed in steps of at least this, or when nothing is under way. */
const CREDIT_STEP_BYTES = 64 << 10;

/** What a connection needs of the network. */
export type ConnectionNetwork = Pick<Network, 'clock' | 'whenReady'>;

export interface ConnectionOptions {
  readonly network: ConnectionNetwork;
  readonly writer: FrameWriter;
  readonly runId: string;
  readonly id: number;
  readonly open: OpenMessage;
  /** Something a report shows has changed. */
  readonly onActivity: (connection: Connection) => void;
  /** It is not connected yet for a reason that takes a while: what it waits for, again whenever that is another. */
  readonly onWait: (waitsFor: string) => void;
  /** The script had closed it, and the peer did not take what was queued: which, and why. */
  readonly onLost: (message: string) => void;
  /** The pipe is full: `resume` is to be called when it has drained. */
  readonly onBlocked: (connection: Connection) => void;
  /** Called once, when nothing more will happen. */
  readonly onEnd: (connection: Connection) => void;
}

export class Connection {
  readonly id: number;
  private readonly options: ConnectionOptions;
  private readonly openedAt: number;
  private readonly startedMs: number;
  private uplink: Uplink | null = null;
  private socket: TcpSocket | null = null;
  private cancelLookup: (() => void) | null = null;
  private patience: Timer | null = null;
  private dnsMs = 0;
  private status: SocketStatus = 'connecting';
  private error: WireError | null = null;
  private remoteAddress: number | null = null;
  private retransmissions = 0;
  private srttMs: number | null = null;
  private closedAt: number | null = null;
  /** Bytes handed to the script, and how far it lets us go. */
  private delivered = 0;
  private limit: number;
  /** Bytes taken from the script, and how far we let it go. */
  private taken = 0;
  private granted = 0;
  private acknowledged = 0;
  /** The script has closed; until `scriptClosed` it still hands over what it had queued. */
  private scriptCloses = false;
  private scriptClosed = false;
  private finTold = false;
  private brokenTold = false;
  /** What ended the connection, in the link's own terms. */
  private failure: StackError | null = null;

  constructor(options: ConnectionOptions) {
    this.options = options;
    this.id = options.id;
    this.limit = options.open.limit;
    this.openedAt = options.network.clock.wallTime();
    this.startedMs = options.network.clock.now();
    options.onActivity(this);
    const ready = options.network.whenReady(options.open.host, (result) => {
      if (result instanceof StackError) return this.fail(result);
      this.uplink = result;
      this.cancelLookup = null;
      this.resolve(result);
    }, options.onWait);
    // Both answer within the call if they can.
    if (this.socket === null && this.closedAt === null) this.cancelLookup ??= ready;
  }

  get ended(): boolean {
    return this.closedAt !== null;
  }

  get name(): string {
    const { host, port } = this.options.open;
    return `${host}:${port}`;
  }

  // ---- what the script's process says

  data(bytes: Uint8Array): void {
    if (this.socket === null || this.scriptClosed) return;
    // The credit never exceeds the room: what the stack does not take is beyond it, or after the end.
    this.taken += this.socket.write(bytes);
  }

  credit(limit: number): void {
    this.limit = Math.max(this.limit, limit);
    this.pump();
  }

  /** The script has closed. Nobody can wait for the peer any more: it has to take what is queued. */
  closes(): void {
    this.scriptCloses = true;
    this.socket?.endIfStalled();
  }

  /** Everything has been handed over: FIN follows, and what still comes is dropped. */
  close(): void {
    if (this.scriptClosed || this.ended) return;
    this.scriptCloses = true;
    this.scriptClosed = true;
    if (this.status !== 'error') this.status = 'fin';
    if (this.socket === null) return this.finish();
    this.socket.release();
    this.options.onActivity(this);
    this.check(this.socket);
  }

  abort(): void {
    if (this.ended) return;
    this.scriptClosed = true;
    if (this.status !== 'error') this.status = 'fin';
    this.socket?.abort();
    this.finish();
  }

  /** The pipe has drained. */
  resume(): void {
    this.pump();
  }

  report(): SocketReport {
    const { open, runId } = this.options;
    const snapshot = this.socket !== null && !this.ended ? this.socket.snapshot() : null;
    if (snapshot !== null) {
      this.srttMs = snapshot.srttMs;
      this.retransmissions = snapshot.retransmissions;
    }
    return {
      runId,
      id: this.id,
      host: open.host,
      port: open.port,
      status: this.status,
      tcpState: this.ended ? null : (this.socket?.state ?? null),
      remoteAddress: this.remoteAddress === null ? null : formatIpv4(this.remoteAddress),
      localPort: this.socket?.localPort ?? null,
      bytesRead: this.delivered,
      bytesWritten: this.taken,
      bufferedAmount: this.ended ? 0 : (this.socket?.bufferedBytes ?? 0),
      srttMs: this.srttMs,
      retransmissions: this.retransmissions,
      error: this.error,
      openedAt: this.openedAt,
      closedAt: this.closedAt,
      fetchId: open.fetchId === 0 ? null : open.fetchId,
    };
  }

  // ---- opening

  private resolve(uplink: Uplink): void {
    const { network, open } = this.options;
    const cancel = lookUp(uplink, open.host, network.clock.now(), (result) => {
      this.cancelLookup = null;
      if (this.ended) return;
      if ('error' in result) this.fail(result.error);
      else if (isName(open.host)) this.reach(result.address);
      else this.connect(uplink, result.address);
    });
    if (this.socket === null && !this.ended) this.cancelLookup = cancel;
  }

  /** What a name stands for can be this computer, to which another way may lead than to the name server. */
  private reach(address: number): void {
    const cancel = this.options.network.whenReady(formatIpv4(address), (result) => {
      this.cancelLookup = null;
      if (result instanceof StackError) this.fail(result);
      else this.connect(result, address);
    });
    if (this.socket === null && !this.ended) this.cancelLookup = cancel;
  }

  private connect(uplink: Uplink, address: number): void {
    const { network, open, onActivity } = this.options;
    const { stack, link } = uplink;
    this.uplink = uplink;
    this.dnsMs = network.clock.now() - this.startedMs;
    this.remoteAddress = address;
    try {
      this.socket = stack.tcp.connect({ address, port: open.port }, network.clock.now());
    } catch (error) {
      if (!(error instanceof StackError)) throw error;
      return this.fail(error);
    }
    this.socket.onChange = (socket) => this.changed(socket);
    const limit = link.limitOf?.(address) ?? null;
    if (limit !== null) this.patience = network.clock.at(network.clock.now() + limit.ms, () => this.giveUp(limit.explain()));
    onActivity(this);
  }

  // ---- the connection's life

  private changed(socket: TcpSocket): void {
    if (this.ended) return;
    if (this.status === 'connecting' && socket.state !== 'SYN-SENT' && socket.state !== 'CLOSED') this.opened(socket);
    // What the peer has acknowledged comes before what it answered; a connection that failed has forgotten the rest.
    if (socket.error === null) this.renewCredit(socket);
    this.pump();
    this.options.onActivity(this);
    this.check(socket);
  }

  /** The link knows that it cannot be opened any more. */
  private giveUp(error: StackError): void {
    if (this.ended || this.status !== 'connecting') return;
    this.socket?.abort();
    this.fail(error);
  }

  private opened(socket: TcpSocket): void {
    const { network, writer } = this.options;
    this.status = 'connected';
    this.granted = socket.writableBytes;
    const { remoteAddress, remotePort, localPort } = socket;
    const connectMs = network.clock.now() - this.startedMs - this.dnsMs;
    writer.message(Op.opened, this.id, encodeOpened({ remoteAddress, remotePort, localPort, limit: this.granted, dnsMs: this.dnsMs, connectMs }));
  }

  /** Hands over what has arrived, as far as the script and the pipe allow. */
  private pump(): void {
    const { socket, scriptClosed } = this;
    const { writer } = this.options;
    if (socket === null || scriptClosed) return;
    while (socket.readableBytes > 0 && this.delivered < this.limit) {
      if (writer.backlog >= PIPE_BACKLOG_BYTES) return this.options.onBlocked(this);
      const length = writer.dataFrom(this.id, Math.min(socket.readableBytes, this.limit - this.delivered), (target) => socket.read(target));
      if (length === 0) break;
      this.delivered += length;
    }
    this.tellEnd(socket);
  }

  private tellEnd(socket: TcpSocket): void {
    const { writer } = this.options;
    if (socket.error !== null) {
      const failure = this.failureOf(socket, socket.error);
      if (socket.readableBytes === 0) return this.fail(failure);
      if (this.brokenTold) return;
      this.brokenTold = true;
      writer.message(Op.broken, this.id, json(this.explained(failure)));
    } else if (socket.peerClosed && socket.readableBytes === 0 && !this.finTold) {
      this.finTold = true;
      writer.message(Op.fin, this.id);
    }
  }

  private renewCredit(socket: TcpSocket): void {
    if (this.scriptClosed || this.status !== 'connected') return;
    const limit = this.taken + socket.writableBytes;
    const acknowledged = this.taken - socket.bufferedBytes;
    const idle = socket.bufferedBytes === 0 && acknowledged > this.acknowledged;
    if (limit - this.granted < CREDIT_STEP_BYTES && !idle) return;
    this.granted = Math.max(this.granted, limit);
    this.acknowledged = acknowledged;
    this.options.writer.message(Op.credit, this.id, encodeCredit(this.granted, acknowledged));
  }

  /** Whether the connection is over, now that the script has closed or has been told everything. */
  private check(socket: TcpSocket): void {
    if (this.ended) return;
    // Both sides have closed, and every byte is acknowledged: TIME-WAIT is the stack's own affair.
    if (this.scriptClosed && socket.state === 'TIME-WAIT') return this.finish();
    if (socket.state !== 'CLOSED') return;
    if (this.scriptClosed && socket.error !== null) return this.fail(this.failureOf(socket, socket.error));
    if (this.scriptClosed || (socket.readableBytes === 0 && socket.error === null && this.finTold)) this.finish();
  }

  /** Asked once: the link knows who really ended it. */
  private failureOf(socket: TcpSocket, error: StackError): StackError {
    this.failure ??= (error.code === 'ECONNRESET' ? this.uplink?.link.explainReset?.(socket) : null) ?? error;
    return this.failure;
  }

  private fail(error: StackError): void {
    if (this.ended) return;
    this.error = this.explained(error);
    // A script that has closed already sees `fin`; what went wrong after that is in `error`.
    this.status = this.scriptCloses ? 'fin' : 'error';
    if (this.scriptCloses && error.code === 'ETIMEDOUT') this.options.onLost(this.error.message);
    this.options.writer.message(Op.failed, this.id, json(this.error));
    this.finish();
  }

  private finish(): void {
    if (this.ended) return;
    this.report();
    this.closedAt = this.options.network.clock.wallTime();
    this.cancelLookup?.();
    this.cancelLookup = null;
    this.patience?.cancel();
    if (this.socket !== null) this.socket.onChange = null;
    this.options.writer.message(Op.closed, this.id);
    this.options.onActivity(this);
    this.options.onEnd(this);
  }

  private explained({ code, message }: StackError): WireError {
    const { open } = this.options;
    const host = this.uplink?.link.thisComputer?.outside;
    if (code === 'ECONNREFUSED' && isThisComputer(open.host) && host !== undefined) {
      // Where the gateway really asked, and the commonest reason.
      const hint = host.startsWith('127.') ? '' : `; a server that listens on 127.0.0.1 only is reached with ${this.uplink?.link.loopbackAdvice}`;
      return { code, message: `${this.name}: connection refused: nothing listens on ${host}:${open.port}, which localhost stands for${hint}` };
    }
    const info = this.uplink?.stack.addressInfo;
    if (code === 'ENETUNREACH' && this.socket === null && info?.gateway === null) {
      const network = `${formatIpv4(info.address)}/${info.prefixLength}`;
      return { code, message: `${this.name} cannot be reached: it is not in the stack's own network (${network}), and there is no router: give one, --gateway A.B.C.D (setting riftnet.gateway)` };
    }
    return { code, message: message.includes(open.host) && message.includes(String(open.port)) ? message : `${this.name}: ${message}` };
  }
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
