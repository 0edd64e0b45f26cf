/** What is wrong with each DHCP server that has given no address, so that a person can be told which one it is. */
import type { Ipv4Address } from '../wire/address';

/**
 * - `malformed`: sends what is no DHCP message;
 * - `unusable`: offers or gives what cannot be a lease, or not what it offered;
 * - `refuses`, `silent`: offers an address, then does not give it;
 * - `own`: offers an address that this computer has itself;
 * - `taken`: gave an address that another host has.
 */
export type DhcpFaultKind = 'malformed' | 'unusable' | 'refuses' | 'silent' | 'own' | 'taken';

export interface DhcpFault {
  /** Where its messages come from. */
  readonly server: Ipv4Address;
  readonly kind: DhcpFaultKind;
}

/** Servers that are remembered; the one heard of longest ago is forgotten. */
const MAX_SERVERS = 4;

export class DhcpFaults {
  /** The latest of each server, the server heard of last at the end. */
  private readonly kinds = new Map<Ipv4Address, DhcpFaultKind>();

  get all(): readonly DhcpFault[] {
    return [...this.kinds].map(([server, kind]) => ({ server, kind }));
  }

  note(server: Ipv4Address, kind: DhcpFaultKind): void {
    this.kinds.delete(server);
    this.kinds.set(server, kind);
    const [oldest] = this.kinds.keys();
    if (this.kinds.size > MAX_SERVERS && oldest !== undefined) this.kinds.delete(oldest);
  }

  /** An address was given. @param isRenewed it was had before; else it can still be found to be another host's, as the last one was */
  leased(isRenewed: boolean): void {
    for (const [server, kind] of this.kinds) if (isRenewed || kind !== 'taken') this.kinds.delete(server);
  }
}
