/** What a connection sends: SYN, data and its retransmissions, FIN, ACK (RFC 9293 §3.8, RFC 1122 §4.2.3). */
import { PROTOCOL_TCP } from '../egress';
import { seqAdd, seqDiff, seqGe, seqGt, seqLt } from '../wire/seq';
import { ACK, CWR, ECE, FIN, PSH, RST, SYN, TCP_HEADER_BYTES, writeTcpChecksum, writeTcpHeader } from '../wire/tcp';
import {
  MAX_SACK_BLOCKS, writeMssOption, writeSackOption, writeSackPermittedInPadding, writeSackPermittedOption, writeTimestampsOption, writeWindowScaleOption,
} from '../wire/tcp-options';
import type { TcpContext } from './context';
import { sackBlocks } from './sack';
import type { Tcb } from './tcb';
import { timestampNow } from './timestamps';

const IPV4_HEADER_BYTES = 20;
const NOT_ECT = 0;
/** ECT(0), RFC 3168 §5. */
const ECT = 2;
/** Made once: an object per segment would be waste. */
const SEND_OPTIONS = {
  whole: { [NOT_ECT]: { dontFragment: true, ecn: NOT_ECT }, [ECT]: { dontFragment: true, ecn: ECT } },
  fragmentable: { [NOT_ECT]: { dontFragment: false, ecn: NOT_ECT }, [ECT]: { dontFragment: false, ecn: ECT } },
} as const;
/** Timers cannot be finer: what falls due within this is sent now. */
const PACING_QUANTUM_MS = 1;

/** The MSS option for segments toward `remote`: the link's MTU less the fixed headers (RFC 9293 §3.7.1, RFC 6691 §2): what we can take, not what a path carries. */
export function localMss(context: TcpContext, remoteAddress: number): number {
  return context.egress.linkMtu(remoteAddress) - IPV4_HEADER_BYTES - TCP_HEADER_BYTES;
}

/** Sends everything that the connection owes or may send now. */
export function output(context: TcpContext, tcb: Tcb): void {
  if (tcb.synOwed) sendSyn(context, tcb);
  if (tcb.maySend) {
    if (tcb.tlpOwed) sendTailLossProbe(context, tcb);
    // F-RTO's second step: new data in place of retransmissions (RFC 5682 §3.1).
    if (tcb.sent.hasLost && tcb.frto !== 2) retransmit(context, tcb);
    sendNewData(context, tcb);
  }
  tcb.outputFlightBytes = tcb.flightBytes;
  if (tcb.ackOwed || windowUpdateDue(tcb)) sendAck(context, tcb);
}

export function sendAck(context: TcpContext, tcb: Tcb): void {
  if (tcb.state !== 'SYN-SENT' && tcb.state !== 'CLOSED') transmit(context, tcb, acceptableSeq(tcb), 0, ACK, NOT_ECT);
}

/**
 * SND.NXT, but while the one byte that probes a closed window is under way the number before it: a segment without data
 * beyond the edge is none that the peer accepts, not even for its ACK or RST (RFC 9293 §3.10.7.4).
 */
function acceptableSeq(tcb: Tcb): number {
  const edge = seqAdd(tcb.sndUna, tcb.sndWnd);
  return tcb.isSynchronized && seqDiff(tcb.sndNxt, edge) === 1 ? edge : tcb.sndNxt;
}

/** RFC 1122 §4.2.3.6: one number below what is expected, so that a live peer has to answer. */
export function sendKeepAlive(context: TcpContext, tcb: Tcb): void {
  transmit(context, tcb, seqAdd(tcb.sndNxt, -1), 0, ACK, NOT_ECT);
}

export function sendReset(context: TcpContext, tcb: Tcb): void {
  transmit(context, tcb, acceptableSeq(tcb), 0, RST | ACK, NOT_ECT);
  context.counters.txResets++;
}

