/** One recovery from its beginning to its end: what NewReno and RACK share. */
import { seqGe } from '../wire/seq';
import type { TcpContext } from './context';
import { isPaced } from './output';
import type { Tcb } from './tcb';

/** What one ACK brought, once SND.UNA and the sent queue are up to date. */
export interface AckOutcome {
  /** How far SND.UNA moved. */
  readonly ackedBytes: number;
  /** Newly acknowledged or SACKed. */
  readonly deliveredBytes: number;
  readonly flightBefore: number;
  readonly pipeBefore: number;
  /** RFC 5681 §2's duplicate ACK, whether or not anything is in flight. */
  readonly duplicate: boolean;
  /** RFC 2883: what the peer reports as having arrived twice, or null. */
  readonly dsack: { readonly start: number; readonly end: number } | null;
  /** RFC 3168: the ACK echoes a congestion mark. */
  readonly marked: boolean;
  /** RFC 3522: the peer's timestamp is older than the first retransmission. */
  readonly eifel: boolean;
}

/** RACK needs to know which segments arrived: it runs wherever SACK is agreed (RFC 8985 §4). */
export function usesRack(context: TcpContext, tcb: Tcb): boolean {
  return tcb.sackEnabled && context.config.rack;
}

/** Fast recovery begins: the window is reduced once for everything sent so far. */
export function enterRecovery(context: TcpContext, tcb: Tcb): void {
  if (tcb.recovery === 'open') beginEpisode(tcb);
  tcb.recovery = 'fast';
  tcb.partialAckSeen = false;
  tcb.recover = tcb.sndMax;
  tcb.frto = 0;
  tcb.fastRecoveries++;
  context.counters.fastRetransmits++;
  reduce(context, tcb);
}

/** Less is sent from now on, for a loss or a mark. */
export function reduce(context: TcpContext, tcb: Tcb): void {
  tcb.congestion.onCongestion(tcb.flightBeforeAcks, context.now);
  noteReduction(tcb);
}

/** RFC 3168 §6.1.2: whatever made the window smaller, the peer is told by CWR, and marks of the same window count no more. */
export function noteReduction(tcb: Tcb): void {
  tcb.ecnRecover = tcb.sndMax;
  tcb.cwrOwed = tcb.ecnEnabled;
}

export function leaveRecovery(context: TcpContext, tcb: Tcb): void {
  if (tcb.recovery === 'fast') {
    tcb.congestion.cwndBytes = Math.min(tcb.congestion.cwndBytes, tcb.congestion.ssthreshBytes);
    if (tcb.sackEnabled) tcb.congestion.cwndBytes = tcb.congestion.ssthreshBytes; // RFC 9937 §6: the end of PRR
    tcb.congestion.onRecoveryEnd(context.now);
  }
  tcb.recovery = 'open';
  tcb.inflationBytes = 0;
  tcb.frto = 0;
  tcb.resent.recoveryEnded(tcb.sndNxt);
}

/** The first segment is sent again, whatever the congestion window says. */
export function repeatFirst(tcb: Tcb): void {
  tcb.sent.forgetIfReneged();
  tcb.sent.markLost(0);
  tcb.retransmitNow = tcb.sent.hasLost;
}

/** A window that was not used says nothing about the path (RFC 7661 §4.3): it grows only where it was the limit. */
export function growWindow(context: TcpContext, tcb: Tcb, outcome: AckOutcome): void {
  if (outcome.marked) return; // RFC 3168 §6.1.2
  const { cwndBytes, ssthreshBytes } = tcb.congestion;
  const wasLimit = seqGe(tcb.limitedAt, tcb.sndUna) || outcome.flightBefore >= cwndBytes - tcb.sndMss;
  const halfUsed = cwndBytes < ssthreshBytes && tcb.maxFlightBytes >= cwndBytes / 2;
  if (!wasLimit && !halfUsed) {
    tcb.congestion.onApplicationLimited(context.now);
    return;
  }
  const { sent } = tcb;
  tcb.congestion.onAck({
    ackedBytes: outcome.ackedBytes,
    rttMs: sent.deliveredRttMs < 0 ? null : sent.deliveredRttMs,
    srttMs: tcb.rtt.srttMs,
    sndUna: tcb.sndUna,
    sndNxt: tcb.sndNxt,
    now: context.now,
    paced: isPaced(context, tcb),
  });
}

export function beginEpisode(tcb: Tcb): void {
  tcb.congestion.remember();
  tcb.resent.begin();
}
