/**
 * What is known of paths that are narrower than our link (RFC 1191 §6.3): one number per destination, so that a
 * new connection begins with it, and datagrams are cut where they leave and not on the way.
 *
 * It believes what it is told: whoever calls `narrow` has checked that the message was about a packet of
 * ours that is on its way (RFC 5927 §7.1).
 */
import type { Ipv4Config } from '../config';
import type { Counters } from '../observer';
import type { Ipv4Address } from '../wire/address';

/** Smaller is not believed on ICMP's word alone, which may be forged; a narrower path has to fragment. As in TCP. */
const MIN_PATH_MTU = 552;

interface PathMtu {
  readonly mtu: number;
  readonly expiresAt: number;
}

export class PathMtus {
  /** By destination; the first was narrowed longest ago. */
  private readonly paths = new Map<Ipv4Address, PathMtu>();
  private now = 0;

  constructor(
    private readonly config: Pick<Ipv4Config, 'pathMtuMs' | 'maxPathMtus'>,
    private readonly counters: Counters['ipv4'],
  ) {}

  get size(): number {
    return this.paths.size;
  }

  /** Lets time pass: lookups carry none of their own. */
  poll(now: number): void {
    this.now = now;
    for (const [destination, { expiresAt }] of this.paths) {
      // All live equally long: what follows expires later.
      if (now < expiresAt) return;
      this.paths.delete(destination);
    }
  }

  /** The largest packet for `destination` in bytes; `linkMtu` where nothing narrower is known. */
  toward(destination: Ipv4Address, linkMtu: number): number {
    if (this.paths.size === 0) return linkMtu;
    const path = this.paths.get(destination);
    return path === undefined || this.now >= path.expiresAt ? linkMtu : Math.min(path.mtu, linkMtu);
  }

  /** A router said that packets for `destination` must not be larger. RFC 1191 §3: such a message never widens a path. */
  narrow(destination: Ipv4Address, mtu: number, linkMtu: number, now: number): void {
    this.poll(now);
    const believed = Math.max(mtu, MIN_PATH_MTU);
    if (believed >= this.toward(destination, linkMtu)) return;
    this.paths.delete(destination);
    const [oldest] = this.paths.keys();
    if (this.paths.size >= this.config.maxPathMtus && oldest !== undefined) {
      this.paths.delete(oldest);
      this.counters.pathMtuEvicted++;
    }
    this.counters.pathMtuNarrowed++;
    this.paths.set(destination, { mtu: believed, expiresAt: now + this.config.pathMtuMs });
  }

  /** The link is another: so are its paths. */
  clear(): void {
    this.paths.clear();
  }
}
