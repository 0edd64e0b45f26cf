/** SEGMENT ARRIVES (RFC 9293 §3.10.7) for a connection that exists, in the RFC's order. */
import type { Ecn } from '../egress';
import { StackError } from '../errors';
import { formatIpv4 } from '../wire/address';
import { seqAdd, seqGe, seqGt, seqLe, seqLt, seqMin } from '../wire/seq';
import { ACK, CWR, ECE, FIN, RST, SYN, type TcpSegment } from '../wire/tcp';
import type { TcpContext } from './context';
import { processAck } from './input-ack';
import { isAcceptable, processData, trimToWindow } from './input-data';
import { answerUnacceptable, challengeAck } from './invalid-segment';
import { localMss } from './output';
import { beginWithPath, setMss } from './path-mtu';
import { replyReset } from './reset';
import { oweDsack } from './sack';
import { DEFAULT_MSS, MAX_WINDOW_SCALE, type Tcb } from './tcb';
import { restartRetransmission } from './timers';
import { failsPaws, updateTsRecent } from './timestamps';

const TIMESTAMP_BYTES = 12;

const CONGESTION_EXPERIENCED: Ecn = 3;

export function segmentArrives(context: TcpContext, tcb: Tcb, segment: TcpSegment, ecn: Ecn): void {
  tcb.segmentsIn++;
  if (tcb.state === 'SYN-SENT') {
    synSent(context, tcb, segment);
    return;
  }
  if (tcb.tsEnabled && !segment.options.hasTimestamps && !segment.has(RST)) {
    context.counters.rxNoTimestamp++; // RFC 7323 §3.2
    return;
  }
  if (failsPaws(context, tcb, segment)) {
    context.counters.rxBadPaws++;
    answerUnacceptable(context, tcb, segment);
    return;
  }
  // First, the sequence number.
  if (!isAcceptable(tcb, segment) && !acceptAckOnly(tcb, segment)) {
    unacceptable(context, tcb, segment);
    return;
  }
  // Second, RST.
  if (segment.has(RST)) {
    reset(context, tcb, segment);
    return;
  }
  // Fourth, SYN.
  if (segment.has(SYN)) {
    synInWindow(context, tcb);
    return;
  }
  // Fifth, ACK.
  if (!segment.has(ACK)) {
    context.counters.rxNoAck++;
    return;
  }
  if (tcb.state === 'SYN-RECEIVED' && !synReceivedAck(context, tcb, segment)) return;
  // RFC 5681 §2: what carries data is no duplicate ACK, even if all of the data is old.
  const pureAck = segment.length === 0;
  const { seq, payloadLength } = segment;
  trimToWindow(context, tcb, segment);
  if (!processAck(context, tcb, segment, pureAck)) return;
  // Only now is the segment known to be the peer's (RFC 5961 §5): nothing of a forged one may stay.
  updateTsRecent(context, tcb, segment.options, seq);
  if (tcb.ecnEnabled && payloadLength > 0) noteMarks(tcb, segment, ecn);
  heardFromPeer(context, tcb);
  // Sixth, URG: data is delivered in line; the mechanism is not offered (RFC 6093 §6 advises against its use).
  processData(context, tcb, segment);
}

/** Applies what a SYN tells of the peer (RFC 9293 §3.7.1, RFC 7323 §2.2). */
export function takeSynOptions(context: TcpContext, tcb: Tcb, segment: TcpSegment): void {
  const { options } = segment;
  const peerMss = options.mss >= 0 ? options.mss : DEFAULT_MSS;
  // A tiny or zero MSS would make the connection useless: the least IPv4 packet carries 28 bytes beside both headers.
  tcb.sndMss = Math.max(28, Math.min(peerMss, localMss(context, tcb.remoteAddress)));
  const { config } = context;
  tcb.sackEnabled = config.sack && options.sackPermitted;
  tcb.tsEnabled = config.timestamps && options.hasTimestamps;
  if (tcb.tsEnabled) {
    tcb.tsRecent = options.tsVal;
    tcb.tsRecentAt = context.now;
    tcb.optionBytes = TIMESTAMP_BYTES;
    tcb.sndMss -= TIMESTAMP_BYTES; // RFC 6691 §2: the option comes out of the segment
  }
  tcb.handshakeMss = tcb.sndMss;
  beginWithPath(context, tcb);
  // RFC 3168 §6.1.1: ECN-setup SYN carries both flags, ECN-setup SYN-ACK only ECE.
  const offered = segment.has(ACK) ? segment.has(ECE) && !segment.has(CWR) : segment.has(ECE) && segment.has(CWR);
  tcb.ecnEnabled = config.ecn !== 'off' && offered && (!segment.has(ACK) || tcb.offeredEcn);
  if (options.windowScale >= 0 && tcb.offersWindowScale) tcb.sndWndShift = Math.min(options.windowScale, MAX_WINDOW_SCALE);
  else {
    tcb.rcvWndShift = 0;
    tcb.offersWindowScale = false;
  }
  tcb.irs = segment.seq;
  tcb.lastAckSent = seqAdd(segment.seq, 1);
  tcb.rcvNxt = seqAdd(segment.seq, 1);
  tcb.rcvAdv = seqAdd(tcb.rcvNxt, tcb.synWindow);
  setMss(tcb, tcb.sndMss);
}

