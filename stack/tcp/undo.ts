/**
 * Taking a reduction back when nothing had been lost: by Eifel (RFC 3522, RFC 4015), F-RTO (RFC 5682), or because
 * the peer reports every retransmission as a duplicate (RFC 3708 §3).
 */
import { seqAdd } from '../wire/seq';
import type { TcpContext } from './context';
import { leaveRecovery, type AckOutcome } from './episode';
import type { Tcb } from './tcb';

export function undoIfSpurious(context: TcpContext, tcb: Tcb, outcome: AckOutcome): void {
  const { resent } = tcb;
  resent.expire(tcb.sndUna);
  resent.marked ||= outcome.marked;
  if (!context.config.undo || !resent.isActive || resent.firstAt < 0) return;
  const advanced = outcome.ackedBytes > 0;
  const byDsack = outcome.dsack !== null && resent.reported(outcome.dsack.start, outcome.dsack.end);
  const byEifel = outcome.eifel && advanced && tcb.recovery !== 'open';
  // Step 3b of RFC 5682 §3.1. With SACK an ACK that does not advance tells of originals as well (Linux does the same).
  const byFrto = tcb.recovery === 'timeout' && tcb.frto > 0 && tcb.sent.originalDelivered && (tcb.frto === 2 || !advanced);
  if (!byEifel && !byFrto && !byDsack) return;
  leaveRecovery(context, tcb);
  if (!resent.marked) undoReduction(tcb); // RFC 4015 §3.4
  tcb.spuriousRecoveries++;
  tcb.sent.unmarkLost();
  resent.clear();
  context.counters.spuriousRecoveries++;
  if (byEifel || byFrto) tcb.rtt.endBackOff(); // the path is slow, not broken (RFC 4015 §3)
}

/** As if it had not been: the peer is not told of it, and the next mark counts. */
function undoReduction(tcb: Tcb): void {
  tcb.congestion.undo();
  tcb.ecnRecover = seqAdd(tcb.sndUna, -1);
  tcb.cwrOwed = false;
}
