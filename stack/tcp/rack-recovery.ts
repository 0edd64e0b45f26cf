/** Recovery by RACK (RFC 8985) with PRR (RFC 9937), where SACK is agreed; tail loss probes' second half (§7.4). */
import { seqGe, seqGt } from '../wire/seq';
import type { TcpContext } from './context';
import { enterRecovery, growWindow, leaveRecovery, reduce, type AckOutcome } from './episode';
import type { Tcb } from './tcb';

export function rackOnAck(context: TcpContext, tcb: Tcb, outcome: AckOutcome): void {
  const advanced = outcome.ackedBytes > 0;
  if (outcome.dsack) tcb.rack.onDsack(tcb.sndUna, tcb.sndNxt);
  probeAnswered(context, tcb, outcome);
  const ended = tcb.recovery !== 'open' && seqGe(tcb.sndUna, tcb.recover);
  if (ended) {
    leaveRecovery(context, tcb);
    tcb.rack.onRecoveryEnd();
  }
  if (tcb.recovery === 'timeout' && tcb.frto > 0) frtoStep(tcb, advanced);
  const lost = detectLoss(context, tcb, outcome.pipeBefore);
  if (tcb.recovery === 'fast') {
    if (outcome.deliveredBytes > 0) reducePaced(context, tcb, outcome.deliveredBytes, advanced && !lost);
    // What the last ACK of a recovery acknowledges was delivered before: the window is ssthresh (RFC 9937 §6).
  } else if (advanced && !ended) growWindow(context, tcb, outcome);
}

/** RACK's timer: what was only late has now waited long enough. */
export function onReorderTimer(context: TcpContext, tcb: Tcb): void {
  const wasOpen = tcb.recovery === 'open';
  detectLoss(context, tcb, tcb.sent.pipeBytes);
  if (wasOpen && tcb.recovery === 'fast') reducePaced(context, tcb, 0, false);
}

function detectLoss(context: TcpContext, tcb: Tcb, pipeBefore: number): boolean {
  const { rtt, sent, rack } = tcb;
  const minRttMs = rtt.minRttMs === Infinity ? 0 : rtt.minRttMs;
  const lost = rack.detectLoss(sent, tcb.recovery !== 'open', minRttMs, rtt.srttMs ?? 0, context.now);
  if (lost && tcb.recovery === 'open') {
    enterRecovery(context, tcb);
    tcb.prr.begin(pipeBefore);
    tcb.retransmitNow = true;
  }
  return lost;
}

function reducePaced(context: TcpContext, tcb: Tcb, deliveredBytes: number, safe: boolean): void {
  if (!context.config.prr) return;
  const { congestion, sent } = tcb;
  congestion.cwndBytes = tcb.prr.onAck(deliveredBytes, sent.pipeBytes, congestion.ssthreshBytes, tcb.sndMss, safe);
}

/**
 * RFC 5682 §3.1. Step 2: the first ACK that advances is answered with new segments in place of
 * retransmissions. Step 3: an ACK after that which told nothing of originals ends the doubt, the loss was real.
 */
function frtoStep(tcb: Tcb, advanced: boolean): void {
  if (tcb.frto === 1 && advanced && tcb.unsentBytes > 0 && tcb.usableWindow > 0) {
    tcb.frto = 2;
    tcb.exemptSegments = 2;
  } else tcb.frto = 0;
}

/** RFC 8985 §7.4.2: whether the tail loss probe hid a loss from the congestion control. */
function probeAnswered(context: TcpContext, tcb: Tcb, outcome: AckOutcome): void {
  if (tcb.tlpEndSeq < 0 || !seqGe(tcb.sndUna, tcb.tlpEndSeq)) return;
  const arrivedTwice = outcome.dsack?.end === tcb.tlpEndSeq;
  const repaired = tcb.tlpIsRetransmission && !arrivedTwice && seqGt(tcb.sndUna, tcb.tlpEndSeq);
  const unclear = tcb.tlpIsRetransmission && !arrivedTwice && !repaired && !outcome.duplicate;
  if (unclear) return;
  tcb.tlpEndSeq = -1;
  if (!repaired || tcb.recovery !== 'open') return;
  tcb.resent.clear(); // an earlier reduction cannot be taken back without this one
  reduce(context, tcb);
}