function sendSyn(context: TcpContext, tcb: Tcb): void {
  tcb.synOwed = false;
  const { egress } = context;
  const start = egress.payloadOffset;
  tcb.offeredMss = Math.min(0xffff, localMss(context, tcb.remoteAddress));
  let at = writeMssOption(egress.buffer, start + TCP_HEADER_BYTES, tcb.offeredMss);
  at = writeSynOptions(context, tcb, at);
  const flags = (tcb.state === 'SYN-SENT' ? SYN : SYN | ACK) | ecnSynFlags(context, tcb);
  // RFC 7323 §2.2: the window of a segment with SYN is never scaled. RFC 9293 §3.8.6: what an earlier one offered stands.
  tcb.synWindow = Math.max(tcb.synWindow, Math.min(0xffff, tcb.receiveRing.free));
  writeTcpHeader(egress.buffer, start, tcb.localPort, tcb.remotePort, tcb.iss, flags & ACK ? tcb.rcvNxt : 0, at - start, flags, tcb.synWindow);
  if (tcb.state === 'SYN-RECEIVED') tcb.rcvAdv = seqAdd(tcb.rcvNxt, tcb.synWindow);
  if (tcb.sndNxt === tcb.iss) {
    tcb.sndNxt = seqAdd(tcb.iss, 1);
    tcb.sndMax = tcb.sndNxt;
    tcb.synSentAt = context.now;
  } else {
    tcb.retransmissions++;
    context.counters.txRetransmissions++;
  }
  tcb.ackOwed = false;
  tcb.lastAckSent = tcb.rcvNxt;
  send(context, tcb, at - start, NOT_ECT);
}

/** What the active end offers, and what the passive end agrees to; in the order that other stacks use. */
function writeSynOptions(context: TcpContext, tcb: Tcb, from: number): number {
  const { buffer } = context.egress;
  let at = from;
  if (tcb.tsEnabled) {
    at = writeTimestampsOption(buffer, at, timestampNow(tcb, context.now), tcb.state === 'SYN-SENT' ? 0 : tcb.tsRecent);
    if (tcb.sackEnabled) writeSackPermittedInPadding(buffer, from);
  } else if (tcb.sackEnabled) at = writeSackPermittedOption(buffer, at);
  if (tcb.offersWindowScale) at = writeWindowScaleOption(buffer, at, tcb.rcvWndShift);
  return at;
}

/** RFC 3168 §6.1.1. After one lost SYN the offer is dropped: the mark may be why it was lost (§6.1.1.1). */
function ecnSynFlags(context: TcpContext, tcb: Tcb): number {
  if (tcb.state !== 'SYN-SENT') return tcb.ecnEnabled ? ECE : 0;
  tcb.offeredEcn = context.config.ecn === 'on' && !tcb.synRetransmitted;
  return tcb.offeredEcn ? ECE | CWR : 0;
}

/** RFC 8985 §7.3: new data if there is any, else the last segment again, whatever the congestion window says. */
function sendTailLossProbe(context: TcpContext, tcb: Tcb): void {
  tcb.tlpOwed = false;
  const { sent } = tcb;
  if (sent.length === 0) return;
  context.counters.tailLossProbes++;
  const { sndNxt } = tcb;
  tcb.exemptSegments = 1;
  sendNewData(context, tcb);
  tcb.exemptSegments = 0;
  tcb.tlpIsRetransmission = tcb.sndNxt === sndNxt;
  if (tcb.tlpIsRetransmission) repeatSegment(context, tcb, sent.length - 1);
  tcb.tlpEndSeq = tcb.sndNxt;
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
    if (context.txBudget <= 0) {
      context.touch(tcb);
      return;
    }
    tcb.retransmitNow = false;
    repeatSegment(context, tcb, index);
  }
}

/** Sends segment `index` of the sent queue again, in a smaller part if the path takes less now. */
function repeatSegment(context: TcpContext, tcb: Tcb, index: number): void {
  const { sent } = tcb;
  const start = sent.start(index);
  const hasFin = tcb.finSeq >= 0 && seqGt(sent.end(index), tcb.finSeq);
  let payload = seqDiff(sent.end(index), start) - (hasFin ? 1 : 0);
  if (payload > tcb.sndMss) {
    payload = tcb.sndMss;
    sent.split(index, seqAdd(start, payload));
    transmit(context, tcb, start, payload, ACK, NOT_ECT);
  } else {
    // As when it was new: PSH where nothing more is queued behind it (RFC 9293 §3.9.1.2 MUST-61).
    const last = payload > 0 && seqAdd(start, payload) === seqAdd(tcb.sndUna, tcb.sendRing.length);
    transmit(context, tcb, start, payload, ACK | (hasFin ? FIN : 0) | (last ? PSH : 0), NOT_ECT);
  }
  sent.resent(index, context.now);
  tcb.resent.add(start, seqAdd(start, payload + (hasFin ? 1 : 0)), context.now);
  tcb.lastDataSentAt = context.now;
  tcb.retransmissions++;
  tcb.prr.sent(payload);
  context.counters.txRetransmissions++;
}

