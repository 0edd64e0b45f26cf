/** Processing of the ACK field and the window (RFC 9293 §3.10.7.4, fifth check). */
import { seqAdd, seqDiff, seqGe, seqGt, seqLe, seqLt, seqWithin } from '../wire/seq';
import type { TcpSegment } from '../wire/tcp';
import type { TcpContext } from './context';
import { sendAck } from './output';
import { onDuplicateAck, onNewAck } from './recovery';
import type { Tcb } from './tcb';
import { restartRetransmission } from './timers';

/** RFC 5961: answers what only an attacker or a confused peer sends, within a rate. */
export function challengeAck(context: TcpContext, tcb: Tcb): void {
  if (context.allowChallengeAck()) sendAck(context, tcb);
}

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
  if (seqGt(ack, tcb.sndUna)) advanceUna(context, tcb, ack);
  else if (pureAck && isDuplicate(tcb, segment, windowBytes)) onDuplicateAck(context, tcb);
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
  } else if (tcb.sent.length > 0) {
    // What was in flight when the window closed was dropped by the peer.
    tcb.sent.markLost(0);
    tcb.retransmitNow = tcb.sent.hasLost;
  }
}

/** RFC 5681 §2's five conditions. */
function isDuplicate(tcb: Tcb, segment: TcpSegment, windowBytes: number): boolean {
  return tcb.sent.length > 0 && segment.ack === tcb.sndUna && windowBytes === tcb.sndWnd && windowBytes > 0;
}

function advanceUna(context: TcpContext, tcb: Tcb, ack: number): void {
  const acked = seqDiff(ack, tcb.sndUna);
  const flightBefore = tcb.flightBytes;
  const finAcked = tcb.finSeq >= 0 && seqGt(ack, tcb.finSeq);
  const sentAt = tcb.sent.acknowledge(ack);
  tcb.sendRing.discard(acked - (finAcked ? 1 : 0));
  tcb.sndUna = ack;
  // A probe that was taken back may be acknowledged after all.
  if (seqGt(ack, tcb.sndNxt)) tcb.sndNxt = ack;
  if (seqLt(tcb.sndSml, ack)) tcb.sndSml = ack;
  tcb.progressAt = context.now;
  if (sentAt >= 0 && seqGt(ack, tcb.rttSampleFrom)) {
    tcb.rtt.sample(context.now - sentAt);
    tcb.rttSampleFrom = tcb.sndNxt;
  } else if (sentAt >= 0) {
    tcb.rtt.endBackOff();
  }
  const partial = tcb.recovery === 'fast' && seqLt(ack, tcb.recover);
  // RFC 6582 §3.2 step 3: within recovery only the first partial ACK starts the timer afresh.
  if (!partial || !tcb.partialAckSeen || tcb.sent.length === 0) restartRetransmission(tcb);
  tcb.partialAckSeen = partial;
  onNewAck(context, tcb, acked - (finAcked ? 1 : 0), flightBefore);
  context.changed(tcb);
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
