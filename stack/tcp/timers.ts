/** The timers of one connection: retransmission and persist, delayed ACK, and the end of waiting states. */
import { StackError } from '../errors';
import { formatIpv4 } from '../wire/address';
import { trimAt, trimIfIdle } from './buffers';
import type { TcpContext } from './context';
import { sendReset } from './output';
import { repeatFirst, usesRack } from './episode';
import { keepAliveAt, runKeepAlive } from './keep-alive';
import { checkBlackHole } from './path-mtu';
import { onReorderTimer } from './rack-recovery';
import { onTimeout } from './recovery';
import type { Tcb } from './tcb';

/** RFC 8985 §7.2's TLP.max_ack_delay. */
const MAX_ACK_DELAY_MS = 200;
/** Least time before a probe: a path this fast needs none sooner, and a peer that is busy for a moment is not silent. */
const MIN_PROBE_TIMEOUT_MS = 4;

/** Sets the timer that the connection's present state calls for, after output. @returns when it is next due. */
export function armTimers(context: TcpContext, tcb: Tcb): number {
  const kind = neededTimer(tcb);
  if (kind !== tcb.timerKind) {
    tcb.timerKind = kind;
    // RFC 6298 §5.1; RFC 9293 §3.8.6.1: the first probe after one RTO.
    tcb.timerAt = kind === 'idle' ? Infinity : context.now + tcb.rtt.rtoMs;
    if (kind === 'persist') tcb.progressAt = context.now;
    // RFC 9293 §3.8.3: the user timeout does not wait for a timer that has backed off beyond it.
    if (kind === 'rto' && tcb.isSynchronized && tcb.sndWnd > 0) tcb.timerAt = Math.max(context.now, Math.min(tcb.timerAt, tcb.progressAt + tcb.userTimeoutMs));
  }
  tcb.tlpAt = probeTime(context, tcb);
  // Nobody reads any more, and a peer that never closes would hold the state for ever.
  if (tcb.state === 'FIN-WAIT-2' && tcb.released && tcb.lifeAt === Infinity) tcb.lifeAt = context.now + context.config.finWait2TimeoutMs;
  if (tcb.endsIfStalled && tcb.takenAt === Infinity) tcb.takenAt = context.now;
  tcb.trimAt = trimAt(context, tcb);
  const paceAt = tcb.paced ? tcb.paceAt : Infinity;
  return Math.min(stallAt(tcb), tcb.timerAt, tcb.ackAt, tcb.lifeAt, tcb.tlpAt, tcb.rack.timerAt, paceAt, tcb.trimAt, keepAliveAt(tcb));
}

/** RFC 6298 §5.3: an ACK of new data starts the timer afresh. */
export function restartRetransmission(tcb: Tcb): void {
  tcb.timerKind = 'idle';
  tcb.timerAt = Infinity;
}

/** Handles whatever is due. The caller has the connection's output run afterwards. */
export function runTimers(context: TcpContext, tcb: Tcb): void {
  if (tcb.lifeAt <= context.now) {
    endOfLife(context, tcb);
    return;
  }
  if (stallAt(tcb) <= context.now) {
    stalled(context, tcb);
    return;
  }
  if (tcb.ackAt <= context.now) {
    tcb.ackAt = Infinity;
    tcb.ackOwed = true;
  }
  if (tcb.trimAt <= context.now) trimIfIdle(context, tcb);
  if (tcb.keepAlive && keepAliveAt(tcb) <= context.now) {
    runKeepAlive(context, tcb, tcb.keepAlive);
    if (tcb.state === 'CLOSED') return;
  }
  if (tcb.rack.timerAt <= context.now) onReorderTimer(context, tcb);
  if (tcb.tlpAt <= context.now) {
    tcb.tlpOwed = true;
    restartRetransmission(tcb); // RFC 8985 §7.3: the RTO counts from the probe
  }
  if (tcb.timerAt <= context.now) {
    if (tcb.timerKind === 'rto') retransmissionTimeout(context, tcb);
    else persistTimeout(tcb);
    restartRetransmission(tcb);
  }
}

