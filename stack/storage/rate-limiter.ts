/** A token bucket: so many events a second on average, and at most `burst` at once. */
export class RateLimiter {
  private tokens: number;
  private refilledAt: number | null = null;

  /** @param burst at least 1 */
  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
  ) {
    this.tokens = burst;
  }

  /** Takes one token if there is one. @param now ms */
  take(now: number): boolean {
    this.pass(now);
    if (this.tokens < 1) return false;
    this.tokens--;
    return true;
  }

  /** Lets time pass, for users whose events carry no time of their own. */
  pass(now: number): void {
    const gained = ((now - (this.refilledAt ?? now)) * this.perSecond) / 1_000;
    this.tokens = Math.min(this.burst, this.tokens + gained);
    this.refilledAt = now;
  }

  /** Takes one token of the time last passed. */
  takeNow(): boolean {
    return this.take(this.refilledAt ?? 0);
  }
}