function heardFromPeer(context: TcpContext, tcb: Tcb): void {
  // After a silence the peer starts slowly again, and needs its ACKs at once.
  if (context.now - tcb.heardAt > tcb.rtt.rtoMs) tcb.quickAcks = context.config.quickAcks;
  tcb.heardAt = context.now;
  tcb.keepAliveProbes = 0;
}

/** RFC 3168 §6.1.3: every ACK echoes a mark until the peer says that it has slowed down. */
function noteMarks(tcb: Tcb, segment: TcpSegment, ecn: Ecn): void {
  if (segment.has(CWR)) tcb.eceOwed = false;
  if (ecn === CONGESTION_EXPERIENCED) {
    tcb.eceOwed = true;
    tcb.ackOwed = true;
  }
}

/** RFC 9293 §3.10.7.3. */
function synSent(context: TcpContext, tcb: Tcb, segment: TcpSegment): void {
  if (segment.has(ACK) && (seqLe(segment.ack, tcb.iss) || seqGt(segment.ack, tcb.sndMax))) {
    context.counters.rxBadAck++;
    if (!segment.has(RST)) replyReset(context, segment);
    return;
  }
  if (segment.has(RST)) {
    if (!segment.has(ACK)) {
      context.counters.rxBadReset++;
      return;
    }
    context.counters.resets++;
    context.finish(tcb, new StackError('ECONNREFUSED', `${peer(tcb)} refused the connection: nothing listens on port ${tcb.remotePort} there.`));
    return;
  }
  if (!segment.has(SYN)) {
    context.counters.rxUnacceptable++;
    return;
  }
  takeSynOptions(context, tcb, segment);
  if (segment.has(ACK)) {
    tcb.ackOwed = true;
    established(context, tcb, segment);
    dataAfterSyn(context, tcb, segment);
  } else {
    // Simultaneous open (§3.5 figure 8).
    context.setState(tcb, 'SYN-RECEIVED');
    tcb.synOwed = true;
    context.touch(tcb);
  }
}

/** Data and FIN may ride on the SYN (RFC 9293 §3.4): the sequence number behind SYN is theirs. */
function dataAfterSyn(context: TcpContext, tcb: Tcb, segment: TcpSegment): void {
  segment.flags &= ~SYN;
  segment.seq = seqAdd(segment.seq, 1);
  trimToWindow(context, tcb, segment);
  processData(context, tcb, segment);
}

function established(context: TcpContext, tcb: Tcb, segment: TcpSegment): void {
  tcb.sndUna = segment.ack;
  tcb.sndSml = segment.ack;
  tcb.rttSampleFrom = tcb.iss;
  // The window of a SYN is not scaled (RFC 7323 §2.2).
  tcb.sndWnd = segment.has(SYN) ? segment.window : segment.window << tcb.sndWndShift;
  tcb.maxSndWnd = Math.max(tcb.maxSndWnd, tcb.sndWnd);
  tcb.sndWl1 = segment.seq;
  tcb.sndWl2 = segment.ack;
  if (tcb.synRetransmitted) {
    tcb.rtt.synWasLost();
    tcb.congestion.onLostSyn();
  } else {
    tcb.rtt.sample(context.now - tcb.synSentAt);
    tcb.rack.rttMs = context.now - tcb.synSentAt; // the SYN was a segment too
  }
  restartRetransmission(tcb);
  tcb.lifeAt = Infinity;
  tcb.synOwed = false;
  tcb.heardAt = context.now;
  tcb.roundSince = context.now;
  tcb.rcvRttSeq = tcb.rcvNxt;
  // A close that came before the handshake ended waits no longer (RFC 9293 §3.10.4).
  context.setState(tcb, tcb.finQueued ? 'FIN-WAIT-1' : 'ESTABLISHED');
  context.changed(tcb);
  context.touch(tcb);
  tcb.opener?.opened(tcb);
}