/** When the tail loss probe is due (RFC 8985 §7.2): `Infinity` where none may be sent. */
function probeTime(context: TcpContext, tcb: Tcb): number {
  const { sent, rtt } = tcb;
  const wanted = context.config.tlp && usesRack(context, tcb) && tcb.recovery === 'open' && tcb.sndWnd > 0;
  if (!wanted || !tcb.maySend || sent.length === 0 || sent.sackedCount > 0 || tcb.tlpEndSeq >= 0) return Infinity;
  if (tcb.tlpAt !== Infinity) return tcb.tlpAt;
  // The peer may delay its ACK of a lone segment.
  const delayMs = tcb.flightBytes <= tcb.sndMss ? MAX_ACK_DELAY_MS : 0;
  const timeoutMs = rtt.srttMs === null ? 1_000 : Math.max(MIN_PROBE_TIMEOUT_MS, 2 * rtt.srttMs + delayMs);
  return Math.min(context.now + timeoutMs, tcb.timerAt);
}

/** When a peer that has to take something has not, for the user timeout: `Infinity` where nothing waits, or it need not. */
function stallAt(tcb: Tcb): number {
  const waits = tcb.sendRing.length > 0 || (tcb.finQueued && !tcb.finAcked);
  return tcb.endsIfStalled && waits && tcb.maySend ? tcb.takenAt + tcb.userTimeoutMs : Infinity;
}

/** Nobody holds the connection any more, or its user said so: a live peer is told by RST (RFC 9293 §3.10.5). */
function stalled(context: TcpContext, tcb: Tcb): void {
  context.counters.stalled++;
  sendReset(context, tcb);
  const window = tcb.sndWnd === 0 ? ', its window closed' : '';
  context.finish(tcb, timedOut(tcb, `took nothing for ${Math.round(tcb.userTimeoutMs / 1000)} s after the close${window}; what was queued is lost`));
}

function neededTimer(tcb: Tcb): Tcb['timerKind'] {
  if (tcb.state === 'SYN-SENT' || tcb.state === 'SYN-RECEIVED') return 'rto';
  if (!tcb.maySend) return 'idle';
  if (tcb.sent.length > 0) return 'rto';
  // Something waits and nothing is in flight: only the peer's window can hold it back.
  if (!tcb.paced && (tcb.unsentBytes > 0 || (tcb.finQueued && tcb.finSeq < 0))) return 'persist';
  return 'idle';
}

function retransmissionTimeout(context: TcpContext, tcb: Tcb): void {
  if (!tcb.isSynchronized) {
    tcb.synRetransmitted = true;
    tcb.rtt.backOff();
    tcb.synOwed = true;
    return;
  }
  // A peer that answered the last probe is alive, whatever its window says (RFC 9293 §3.8.6.1 MUST-37).
  if (tcb.sndWnd === 0 && tcb.heardAt >= tcb.lastDataSentAt) tcb.progressAt = context.now;
  // RFC 9293 §3.8.3: R2.
  if (context.now - tcb.progressAt >= tcb.userTimeoutMs) {
    context.finish(tcb, timedOut(tcb, `acknowledged nothing for ${Math.round(tcb.userTimeoutMs / 1000)} s`));
    return;
  }
  tcb.timeouts++;
  tcb.timeoutsInRow++;
  context.counters.timeouts++;
  if (tcb.sndWnd === 0) {
    // A probe into a closed window that went unanswered, or was answered with the window still closed: no sign of congestion.
    repeatFirst(tcb);
  } else {
    onTimeout(context, tcb);
    checkBlackHole(context, tcb, tcb.timeoutsInRow);
  }
  tcb.rtt.backOff(); // RFC 6298 §5.5
}

function persistTimeout(tcb: Tcb): void {
  tcb.probeOwed = true;
  tcb.rtt.backOff(); // RFC 9293 §3.8.6.1: exponentially
}

function endOfLife(context: TcpContext, tcb: Tcb): void {
  switch (tcb.state) {
    case 'SYN-SENT':
    case 'SYN-RECEIVED':
      context.finish(tcb, timedOut(tcb, `did not answer within ${Math.round(context.config.connectTimeoutMs / 1000)} s`));
      return;
    case 'FIN-WAIT-2':
      // The peer never closed. It learns so if it is still there.
      sendReset(context, tcb);
      context.finish(tcb, null);
      return;
    default:
      context.finish(tcb, null); // TIME-WAIT is over
  }
}

function timedOut(tcb: Tcb, what: string): StackError {
  const why = tcb.softError ? ` The network says: ${tcb.softError}` : ' Check that the address is right and the host is up.';
  return new StackError('ETIMEDOUT', `${formatIpv4(tcb.remoteAddress)}:${tcb.remotePort} ${what}.${why}`);
}
