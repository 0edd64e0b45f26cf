/**
 * The stack with this computer's own address and MAC address, beside its kernel: with ports of its own, that the kernel
 * must be kept off. The address, the router and the name servers are the system's, and followed when they change.
 */
import {
  formatIpv4, parseIpv4, readSystemAddress, systemNameServers, type Clock, type DnsServer, type GivenAddress, type NetworkInterface, type Stack, type Timer,
} from '../../../stack';
import type { AddressSetting } from '../../protocol';
import { watchKernel } from './kernel-watch';
import { explainLookup, LinkFailure, LOOPBACK_ADVICE, type Link, type LinkContext } from './link';
import { hasOtherMac, openDevice, parseServer } from './pcap-link';
import { takePortSlice, type PortSlice } from './port-slice';

/** The computer's address can change: looked at so often, ms. */
const REFRESH_MS = 2_000;
/** An address that comes late is there with the next look. */
const ADDRESS_TIMEOUT_MS = 10_000;
const LOOPBACK_NETWORK = 127;

export const NO_WAY_BY_ROUTER = 'localhost cannot be reached by the router from a shared address: this computer drops what comes from its own address; take --localhost relay (setting riftnet.localhost)';

export interface SharedLinkOptions {
  readonly on: NetworkInterface;
  readonly wanted: AddressSetting & { readonly mode: 'shared' };
  /** In a few words, this link. */
  readonly why: string;
}

/** @throws LinkFailure for an interface without an address, without a free slice of ports, or that cannot be captured on */
export function openSharedLink({ settings, clock, observer, onReason }: LinkContext, { on, wanted, why }: SharedLinkOptions): Link {
  if (settings.pcap.localhost === 'router') {
    throw new LinkFailure(NO_WAY_BY_ROUTER);
  }
  const read = (): GivenAddress | null => readAddress(on.name, wanted, settings.dns);
  const { ports, ...address } = takeSharedAddress(on.name, wanted, settings.dns);
  let opened: ReturnType<typeof openDevice>;
  try {
    opened = openDevice(settings.pcap, on, { clock });
  } catch (error) {
    ports.release();
    throw error;
  }
  for (const message of opened.warnings) observer({ type: 'warning', message });

  const { first, last } = ports;
  const { device } = opened;
  let kernel = process.platform === 'linux' ? '' : ` This computer's kernel must be kept off these ports: docs/network-setup.md says how.`;
  const endWatch = process.platform === 'linux' ? watchKernel(first, () => {
    const message = `this computer's kernel answers on the stack's ports of the shared address, and resets its connections: run riftnet doctor --fix shared`;
    kernel = ` But ${message}.`;
    observer({ type: 'warning', message });
    onReason();
  }) : () => {};
  const follower = new Follower(on.name, clock, read, (message) => observer({ type: 'warning', message }));
  return {
    kind: 'pcap',
    device,
    address: { mode: 'shared', ...address, ports: { first, last } },
    interfaceName: on.name,
    needsRelay: true,
    loopbackAdvice: LOOPBACK_ADVICE,
    thisComputer: null,
    stackConfig: { dns: { multicast: true } },
    conflictDetection: false,
    get reason() {
      return `The stack shares this computer's address and MAC address on ${on.name}, where the ports ${first} to ${last} are its own, over ${device.binding} (${why}).${kernel}`;
    },
    addressTimeoutMs: ADDRESS_TIMEOUT_MS,
    attached: (stack) => follower.attach(stack),
    explainNoAddress: () =>
      device.isUp
        ? { cause: `${on.name} has no IPv4 address that could be shared`, advice: 'give it one, or take --address dhcp (setting riftnet.address)' }
        : { cause: `the interface ${on.name} is down`, advice: 'bring it up' },
    explainLookup,
    isStale: () => hasOtherMac(device),
    counters: () => ({}),
    close: () => {
      endWatch();
      follower.close();
      ports.release();
    },
  };
}

/** @param dns name servers as they were given; none: the system's @throws LinkFailure for an interface without an address, or without a free slice of ports */
export function takeSharedAddress(interfaceName: string, wanted: SharedLinkOptions['wanted'], dns: readonly string[]): GivenAddress & { readonly ports: PortSlice } {
  const address = readAddress(interfaceName, wanted, dns);
  if (address === null) throw new LinkFailure(`${interfaceName} has no IPv4 address that the stack could share: give it one, or take --address dhcp (setting riftnet.address)`);
  return { ...address, ports: takePortSlice() };
}

/** Tells the stack when the computer's address is another, or there is none. */
class Follower {
  private timer: Timer | null = null;

  constructor(
    private readonly interfaceName: string,
    private readonly clock: Clock,
    private readonly read: () => GivenAddress | null,
    private readonly warn: (message: string) => void,
  ) {}

  attach(stack: Stack): void {
    this.timer = this.clock.at(this.clock.now() + REFRESH_MS, () => {
      this.attach(stack);
      this.follow(stack, this.read());
    });
  }

  close(): void {
    this.timer?.cancel();
    this.timer = null;
  }

  private follow(stack: Stack, address: GivenAddress | null): void {
    const { interfaceName, clock } = this;
    const now = clock.now();
    if (address === null) return stack.shareAddress(null, `${interfaceName} has no IPv4 address any more`, now);
    const text = formatIpv4(address.address);
    try {
      stack.shareAddress(address, `${interfaceName} has the address ${text}, or another router, now`, now);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      if (stack.addressInfo !== null) this.warn(`the address ${text} of ${interfaceName} cannot be shared: ${error.message}`);
      stack.shareAddress(null, `${interfaceName} has the address ${text} now, which cannot be shared`, now);
    }
  }
}

function readAddress(interfaceName: string, wanted: SharedLinkOptions['wanted'], given: readonly string[]): GivenAddress | null {
  const found = readSystemAddress(interfaceName);
  if (found === null) return null;
  const gateway = wanted.gateway === null ? found.gateway : parseIpv4(wanted.gateway);
  const dns = given.length > 0 ? given.map(parseServer) : systemServers();
  return { address: found.address, prefixLength: found.prefixLength, ...(gateway !== null && { gateway }), dns };
}

/** The servers that the system asks, but for those that are this computer's own, which the stack does not reach. */
function systemServers(): DnsServer[] {
  return systemNameServers().servers.flatMap(({ address, port }) => {
    const ipv4 = parseIpv4(address);
    return ipv4 === null || ipv4 >>> 24 === LOOPBACK_NETWORK ? [] : [{ address: ipv4, port }];
  });
}
