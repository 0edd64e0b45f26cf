/** Processing of the payload and of FIN (RFC 9293 §3.10.7.4, seventh and eighth check). */
import { seqAdd, seqDiff, seqGt, seqLe, seqLt } from '../wire/seq';
import { FIN, type TcpSegment } from '../wire/tcp';
import { measureReceiveRtt } from './buffers';
import type { TcpContext } from './context';
import { sendAck, sendReset } from './output';
import { oweDsack } from './sack';
import type { Tcb } from './tcb';

/** Stores what is new of a segment that begins at or behind RCV.NXT, and acts on the peer's FIN. */
export function processData(context: TcpContext, tcb: Tcb, segment: TcpSegment): void {
  if (segment.payloadLength === 0 && !segment.has(FIN)) return;
  switch (tcb.state) {
    case 'ESTABLISHED':
    case 'FIN-WAIT-1':
    case 'FIN-WAIT-2':
      break;
    default:
      // The peer's FIN has been seen: it has nothing more to say (RFC 9293 §3.10.7.4).
      context.counters.rxAfterFin++;
      return;
  }
  if (segment.payloadLength > 0) {
    if (tcb.released && tcb.state === 'FIN-WAIT-2') {
      // RFC 9293 §3.6.1: nobody is left to read this, and the peer should know.
      context.counters.rxAfterClose++;
      sendReset(context, tcb);
      context.finish(tcb, null);
      return;
    }
    // What a link has coalesced is several segments, not a larger one.
    tcb.rcvMss = Math.max(tcb.rcvMss, Math.min(segment.payloadLength, tcb.offeredMss));
  }
  noteFin(context, tcb, segment);
  const inOrder = segment.seq === tcb.rcvNxt;
  if (segment.payloadLength > 0) {
    if (inOrder) storeInOrder(context, tcb, segment);
    else storeOutOfOrder(context, tcb, segment);
  }
  if (tcb.peerFinSeq >= 0 && tcb.rcvNxt === tcb.peerFinSeq) processFin(context, tcb);
  else if (!inOrder) sendAck(context, tcb); // RFC 5681 §4.2: at once, one for each, so that the sender can count them
  context.touch(tcb);
}

/** Remembers where the peer's data ends; what lies beyond it is dropped. */
function noteFin(context: TcpContext, tcb: Tcb, segment: TcpSegment): void {
  const end = seqAdd(segment.seq, segment.payloadLength);
  if (segment.has(FIN)) {
    if (tcb.peerFinSeq < 0) tcb.peerFinSeq = end;
    else if (tcb.peerFinSeq !== end) context.counters.rxAfterFin++;
  }
  if (tcb.peerFinSeq >= 0 && seqGt(end, tcb.peerFinSeq)) {
    context.counters.rxAfterFin++;
    segment.payloadLength = Math.max(0, seqDiff(tcb.peerFinSeq, segment.seq));
  }
}

function storeInOrder(context: TcpContext, tcb: Tcb, segment: TcpSegment): void {
  const { receiveRing, outOfOrder } = tcb;
  const { payloadStart, payloadLength } = segment;
  const before = tcb.rcvNxt;
  let next = seqAdd(before, payloadLength);
  const filledGap = !outOfOrder.isEmpty;
  if (filledGap) {
    reportOverlap(tcb, before, next);
    next = outOfOrder.take(next);
  }
  const advanced = seqDiff(next, before);
  tcb.rcvNxt = next;
  tcb.bytesIn += advanced;
  if (tcb.released) {
    context.counters.rxAfterClose++;
  } else {
    receiveRing.put(receiveRing.length, segment.bytes, payloadStart, payloadStart + payloadLength);
    receiveRing.extend(advanced);
    context.changed(tcb);
  }
  tcb.unackedBytes += advanced;
  measureReceiveRtt(tcb, context.now);
  // RFC 9293 §3.8.6.3: at least every second full-sized segment; at once when a gap was filled (RFC 5681 §4.2).
  if (filledGap || tcb.unackedBytes >= 2 * tcb.rcvMss || tcb.quickAcks > 0) {
    tcb.ackOwed = true;
    if (tcb.quickAcks > 0) tcb.quickAcks--;
  } else if (tcb.ackAt === Infinity) tcb.ackAt = context.now + context.config.delayedAckMs;
}

