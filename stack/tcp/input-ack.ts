/** Processing of the ACK field and the window (RFC 9293 §3.10.7.4, fifth check). */
import { seqAdd, seqDiff, seqGe, seqGt, seqLe, seqLt, seqMax, seqWithin } from '../wire/seq';
import { ECE, SYN, type TcpSegment } from '../wire/tcp';
import { tuneSendBuffer } from './buffers';
import type { TcpContext } from './context';
import { reduce, repeatFirst, usesRack } from './episode';
import { challengeAck } from './invalid-segment';
import { raiseIfOld } from './path-mtu';
import { onAck } from './recovery';
import { takeSackBlocks } from './sack';
import type { Tcb } from './tcb';
import { restartRetransmission } from './timers';
import { echoedAt, timestampNow } from './timestamps';

/**
 * @param pureAck whether the segment came without data, SYN and FIN
 * @returns whether the rest of the segment may be processed.
 */
export function processAck(context: TcpContext, tcb: Tcb, segment: TcpSegment, pureAck: boolean): boolean {
  const { ack } = segment;
  // RFC 5961 §5.2: an ACK too old to be honest, or of what was never sent, is answered and dropped.
  const oldest = seqAdd(tcb.sndUna, -tcb.maxSndWnd);
  if (!seqWithin(ack, oldest, tcb.maxSndWnd + seqDiff(tcb.sndMax, tcb.sndUna) + 1)) {
    context.counters.rxBadAck++;
    challengeAck(context, tcb);
    return false;
  }
  const windowBytes = segment.window << tcb.sndWndShift;
  takeAck(context, tcb, segment, pureAck && isDuplicate(tcb, segment, windowBytes));
  if (tcb.ecnEnabled && segment.has(ECE) && !segment.has(SYN)) onCongestionEcho(context, tcb);
  if (seqGe(ack, tcb.sndUna)) updateWindow(context, tcb, segment, windowBytes);
  if (tcb.finAcked && !afterFinAcked(context, tcb)) return false;
  context.touch(tcb);
  return true;
}

/** Takes the window of a segment that is not older than the one it was last taken from. */
function updateWindow(context: TcpContext, tcb: Tcb, segment: TcpSegment, windowBytes: number): void {
  if (!(seqLt(tcb.sndWl1, segment.seq) || (tcb.sndWl1 === segment.seq && seqLe(tcb.sndWl2, segment.ack)))) return;
  const wasClosed = tcb.sndWnd === 0;
  tcb.sndWnd = windowBytes;
  tcb.sndWl1 = segment.seq;
  tcb.sndWl2 = segment.ack;
  tcb.maxSndWnd = Math.max(tcb.maxSndWnd, windowBytes);
  // The peer answers: the probing of its closed window never gives up (RFC 9293 §3.8.6.1).
  if (windowBytes === 0) tcb.progressAt = context.now;
  else if (wasClosed) windowOpened(tcb);
}

/** Takes the back-off of the probes away, and an unanswered probe back, so that whole segments follow. */
function windowOpened(tcb: Tcb): void {
  tcb.rtt.endBackOff();
  restartRetransmission(tcb);
  if (tcb.sent.length === 1 && tcb.sent.end(0) === seqAdd(tcb.sndUna, 1) && tcb.finSeq < 0) {
    tcb.sent.pop();
    tcb.sndNxt = tcb.sndUna;
    tcb.sndSml = tcb.sndUna;
  } else if (tcb.sent.length > 0) repeatFirst(tcb); // the peer dropped what was in flight when the window closed
}

/** RFC 5681 §2's conditions but the first, that something is in flight. */
function isDuplicate(tcb: Tcb, segment: TcpSegment, windowBytes: number): boolean {
  return segment.ack === tcb.sndUna && windowBytes === tcb.sndWnd && windowBytes > 0;
}

/** Brings the sent queue up to date and lets recovery judge what the ACK means. */
function takeAck(context: TcpContext, tcb: Tcb, segment: TcpSegment, duplicate: boolean): void {
  const { sent } = tcb;
  const { options } = segment;
  const flightBefore = tcb.flightBytes;
  const pipeBefore = sent.pipeBytes;
  const advanced = seqGt(segment.ack, tcb.sndUna);
  // With nothing in flight, only what may be the answer to a retransmission still tells something.
  if (!advanced && sent.length === 0 && options.sackCount === 0 && tcb.tlpEndSeq < 0) return;
  const echo = tcb.tsEnabled && options.hasTimestamps && options.tsEcr !== 0;
  sent.beginAck(tcb.recover);
  tcb.rack.beginAck(tcb.rtt.minRttMs, echo ? echoedAt(tcb, options.tsEcr, context.now) : -1);
  const ackedBytes = advanced ? advanceUna(context, tcb, segment.ack, echo ? options.tsEcr : null) : 0;
  const dsack = tcb.sackEnabled && options.sackCount > 0 && takeSackBlocks(tcb, segment, context.now);
  if (ackedBytes > 0 || sent.deliveredBytes > 0) tcb.tlpAt = Infinity;
  onAck(context, tcb, {
    ackedBytes,
    deliveredBytes: sent.deliveredBytes,
    flightBefore,
    pipeBefore,
    duplicate,
    dsack: dsack ? { start: options.sackEdges[0] ?? 0, end: options.sackEdges[1] ?? 0 } : null,
    marked: tcb.ecnEnabled && segment.has(ECE),
    eifel: echo && tcb.resent.firstAt >= 0 && seqLt(options.tsEcr, timestampNow(tcb, tcb.resent.firstAt)),
  });
}

