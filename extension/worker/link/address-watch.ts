/**
 * Whether this computer's kernel has taken the stack's address for itself: a program or a person can give it to any
 * interface at any time. The kernel then answers ARP for it, and resets what it knows nothing of; conflict detection
 * (RFC 5227) does not see that, since the kernel says nothing of a new address.
 */
import { formatIpv4, type Clock, type Ipv4Address, type Stack, type Timer } from '../../../stack';

/** Between two looks at the interfaces' addresses: how late it is noticed, ms. */
export const ADDRESS_WATCH_MS = 1_000;

export class AddressWatch {
  private timer: Timer | null = null;
  /** What the stack had when the computer took it; null: it has not. */
  private taken: Ipv4Address | null = null;

  /** @param ownerOf the interface of this computer that has an address, or null */
  constructor(
    private readonly clock: Clock,
    private readonly ownerOf: (address: Ipv4Address) => string | null,
  ) {}

  attach(stack: Stack): void {
    this.timer = this.clock.at(this.clock.now() + ADDRESS_WATCH_MS, () => {
      this.attach(stack);
      this.look(stack);
    });
  }

  close(): void {
    this.timer?.cancel();
    this.timer = null;
  }

  private look(stack: Stack): void {
    const now = this.clock.now();
    const address = stack.addressInfo?.address ?? null;
    if (address !== null) {
      const owner = this.ownerOf(address);
      if (owner === null) return;
      this.taken = address;
      const text = formatIpv4(address);
      stack.yieldAddress(`this computer has the address ${text} itself now, on ${owner}, and the stack uses it no longer: take it from ${owner} (ip address del ${text} dev ${owner}), or give the stack another (--address, setting riftnet.address)`, ADDRESS_WATCH_MS, now);
    } else if (this.taken !== null && this.ownerOf(this.taken) === null) {
      this.taken = null;
      stack.reclaimAddress(now);
    }
  }
}
