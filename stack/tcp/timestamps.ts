/** Timestamps (RFC 7323): a clock of 1 ms per connection, PAWS, and what an echo tells of sending times. */
import { seqDiff, seqGe, seqLe, seqLt } from '../wire/seq';
import { RST, type TcpSegment } from '../wire/tcp';
import type { TcpOptions } from '../wire/tcp-options';
import type { TcpContext } from './context';
import type { Tcb } from './tcb';

/** RFC 7323 §5.5: a TS.Recent older than this says nothing any more. */
const PAWS_IDLE_MS = 24 * 86_400_000;

export function timestampNow(tcb: Tcb, nowMs: number): number {
  return (Math.floor(nowMs) + tcb.tsOffset) >>> 0;
}

/** When the segment that `tsEcr` echoes was sent, whole ms of our clock. */
export function echoedAt(tcb: Tcb, tsEcr: number, nowMs: number): number {
  return Math.floor(nowMs) - seqDiff(timestampNow(tcb, nowMs), tsEcr);
}

/** RFC 7323 §5.3 R1. @returns whether the segment is too old to be of this connection's present */
export function failsPaws(context: TcpContext, tcb: Tcb, segment: TcpSegment): boolean {
  if (!tcb.tsEnabled || !segment.options.hasTimestamps || segment.has(RST)) return false;
  return seqLt(segment.options.tsVal, tcb.tsRecent) && context.now - tcb.tsRecentAt < PAWS_IDLE_MS;
}

/** RFC 7323 §4.3 (2): TS.Recent follows the segment that the next ACK will answer. @param seq where the segment began as it came */
export function updateTsRecent(context: TcpContext, tcb: Tcb, options: TcpOptions, seq: number): void {
  if (!tcb.tsEnabled || !options.hasTimestamps) return;
  // §5.5: after 24 days TS.Recent is no measure any more.
  const outdated = context.now - tcb.tsRecentAt >= PAWS_IDLE_MS;
  if ((outdated || seqGe(options.tsVal, tcb.tsRecent)) && seqLe(seq, tcb.lastAckSent)) {
    tcb.tsRecent = options.tsVal;
    tcb.tsRecentAt = context.now;
  }
}
