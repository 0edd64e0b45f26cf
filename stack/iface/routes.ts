/** Which addresses are ours, and where a packet goes next: one interface, its own network, one gateway. */
import { BROADCAST_ADDRESS, isLoopback, isMulticast, isUnicast, prefixMask, type Ipv4Address } from '../wire/address';

export interface InterfaceAddress {
  readonly address: Ipv4Address;
  /** 0 … 32 */
  readonly prefixLength: number;
  /** The router for everything that is not on the own network, or null. */
  readonly gateway: Ipv4Address | null;
}

export class Routes {
  private current: InterfaceAddress | null = null;
  private mask = 0;
  private network = 0;
  /** The directed broadcast address; prefixes of 31 and 32 bits have none (RFC 3021 §2.1). */
  private broadcast: Ipv4Address = BROADCAST_ADDRESS;

  /**
   * Addresses on our link that are reached by the gateway all the same: the computer's own, whose kernel receives
   * nothing that is injected on its interface.
   */
  viaGateway: readonly Ipv4Address[] = [];

  /** @param anyDestination router mode: packets for every unicast address are taken as our own. */
  constructor(readonly anyDestination: boolean) {}

  get local(): InterfaceAddress | null {
    return this.current;
  }

  set local(local: InterfaceAddress | null) {
    this.current = local;
    this.mask = local ? prefixMask(local.prefixLength) : 0;
    this.network = local ? (local.address & this.mask) >>> 0 : 0;
    this.broadcast = local && local.prefixLength < 31 ? (local.address | ~this.mask) >>> 0 : BROADCAST_ADDRESS;
  }

  isBroadcast(address: Ipv4Address): boolean {
    return address === BROADCAST_ADDRESS || address === this.broadcast;
  }

  isOnLink(address: Ipv4Address): boolean {
    return this.current !== null && (address & this.mask) >>> 0 === this.network;
  }

  /** Whether a unicast packet for `address` is taken as our own. */
  isOurs(address: Ipv4Address): boolean {
    if (this.current === null) return false;
    if (address === this.current.address) return true;
    return this.anyDestination && isUnicast(address) && !isLoopback(address) && !this.isBroadcast(address);
  }

  goesViaGateway(address: Ipv4Address): boolean {
    return this.viaGateway.length > 0 && this.viaGateway.includes(address);
  }

  /** Whether a packet is one of ours that the gateway has sent on: the way to the computer works. */
  cameBack(source: Ipv4Address, destination: Ipv4Address): boolean {
    return this.goesViaGateway(destination) && source === this.current?.address;
  }

  /** Whether a packet may leave with `source`. 0.0.0.0 is the source of a host that asks for its address (RFC 2131 §4.1). */
  maySendFrom(source: Ipv4Address, destination: Ipv4Address): boolean {
    if (source === 0) return destination === BROADCAST_ADDRESS;
    if (this.anyDestination) return isUnicast(source);
    return this.current !== null && source === this.current.address;
  }

  /** Our address toward `remote`, or null while there is none or no route leads there. */
  sourceFor(remote: Ipv4Address): Ipv4Address | null {
    return this.current !== null && this.nextHop(remote) !== null ? this.current.address : null;
  }

  /**
   * The address on the link that a packet for `destination` is handed to: itself, for groups and neighbours,
   * or the gateway. @returns null if no route leads there. Our own address and 127.0.0.0/8 have none: packets
   * for them must not leave (RFC 1122 §3.2.1.3), and nothing behind the link could answer them.
   */
  nextHop(destination: Ipv4Address): Ipv4Address | null {
    if (destination === BROADCAST_ADDRESS) return destination;
    const { current } = this;
    if (current === null || destination === current.address) return null;
    if (this.goesViaGateway(destination)) return current.gateway;
    if ((destination & this.mask) >>> 0 === this.network) return isUnicast(destination) ? destination : null;
    if (isMulticast(destination)) return destination;
    if (isLoopback(destination) || !isUnicast(destination)) return null;
    return current.gateway;
  }
}
