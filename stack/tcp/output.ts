/** What a connection sends: SYN, data and its retransmissions, FIN, ACK (RFC 9293 §3.8, RFC 1122 §4.2.3). */
import { PROTOCOL_TCP } from '../egress';
import { seqAdd, seqDiff, seqGt, seqLt } from '../wire/seq';
import { ACK, FIN, PSH, RST, SYN, TCP_HEADER_BYTES, writeTcpChecksum, writeTcpHeader } from '../wire/tcp';
import { writeMssOption, writeWindowScaleOption } from '../wire/tcp-options';
import type { TcpContext } from './context';
import type { Tcb } from './tcb';

const IPV4_HEADER_BYTES = 20;
const WHOLE = { dontFragment: true } as const;
const FRAGMENTABLE = { dontFragment: false } as const;

/** The MSS option for segments toward `remote`: path MTU less the fixed headers (RFC 9293 §3.7.1, RFC 6691). */
export function localMss(context: TcpContext, remoteAddress: number): number {
  return context.egress.pathMtu(remoteAddress) - IPV4_HEADER_BYTES - TCP_HEADER_BYTES;
}

/** Sends everything that the connection owes or may send now. */
export function output(context: TcpContext, tcb: Tcb): void {
  if (tcb.synOwed) sendSyn(context, tcb);
  if (tcb.maySend) {
    if (tcb.sent.hasLost) retransmit(context, tcb);
    sendNewData(context, tcb);
  }
  if (tcb.ackOwed || windowUpdateDue(tcb)) sendAck(context, tcb);
}

export function sendAck(context: TcpContext, tcb: Tcb): void {
  if (tcb.state !== 'SYN-SENT' && tcb.state !== 'CLOSED') transmit(context, tcb, tcb.sndNxt, 0, ACK);
}

export function sendReset(context: TcpContext, tcb: Tcb): void {
  transmit(context, tcb, tcb.sndNxt, 0, RST | ACK);
  context.counters.txResets++;
}

function sendSyn(context: TcpContext, tcb: Tcb): void {
  tcb.synOwed = false;
  const { egress } = context;
  const start = egress.payloadOffset;
  let at = writeMssOption(egress.buffer, start + TCP_HEADER_BYTES, Math.min(0xffff, localMss(context, tcb.remoteAddress)));
  if (tcb.offersWindowScale) at = writeWindowScaleOption(egress.buffer, at, tcb.rcvWndShift);
  const flags = tcb.state === 'SYN-SENT' ? SYN : SYN | ACK;
  // RFC 7323 §2.2: the window of a segment with SYN is never scaled.
  const window = Math.min(0xffff, tcb.receiveRing.free);
  writeTcpHeader(egress.buffer, start, tcb.localPort, tcb.remotePort, tcb.iss, flags & ACK ? tcb.rcvNxt : 0, at - start, flags, window);
  if (tcb.state === 'SYN-RECEIVED') tcb.rcvAdv = seqAdd(tcb.rcvNxt, window);
  if (tcb.sndNxt === tcb.iss) {
    tcb.sndNxt = seqAdd(tcb.iss, 1);
    tcb.sndMax = tcb.sndNxt;
    tcb.synSentAt = context.now;
  } else {
    tcb.retransmissions++;
    context.counters.txRetransmissions++;
  }
  tcb.ackOwed = false;
  send(context, tcb, at - start);
}

function retransmit(context: TcpContext, tcb: Tcb): void {
  const { sent } = tcb;
  for (let index = sent.nextLost(); index >= 0; index = sent.nextLost()) {
    const start = sent.start(index);
    const length = seqDiff(sent.end(index), start);
    if (!tcb.retransmitNow) {
      if (sent.pipeBytes + Math.min(length, tcb.sndMss) > tcb.congestion.cwndBytes + tcb.inflationBytes) return;
      // A peer that shrank its window would drop what lies beyond it; the first segment probes it.
      if (index > 0 && seqGt(sent.end(index), seqAdd(tcb.sndUna, tcb.sndWnd))) return;
    }
    tcb.retransmitNow = false;
    const hasFin = tcb.finSeq >= 0 && seqGt(sent.end(index), tcb.finSeq);
    const payload = length - (hasFin ? 1 : 0);
    if (payload > tcb.sndMss) {
      sent.split(index, seqAdd(start, tcb.sndMss));
      transmit(context, tcb, start, tcb.sndMss, ACK);
    } else {
      transmit(context, tcb, start, payload, hasFin ? ACK | FIN : ACK | PSH);
    }
    sent.resent(index, context.now);
    tcb.lastDataSentAt = context.now;
    tcb.retransmissions++;
    context.counters.txRetransmissions++;
  }
}

function sendNewData(context: TcpContext, tcb: Tcb): void {
  let unsent = tcb.unsentBytes;
  if (unsent > 0 && tcb.sent.length === 0 && context.now - tcb.lastDataSentAt > tcb.rtt.rtoMs) tcb.congestion.onIdle();
  while (unsent > 0) {
    const length = sendable(context, tcb, unsent);
    if (length === 0) break;
    const last = length === unsent;
    const withFin = last && tcb.finQueued && tcb.finSeq < 0 && tcb.usableWindow > length;
    pushSegment(context, tcb, length, withFin, last);
    unsent -= length;
    tcb.probeOwed = false; // one segment
  }
  if (unsent === 0 && tcb.finQueued && tcb.finSeq < 0 && (tcb.usableWindow > 0 || tcb.probeOwed)) pushSegment(context, tcb, 0, true, true);
  tcb.probeOwed = false;
}

