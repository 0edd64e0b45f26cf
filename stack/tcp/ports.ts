/** Ephemeral ports: which one a connection out gets, and whether its destination has one left. */
import type { TcpConfig } from '../config';
import type { Random } from '../random';
import type { Flow } from '../storage/flow-table';

export class EphemeralPorts {
  private readonly first: number;
  private readonly last: number;
  /**
   * How many are taken, by destination: a script may ask for far more connections than there are ports, and to look
   * through all of them each time to find none would hold up everything else.
   */
  private readonly taken = new Map<string, number>();

  constructor(
    private readonly random: Random,
    config: Pick<TcpConfig, 'ephemeralFirst' | 'ephemeralLast'>,
  ) {
    this.first = config.ephemeralFirst;
    this.last = config.ephemeralLast;
  }

  get count(): number {
    return this.last - this.first + 1;
  }

  includes(port: number): boolean {
    return port >= this.first && port <= this.last;
  }

  take(flow: Flow): void {
    if (!this.includes(flow.localPort)) return;
    const key = keyOf(flow.localAddress, flow.remoteAddress, flow.remotePort);
    this.taken.set(key, (this.taken.get(key) ?? 0) + 1);
  }

  release(flow: Flow): void {
    if (!this.includes(flow.localPort)) return;
    const key = keyOf(flow.localAddress, flow.remoteAddress, flow.remotePort);
    const left = (this.taken.get(key) ?? 0) - 1;
    if (left > 0) this.taken.set(key, left);
    else this.taken.delete(key);
  }

  /** How many connections to one destination hold one, those in TIME-WAIT included. */
  takenBy(local: number, remote: number, remotePort: number): number {
    return this.taken.get(keyOf(local, remote, remotePort)) ?? 0;
  }

  /** RFC 6056 §3.3.1: a random one. */
  any(): number {
    return this.first + this.random.below(this.count);
  }

  /** RFC 6056 §3.3.1: from a random one on, the next that is free. @returns null if none is */
  search(isFree: (port: number) => boolean): number | null {
    const { first, count } = this;
    const start = this.random.below(count);
    for (let i = 0; i < count; i++) {
      const port = first + ((start + i) % count);
      if (isFree(port)) return port;
    }
    return null;
  }
}

function keyOf(local: number, remote: number, remotePort: number): string {
  return `${local} ${remote} ${remotePort}`;
}
