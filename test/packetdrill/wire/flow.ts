/**
 * One connection as the script sees it, and the translation between the script's numbers and the wire's.
 *
 * Numbers in packets with SYN are absolute, in all others relative to the initial sequence numbers. The
 * peer's initial number is the script's; the stack chooses its own, which the first SYN tells.
 */
import { SYN, type TcpOption, type TcpPacketSpec } from '../syntax/ast';
import { patternByte, patternBytes } from './pattern';
import type { WireSegment } from './tcp-codec';
import { Traffic } from './traffic';

export interface Captured {
  readonly us: number;
  readonly segment: WireSegment;
  readonly ecn: number;
  readonly ttl: number;
}

export interface Tuple {
  readonly localAddress: number;
  readonly localPort: number;
  readonly remoteAddress: number;
  readonly remotePort: number;
}

export class Flow {
  /** What the stack sent and the script has not looked at yet. */
  readonly queue: Captured[] = [];
  traffic = new Traffic();
  private remoteIsn: number | null = null;
  private liveLocalIsn: number | null = null;
  private liveLocalTimestamp: number | null = null;
  private scriptLocalIsn = 0;
  /** Script's timestamps of the stack to the wire's: the stack chooses its own offset. */
  private readonly timestamps = new Map<number, number>();
  private firstTimestamps: { readonly script: number; readonly live: number } | null = null;
  /** Bytes that the script itself wrote out, by their place in the stack's stream. */
  private readonly literals: { readonly at: number; readonly bytes: Uint8Array }[] = [];

  constructor(readonly tuple: Tuple) {}

  /** The stack's initial sequence number on the wire, once it was seen. */
  get localIsn(): number | null {
    return this.liveLocalIsn;
  }

  /** The stack's first timestamp on the wire, once it was seen. */
  get localTimestamp(): number | null {
    return this.liveLocalTimestamp;
  }

  /** Takes in what the stack sent. */
  capture(captured: Captured): void {
    const { segment } = captured;
    for (const option of segment.options) if (option.kind === 'TS') this.liveLocalTimestamp ??= option.val;
    if (segment.flags & SYN && this.liveLocalIsn !== segment.seq) {
      // A new incarnation of the tuple brings a new number, and a stream that begins again.
      this.liveLocalIsn = segment.seq;
      this.literals.length = 0;
      this.traffic = new Traffic();
    }
    this.traffic.noteSent(segment, captured.us);
    this.queue.push(captured);
  }

  /** The script is about to look at a SYN of the stack's with this sequence number. */
  expectSyn(scriptSeq: number): void {
    this.scriptLocalIsn = scriptSeq;
  }

  /** A SYN that opens the connection: the script's number is the peer's. */
  startRemote(isn: number): void {
    this.remoteIsn = isn;
  }

  get hasRemoteIsn(): boolean {
    return this.remoteIsn !== null;
  }

  noteLiteral(at: number, bytes: Uint8Array): void {
    this.literals.push({ at, bytes });
  }

  /** The script's inbound packet as it goes on the wire. */
  inbound(spec: TcpPacketSpec, sourcePort: number, destinationPort: number): WireSegment {
    const isSyn = (spec.flags & SYN) !== 0;
    const seqOffset = isSyn ? 0 : (this.remoteIsn ?? 0);
    const ackOffset = (this.liveLocalIsn ?? 0) - (isSyn ? this.scriptLocalIsn : 0);
    const hasAck = (spec.flags & 0x10) !== 0;
    const seq = (spec.seq + seqOffset) >>> 0;
    const options = (spec.options ?? []).map((option) => this.inboundOption(option, ackOffset, hasAck));
    const position = (seq + (isSyn ? 1 : 0) - (this.remoteIsn ?? 0) - 1) >>> 0;
    return {
      sourcePort, destinationPort, seq, options,
      ack: hasAck ? (spec.ack + ackOffset) >>> 0 : spec.ack,
      flags: spec.flags,
      window: spec.window ?? 0,
      urgent: spec.urgent,
      payload: patternBytes('peer', position, spec.payloadBytes),
    };
  }

  private inboundOption(option: TcpOption, ackOffset: number, hasAck: boolean): TcpOption {
    if (option.kind === 'sack') return { kind: 'sack', edges: option.edges.map((edge) => (edge + ackOffset) >>> 0) };
    if (option.kind === 'TS' && hasAck) return { kind: 'TS', val: option.val, ecr: this.liveTimestamp(option.ecr) };
    return option;
  }

  /** What the script echoes, as the stack sent it; between the known ones, by the same distance. */
  private liveTimestamp(script: number): number {
    const known = this.timestamps.get(script);
    if (known !== undefined) return known;
    const first = this.firstTimestamps;
    return first ? (script - first.script + first.live) >>> 0 : script;
  }

  /** Sequence number on the wire of what the script calls `seq`, in a packet without SYN. */
  liveLocalSeq(seq: number): number {
    return (seq + (this.liveLocalIsn ?? 0)) >>> 0;
  }

  /** A segment of the stack's in the script's numbers. The timestamp becomes what the script would have called it. */
  outbound(segment: WireSegment): WireSegment {
    const isSyn = (segment.flags & SYN) !== 0;
    const seqOffset = (this.liveLocalIsn ?? 0) - (isSyn ? this.scriptLocalIsn : 0);
    const ackOffset = isSyn ? 0 : (this.remoteIsn ?? 0);
    const hasAck = (segment.flags & 0x10) !== 0;
    const first = this.firstTimestamps;
    return {
      ...segment,
      seq: (segment.seq - seqOffset) >>> 0,
      ack: hasAck ? (segment.ack - ackOffset) >>> 0 : segment.ack,
      options: segment.options.map((option): TcpOption => {
        if (option.kind === 'sack') return { kind: 'sack', edges: option.edges.map((edge) => (edge - ackOffset) >>> 0) };
        if (option.kind === 'TS' && first) return { kind: 'TS', val: (option.val - first.live + first.script) >>> 0, ecr: option.ecr };
        return option;
      }),
    };
  }

  /** The script calls the stack's timestamp `live` by the name `script`. */
  noteTimestamp(script: number, live: number): void {
    this.timestamps.set(script, live);
    this.firstTimestamps ??= { script, live };
  }

  /** Where the payload differs from what was written, as an offset into it, or -1. */
  firstWrongByte(segment: WireSegment): number {
    const start = segment.seq + (segment.flags & SYN ? 1 : 0);
    const position = (start - (this.liveLocalIsn ?? 0) - 1) >>> 0;
    return segment.payload.findIndex((byte, index) => byte !== this.writtenByte(position + index));
  }

  private writtenByte(position: number): number {
    for (const { at, bytes } of this.literals) {
      const byte = bytes[position - at];
      if (byte !== undefined) return byte;
    }
    return patternByte('stack', position);
  }
}
