/** Loss recovery: timeouts, reductions taken back, and whether NewReno or RACK judges an ACK. */
import type { TcpContext } from './context';
import { beginEpisode, usesRack, type AckOutcome } from './episode';
import { newRenoOnAck } from './newreno';
import { rackOnAck } from './rack-recovery';
import type { Tcb } from './tcb';

export function onAck(context: TcpContext, tcb: Tcb, outcome: AckOutcome): void {
  if (undoIfSpurious(context, tcb, outcome)) return;
  if (usesRack(context, tcb)) rackOnAck(context, tcb, outcome);
  else newRenoOnAck(context, tcb, outcome);
}

/** The retransmission timer expired. */
export function onTimeout(context: TcpContext, tcb: Tcb): void {
  const first = tcb.recovery !== 'timeout';
  if (first) {
    if (tcb.recovery === 'open') beginEpisode(tcb);
    // RFC 5682 §3.1 step 1: not for a repeated timeout of the same segment.
    tcb.frto = context.config.frto && tcb.sackEnabled ? 1 : 0;
  } else tcb.frto = 0;
  // RFC 2018 §8: the first missing byte lies in what the peer once SACKed; it took that back.
  if (tcb.sent.isSacked(0)) tcb.sent.forgetSacks();
  tcb.congestion.onTimeout(tcb.flightBytes, first, context.now);
  tcb.recovery = 'timeout';
  tcb.recover = tcb.sndMax; // RFC 6582 §4
  tcb.dupAcks = 0;
  tcb.inflationBytes = 0;
  if (usesRack(context, tcb)) tcb.rack.markOnTimeout(tcb.sent, context.now);
  else tcb.sent.markAllLost();
  tcb.retransmitNow = true;
}

/**
 * Takes a reduction back when nothing was lost after all: the ACK answers the original (Eifel, RFC 3522 and
 * RFC 4015), F-RTO's second ACK acknowledges what was never sent again (RFC 5682), or every retransmission
 * was reported as a duplicate (RFC 3708 §3). @returns whether it was taken back
 */
function undoIfSpurious(context: TcpContext, tcb: Tcb, outcome: AckOutcome): boolean {
  if (!context.config.undo || tcb.undoFrom < 0) return false;
  if (outcome.dsack && tcb.undoResent > 0) tcb.undoResent--;
  const advanced = outcome.ackedBytes > 0;
  const byEifel = outcome.eifel && advanced && tcb.recovery !== 'open';
  const byFrto = tcb.recovery === 'timeout' && tcb.frto > 0 && tcb.sent.originalDelivered && tcb.firstResendAt >= 0 && (tcb.frto === 2 || !advanced);
  const byDsack = outcome.dsack && tcb.undoResent === 0 && tcb.firstResendAt >= 0;
  if (!byEifel && !byFrto && !byDsack) return false;
  tcb.congestion.undo();
  tcb.recovery = 'open';
  tcb.inflationBytes = 0;
  tcb.frto = 0;
  tcb.undoFrom = -1;
  tcb.spuriousRecoveries++;
  tcb.sent.unmarkLost();
  context.counters.spuriousRecoveries++;
  if (byEifel || byFrto) tcb.rtt.endBackOff(); // the path is slow, not broken (RFC 4015 §3)
  return true;
}