function sendNewData(context: TcpContext, tcb: Tcb): void {
  let unsent = tcb.unsentBytes;
  const gapMs = pacingGapMs(context, tcb);
  tcb.paced = false;
  while (unsent > 0) {
    if (context.txBudget <= 0) {
      context.touch(tcb);
      return;
    }
    if (gapMs > 0 && tcb.paceAt > context.now + PACING_QUANTUM_MS && !tcb.probeOwed && tcb.exemptSegments === 0) {
      tcb.paced = true;
      return;
    }
    const length = sendable(tcb, unsent);
    if (length === 0) break;
    const idleMs = context.now - tcb.lastDataSentAt;
    if (tcb.sent.length === 0 && idleMs > tcb.rtt.rtoMs) {
      tcb.congestion.onIdle(idleMs);
      if (context.config.idleRestart) tcb.congestion.restart();
    }
    const last = length === unsent;
    const withFin = last && tcb.finQueued && tcb.finSeq < 0 && tcb.usableWindow > length;
    pushSegment(context, tcb, length, withFin, last);
    unsent -= length;
    if (gapMs > 0) tcb.paceAt = Math.max(tcb.paceAt, context.now) + length * gapMs;
    tcb.probeOwed = false; // one segment
  }
  if (unsent === 0 && tcb.finQueued && tcb.finSeq < 0 && (tcb.usableWindow > 0 || tcb.probeOwed)) pushSegment(context, tcb, 0, true, false);
  tcb.probeOwed = false;
}

