/**
 * What the sockets of one script may hold together in received bytes. Two purses: windows, which
 * connections are given of their own accord and which shrink when there are many, and demands,
 * which `read(n)` makes and which are met in full or refused.
 */
export class Allowance {
  private windowsUsed = 0;
  private demandsUsed = 0;

  /** @param windowBytes for windows together @param demandBytes for pending `read(n)` together */
  constructor(
    private readonly windowBytes: number,
    readonly demandBytes: number,
  ) {}

  /** The bounds for a script that may use `memoryMb` MiB. */
  static forMemory(memoryMb: number): Allowance {
    const memory = memoryMb * 1_048_576;
    return new Allowance(Math.min(128 << 20, memory / 4), Math.max(64 << 20, Math.min(256 << 20, memory / 2)));
  }

  /**
   * One connection gets at most a share of what is left, so that many can come after it.
   * @returns as much of `wanted` as that allows, at least `least`
   */
  takeWindow(wanted: number, least: number): number {
    const left = Math.max(0, this.windowBytes - this.windowsUsed);
    const given = Math.max(least, Math.min(wanted, Math.floor(left / SHARE)));
    this.windowsUsed += given;
    return given;
  }

  returnWindow(bytes: number): void {
    this.windowsUsed -= bytes;
  }

  /** Changes one demand. @returns false, and changes nothing, if that would be more than there is */
  moveDemand(from: number, to: number): boolean {
    const used = this.demandsUsed - from + to;
    if (to > from && used > this.demandBytes) return false;
    this.demandsUsed = used;
    return true;
  }
}

const SHARE = 8;
