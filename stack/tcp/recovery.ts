/** Loss recovery without SACK: fast retransmit and NewReno (RFC 5681 §3.2, RFC 6582), limited transmit (RFC 3042). */
import { seqGe, seqGt } from '../wire/seq';
import type { TcpContext } from './context';
import type { Tcb } from './tcb';

/** RFC 5681 §3.2. */
const DUP_ACK_THRESHOLD = 3;

/** SND.UNA has moved by `ackedBytes`; the sent queue is up to date. */
export function onNewAck(context: TcpContext, tcb: Tcb, ackedBytes: number, flightBefore: number): void {
  tcb.dupAcks = 0;
  if (tcb.recovery === 'fast') {
    if (seqGe(tcb.sndUna, tcb.recover)) leaveRecovery(tcb);
    else onPartialAck(tcb, ackedBytes);
    return;
  }
  tcb.inflationBytes = 0;
  if (tcb.recovery === 'timeout' && seqGe(tcb.sndUna, tcb.recover)) tcb.recovery = 'open';
  // A window that was not used says nothing about the path (RFC 7661 §4.3): it does not grow.
  const cwnd = tcb.congestion.cwndBytes;
  const needed = cwnd < tcb.congestion.ssthreshBytes ? cwnd / 2 : cwnd - tcb.sndMss;
  if (flightBefore >= needed) tcb.congestion.onAck(ackedBytes, context.now);
}

/** An ACK that RFC 5681 §2 calls a duplicate. */
export function onDuplicateAck(context: TcpContext, tcb: Tcb): void {
  tcb.dupAcks++;
  if (tcb.recovery === 'fast') {
    // RFC 5681 §3.2 step 4: another segment has left the network.
    tcb.inflationBytes += tcb.sndMss;
    return;
  }
  if (tcb.dupAcks < DUP_ACK_THRESHOLD) {
    // RFC 3042: one new segment for each of the first two.
    if (tcb.recovery === 'open') tcb.inflationBytes = tcb.dupAcks * tcb.sndMss;
    return;
  }
  // RFC 6582 §3.2 step 2: not for what a timeout or an earlier recovery already repeats.
  if (tcb.dupAcks !== DUP_ACK_THRESHOLD || !seqGt(tcb.sndUna, tcb.recover)) return;
  tcb.recovery = 'fast';
  tcb.partialAckSeen = false;
  tcb.recover = tcb.sndMax;
  tcb.fastRecoveries++;
  context.counters.fastRetransmits++;
  tcb.congestion.onFastRecovery(tcb.flightBytes, context.now);
  tcb.inflationBytes = DUP_ACK_THRESHOLD * tcb.sndMss;
  repeatFirst(tcb);
}

/** The retransmission timer expired: everything sent is taken for lost, and slow start begins. */
export function onTimeout(context: TcpContext, tcb: Tcb): void {
  const first = tcb.recovery !== 'timeout';
  tcb.congestion.onTimeout(tcb.flightBytes, first, context.now);
  tcb.recovery = 'timeout';
  tcb.recover = tcb.sndMax; // RFC 6582 §4
  tcb.dupAcks = 0;
  tcb.inflationBytes = 0;
  tcb.sent.markAllLost();
  tcb.retransmitNow = true;
}

/** RFC 6582 §3.2 step 3, partial acknowledgment: the next hole is lost too. */
function onPartialAck(tcb: Tcb, ackedBytes: number): void {
  tcb.inflationBytes = Math.max(0, tcb.inflationBytes - ackedBytes);
  if (ackedBytes >= tcb.sndMss) tcb.inflationBytes += tcb.sndMss;
  repeatFirst(tcb);
}

function leaveRecovery(tcb: Tcb): void {
  // Full acknowledgment: cwnd is ssthresh already; the inflation goes.
  tcb.recovery = 'open';
  tcb.inflationBytes = 0;
}

function repeatFirst(tcb: Tcb): void {
  tcb.sent.markLost(0);
  tcb.retransmitNow = tcb.sent.hasLost;
}
