/** The stack's address: given for good or leased, what follows from having it, and what ends with it. */
import type { PortRange } from '../config';
import type { Observer } from '../observer';
import type { DhcpLease, DhcpLeaseStore } from '../socket/dhcp-lease';
import type { DnsServer } from '../socket/dns-servers';
import { formatIpv4, isLoopback, isUnicast, prefixMask, type Ipv4Address } from '../wire/address';
import { formatMacAddress, type MacAddress } from '../wire/ethernet';
import type { Conflicts } from './conflicts';
import type { Routes } from './routes';

/** How the stack comes by its address. */
export type AddressOptions =
  | {
      readonly mode: 'static';
      readonly address: Ipv4Address;
      /** 0 … 32 */
      readonly prefixLength: number;
      /** The router for everything off the own network. Absent: there is none. */
      readonly gateway?: Ipv4Address;
      readonly dns?: readonly DnsServer[];
    }
  | {
      /** The computer's own address and MAC: its kernel answers for everything but `ports`, which no program of the computer may use. */
      readonly mode: 'shared';
      readonly address: Ipv4Address;
      /** 0 … 32 */
      readonly prefixLength: number;
      readonly gateway?: Ipv4Address;
      readonly dns?: readonly DnsServer[];
      readonly ports: PortRange;
    }
  | {
      readonly mode: 'dhcp';
      /** RFC 2132 §3.14: 1 … 255 bytes of ASCII. */
      readonly hostname?: string;
      /** RFC 2132 §9.14: the type byte and the identifier. Default: the MAC address. */
      readonly clientId?: Uint8Array;
      /** Where the last lease is kept: its address is asked for first, and a closed stack does not give it back. */
      readonly leaseStore?: DhcpLeaseStore;
      /** Why an offered address must not be taken, as where an interface of the computer has it; null: it may. */
      readonly refuse?: (address: Ipv4Address) => string | null;
      /** Taken instead of the servers that DHCP names. */
      readonly dns?: readonly DnsServer[];
    };

/** An address that somebody chose for the stack. */
export type GivenAddress = Pick<AddressOptions & { readonly mode: 'static' }, 'address' | 'prefixLength' | 'gateway' | 'dns'>;

/** The address the stack has, and what came with it. */
export interface AddressInfo {
  readonly address: Ipv4Address;
  /** 0 … 32 */
  readonly prefixLength: number;
  readonly gateway: Ipv4Address | null;
  readonly dns: readonly DnsServer[];
}

export interface AddressingOptions {
  readonly routes: Routes;
  readonly observer: Observer;
  /** Name servers that come before those of a lease; null: none were given. */
  readonly ownDns: readonly DnsServer[] | null;
  /** Checks an address before it is used, and defends it; null: addresses are used at once (RFC 5227 is off). */
  readonly detector: Pick<Conflicts, 'probe' | 'stop'> | null;
  /** The leased address is another station's. */
  readonly onContested: (now: number) => void;
  /** Which name servers there are; null while there is no address. */
  readonly onDns: (servers: readonly DnsServer[] | null) => void;
  /** The address is gone, and not yet another there: what was built on it must end. */
  readonly onLost: (reason: string) => void;
  /** {@link Addressing.current} is another, or null. */
  readonly onChange: () => void;
}

/** Another station that claims our address is reported at most this often, ms (RFC 5227 §2.4: DEFEND_INTERVAL). */
const CONFLICT_REPORT_MS = 10_000;
const DNS_PORT = 53;
/** A given address that another station has is tried again after so long, ms (RFC 5227 §2.1.1: RATE_LIMIT_INTERVAL). */
const RETRY_STATIC_MS = 60_000;

type Source = 'static' | 'dhcp' | 'shared';

export class Addressing {
  private info: AddressInfo | null = null;
  /** What the stack will have once the detector has found nobody else with it. */
  private pending: { readonly info: AddressInfo; readonly source: Source } | null = null;
  private source: Source = 'static';
  private conflictReportedAt = -Infinity;
  /** A given address that the computer has taken for itself. */
  private yielded: AddressInfo | null = null;

  constructor(private readonly options: AddressingOptions) {}

  get current(): AddressInfo | null {
    return this.info;
  }

  /** @throws RangeError for an address that a host on a link cannot have */
  assign(address: GivenAddress, source: 'static' | 'shared'): void {
    const { prefixLength, gateway = null, dns = [] } = address;
    checkAddress(address.address, prefixLength, gateway);
    this.begin({ address: address.address, prefixLength, gateway, dns }, source);
  }

  /** The computer's address, which we share, is this now. Nothing ends if it is what it was, whatever the router. */
  share(address: GivenAddress, reason: string): void {
    const { prefixLength, gateway = null, dns = [] } = address;
    checkAddress(address.address, prefixLength, gateway);
    const next = { address: address.address, prefixLength, gateway, dns };
    if (this.info?.address === next.address) return this.renew(this.info, next);
    this.lose(reason);
    this.begin(next, 'shared');
  }

  /** A lease was granted or renewed. */
  leased(lease: DhcpLease): void {
    const dns = this.options.ownDns ?? lease.dns.map((address) => ({ address, port: DNS_PORT }));
    const { info, pending } = this;
    const next = { address: lease.address, prefixLength: lease.prefixLength, gateway: lease.router, dns };
    if (pending?.info.address === next.address) {
      // Renewed while it is still being checked.
      this.pending = { ...pending, info: next };
      return;
    }
    // RFC 5227 §2.1: an address that is in use is not checked again.
    if (info?.address === next.address) return this.renew(info, next);
    if (info !== null) this.lose(`DHCP gave the address ${formatIpv4(next.address)} in place of ${formatIpv4(info.address)}`);
    this.begin(next, 'dhcp');
  }

