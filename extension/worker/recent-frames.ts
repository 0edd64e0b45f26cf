/**
 * The frames that passed last, kept in memory so that a capture can be saved after something went wrong. They
 * lie in one ring of bytes, made once: a frame costs one copy, and the oldest make room for it.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { Direction, enhancedPacket, formatIpv4, interfaceDescription, readFlow, sectionHeader, tapDevice, type Clock, type Device } from '../../stack';
import type { CapturedSocket, CaptureSelection, CaptureSummary } from '../protocol';

/** Of a longer frame only the beginning is kept: a ring of jumbo frames would hold too few. */
export const SNAP_BYTES = 16_384;
/** Frames whose places are known at once; with smaller frames than the ring's bytes divided by this, the count is the bound. */
export const MAX_FRAMES = 131_072;
/** DNS, which selections by name include (RFC 1035 §4.2). */
const DNS_PORT = 53;
/** Frames just before a socket was reported as open, and just after it closed, belong to it: its SYN, its last ACKs. */
const MARGIN_MS = 2_000;

export class RecentFrames {
  private readonly ring: Uint8Array;
  /** By frame, in a ring of their own: where it begins, what is kept of it, how long it was, when, and which way. */
  private readonly starts = new Float64Array(MAX_FRAMES);
  private readonly keptBytes = new Uint32Array(MAX_FRAMES);
  private readonly frameBytes = new Uint32Array(MAX_FRAMES);
  private readonly times = new Float64Array(MAX_FRAMES);
  private readonly directions = new Uint8Array(MAX_FRAMES);
  /** Frames seen, and the first one that is still kept. */
  private seen = 0;
  private first = 0;
  /** Bytes ever put into the ring, gaps included: a place in it is this modulo its size. */
  private end = 0;
  private readonly epochMs: number;

  /** @param ringBytes at least {@link SNAP_BYTES} */
  constructor(
    ringBytes: number,
    private readonly clock: Clock,
  ) {
    this.ring = new Uint8Array(Math.max(ringBytes, SNAP_BYTES));
    this.epochMs = clock.wallTime() - clock.now();
  }

  wrap(device: Device): Device {
    return tapDevice(device, (frame, direction) => this.add(frame, direction));
  }

  /** Frames that are kept now. */
  get count(): number {
    return this.seen - this.first;
  }

  add(frame: Uint8Array, direction: Direction): void {
    const { ring } = this;
    const kept = Math.min(frame.length, SNAP_BYTES);
    let at = this.end % ring.length;
    // A frame lies in one piece: what is left before the ring's end stays empty.
    if (at + kept > ring.length) {
      this.end += ring.length - at;
      at = 0;
    }
    const start = this.end;
    this.end += kept;
    while (this.first < this.seen && (this.end - (this.starts[this.first % MAX_FRAMES] ?? 0) > ring.length || this.count >= MAX_FRAMES)) this.first++;
    const slot = this.seen % MAX_FRAMES;
    ring.set(kept === frame.length ? frame : frame.subarray(0, kept), at);
    this.starts[slot] = start;
    this.keptBytes[slot] = kept;
    this.frameBytes[slot] = frame.length;
    this.times[slot] = this.epochMs + this.clock.now();
    this.directions[slot] = direction;
    this.seen++;
  }

  /**
   * Writes the kept frames that are selected as pcapng; a file that is there is replaced.
   * @throws Error of the file system
   */
  save(file: string, selection: CaptureSelection): CaptureSummary {
    const selects = selector(selection);
    const descriptor = openSync(file, 'w');
    let frames = 0;
    try {
      write(descriptor, sectionHeader());
      write(descriptor, interfaceDescription('riftnet0', SNAP_BYTES));
      for (let index = this.first; index < this.seen; index++) {
        const slot = index % MAX_FRAMES;
        const at = (this.starts[slot] ?? 0) % this.ring.length;
        const frame = this.ring.subarray(at, at + (this.keptBytes[slot] ?? 0));
        const time = this.times[slot] ?? 0;
        if (!selects(frame, time)) continue;
        write(descriptor, enhancedPacket(frame, this.frameBytes[slot] ?? 0, time, this.directions[slot] === Direction.inbound ? Direction.inbound : Direction.outbound));
        frames++;
      }
    } finally {
      closeSync(descriptor);
    }
    return { frames, since: this.first === 0 ? null : (this.times[this.first % MAX_FRAMES] ?? null) };
  }
}

type Selects = (frame: Uint8Array, time: number) => boolean;

/** Looks a frame's conversation up, so that many sockets cost no more than one. */
function selector(selection: CaptureSelection): Selects {
  if (selection === 'all') return () => true;
  const byEnds = new Map<string, CapturedSocket[]>();
  for (const socket of selection) {
    const key = socket.remoteAddress === null || socket.localPort === null ? '' : `${socket.remoteAddress} ${socket.remotePort} ${socket.localPort}`;
    byEnds.set(key, [...(byEnds.get(key) ?? []), socket]);
  }
  const named = selection.filter(({ byName }) => byName);
  return (frame, time) => {
    const flow = readFlow(frame);
    if (flow === null) return false;
    if (flow.sourcePort === DNS_PORT || flow.destinationPort === DNS_PORT) return named.some((socket) => wasOpen(socket, time));
    if (flow.protocol !== 'tcp') return false;
    const sent = byEnds.get(`${formatIpv4(flow.destination)} ${flow.destinationPort} ${flow.sourcePort}`);
    const received = byEnds.get(`${formatIpv4(flow.source)} ${flow.sourcePort} ${flow.destinationPort}`);
    return (sent ?? received ?? []).some((socket) => wasOpen(socket, time));
  };
}

function wasOpen({ from, to }: CapturedSocket, time: number): boolean {
  return time >= from - MARGIN_MS && (to === null || time <= to + MARGIN_MS);
}

function write(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
}
