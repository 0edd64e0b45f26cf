/** Reno (RFC 5681), with appropriate byte counting (RFC 3465). */
import type { AckSample } from './congestion';
import { SlowStart } from './slow-start';
import { Window } from './window';

export class Reno extends Window {
  private ackedBytes = 0;
  private readonly slowStart: SlowStart;

  constructor(initialWindowSegments: number, hystart: boolean) {
    super(initialWindowSegments);
    this.slowStart = new SlowStart(hystart);
  }

  onAck(ack: AckSample): void {
    this.begin();
    let { ackedBytes } = ack;
    if (this.cwndBytes < this.ssthreshBytes) {
      ackedBytes = this.growSlowly(this.slowStart.increase(ack, this.mss, this.ssthreshBytes === Infinity), ackedBytes);
      if (this.slowStart.isOver) this.ssthreshBytes = this.cwndBytes;
    }
    this.ackedBytes += ackedBytes;
    if (this.ackedBytes >= this.cwndBytes) {
      this.ackedBytes -= this.cwndBytes;
      this.cwndBytes += this.mss;
    }
  }

  onCongestion(flightBytes: number): void {
    this.begin();
    this.ssthreshBytes = Math.max(flightBytes / 2, 2 * this.mss); // RFC 5681 eq. 4
    this.cwndBytes = this.ssthreshBytes;
    this.ackedBytes = 0;
  }
}
