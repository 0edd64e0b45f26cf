/**
 * How large a connection's buffers may grow: what the path and the reader can use, up to the configured
 * limits (receive: after Linux's dynamic right-sizing; send: twice the congestion window), and memory given
 * back by connections that are idle.
 */
import type { RingBuffer } from '../storage/ring-buffer';
import { seqAdd, seqGe } from '../wire/seq';
import type { TcpContext } from './context';
import type { Tcb } from './tcb';

/** A buffer that nothing has used for so long gives its memory back. */
const IDLE_MS = 1_000;

/** Smaller windows can arrive in one burst: their time tells nothing of the round trip. */
const MEASURED_SEGMENTS = 16;
/** Part of a longer sample that counts: the sender may have been idle. */
const LONGER_SAMPLE_WEIGHT = 1 / 8;

/** Takes the time in which one window arrives for a bound on the round trip, as a receiver without RTT samples can. */
export function measureReceiveRtt(tcb: Tcb, now: number): void {
  if (!seqGe(tcb.rcvNxt, tcb.rcvRttSeq)) return;
  if (tcb.rcvRttSince >= 0) {
    const sample = now - tcb.rcvRttSince;
    tcb.rcvRttMs = sample < tcb.rcvRttMs ? sample : tcb.rcvRttMs + (sample - tcb.rcvRttMs) * LONGER_SAMPLE_WEIGHT;
  }
  tcb.rcvRttSince = tcb.rcvWnd >= MEASURED_SEGMENTS * tcb.rcvMss ? now : -1;
  tcb.rcvRttSeq = seqAdd(tcb.rcvNxt, tcb.rcvWnd);
}

/** The user has read: once a round trip, the window grows to twice what it read in the last one. */
export function tuneReceiveBuffer(context: TcpContext, tcb: Tcb, readBytes: number): void {
  tcb.readInRound += readBytes;
  const rtt = Math.min(tcb.rcvRttMs, Math.max(tcb.rtt.srttMs ?? Infinity, 1));
  if (context.now - tcb.roundSince < rtt) return;
  // The sender doubles in slow start: twice what was read, and room for the segments of this round.
  if (tcb.readInRound > tcb.roundBytes && context.config.autoTuning) growReceive(context, tcb, 2 * tcb.readInRound + 16 * tcb.rcvMss);
  tcb.roundBytes = Math.max(tcb.roundBytes, tcb.readInRound);
  tcb.readInRound = 0;
  tcb.roundSince = context.now;
}

/** An ACK has made room in the window: the send buffer keeps two of it, so that the user need not be awake for each. */
export function tuneSendBuffer(context: TcpContext, tcb: Tcb): void {
  const { sendRing, congestion } = tcb;
  if (!context.config.autoTuning || !context.mayGrowBuffers) return;
  const wanted = Math.min(2 * congestion.cwndBytes, context.config.sendBufferBytes);
  if (wanted > sendRing.limit) sendRing.setLimit(wanted);
}

/** When buffers should next be looked at for idleness; `Infinity` if there is nothing to give back. */
export function trimAt(context: TcpContext, tcb: Tcb): number {
  if (!isTrimmable(tcb.sendRing) && !(isTrimmable(tcb.receiveRing) && tcb.outOfOrder.isEmpty)) return Infinity;
  return tcb.trimAt === Infinity ? context.now + IDLE_MS : tcb.trimAt;
}

export function trimIfIdle(context: TcpContext, tcb: Tcb): void {
  tcb.trimAt = Infinity;
  if (context.now - Math.max(tcb.heardAt, tcb.lastDataSentAt) < IDLE_MS) return;
  if (tcb.sendRing.length === 0) tcb.sendRing.clear();
  if (tcb.receiveRing.length === 0 && tcb.outOfOrder.isEmpty) tcb.receiveRing.clear();
  if (tcb.sent.length === 0) tcb.sent.clear();
}

function isTrimmable(ring: RingBuffer): boolean {
  return ring.length === 0 && ring.capacity > 0;
}

function growReceive(context: TcpContext, tcb: Tcb, wantedBytes: number): void {
  if (!context.mayGrowBuffers) return;
  const limit = Math.min(wantedBytes, tcb.receiveLimit, context.config.receiveBufferBytes);
  if (limit > tcb.receiveRing.limit) tcb.receiveRing.setLimit(limit);
}
