/** What has crossed the wire for one connection, both ways: counts and times that the stack's own picture has not. */
import { seqGt } from '../../../stack/wire/seq';
import { ACK, SYN } from '../syntax/ast';
import type { WireSegment } from './tcp-codec';

export class Traffic {
  dataSegmentsIn = 0;
  dataSegmentsOut = 0;
  /** Payload sent, repetitions included, and what of it was sent for the first time. */
  bytesSent = 0;
  newBytesSent = 0;
  /** Script µs. Until there was data, when the peer's first acknowledgment came, as Linux counts. */
  lastDataSentUs = 0;
  lastDataReceivedUs = 0;
  lastAckReceivedUs = 0;
  private sentUpTo: number | null = null;
  private heard = false;

  noteSent({ flags, seq, payload }: WireSegment, us: number): void {
    if (payload.length === 0) return;
    const end = (seq + payload.length + (flags & SYN ? 1 : 0)) >>> 0;
    this.dataSegmentsOut++;
    this.bytesSent += payload.length;
    this.lastDataSentUs = us;
    if (this.sentUpTo !== null && !seqGt(end, this.sentUpTo)) return;
    this.newBytesSent += this.sentUpTo === null ? payload.length : Math.min(payload.length, (end - this.sentUpTo) >>> 0);
    this.sentUpTo = end;
  }

  noteReceived({ flags, payload }: WireSegment, us: number): void {
    if (flags & ACK) {
      this.lastAckReceivedUs = us;
      if (!this.heard) {
        this.lastDataSentUs = us;
        this.lastDataReceivedUs = us;
      }
      this.heard = true;
    }
    if (payload.length === 0) return;
    this.dataSegmentsIn++;
    this.lastDataReceivedUs = us;
  }
}
