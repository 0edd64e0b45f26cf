/**
 * A user at each end of a connection who writes a stream in pieces, reads the other's, closes, and checks
 * every byte. Works over anything that gives TcpSockets on a VirtualClock.
 */
import type { VirtualClock } from '../../stack/clock';
import type { Random } from '../../stack/random';
import type { TcpSocket } from '../../stack/tcp/types';
import { pattern, patternByte } from './patterns';

export interface Habits {
  /** Bytes to send before closing. */
  readonly total: number;
  /** Largest piece of one write. */
  readonly writeUpTo: number;
  /** Largest piece of one read. */
  readonly readUpTo: number;
  /** Longest pause before reading what has arrived, ms; 0: reads at once. */
  readonly readPauseMs: number;
  /** Which stream of patterns this end sends. */
  readonly stream: number;
}

/** One user. Its socket's `onChange` belongs to it. */
export class TransferUser {
  received = 0;
  private sent = 0;
  private closed = false;
  private readPending = false;
  private problem: string | null = null;

  constructor(
    readonly name: string,
    private readonly socket: TcpSocket,
    private readonly clock: VirtualClock,
    private readonly random: Random,
    private readonly mine: Habits,
    private readonly theirs: Habits,
  ) {
    socket.onChange = () => this.work();
    this.work();
  }

  /** Both directions are complete, both FINs included. */
  get isDone(): boolean {
    return this.closed && this.received === this.theirs.total && this.socket.peerClosed && this.socket.bufferedBytes === 0;
  }

  /** What went wrong, or null. */
  get failure(): string | null {
    if (this.problem) return this.problem;
    if (this.socket.error) return `${this.name} ended with ${this.socket.error.code}: ${this.socket.error.message}`;
    return null;
  }

  describe(): string {
    const s = this.socket.snapshot();
    return (
      `${this.name}: ${s.state}, wrote ${this.sent} of ${this.mine.total}, read ${this.received} of ${this.theirs.total}, ` +
      `SND.UNA ${(s.sndUna - s.iss) >>> 0} SND.NXT ${(s.sndNxt - s.iss) >>> 0} SND.WND ${s.sndWnd} RCV.NXT ${(s.rcvNxt - s.irs) >>> 0} RCV.WND ${s.rcvWnd}, ` +
      `cwnd ${s.cwndBytes} ssthresh ${s.ssthreshBytes} flight ${s.flightBytes} RTO ${s.rtoMs}, ${s.retransmissions} retransmissions, ${s.timeouts} timeouts, ${s.fastRecoveries} recoveries`
    );
  }

  private work(): void {
    this.fill();
    if (this.mine.readPauseMs === 0) this.drain();
    else if (!this.readPending && this.socket.readableBytes > 0) {
      this.readPending = true;
      this.clock.at(this.clock.now() + this.random.below(this.mine.readPauseMs), () => {
        this.readPending = false;
        this.drain();
        this.fill();
      });
    }
  }

  private fill(): void {
    while (this.sent < this.mine.total && this.socket.writableBytes > 0) {
      const piece = pattern(Math.min(1 + this.random.below(this.mine.writeUpTo), this.mine.total - this.sent), this.sent, this.mine.stream);
      const taken = this.socket.write(piece);
      this.sent += taken;
      if (taken < piece.length) break;
    }
    if (this.sent === this.mine.total && !this.closed && this.socket.state !== 'SYN-SENT') {
      this.closed = true;
      this.socket.close();
    }
  }

  private drain(): void {
    while (this.socket.readableBytes > 0) {
      const target = new Uint8Array(1 + this.random.below(this.mine.readUpTo));
      const count = this.socket.read(target);
      for (let i = 0; i < count; i++) {
        if (target[i] !== patternByte(this.received + i, this.theirs.stream) && !this.problem) {
          this.problem = `${this.name} read ${target[i]} at stream offset ${this.received + i}, where ${patternByte(this.received + i, this.theirs.stream)} was sent`;
        }
      }
      this.received += count;
      if (this.received > this.theirs.total) this.problem ??= `${this.name} read ${this.received} bytes of ${this.theirs.total} sent`;
      if (this.mine.readPauseMs > 0 && this.random.below(2)) break;
    }
    if (this.socket.readableBytes > 0) this.work();
  }
}
