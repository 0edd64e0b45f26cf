/** The user's end of a connection: the calls of RFC 9293 §3.10 on a TCB. */
import { StackError } from '../errors';
import { formatIpv4 } from '../wire/address';
import type { TcpContext } from './context';
import { sendReset } from './output';
import type { Tcb } from './tcb';
import { tuneReceiveBuffer } from './buffers';
import type { KeepAlive, TcpSnapshot, TcpSocket, TcpState } from './types';

export class Socket implements TcpSocket {
  onChange: ((socket: TcpSocket) => void) | null = null;

  constructor(
    private readonly tcb: Tcb,
    private readonly context: TcpContext,
  ) {
    tcb.notify = () => this.onChange?.(this);
  }

  get id(): number {
    return this.tcb.id;
  }

  get state(): TcpState {
    return this.tcb.state;
  }

  get localAddress(): number {
    return this.tcb.localAddress;
  }

  get localPort(): number {
    return this.tcb.localPort;
  }

  get remoteAddress(): number {
    return this.tcb.remoteAddress;
  }

  get remotePort(): number {
    return this.tcb.remotePort;
  }

  get error(): StackError | null {
    return this.tcb.error;
  }

  get isOpen(): boolean {
    return this.tcb.isSynchronized && this.tcb.state !== 'TIME-WAIT';
  }

  get readableBytes(): number {
    return this.tcb.receiveRing.length;
  }

  get writableBytes(): number {
    return this.mayWrite ? this.tcb.sendRing.free : 0;
  }

  get bufferedBytes(): number {
    return this.tcb.sendRing.length;
  }

  get peerClosed(): boolean {
    return this.tcb.peerClosed;
  }

  write(data: Uint8Array): number {
    if (!this.mayWrite) return 0;
    const taken = this.tcb.sendRing.write(data);
    if (taken > 0) this.context.touch(this.tcb);
    return taken;
  }

  read(target: Uint8Array): number {
    const count = this.tcb.receiveRing.read(target);
    // The window may have opened far enough to be told.
    if (count > 0 && this.tcb.state !== 'CLOSED') {
      this.tcb.windowNews = true;
      tuneReceiveBuffer(this.context, this.tcb, count);
      this.context.touch(this.tcb);
    }
    return count;
  }

  setReceiveLimit(bytes: number): void {
    this.tcb.receiveLimit = bytes;
    this.tcb.windowNews = true;
    const { receiveRing } = this.tcb;
    // A larger limit is grown into as the reader shows need of it.
    if (bytes < receiveRing.limit || !this.context.config.autoTuning) receiveRing.setLimit(bytes);
    if (this.tcb.state !== 'CLOSED') this.context.touch(this.tcb);
  }

  setNagle(on: boolean): void {
    this.tcb.nagle = on;
    if (!on && this.tcb.state !== 'CLOSED') this.context.touch(this.tcb);
  }

  setKeepAlive(options: KeepAlive | null): void {
    if (options) {
      checkRange('idleMs', options.idleMs, 1_000, 2 ** 31 - 1);
      checkRange('intervalMs', options.intervalMs, 1_000, 2 ** 31 - 1);
      checkRange('probes', options.probes, 1, 100);
    }
    this.tcb.keepAlive = options;
    if (this.tcb.state !== 'CLOSED') this.context.touch(this.tcb);
  }

  setUserTimeout(ms: number): void {
    checkRange('user timeout', ms, 1, 2 ** 31 - 1);
    this.tcb.userTimeoutMs = ms;
  }

  endIfStalled(): void {
    const { tcb, context } = this;
    if (tcb.endsIfStalled || tcb.state === 'CLOSED') return;
    tcb.endsIfStalled = true;
    tcb.takenAt = Infinity; // counted from the next poll on, which knows the time
    context.touch(tcb);
  }

  close(): void {
    const { tcb, context } = this;
    if (tcb.finQueued || tcb.state === 'CLOSED') return;
    if (tcb.state === 'SYN-SENT' && tcb.sendRing.length === 0) {
      this.quietly(() => context.finish(tcb, null)); // §3.10.4: nothing was promised yet
      return;
    }
    tcb.finQueued = true;
    if (tcb.state === 'ESTABLISHED') this.quietly(() => context.setState(tcb, 'FIN-WAIT-1'));
    context.touch(tcb);
  }