/** How many bytes the next new segment may carry now; 0 if it has to wait. */
function sendable(tcb: Tcb, unsent: number): number {
  const usable = tcb.usableWindow;
  const length = Math.min(unsent, tcb.sndMss, usable);
  if (tcb.probeOwed) return Math.max(1, length); // RFC 9293 §3.8.6.1: at least one octet into a closed window
  if (length <= 0) return 0;
  const room = tcb.congestion.cwndBytes + tcb.inflationBytes - tcb.sent.pipeBytes;
  if (tcb.exemptSegments > 0) {
    tcb.exemptSegments--;
    return length;
  }
  if (length > room && tcb.sent.pipeBytes > 0) {
    tcb.limitedAt = tcb.sndNxt;
    return 0;
  }
  if (length === tcb.sndMss) return length;
  if (length === unsent) {
    // The end of what is queued. Nagle's rule in Minshall's variant: one small segment in flight at most.
    const smallInFlight = seqGt(tcb.sndSml, tcb.sndUna);
    return !tcb.nagle || tcb.finQueued || !smallInFlight ? length : 0;
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
  noteFlight(tcb);
  if (seqLt(tcb.sndMax, end)) {
    // Less what of it a probe carried that was taken back.
    tcb.bytesOut += length - Math.max(0, seqDiff(tcb.sndMax, start));
    tcb.sndMax = end;
  }
  tcb.lastDataSentAt = context.now;
  tcb.tlpAt = Infinity; // counted from the last new segment (RFC 8985 §7.2)
  tcb.prr.sent(length);
  if (length < tcb.sndMss && length > 0) tcb.sndSml = end;
  if (withFin) {
    tcb.finSeq = seqAdd(start, length);
    if (tcb.state === 'CLOSE-WAIT') context.setState(tcb, 'LAST-ACK');
  }
  let flags = (withFin ? FIN : 0) | (push ? PSH : 0) | ACK;
  // RFC 3168 §6.1.2: the first new segment after a reduction says so. §6.1.6: probes are not marked capable.
  const capable = tcb.ecnEnabled && length > 0 && !tcb.probeOwed;
  if (capable && tcb.cwrOwed) {
    flags |= CWR;
    tcb.cwrOwed = false;
  }
  transmit(context, tcb, start, length, flags, capable ? ECT : NOT_ECT);
}

/** Keeps the most that was in flight within the last round trip: which part of the window is in use. */
function noteFlight(tcb: Tcb): void {
  const { flightBytes } = tcb;
  if (flightBytes <= tcb.maxFlightBytes && !seqGe(tcb.sndUna, tcb.maxFlightSeq)) return;
  tcb.maxFlightBytes = flightBytes;
  tcb.maxFlightSeq = tcb.sndNxt;
}

/** Whether new data is spread over the round trip. */
export function isPaced(context: TcpContext, tcb: Tcb): boolean {
  const { srttMs } = tcb.rtt;
  return context.config.pacing && srttMs !== null && srttMs >= PACING_QUANTUM_MS;
}

/** Time that one byte takes at the pace of the present window, ms; 0: not paced. */
function pacingGapMs(context: TcpContext, tcb: Tcb): number {
  const { srttMs } = tcb.rtt;
  if (srttMs === null || !isPaced(context, tcb)) return 0;
  const { cwndBytes, ssthreshBytes } = tcb.congestion;
  // Twice the window per round trip lets slow start double; a fifth more lets congestion avoidance grow. As Linux does.
  const factor = cwndBytes < ssthreshBytes / 2 ? 2 : 1.2;
  return srttMs / (factor * cwndBytes);
}

/** Whether reading has opened the window by so much that the peer should hear of it (RFC 9293 §3.8.6.2.2). */
function windowUpdateDue(tcb: Tcb): boolean {
  if (!tcb.windowNews || !tcb.isSynchronized || tcb.peerFinSeq >= 0) return false;
  const known = tcb.rcvWnd;
  // While the peer can still send whole segments, an ACK for each one read would be waste.
  const segments = known < tcb.rcvMss ? 1 : 2;
  return offerableWindow(tcb) - known >= Math.max(1, Math.min(tcb.receiveRing.limit / 2, segments * tcb.rcvMss));
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
function transmit(context: TcpContext, tcb: Tcb, seq: number, length: number, flags: number, ecn: typeof NOT_ECT | typeof ECT): void {
  const { egress } = context;
  const start = egress.payloadOffset;
  const at = writeOptions(context, tcb, start + TCP_HEADER_BYTES, length);
  const allFlags = tcb.eceOwed ? flags | ECE : flags;
  writeTcpHeader(egress.buffer, start, tcb.localPort, tcb.remotePort, seq, tcb.rcvNxt, at - start, allFlags, advertiseWindow(tcb));
  if (length > 0) tcb.sendRing.copyOut(seqDiff(seq, tcb.sndUna), length, egress.buffer, at);
  tcb.lastAckSent = tcb.rcvNxt;
  tcb.ackOwed = false;
  tcb.windowNews = false;
  tcb.unackedBytes = 0;
  tcb.ackAt = Infinity;
  send(context, tcb, at - start + length, ecn);
}

const edges = new Uint32Array(2 * MAX_SACK_BLOCKS);

/** Timestamps, and SACK blocks as far as they fit beside the payload. @returns the offset behind them */
function writeOptions(context: TcpContext, tcb: Tcb, from: number, payload: number): number {
  const { buffer } = context.egress;
  let at = from;
  if (tcb.tsEnabled) at = writeTimestampsOption(buffer, at, timestampNow(tcb, context.now), tcb.tsRecent);
  if (!tcb.sackEnabled || (tcb.outOfOrder.isEmpty && !tcb.dsackOwed)) return at;
  // A full segment leaves no room for blocks; the next ACK has them.
  const room = Math.min(tcb.tsEnabled ? MAX_SACK_BLOCKS - 1 : MAX_SACK_BLOCKS, Math.floor((tcb.sndMss - payload - 4) / 8));
  if (room <= 0) return at;
  const count = sackBlocks(tcb, room, edges);
  return count > 0 ? writeSackOption(buffer, at, edges, count) : at;
}

function send(context: TcpContext, tcb: Tcb, length: number, ecn: typeof NOT_ECT | typeof ECT): void {
  const { egress, counters } = context;
  writeTcpChecksum(egress.buffer, egress.payloadOffset, length, tcb.localAddress, tcb.remoteAddress);
  tcb.segmentsOut++;
  context.txBudget--;
  counters.txSegments++;
  if (egress.send(PROTOCOL_TCP, tcb.localAddress, tcb.remoteAddress, length, SEND_OPTIONS[tcb.dontFragment ? 'whole' : 'fragmentable'][ecn]) !== 'sent') counters.txUnreachable++;
}
