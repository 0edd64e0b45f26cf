/** Loss detection by time: RACK (RFC 8985 §6). Times ms, of the poll's clock, whose resolution is far below a millisecond. */
import { seqGe, seqGt, seqLt } from '../wire/seq';
import type { Deliveries, SentQueue } from './sent-queue';

/** RFC 8985 §6.2 step 4: recoveries for which a widened reordering window is kept. */
const REO_WND_PERSIST = 16;
/** RFC 5681's three, for the start of recovery while no reordering was seen. */
const DUP_THRESH = 3;

export class Rack implements Deliveries {
  /** RTT of the delivered segment that was sent last. */
  rttMs = 0;
  reorderingSeen = false;
  /** When the next segment will count as lost if it is not acknowledged before, ms; `Infinity`: none waits. */
  timerAt = Infinity;
  private xmitAt = -1;
  private endSeq = 0;
  private fack = 0;
  private hasFack = false;
  private reoWndMult = 1;
  private persist = REO_WND_PERSIST;
  /** SND.NXT at a DSACK until it is acknowledged, else null: one widening per round trip. */
  private dsackRound: number | null = null;
  /** Set by the ACK under way, for §6.2 step 2's check of retransmissions. */
  private minRttMs = Infinity;
  /** Earliest send time that the ACK's timestamp vouches for, ms, or -1 without timestamps. */
  private echoedAt = -1;

  /** @param echoedAt when the segment that the peer's timestamp echoes was sent, ms, or -1 */
  beginAck(minRttMs: number, echoedAt: number): void {
    this.minRttMs = minRttMs;
    this.echoedAt = echoedAt;
  }

  /** §6.2 steps 2 and 3 for one segment that was just delivered. */
  delivered(sentAt: number, end: number, resent: boolean, now: number): void {
    const rtt = now - sentAt;
    if (!this.hasFack || seqGt(end, this.fack)) {
      this.fack = end;
      this.hasFack = true;
    } else if (seqLt(end, this.fack) && !resent) this.reorderingSeen = true;
    // An ACK too early for the retransmission is the original's: it says nothing about the later sending.
    if (resent && ((this.echoedAt >= 0 && this.echoedAt < Math.floor(sentAt)) || rtt < this.minRttMs)) return;
    this.rttMs = rtt;
    if (sentAfter(sentAt, end, this.xmitAt, this.endSeq)) {
      this.xmitAt = sentAt;
      this.endSeq = end;
    }
  }

  /** SND.UNA has moved. */
  acknowledged(sndUna: number): void {
    if (this.dsackRound !== null && seqGe(sndUna, this.dsackRound)) this.dsackRound = null;
  }

  /** §6.2 step 4: a DSACK says that a retransmission was for nothing. */
  onDsack(sndUna: number, sndNxt: number): void {
    this.acknowledged(sndUna);
    if (this.dsackRound !== null) return;
    this.dsackRound = sndNxt;
    this.reoWndMult++;
    this.persist = REO_WND_PERSIST;
  }

  onRecoveryEnd(): void {
    if (--this.persist > 0) return;
    this.persist = REO_WND_PERSIST;
    this.reoWndMult = 1;
  }

  /**
   * §6.2 step 5: marks what was sent so long before the last delivered segment that it must be lost, and
   * sets the timer for what may still only be late. @returns whether anything was marked.
   */
  detectLoss(queue: SentQueue, inRecovery: boolean, minRttMs: number, srttMs: number, now: number): boolean {
    this.timerAt = Infinity;
    if (this.xmitAt < 0) return false;
    const window = this.reorderingWindow(queue, inRecovery, minRttMs, srttMs);
    let lost = false;
    for (let index = 0; index < queue.length; index++) {
      const sentAt = queue.sentAt(index);
      if (!sentAfter(this.xmitAt, this.endSeq, sentAt, queue.end(index))) {
        // Sent later, and never again: all behind it were sent later still.
        if (!queue.wasResent(index)) break;
        continue;
      }
      if (queue.isSacked(index) || queue.isLost(index)) continue;
      const dueAt = sentAt + this.rttMs + window;
      if (dueAt <= now) {
        if (queue.markLost(index)) lost = true;
      } else this.timerAt = Math.min(this.timerAt, dueAt);
    }
    return lost;
  }

  /** §6.3: on a retransmission timeout, the first segment and all that were sent long enough ago. */
  markOnTimeout(queue: SentQueue, minRttMs: number, srttMs: number, now: number): void {
    this.timerAt = Infinity;
    const window = this.reorderingWindow(queue, false, minRttMs === Infinity ? 0 : minRttMs, srttMs);
    for (let index = 0; index < queue.length; index++) {
      if (index === 0 || queue.sentAt(index) + this.rttMs + window <= now) queue.markLost(index);
    }
  }

  private reorderingWindow(queue: SentQueue, inRecovery: boolean, minRttMs: number, srttMs: number): number {
    if (!this.reorderingSeen && (inRecovery || queue.sackedCount >= DUP_THRESH)) return 0;
    return Math.min((this.reoWndMult * minRttMs) / 4, srttMs);
  }
}

/** RFC 8985 §6.1: whether segment 1 was sent after segment 2; ties go by sequence number. */
function sentAfter(sentAt1: number, end1: number, sentAt2: number, end2: number): boolean {
  return sentAt1 > sentAt2 || (sentAt1 === sentAt2 && seqGt(end1, end2));
}