  release(): void {
    const { tcb, context } = this;
    if (tcb.released) return;
    tcb.released = true;
    tcb.receiveRing.clear();
    this.close();
    this.endIfStalled();
    if (tcb.state !== 'CLOSED') context.touch(tcb);
  }

  abort(told: StackError | null = null): void {
    const { tcb, context } = this;
    if (tcb.state === 'CLOSED') return;
    // §3.10.5: RST in every synchronized state in which the peer may still wait for something.
    if (tcb.state !== 'SYN-SENT' && tcb.state !== 'TIME-WAIT') sendReset(context, tcb);
    const open = tcb.state !== 'TIME-WAIT';
    const error = told ?? new StackError('ECONNABORTED', `The connection to ${formatIpv4(tcb.remoteAddress)}:${tcb.remotePort} was aborted on this side.`);
    const end = (): void => context.finish(tcb, open ? error : null);
    if (told === null) this.quietly(end);
    else end();
  }

  snapshot(): TcpSnapshot {
    const { tcb } = this;
    return {
      id: tcb.id,
      state: tcb.state,
      localAddress: tcb.localAddress,
      localPort: tcb.localPort,
      remoteAddress: tcb.remoteAddress,
      remotePort: tcb.remotePort,
      iss: tcb.iss,
      irs: tcb.irs,
      sndUna: tcb.sndUna,
      sndNxt: tcb.sndNxt,
      sndWnd: tcb.sndWnd,
      rcvNxt: tcb.rcvNxt,
      rcvWnd: tcb.rcvWnd,
      mss: tcb.sndMss,
      cwndBytes: tcb.congestion.cwndBytes,
      ssthreshBytes: tcb.congestion.ssthreshBytes,
      flightBytes: tcb.flightBytes,
      srttMs: tcb.rtt.srttMs,
      rttvarMs: tcb.rtt.srttMs === null ? null : tcb.rtt.rttvarMs,
      rtoMs: tcb.rtt.rtoMs,
      bytesIn: tcb.bytesIn,
      bytesOut: tcb.bytesOut,
      segmentsIn: tcb.segmentsIn,
      segmentsOut: tcb.segmentsOut,
      retransmissions: tcb.retransmissions,
      timeouts: tcb.timeouts,
      fastRecoveries: tcb.fastRecoveries,
      outOfOrderBytes: tcb.outOfOrder.byteCount,
      recovery: tcb.recovery,
      unackedSegments: tcb.sent.length,
      sackedSegments: tcb.sent.sackedCount,
      lostSegments: tcb.sent.lostCount,
      spuriousRecoveries: tcb.spuriousRecoveries,
      reorderingSeen: tcb.rack.reorderingSeen,
      sack: tcb.sackEnabled,
      timestamps: tcb.tsEnabled,
      ecn: tcb.ecnEnabled,
      windowScale: tcb.offersWindowScale ? { send: tcb.sndWndShift, receive: tcb.rcvWndShift } : null,
      receiveMss: tcb.rcvMss,
      bufferMemoryBytes: tcb.sendRing.capacity + tcb.receiveRing.capacity,
      readableBytes: tcb.receiveRing.length,
      unsentBytes: tcb.unsentBytes,
      error: tcb.error,
    };
  }

  /** The user is not told of what it did itself, unless something else waits to be told too. */
  private quietly(change: () => void): void {
    const toldAnyway = this.tcb.changed;
    change();
    this.tcb.changed = toldAnyway;
  }

  /** RFC 9293 §3.10.2: SEND is queued while the handshake is under way. */
  private get mayWrite(): boolean {
    const { tcb } = this;
    if (tcb.finQueued) return false;
    return tcb.state === 'ESTABLISHED' || tcb.state === 'CLOSE-WAIT' || tcb.state === 'SYN-SENT' || tcb.state === 'SYN-RECEIVED';
  }
}

function checkRange(name: string, value: number, least: number, most: number): void {
  if (!(value >= least && value <= most)) throw new RangeError(`${name} is ${value}: it must be from ${least} to ${most}`);
}
