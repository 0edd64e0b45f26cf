/** What happens to packets on the wire behind the bottleneck. Seeded. */
import type { Random } from '../../../stack/random';
import { ETHERNET_HEADER_BYTES } from '../../../stack/wire/ethernet';
import { isIpv4, markCongestion } from './marks';

/**
 * Gilbert's and Elliott's model of bursts: a good and a bad state, with a loss rate each. The states last for
 * times, not for numbers of packets: a sender that waits finds the path good again.
 */
export interface BurstyLoss {
  /** Mean time in each state, ms, above 0; exponentially distributed. */
  readonly goodMs: number;
  readonly badMs: number;
  /** 0 … 1. Default 0 and 1. */
  readonly lossInGood?: number;
  readonly lossInBad?: number;
}

export interface Impairments {
  /** Share of packets that are lost, each independently of the others. */
  readonly loss?: number;
  readonly burstyLoss?: BurstyLoss;
  readonly duplicate?: number;
  /** Share of packets in which one bit is flipped, which every checksum finds. */
  readonly corrupt?: number;
  /** Share of packets that are late by up to `reorderMs`, so that others overtake them. */
  readonly reorder?: number;
  readonly reorderMs?: number;
  /** Share of ECN-capable packets that are marked "congestion experienced". */
  readonly mark?: number;
}

export interface ImpairmentCounters {
  lost: number;
  duplicated: number;
  corrupted: number;
  reordered: number;
  marked: number;
}

const SHARES = ['loss', 'duplicate', 'corrupt', 'reorder', 'mark'] as const;

/** @throws RangeError for what is no share */
export function checkImpairments(impairments: Impairments): void {
  const { goodMs, badMs, lossInGood = 0, lossInBad = 1 } = impairments.burstyLoss ?? { goodMs: 1, badMs: 1 };
  const shares = { lossInGood, lossInBad, ...Object.fromEntries(SHARES.map((name) => [name, impairments[name] ?? 0])) };
  for (const [name, share] of Object.entries(shares)) {
    if (!(share >= 0 && share <= 1)) throw new RangeError(`${name} is ${share}: it is a share, 0 to 1`);
  }
  for (const [name, ms] of Object.entries({ goodMs, badMs })) {
    if (!(ms > 0 && ms < Infinity)) throw new RangeError(`${name} is ${ms}: it is a time above 0`);
  }
}

/** Decides the fate of each packet of one direction. */
export class Fate {
  readonly counters: ImpairmentCounters = { lost: 0, duplicated: 0, corrupted: 0, reordered: 0, marked: 0 };
  private isBad = false;
  private changesAt: number;

  /** @param now when the path begins to be good, ms */
  constructor(
    private readonly impairments: Impairments,
    private readonly random: Random,
    now: number,
  ) {
    this.changesAt = impairments.burstyLoss ? now + this.exponential(impairments.burstyLoss.goodMs) : Infinity;
  }

  /**
   * Whether the frame is spared from everything, as ARP is: the simulated path stands for many networks, and
   * ARP, with its long timers, only for its first few metres.
   */
  spares(frame: Uint8Array): boolean {
    return !isIpv4(frame);
  }

  loses(now: number): boolean {
    const { loss, burstyLoss } = this.impairments;
    const lost = this.happens(loss) || (burstyLoss !== undefined && this.losesInBurst(burstyLoss, now));
    if (lost) this.counters.lost++;
    return lost;
  }

  duplicates(): boolean {
    const twice = this.happens(this.impairments.duplicate);
    if (twice) this.counters.duplicated++;
    return twice;
  }

  /** Spoils or marks the frame in place, if it is to be. */
  damage(frame: Uint8Array): void {
    if (this.happens(this.impairments.mark) && markCongestion(frame)) this.counters.marked++;
    if (!this.happens(this.impairments.corrupt)) return;
    this.counters.corrupted++;
    // Damage on a link is found there; what gets through happens in routers, to the packet inside the frame.
    const bit = this.random.below((frame.length - ETHERNET_HEADER_BYTES) * 8);
    const at = ETHERNET_HEADER_BYTES + (bit >>> 3);
    frame[at] = (frame[at] ?? 0) ^ (1 << (bit & 7));
  }

  /** How much later than others the packet arrives, ms. */
  lateness(): number {
    if (!this.happens(this.impairments.reorder)) return 0;
    this.counters.reordered++;
    return this.random.uniform() * (this.impairments.reorderMs ?? 10);
  }

  private losesInBurst({ goodMs, badMs, lossInGood = 0, lossInBad = 1 }: BurstyLoss, now: number): boolean {
    while (now >= this.changesAt) {
      this.isBad = !this.isBad;
      this.changesAt += this.exponential(this.isBad ? badMs : goodMs);
    }
    return this.happens(this.isBad ? lossInBad : lossInGood);
  }

  private exponential(mean: number): number {
    return -mean * Math.log(1 - this.random.uniform());
  }

  private happens(share: number | undefined): boolean {
    return share !== undefined && share > 0 && this.random.uniform() < share;
  }
}
