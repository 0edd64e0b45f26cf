/** Loss recovery without SACK: fast retransmit and NewReno (RFC 5681 §3.2, RFC 6582), limited transmit (RFC 3042). */
import { seqGe, seqGt } from '../wire/seq';
import type { TcpContext } from './context';
import { enterRecovery, growWindow, leaveRecovery, repeatFirst, type AckOutcome } from './episode';
import type { Tcb } from './tcb';

/** RFC 5681 §3.2. */
const DUP_ACK_THRESHOLD = 3;

export function newRenoOnAck(context: TcpContext, tcb: Tcb, outcome: AckOutcome): void {
  if (outcome.ackedBytes === 0) {
    if (outcome.duplicate && tcb.sent.length > 0) onDuplicateAck(context, tcb);
    return;
  }
  tcb.dupAcks = 0;
  if (tcb.recovery === 'fast') {
    if (seqGe(tcb.sndUna, tcb.recover)) leaveRecovery(context, tcb);
    else onPartialAck(tcb, outcome.ackedBytes);
    return;
  }
  tcb.inflationBytes = 0;
  if (tcb.recovery === 'timeout' && seqGe(tcb.sndUna, tcb.recover)) leaveRecovery(context, tcb);
  growWindow(context, tcb, outcome);
}

/** An ACK that RFC 5681 §2 calls a duplicate. */
function onDuplicateAck(context: TcpContext, tcb: Tcb): void {
  tcb.dupAcks++;
  if (tcb.recovery === 'fast') {
    tcb.inflationBytes += tcb.sndMss; // RFC 5681 §3.2 step 4: another segment has left the network
    return;
  }
  if (tcb.dupAcks < DUP_ACK_THRESHOLD) {
    // RFC 3042: one new segment for each of the first two.
    if (tcb.recovery === 'open' && context.config.limitedTransmit) tcb.inflationBytes = tcb.dupAcks * tcb.sndMss;
    return;
  }
  // RFC 6582 §3.2 step 2: not for what a timeout or an earlier recovery already repeats.
  if (!context.config.fastRetransmit || tcb.dupAcks !== DUP_ACK_THRESHOLD || !seqGt(tcb.sndUna, tcb.recover)) return;
  enterRecovery(context, tcb);
  tcb.inflationBytes = DUP_ACK_THRESHOLD * tcb.sndMss;
  repeatFirst(tcb);
}

/** RFC 6582 §3.2 step 3, partial acknowledgment: the next hole is lost too. */
function onPartialAck(tcb: Tcb, ackedBytes: number): void {
  tcb.inflationBytes = Math.max(0, tcb.inflationBytes - ackedBytes);
  if (ackedBytes >= tcb.sndMss) tcb.inflationBytes += tcb.sndMss;
  repeatFirst(tcb);
}
