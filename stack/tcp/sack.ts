/** Selective acknowledgment (RFC 2018) with duplicates reported (RFC 2883), both directions. */
import { seqGe, seqGt, seqLe, seqLt } from '../wire/seq';
import type { TcpSegment } from '../wire/tcp';
import type { Tcb } from './tcb';

const EDGES = 2;

/**
 * Fills `edges` with the blocks for the next ACK: a duplicate first (RFC 2883 §4), then the range that came
 * last, then the ones before it (RFC 2018 §4). @param room blocks that fit @returns how many there are
 */
export function sackBlocks(tcb: Tcb, room: number, edges: Uint32Array): number {
  let count = 0;
  if (tcb.dsackOwed && room > 0) {
    edges[0] = tcb.dsackStart;
    edges[1] = tcb.dsackEnd;
    tcb.dsackOwed = false;
    count = 1;
  }
  return count + tcb.outOfOrder.recentRanges(room - count, edges, count * EDGES);
}

/** Notes that `[start, end)` arrived twice; the next ACK says so. */
export function oweDsack(tcb: Tcb, start: number, end: number): void {
  if (!tcb.sackEnabled || !seqLt(start, end)) return;
  tcb.dsackOwed = true;
  tcb.dsackStart = start;
  tcb.dsackEnd = end;
}

/** Blocks of the ACK under way in ascending order: RACK must see deliveries in the order of sequence numbers. */
const sorted = new Uint32Array(8);

/** Takes the peer's blocks into the sent queue. @returns whether the first one reported a duplicate */
export function takeSackBlocks(tcb: Tcb, segment: TcpSegment, now: number): boolean {
  const { sackCount, sackEdges } = segment.options;
  const dsack = isDsack(segment);
  let count = 0;
  for (let block = dsack ? 1 : 0; block < sackCount; block++) {
    const start = sackEdges[2 * block] ?? 0;
    const end = sackEdges[2 * block + 1] ?? 0;
    // Only what is in flight can be acknowledged (RFC 2018 §3, RFC 6675 §4); the rest is old or forged.
    if (!seqLt(start, end) || seqLe(end, tcb.sndUna) || seqLt(start, tcb.sndUna) || seqGt(end, tcb.sndMax)) continue;
    let at = count++;
    for (; at > 0 && seqGt(sorted[2 * at - 2] ?? 0, start); at--) {
      sorted[2 * at] = sorted[2 * at - 2] ?? 0;
      sorted[2 * at + 1] = sorted[2 * at - 1] ?? 0;
    }
    sorted[2 * at] = start;
    sorted[2 * at + 1] = end;
  }
  for (let block = 0; block < count; block++) tcb.sent.sack(sorted[2 * block] ?? 0, sorted[2 * block + 1] ?? 0, tcb.rack, now);
  return dsack;
}

/** RFC 2883 §4.1, §4.2: the first block lies below the ACK, or within the second. */
function isDsack(segment: TcpSegment): boolean {
  const { sackCount, sackEdges } = segment.options;
  const start = sackEdges[0] ?? 0;
  const end = sackEdges[1] ?? 0;
  if (seqLe(end, segment.ack)) return true;
  return sackCount > 1 && seqGe(start, sackEdges[2] ?? 0) && seqLe(end, sackEdges[3] ?? 0);
}
