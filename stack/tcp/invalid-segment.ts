/** Answers to segments that no honest, well-informed peer sends: ACKs that tell it where this end stands. */
import { SYN, type TcpSegment } from '../wire/tcp';
import type { TcpContext } from './context';
import { sendAck } from './output';
import type { Tcb } from './tcb';

/** RFC 5961: answers what may be an attacker's, within a rate. */
export function challengeAck(context: TcpContext, tcb: Tcb): void {
  if (!mayAnswer(context, tcb)) return;
  context.counters.txChallengeAcks++;
  sendAck(context, tcb);
}

/** RFC 9293 §3.10.7.4, RFC 7323 §5.3 R1: answers what is outside the window, or older than what came before it. */
export function answerUnacceptable(context: TcpContext, tcb: Tcb, segment: TcpSegment): void {
  // Data is repeated until an ACK comes, and an ACK carries none: only what has none can go back and forth for ever.
  const repeatsData = segment.length > 0 && !segment.has(SYN);
  if (repeatsData || mayAnswer(context, tcb)) sendAck(context, tcb);
}

/**
 * The throttle of RFC 5961 §7, for each connection: two ends that disagree do not answer each other's ACKs for ever, and
 * what one connection is refused tells nobody of another, as a budget for all of them would.
 */
function mayAnswer(context: TcpContext, tcb: Tcb): boolean {
  if (context.now - tcb.invalidAnsweredAt < context.config.invalidAnswerMs) {
    context.counters.rxInvalidUnanswered++;
    return false;
  }
  tcb.invalidAnsweredAt = context.now;
  return true;
}