function storeOutOfOrder(context: TcpContext, tcb: Tcb, segment: TcpSegment): void {
  const { counters } = context;
  const start = segment.seq;
  const end = seqAdd(start, segment.payloadLength);
  reportOverlap(tcb, start, end);
  switch (tcb.outOfOrder.add(start, end)) {
    case 'full':
      counters.rxOutOfOrderDropped++;
      return;
    case 'duplicate':
      counters.rxDuplicate++;
      return;
    case 'added':
      counters.rxOutOfOrder++;
  }
  if (tcb.released) return;
  const offset = tcb.receiveRing.length + seqDiff(start, tcb.rcvNxt);
  tcb.receiveRing.put(offset, segment.bytes, segment.payloadStart, segment.payloadStart + segment.payloadLength);
}

/** RFC 2883 §4.2: the part of a segment that had come before is reported, whether or not the rest is new. */
function reportOverlap(tcb: Tcb, start: number, end: number): void {
  if (!tcb.sackEnabled) return;
  const twice = tcb.outOfOrder.overlap(start, end);
  if (twice) oweDsack(tcb, twice.start, twice.end);
}

function processFin(context: TcpContext, tcb: Tcb): void {
  tcb.rcvNxt = seqAdd(tcb.rcvNxt, 1);
  if (seqLt(tcb.rcvAdv, tcb.rcvNxt)) tcb.rcvAdv = tcb.rcvNxt;
  tcb.ackOwed = true;
  tcb.outOfOrder.clear();
  context.changed(tcb);
  switch (tcb.state) {
    case 'ESTABLISHED':
      context.setState(tcb, 'CLOSE-WAIT');
      break;
    case 'FIN-WAIT-1':
      // Had our FIN been acknowledged, the ACK check would have moved the state on already.
      context.setState(tcb, 'CLOSING');
      break;
    default:
      context.enterTimeWait(tcb);
  }
}

/** The four cases of RFC 9293 §3.4 table 6. */
export function isAcceptable(tcb: Tcb, segment: TcpSegment): boolean {
  const window = tcb.rcvWnd;
  const { seq, length } = segment;
  if (length === 0) return window === 0 ? seq === tcb.rcvNxt : withinWindow(seq, tcb, window);
  if (window === 0) return false;
  return withinWindow(seq, tcb, window) || withinWindow(seqAdd(seq, length - 1), tcb, window);
}

/** Cuts off what was received before and what lies beyond the window. */
export function trimToWindow(context: TcpContext, tcb: Tcb, segment: TcpSegment): void {
  if (seqLt(segment.seq, tcb.rcvNxt)) {
    const old = Math.min(seqDiff(tcb.rcvNxt, segment.seq), segment.payloadLength);
    if (old > 0) {
      tcb.ackOwed = true; // the peer repeats: our ACK may have been lost
      oweDsack(tcb, segment.seq, seqAdd(segment.seq, old));
    }
    segment.trimFront(old);
  }
  const beyond = seqDiff(seqAdd(segment.seq, segment.payloadLength), tcb.rcvAdv);
  if (beyond > 0) {
    context.counters.rxBeyondWindow++;
    segment.payloadLength = Math.max(0, segment.payloadLength - beyond);
    segment.flags &= ~FIN;
    tcb.ackOwed = true;
  }
}

function withinWindow(seq: number, tcb: Tcb, window: number): boolean {
  return seqLe(tcb.rcvNxt, seq) && seqLt(seq, seqAdd(tcb.rcvNxt, window));
}
