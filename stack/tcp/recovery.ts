/** Loss recovery: timeouts, reductions taken back, and whether NewReno or RACK judges an ACK. */
import type { TcpContext } from './context';
import { beginEpisode, noteReduction, usesRack, type AckOutcome } from './episode';
import { newRenoOnAck } from './newreno';
import { rackOnAck } from './rack-recovery';
import type { Tcb } from './tcb';
import { undoIfSpurious } from './undo';

export function onAck(context: TcpContext, tcb: Tcb, outcome: AckOutcome): void {
  undoIfSpurious(context, tcb, outcome);
  if (usesRack(context, tcb)) rackOnAck(context, tcb, outcome);
  else newRenoOnAck(context, tcb, outcome);
}

/** The retransmission timer expired. */
export function onTimeout(context: TcpContext, tcb: Tcb): void {
  const first = tcb.recovery !== 'timeout';
  // RFC 5682 §3.1 step 1: not for a repeated timeout, nor within a recovery, whose new data would pass for originals.
  tcb.frto = tcb.recovery === 'open' && context.config.frto && tcb.sackEnabled ? 1 : 0;
  if (tcb.recovery === 'open') beginEpisode(tcb);
  tcb.sent.forgetIfReneged();
  // A timeout within a fast recovery may only lower what that one set.
  const highest = tcb.recovery === 'fast' ? tcb.congestion.ssthreshBytes : Infinity;
  tcb.congestion.onTimeout(tcb.flightBytes, first, context.now);
  tcb.congestion.ssthreshBytes = Math.min(highest, tcb.congestion.ssthreshBytes);
  noteReduction(tcb);
  tcb.recovery = 'timeout';
  tcb.recover = tcb.sndMax; // RFC 6582 §4
  tcb.dupAcks = 0;
  tcb.inflationBytes = 0;
  if (usesRack(context, tcb)) tcb.rack.markOnTimeout(tcb.sent, tcb.rtt.minRttMs, tcb.rtt.srttMs ?? 0, context.now);
  else tcb.sent.markAllLost();
  tcb.retransmitNow = true;
}
