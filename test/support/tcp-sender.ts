/** A connection that has sent some full segments to a peer which answers as a test says, counted in segments. */
import assert from 'node:assert/strict';
import type { TcpConfig } from '../../stack/config';
import type { TcpSnapshot, TcpSocket } from '../../stack/tcp/types';
import type { Segment } from './segment-dsl';
import { seqOf, TcpHarness, type EstablishOptions } from './tcp-harness';
import type { Block } from './tcp-segment';

export interface SenderOptions {
  /** Full segments written when the connection opens. */
  readonly write: number;
  /** Of them, those that must go out at once; default: all. */
  readonly sent?: number;
  /** Of the handshake, ms, and so SRTT and the least RTT; default 100. The data is sent at this time. */
  readonly rtt?: number;
  readonly config?: Partial<TcpConfig>;
  readonly peer?: EstablishOptions;
  readonly mtu?: number;
}

export class Sender {
  readonly t: TcpHarness;
  readonly socket: TcpSocket;
  readonly mss: number;

  constructor(options: SenderOptions) {
    const { write, sent = write, rtt = 100, config, peer, mtu } = options;
    this.t = new TcpHarness({ config: { sack: true, nagle: false, ...config }, ...(mtu === undefined ? {} : { mtu }) });
    this.socket = this.t.establish({ rtt, sack: true, ...peer });
    this.mss = this.socket.snapshot().mss;
    if (write === 0) return;
    this.write(rtt, write);
    assert.deepEqual(this.sent(rtt), range(0, sent), 'segments sent at the start');
  }

  /** Relative sequence number at which segment `n` begins. */
  seq(n: number): number {
    return 1 + n * this.mss;
  }

  write(at: number, segments: number): void {
    this.t.write(at, this.socket, segments * this.mss);
  }

  /** An ACK of everything before segment `upTo`, with SACK blocks `[first, behind the last]` in segments. */
  ack(at: number, upTo: number, ...blocks: Block[]): void {
    this.ackWith(at, upTo, blocks);
  }

  ackWith(at: number, upTo: number, blocks: readonly Block[], extra: Partial<Segment> = {}): void {
    const sack = blocks.map(([left, right]): Block => [this.seq(left), this.seq(right)]);
    this.t.send(at, { flags: 'ACK', seq: 1, ack: this.seq(upTo), ...(sack.length ? { sack } : {}), ...extra });
  }

  /** Numbers of the segments sent since the last look and up to `at`; those cut short count by where they begin. */
  sent(at: number): number[] {
    return this.t.take(at).filter((seen) => seen.wire.payload.length > 0).map((seen) => (seqOf(seen) - 1) / this.mss);
  }

  get snapshot(): TcpSnapshot {
    return this.socket.snapshot();
  }

  get cwnd(): number {
    return this.snapshot.cwndBytes / this.mss;
  }

  get ssthresh(): number {
    return this.snapshot.ssthreshBytes / this.mss;
  }
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