/** How many bytes the next new segment may carry now; 0 if it has to wait. */
function sendable(context: TcpContext, tcb: Tcb, unsent: number): number {
  const usable = tcb.usableWindow;
  const length = Math.min(unsent, tcb.sndMss, usable);
  if (tcb.probeOwed) return Math.max(1, length); // RFC 9293 §3.8.6.1: at least one octet into a closed window
  if (length <= 0) return 0;
  const room = tcb.congestion.cwndBytes + tcb.inflationBytes - tcb.sent.pipeBytes;
  if (length > room && tcb.sent.pipeBytes > 0) return 0;
  if (length === tcb.sndMss) return length;
  if (length === unsent) {
    // The end of what is queued. Nagle's rule in Minshall's variant: one small segment in flight at most.
    const smallInFlight = seqGt(tcb.sndSml, tcb.sndUna);
    return !context.config.nagle || tcb.finQueued || !smallInFlight ? length : 0;
  }
  // The window cuts the segment short: silly window avoidance (RFC 1122 §4.2.3.4).
  return length >= tcb.maxSndWnd / 2 ? length : 0;
}

function pushSegment(context: TcpContext, tcb: Tcb, length: number, withFin: boolean, push: boolean): void {
  const start = tcb.sndNxt;
  const end = seqAdd(start, length + (withFin ? 1 : 0));
  if (tcb.sent.length === 0) tcb.progressAt = context.now;
  tcb.sent.push(start, end, context.now);
  tcb.sndNxt = end;
  if (seqLt(tcb.sndMax, end)) {
    tcb.bytesOut += length;
    tcb.sndMax = end;
  }
  tcb.lastDataSentAt = context.now;
  if (length < tcb.sndMss && length > 0) tcb.sndSml = end;
  if (withFin) {
    tcb.finSeq = seqAdd(start, length);
    if (tcb.state === 'CLOSE-WAIT') context.setState(tcb, 'LAST-ACK');
  }
  transmit(context, tcb, start, length, (withFin ? FIN : 0) | (push ? PSH : 0) | ACK);
}

/** Whether reading has opened the window by so much that the peer should hear of it (RFC 9293 §3.8.6.2.2). */
function windowUpdateDue(tcb: Tcb): boolean {
  if (!tcb.isSynchronized || tcb.peerFinSeq >= 0) return false;
  const known = tcb.rcvWnd;
  // While the peer can still send whole segments, an ACK for each one read would be waste.
  const segments = known < tcb.rcvMss ? 1 : 2;
  return offerableWindow(tcb) - known >= Math.min(tcb.receiveRing.limit / 2, segments * tcb.rcvMss);
}

/** What the field can tell of the room that there is, bytes. */
function offerableWindow(tcb: Tcb): number {
  return Math.min(tcb.receiveRing.free >>> tcb.rcvWndShift, 0xffff) << tcb.rcvWndShift;
}

/** The window field, and with it the promise not to take that edge back. */
function advertiseWindow(tcb: Tcb): number {
  const offer = offerableWindow(tcb);
  // Receiver's silly window avoidance: the edge moves by a full segment or half the buffer, or stays;
  // unless it is the field that limits it, and not the buffer.
  const full = offer === 0xffff << tcb.rcvWndShift;
  if (full || offer - tcb.rcvWnd >= Math.min(tcb.receiveRing.limit / 2, tcb.rcvMss)) tcb.rcvAdv = seqAdd(tcb.rcvNxt, offer);
  // Rounded down: on the wire the edge may fall back by less than a unit (RFC 7323 §2.4), here it does not.
  return Math.min(0xffff, tcb.rcvWnd >>> tcb.rcvWndShift);
}

/** Builds and sends one segment with `length` bytes of the send ring from sequence number `seq`. */
function transmit(context: TcpContext, tcb: Tcb, seq: number, length: number, flags: number): void {
  const { egress } = context;
  const at = egress.payloadOffset;
  writeTcpHeader(egress.buffer, at, tcb.localPort, tcb.remotePort, seq, tcb.rcvNxt, TCP_HEADER_BYTES, flags, advertiseWindow(tcb));
  if (length > 0) tcb.sendRing.copyOut(seqDiff(seq, tcb.sndUna), length, egress.buffer, at + TCP_HEADER_BYTES);
  tcb.ackOwed = false;
  tcb.unackedBytes = 0;
  tcb.ackAt = Infinity;
  send(context, tcb, TCP_HEADER_BYTES + length);
}

function send(context: TcpContext, tcb: Tcb, length: number): void {
  const { egress, counters } = context;
  writeTcpChecksum(egress.buffer, egress.payloadOffset, length, tcb.localAddress, tcb.remoteAddress);
  tcb.segmentsOut++;
  counters.txSegments++;
  if (egress.send(PROTOCOL_TCP, tcb.localAddress, tcb.remoteAddress, length, tcb.dontFragment ? WHOLE : FRAGMENTABLE) !== 'sent') counters.txUnreachable++;
}
