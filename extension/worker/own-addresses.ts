/** The addresses that this computer has itself: over a captured interface they are reached by other ways than others'. */
import { formatIpv4, parseIpv4, systemInterfaces, type Ipv4Address } from '../../stack';

/** Asking the system costs more than a connection: what it said holds this long, ms. */
const REFRESH_MS = 1_000;

/** @returns the name of the interface of this computer that has the address now, loopback included, or null */
export function ownerHere(address: Ipv4Address): string | null {
  const text = formatIpv4(address);
  return Object.entries(systemInterfaces()).find(([, addresses]) => addresses?.some((one) => one.address === text))?.[0] ?? null;
}

export class OwnAddresses {
  private addresses: ReadonlySet<number> = new Set();
  private readAt = -Infinity;

  /** @param interfaces as `os.networkInterfaces()` */
  constructor(private readonly interfaces: typeof systemInterfaces = systemInterfaces) {}

  /** @param now ms */
  has(address: number, now: number): boolean {
    if (now - this.readAt >= REFRESH_MS) {
      this.readAt = now;
      this.addresses = new Set(this.read());
    }
    return this.addresses.has(address);
  }

  private read(): number[] {
    const infos = Object.values(this.interfaces()).flatMap((all) => all ?? []);
    // 127.0.0.0/8 is each stack's own, never this computer's (RFC 1122 §3.2.1.3).
    return infos.flatMap((info) => (info.family === 'IPv4' && !info.internal ? (parseIpv4(info.address) ?? []) : []));
  }
}
