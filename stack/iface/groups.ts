/**
 * The multicast groups whose packets we take (RFC 1112 §7.1). Only groups of the link, 224.0.0.0/24: routers
 * never pass these on, and no membership is reported for them (RFC 3376 §4: IGMP messages are not sent about
 * 224.0.0.1; RFC 4541 §2.1.2 has switches flood the whole block unasked), so there is no IGMP here.
 */
import { formatIpv4, type Ipv4Address } from '../wire/address';
import { multicastMac } from '../wire/ethernet';

/** 224.0.0.0/24 without its last byte (RFC 5771 §4: local network control block). */
const LINK_BLOCK = 0xe000_00;

export class Groups {
  /** How often each was joined and not left again. */
  private readonly joined = new Map<Ipv4Address, number>();

  /**
   * Takes packets for `group` until {@link leave} was called as often.
   * @throws RangeError for what is no group of the link
   */
  join(group: Ipv4Address): void {
    if (group >>> 8 !== LINK_BLOCK) throw new RangeError(`${formatIpv4(group)} is no group of the link: only 224.0.0.0/24 can be joined`);
    this.joined.set(group, (this.joined.get(group) ?? 0) + 1);
  }

  leave(group: Ipv4Address): void {
    const times = this.joined.get(group) ?? 0;
    if (times > 1) this.joined.set(group, times - 1);
    else this.joined.delete(group);
  }

  has(group: Ipv4Address): boolean {
    return this.joined.has(group);
  }

  /** Whether the low four bytes of a group's MAC address are those of a group we are in (RFC 1112 §6.4). */
  hasMac(low: number): boolean {
    // 32 groups share an address; those of 224.0.0.0/24 differ in its last byte.
    for (const group of this.joined.keys()) if (multicastMac(group).low === low) return true;
    return false;
  }
}