function synReceivedAck(context: TcpContext, tcb: Tcb, segment: TcpSegment): boolean {
  if (!(seqLt(tcb.sndUna, segment.ack) && seqLe(segment.ack, tcb.sndMax))) {
    context.counters.rxBadAck++;
    replyReset(context, segment);
    return false;
  }
  established(context, tcb, segment);
  return true;
}

/**
 * What stands at the edge of the window is taken for its ACK: with a closed window also from a segment with data
 * (RFC 9293 §3.10.7.4), as two peers with full buffers would never hear of each other's reading else; and of a peer that
 * has filled an open one, whose first segment was lost, two of which would never hear of each other's SACKs.
 */
function acceptAckOnly(tcb: Tcb, segment: TcpSegment): boolean {
  return segment.seq === tcb.rcvAdv && (tcb.rcvWnd === 0 || (segment.length === 0 && !segment.has(RST)));
}

function unacceptable(context: TcpContext, tcb: Tcb, segment: TcpSegment): void {
  context.counters.rxUnacceptable++;
  if (segment.has(RST)) return;
  if (tcb.state === 'SYN-RECEIVED' && segment.has(SYN) && segment.seq === tcb.irs) {
    repeatedSyn(context, tcb, segment);
    return;
  }
  if (segment.has(SYN)) {
    context.counters.rxBadSyn++;
    challengeAck(context, tcb); // RFC 5961 §4.2: in the window or not
    return;
  }
  if (segment.payloadLength > 0) oweDsack(tcb, segment.seq, seqMin(seqAdd(segment.seq, segment.payloadLength), tcb.rcvNxt));
  // RFC 9293 §3.10.7.4: a FIN that comes again in TIME-WAIT starts the 2 MSL anew.
  if (tcb.state === 'TIME-WAIT' && segment.has(FIN)) context.enterTimeWait(tcb);
  answerUnacceptable(context, tcb, segment);
  context.touch(tcb);
}

/** The SYN that brought us to SYN-RECEIVED, once more. */
function repeatedSyn(context: TcpContext, tcb: Tcb, segment: TcpSegment): void {
  if (!tcb.passive && segment.has(ACK) && segment.ack === tcb.sndMax) {
    // The other half of a simultaneous open (RFC 9293 §3.5 figure 8).
    tcb.ackOwed = true;
    established(context, tcb, segment);
    return;
  }
  // Our SYN-ACK was lost, or is late: an ACK may be of either (RFC 6298 §3, Karn's algorithm).
  if (tcb.sndNxt !== tcb.iss) tcb.synRetransmitted = true;
  tcb.synOwed = true;
  context.touch(tcb);
}

/** RFC 5961 §3.2: only the exact number resets, so that a guess within the window does not. */
function reset(context: TcpContext, tcb: Tcb, segment: TcpSegment): void {
  if (segment.seq !== tcb.rcvNxt) {
    context.counters.rxBadReset++;
    challengeAck(context, tcb);
    return;
  }
  context.counters.resets++;
  switch (tcb.state) {
    case 'SYN-RECEIVED':
      context.finish(tcb, tcb.passive ? null : new StackError('ECONNREFUSED', `${peer(tcb)} refused the connection.`));
      return;
    case 'CLOSING':
    case 'LAST-ACK':
    case 'TIME-WAIT':
      context.finish(tcb, null);
      return;
    default:
      context.finish(tcb, new StackError('ECONNRESET', `${peer(tcb)} reset the connection.`));
  }
}

/** RFC 5961 §4.2; a passive connection that is half open goes back to LISTEN (RFC 9293 §3.10.7.4). */
function synInWindow(context: TcpContext, tcb: Tcb): void {
  context.counters.rxBadSyn++;
  if (tcb.state === 'SYN-RECEIVED' && tcb.passive) {
    context.finish(tcb, null);
    return;
  }
  challengeAck(context, tcb);
}

function peer(tcb: Tcb): string {
  return `${formatIpv4(tcb.remoteAddress)}:${tcb.remotePort}`;
}

/** Whether a SYN may take the place of a connection in TIME-WAIT (RFC 9293 §3.10.7.4, RFC 6191 §2). */
export function isNewerSyn(tcb: Tcb, segment: TcpSegment): boolean {
  if (tcb.state !== 'TIME-WAIT' || !segment.has(SYN) || segment.has(ACK)) return false;
  if (!tcb.tsEnabled && segment.options.hasTimestamps) return true; // RFC 6191 §2
  // A later timestamp proves it whatever the sequence number, an equal one leaves it to that.
  if (tcb.tsEnabled && segment.options.hasTimestamps && segment.options.tsVal !== tcb.tsRecent) return seqGt(segment.options.tsVal, tcb.tsRecent);
  return seqGe(segment.seq, tcb.rcvNxt);
}
