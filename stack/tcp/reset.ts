/** The reset that answers a segment for which no connection exists (RFC 9293 §3.10.7.1). */
import { PROTOCOL_TCP, type Ipv4Egress } from '../egress';
import type { Counters } from '../observer';
import { seqAdd } from '../wire/seq';
import { ACK, RST, TCP_HEADER_BYTES, writeTcpChecksum, writeTcpHeader, type TcpSegment } from '../wire/tcp';

export function replyReset(to: { readonly egress: Ipv4Egress; readonly counters: Counters['tcp'] }, segment: TcpSegment): void {
  if (segment.has(RST)) return; // never a reset for a reset
  const { egress, counters } = to;
  const withAck = segment.has(ACK);
  const seq = withAck ? segment.ack : 0;
  const ack = withAck ? 0 : seqAdd(segment.seq, segment.length);
  const at = egress.payloadOffset;
  writeTcpHeader(egress.buffer, at, segment.destinationPort, segment.sourcePort, seq, ack, TCP_HEADER_BYTES, withAck ? RST : RST | ACK, 0);
  writeTcpChecksum(egress.buffer, at, TCP_HEADER_BYTES, segment.destination, segment.source);
  counters.txResets++;
  counters.txSegments++;
  if (egress.send(PROTOCOL_TCP, segment.destination, segment.source, TCP_HEADER_BYTES) !== 'sent') counters.txUnreachable++;
}
