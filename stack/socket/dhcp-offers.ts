/** Which server's offer is asked for: of several the first, and one that has failed only where there is no other. */
import type { Ipv4Address } from '../wire/address';
import type { DhcpOffer } from './dhcp-lease';

/** Offers kept beside the one that is asked for; a network has one server, or two. */
const MAX_OFFERS = 4;
/** Servers that have failed; the oldest is forgotten. */
const MAX_FAILED = 16;

export class DhcpOffers {
  private readonly offers: DhcpOffer[] = [];
  private readonly failed = new Set<Ipv4Address>();

  /** Whether another offer waits. */
  get waits(): boolean {
    return this.offers.length > 0;
  }

  /** @returns false if it is not kept: the server's offer is here already, or there are enough */
  keep(offer: DhcpOffer): boolean {
    if (this.offers.length >= MAX_OFFERS || this.offers.some(({ server }) => server === offer.server)) return false;
    this.offers.push(offer);
    return true;
  }

  /** Takes the best one that waits. */
  next(): DhcpOffer | null {
    const at = this.offers.findIndex(({ server }) => !this.failed.has(server));
    return this.offers.splice(Math.max(at, 0), 1)[0] ?? null;
  }

  /** The server offered an address, and did not give it. */
  fail(server: Ipv4Address): void {
    this.failed.delete(server);
    this.failed.add(server);
    const [oldest] = this.failed;
    if (this.failed.size > MAX_FAILED && oldest !== undefined) this.failed.delete(oldest);
  }

  hasFailed(server: Ipv4Address): boolean {
    return this.failed.has(server);
  }

  /** A new exchange: what was offered in the last one is void. */
  clear(): void {
    this.offers.length = 0;
  }

  /** A server has kept its word. */
  settle(): void {
    this.clear();
    this.failed.clear();
  }
}