  /** The address must not be used any more. */
  lose(reason: string): void {
    this.pending = null;
    this.options.detector?.stop();
    if (this.info === null) return;
    this.info = null;
    this.options.onLost(reason);
    this.options.routes.local = null;
    this.options.onDns(null);
    this.options.observer({ type: 'address-lost', reason });
    this.options.onChange();
  }

  /** The link is down: nobody would hear a probe. What was being checked is so anew by {@link recheck}. */
  pauseCheck(): void {
    if (this.pending !== null) this.options.detector?.stop();
  }

  /** The link was down, and another station can have come to use a given address meanwhile (RFC 5227 §2.1). A leased one is asked for again anyway. */
  recheck(reason: string): void {
    if (this.options.detector === null) return;
    const { info, source } = this.pending ?? { info: this.info, source: this.source };
    if (info === null || source !== 'static') return;
    this.lose(reason);
    this.begin(info, 'static');
  }

  /** The computer has the address itself now: it is not used any more. A given one can be taken back. @returns whether there was one */
  yield(message: string, retryMs: number): boolean {
    const held = this.info ?? this.pending?.info;
    if (!held) return false;
    const source = this.info === null ? this.pending?.source : this.source;
    this.yielded = source === 'static' ? held : null;
    this.options.observer({ type: 'address-taken', address: formatIpv4(held.address), message, retryMs });
    this.lose(message);
    return true;
  }

  /** The computer has the given address no longer. */
  reclaim(): void {
    const { yielded } = this;
    this.yielded = null;
    if (yielded !== null && this.info === null && this.pending === null) this.begin(yielded, 'static');
  }

  /** The stack is closed: nobody need be told. */
  end(): void {
    this.options.detector?.stop();
    this.pending = null;
    this.info = null;
    this.options.routes.local = null;
  }

  /** The detector has found nobody else with the address. */
  clear(address: Ipv4Address): void {
    const { pending } = this;
    if (pending?.info.address !== address) return;
    this.pending = null;
    this.take(pending.info, pending.source);
  }

  /** Another station has the address that was to be used, or did not give way: RFC 5227 §2.1.1, §2.4 (b). */
  contested(address: Ipv4Address, mac: MacAddress, now: number): void {
    const held = this.info ?? this.pending?.info;
    const source = this.pending?.source ?? this.source;
    if (held?.address !== address) return;
    const reason = `${formatMacAddress(mac)} on the link has the address ${formatIpv4(address)}`;
    const next = source === 'dhcp' ? 'the DHCP server is asked for another' : `give one of the two another; it is tried again after ${RETRY_STATIC_MS / 1_000} s`;
    const retryMs = source === 'dhcp' ? null : RETRY_STATIC_MS;
    this.options.observer({ type: 'address-taken', address: formatIpv4(address), message: `${reason}: ${next}`, retryMs });
    this.lose(reason);
    if (source === 'dhcp') this.options.onContested(now);
    else this.begin(held, 'static', RETRY_STATIC_MS);
  }

  /** Another station claims our address. */
  conflict(mac: MacAddress, now: number): void {
    if (this.info === null || now < this.conflictReportedAt + CONFLICT_REPORT_MS) return;
    this.conflictReportedAt = now;
    const message = `${formatMacAddress(mac)} on the link claims our address ${formatIpv4(this.info.address)}: give one of the two another`;
    this.options.observer({ type: 'warning', message });
  }

  /** The address stays; the router, the network's size and the name servers can be others. */
  private renew(info: AddressInfo, next: AddressInfo): void {
    if (info.gateway !== next.gateway || info.prefixLength !== next.prefixLength) return this.take(next, this.source);
    this.info = next;
    this.options.onDns(next.dns);
  }

  private begin(info: AddressInfo, source: Source, waitMs = 0): void {
    const { detector, observer } = this.options;
    if (detector === null) {
      this.take(info, source);
      return;
    }
    this.pending = { info, source };
    observer({ type: 'address-probing', address: formatIpv4(info.address), afterMs: waitMs });
    detector.probe(info.address, waitMs);
  }

  private take(info: AddressInfo, source: Source): void {
    const { address, prefixLength, gateway, dns } = info;
    this.info = info;
    this.source = source;
    this.options.routes.local = { address, prefixLength, gateway };
    this.options.onDns(dns);
    this.options.observer({
      type: 'address', address: formatIpv4(address), prefixLength, source,
      gateway: gateway === null ? null : formatIpv4(gateway),
      dns: dns.map((server) => (server.port === DNS_PORT ? formatIpv4(server.address) : `${formatIpv4(server.address)}:${server.port}`)),
    });
    this.options.onChange();
  }
}

/** @throws RangeError */
function checkAddress(address: Ipv4Address, prefixLength: number, gateway: Ipv4Address | null): void {
  if (!Number.isInteger(prefixLength) || prefixLength < 0 || prefixLength > 32) {
    throw new RangeError(`a prefix length of ${prefixLength} is not 0 to 32`);
  }
  const hostBits = ~prefixMask(prefixLength) >>> 0;
  for (const [what, value] of [['address', address], ['gateway', gateway]] as const) {
    if (value === null) continue;
    // The first and the last address of a network are nobody's (RFC 1122 §3.2.1.3), unless it has only these two (RFC 3021).
    const host = (value & hostBits) >>> 0;
    const isEdge = prefixLength < 31 && (host === 0 || host === hostBits);
    if (!isUnicast(value) || isLoopback(value) || isEdge) {
      throw new RangeError(`the ${what} ${formatIpv4(value)}/${prefixLength} is not one that a host on a link can have`);
    }
  }
}