/** RFC 3168 §6.1.2: a mark counts like a loss, once per round trip, but nothing has to be sent again. */
function onCongestionEcho(context: TcpContext, tcb: Tcb): void {
  if (tcb.recovery !== 'open' || !seqGt(tcb.sndUna, tcb.ecnRecover)) return;
  reduce(context, tcb);
  context.counters.ecnReductions++;
}

/** @returns how many bytes of data that acknowledges */
function advanceUna(context: TcpContext, tcb: Tcb, ack: number, tsEcr: number | null): number {
  const acked = seqDiff(ack, tcb.sndUna);
  const finAcked = tcb.finSeq >= 0 && seqGt(ack, tcb.finSeq);
  const sentAt = tcb.sent.acknowledge(ack, tcb.rack, context.now);
  tcb.sendRing.discard(acked - (finAcked ? 1 : 0));
  tcb.sndUna = ack;
  // A probe that was taken back may be acknowledged after all.
  if (seqGt(ack, tcb.sndNxt)) tcb.sndNxt = ack;
  pullMarksAlong(tcb);
  tcb.progressAt = context.now;
  tcb.takenAt = context.now;
  tcb.timeoutsInRow = 0;
  tcb.softError = null;
  if (sentAt >= 0 && seqGt(ack, tcb.rttSampleFrom)) {
    tcb.rtt.sample(context.now - sentAt);
    tcb.rttSampleFrom = tcb.sndNxt;
  } else if (sentAt >= 0) {
    tcb.rtt.endBackOff();
  } else if (tsEcr !== null && seqGt(ack, tcb.rttSampleFrom)) {
    // RFC 7323 §4.1: the echo tells which sending is meant, so a retransmission may be measured too.
    tcb.rtt.sample(Math.max(0, seqDiff(timestampNow(tcb, context.now), tsEcr)));
    tcb.rttSampleFrom = tcb.sndNxt;
  }
  // Data sent after the timeout is acknowledged, if along with ambiguous segments: the path works (RFC 6298 §5, last paragraph).
  if (tcb.recovery === 'timeout' && seqGt(ack, tcb.recover)) tcb.rtt.endBackOff();
  else tcb.rtt.boundBackOff();
  // RFC 6582 §3.2 step 3: within NewReno's recovery only the first partial ACK starts the timer afresh.
  const partial = !usesRack(context, tcb) && tcb.recovery === 'fast' && seqLt(ack, tcb.recover);
  if (!partial || !tcb.partialAckSeen || tcb.sent.length === 0) restartRetransmission(tcb);
  tcb.partialAckSeen = partial;
  tuneSendBuffer(context, tcb);
  raiseIfOld(context, tcb);
  context.changed(tcb);
  return acked - (finAcked ? 1 : 0);
}

/**
 * What is only compared with SND.UNA, and moves only by some event, follows it closely from behind: a mark that is left
 * where it is would lie ahead again after 2³¹ bytes.
 */
function pullMarksAlong(tcb: Tcb): void {
  const passed = seqAdd(tcb.sndUna, -1);
  tcb.sndSml = seqMax(tcb.sndSml, passed);
  tcb.recover = seqMax(tcb.recover, passed);
  tcb.ecnRecover = seqMax(tcb.ecnRecover, passed);
  tcb.limitedAt = seqMax(tcb.limitedAt, passed);
  tcb.rttSampleFrom = seqMax(tcb.rttSampleFrom, passed);
  tcb.rack.acknowledged(tcb.sndUna);
}

/** Our FIN is acknowledged. @returns whether the connection still exists. */
function afterFinAcked(context: TcpContext, tcb: Tcb): boolean {
  switch (tcb.state) {
    case 'FIN-WAIT-1':
      context.setState(tcb, 'FIN-WAIT-2');
      return true;
    case 'CLOSING':
      context.enterTimeWait(tcb);
      return true;
    case 'LAST-ACK':
      context.finish(tcb, null);
      return false;
    default:
      return true;
  }
}
