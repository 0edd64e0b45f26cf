/** A user at each end who wants one thing: as many bytes across as the network carries, each of them right. */
import type { VirtualClock } from '../../../stack/clock';
import { SeededRandom } from '../../../stack/random';
import type { TcpSocket } from '../../../stack/tcp/types';
import type { Host } from './network';

/** What is sent, over and over. Its length is prime: segments that are swapped, lost or repeated do not match. */
const PATTERN = new SeededRandom(0x0f10).bytes(1_000_003);

export interface FlowOptions {
  readonly clock: VirtualClock;
  readonly from: Host;
  readonly to: Host;
  readonly port: number;
  /** Default: without end, until {@link Flow.finish}. */
  readonly totalBytes?: number;
}

/** A transfer that starts at once. */
export class Flow {
  /** Bytes that the receiver has read. */
  received = 0;
  /** The longest time between two reads so far while something was on its way, ms. */
  longestSilenceMs = 0;
  /** The receiver has read everything and seen the end. */
  isComplete = false;
  readonly startedAt: number;
  readonly sender: TcpSocket;
  private readonly clock: VirtualClock;
  private totalBytes: number;
  private sent = 0;
  private readAt: number;
  private problem: string | null = null;
  private receiver: TcpSocket | null = null;
  private readonly target = new Uint8Array(1 << 16);

  constructor({ clock, from, to, port, totalBytes = Infinity }: FlowOptions) {
    this.clock = clock;
    this.totalBytes = totalBytes;
    this.startedAt = clock.now();
    this.readAt = this.startedAt;
    const listener = to.stack.tcp.listen({ port });
    listener.onAccept = (socket) => {
      listener.close();
      this.receiver = socket;
      socket.onChange = () => this.read(socket);
      this.read(socket);
    };
    this.sender = from.stack.tcp.connect({ address: to.address, port }, clock.now());
    this.sender.onChange = () => this.write();
    this.write();
  }

  /** What went wrong, or null. */
  get failure(): string | null {
    const error = this.sender.error ?? this.receiver?.error ?? null;
    return this.problem ?? (error && `the connection ended with ${error.code}: ${error.message}`);
  }

  /** How long nothing has been read up to now while something was on its way, ms. */
  get silenceMs(): number {
    return this.isComplete ? 0 : this.clock.now() - this.readAt;
  }

  /** Sends no more than what is queued, then closes. */
  finish(): void {
    this.totalBytes = Math.min(this.totalBytes, this.sent);
    this.write();
  }

  describe(): string {
    const s = this.sender.snapshot();
    return (
      `${s.state}, sent ${this.sent}, received ${this.received}, silent for ${Math.round(this.silenceMs)} ms, SND.UNA ${(s.sndUna - s.iss) >>> 0}, ` +
      `SND.NXT ${(s.sndNxt - s.iss) >>> 0}, SND.WND ${s.sndWnd}, cwnd ${Math.round(s.cwndBytes)}, ssthresh ${Math.round(s.ssthreshBytes)}, flight ${s.flightBytes}, ` +
      `SRTT ${s.srttMs}, RTO ${s.rtoMs}, ${s.recovery}, ${s.retransmissions} retransmissions, ${s.timeouts} timeouts, ${s.fastRecoveries} recoveries, ${s.spuriousRecoveries} spurious`
    );
  }

  private write(): void {
    const { sender } = this;
    while (this.sent < this.totalBytes && sender.writableBytes > 0) {
      const at = this.sent % PATTERN.length;
      this.sent += sender.write(PATTERN.subarray(at, at + Math.min(PATTERN.length - at, this.totalBytes - this.sent)));
    }
    if (this.sent >= this.totalBytes) sender.close();
  }

  private read(socket: TcpSocket): void {
    const { target } = this;
    const before = this.received;
    for (let length = socket.read(target); length > 0; length = socket.read(target)) this.check(length);
    if (this.received > before || socket.peerClosed) {
      this.longestSilenceMs = Math.max(this.longestSilenceMs, this.silenceMs);
      this.readAt = this.clock.now();
    }
    if (!socket.peerClosed || socket.readableBytes > 0 || this.isComplete) return;
    if (this.received !== this.sent) this.problem ??= `the stream ended after ${this.received} bytes of ${this.sent}`;
    this.isComplete = true;
    socket.close();
  }

  private check(length: number): void {
    const { target } = this;
    for (let done = 0; done < length; ) {
      const at = (this.received + done) % PATTERN.length;
      const count = Math.min(length - done, PATTERN.length - at);
      if (Buffer.compare(target.subarray(done, done + count), PATTERN.subarray(at, at + count)) !== 0) {
        let wrong = 0;
        while (target[done + wrong] === PATTERN[at + wrong]) wrong++;
        this.problem ??= `the byte at ${this.received + done + wrong} is ${target[done + wrong]}, where ${PATTERN[at + wrong]} was sent`;
      }
      done += count;
    }
    this.received += length;
  }
}
