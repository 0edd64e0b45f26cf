/** A host of its own on the network of one of the machine's interfaces, over libpcap. */
import {
  formatMac, listInterfaces, openPcap, parseIpv4, readMac,
  type AddressOptions, type DnsServer, type NetworkInterface, type PcapDevice,
} from '../../../stack';
import type { AddressSetting, PcapSettings } from '../../protocol';
import { ownerHere } from '../own-addresses';
import { AddressWatch } from './address-watch';
import type { Instance } from './instance';
import { describeInterfaces, fitInterfaces } from './interface-choice';
import { explainLookup, LinkFailure, LOOPBACK_ADVICE, type Link, type LinkContext } from './link';
import { explainNoAddress } from './no-address';
import { RouterPath } from './router-path';

const DNS_PORT = 53;
/** DHCP on both MAC addresses, then 7 s of conflict detection, with some to spare. */
const ADDRESS_TIMEOUT_MS = 40_000;
/**
 * The first wait for an answer of DHCP: RFC 2131 §4.1 asks for a wait that suits the network, and has 4 s as an
 * example for one of 10 Mbit/s. Doubling, DISCOVERs go out at 0, 1, 3 and 7 s, each ±¼ s.
 */
export const DHCP_TIMEOUT_MS = 1_000;

export interface PcapLinkOptions {
  readonly on: NetworkInterface;
  readonly instance: Instance;
  /** Which MAC address the stack has: one of its own, or the interface's, which is all that Wi-Fi carries. */
  readonly mac: 'own' | 'interface';
  /** In a few words, this link. */
  readonly why: string;
  readonly wanted: Exclude<AddressSetting, { readonly mode: 'shared' }>;
  readonly onClose: () => void;
}

/** @throws LinkFailure for an interface that is not there, or on which the stack cannot be a host */
export function chooseInterface({ interface: wanted }: PcapSettings, connectedOnly = false): NetworkInterface {
  const all = listInterfaces();
  if (wanted !== null) {
    const found = all.find(({ name }) => name === wanted);
    if (found) return found;
    throw new LinkFailure(`there is no interface ${JSON.stringify(wanted)}: there are ${all.map(({ name }) => name).join(', ')}`);
  }
  const [best] = fitInterfaces(all, connectedOnly);
  if (best) return best;
  throw new LinkFailure(`no interface can carry the stack (${describeInterfaces(all)}): bring one up, or name one, --interface NAME (setting riftnet.interface)`);
}

/** @throws LinkFailure naming why each binding that was tried gave no capture, or what is wrong with the address */
export function openPcapLink({ settings, clock, observer }: LinkContext, { on, instance, mac, why, wanted, onClose }: PcapLinkOptions): Link {
  const address = addressOptions(wanted, settings.dns.map(parseServer), instance, on);
  const { device, warnings } = openDevice(settings.pcap, on, mac === 'own' ? { clock, mac: instance.mac } : { clock });
  for (const message of warnings) observer({ type: 'warning', message });
  const watch = new AddressWatch(clock, ownerHere);
  const byRouter = settings.pcap.localhost === 'router' ? new RouterPath(on.name, clock) : null;
  return {
    kind: 'pcap',
    device,
    address,
    interfaceName: on.name,
    needsRelay: byRouter === null,
    loopbackAdvice: byRouter === null ? LOOPBACK_ADVICE : `--localhost relay ${LOOPBACK_ADVICE}`,
    get thisComputer() {
      return byRouter?.thisComputer ?? null;
    },
    attached: (stack) => {
      watch.attach(stack);
      byRouter?.attach(stack);
    },
    limitOf: (to) => byRouter?.limitOf(to) ?? null,
    // RFC 6762: the link has other stations, which may have names of their own.
    stackConfig: { dns: { multicast: true }, dhcp: { initialTimeoutMs: DHCP_TIMEOUT_MS } },
    conflictDetection: true,
    reason: `The stack is a host of its own on ${on.name}, with the MAC address ${formatMac(device.mac)}, over ${device.binding} (${why}).`,
    addressTimeoutMs: ADDRESS_TIMEOUT_MS,
    explainNoAddress: (stack) => explainNoAddress(stack, address, device),
    explainLookup,
    ...(mac === 'interface' && { isStale: () => hasOtherMac(device) }),
    counters: () => ({}),
    close: () => {
      watch.close();
      byRouter?.close();
      onClose();
    },
  };
}

/** @throws LinkFailure naming why each binding that was tried gave no capture */
export function openDevice(
  { binding }: PcapSettings,
  { name }: NetworkInterface,
  options: Pick<Parameters<typeof openPcap>[0], 'clock' | 'mac'>,
): { readonly device: PcapDevice; readonly warnings: readonly string[] } {
  const result = openPcap({ ...options, interface: name, binding });
  if (result.device !== null) return result;
  // What is wrong with the interface is told alike for each binding.
  const reasons = new Set(result.failures.map(({ reason }) => reason));
  throw new LinkFailure(`${[...reasons].join('; ')}; riftnet doctor looks into it, and --link gateway does without`);
}

/** @throws LinkFailure for an address or a router that cannot be */
export function addressOptions(wanted: PcapLinkOptions['wanted'], servers: readonly DnsServer[], instance: Instance, on: NetworkInterface): AddressOptions {
  const dns = servers.length > 0 ? { dns: servers } : {};
  if (wanted.mode === 'dhcp') {
    return {
      mode: 'dhcp', hostname: 'riftnet', clientId: instance.clientId, refuse: ownedHere, ...dns,
      ...(instance.leaseStore && { leaseStore: instance.leaseStore }),
    };
  }
  const address = parseAddress(wanted.address, 'address');
  const taken = ownedHere(address);
  if (taken !== null) {
    throw new LinkFailure(`the stack cannot have the address ${wanted.address}: ${taken}; give it another one of ${on.name}'s network, --address A.B.C.D/LEN (setting riftnet.address)`);
  }
  const { prefixLength } = wanted;
  const gateway = wanted.gateway === null ? null : parseAddress(wanted.gateway, 'router');
  if (gateway !== null && Math.floor(gateway / 2 ** (32 - prefixLength)) !== Math.floor(address / 2 ** (32 - prefixLength))) {
    throw new LinkFailure(`the router ${wanted.gateway} is not in the network of ${wanted.address}/${prefixLength}: it must be a neighbour`);
  }
  return { mode: 'static', address, prefixLength, ...(gateway !== null && { gateway }), ...dns };
}

/** @returns why the stack must not have the address, or null: the kernel answers for its own, and would for ours too */
export function ownedHere(address: number): string | null {
  const owner = ownerHere(address);
  return owner === null ? null : `this computer has it itself, on ${owner}`;
}

function parseAddress(text: string, what: string): number {
  const address = parseIpv4(text);
  if (address === null) throw new LinkFailure(`the ${what} ${JSON.stringify(text)} is no IPv4 address, such as 192.0.2.7`);
  return address;
}

/** @throws LinkFailure for what is no address with an optional port */
export function parseServer(text: string): DnsServer {
  const [address = '', port] = text.split(':');
  return { address: parseAddress(address, 'name server'), port: port === undefined ? DNS_PORT : Number(port) };
}

/** Whether the interface has another MAC address now: Wi-Fi gives itself a new one for each network. */
export function hasOtherMac({ interfaceName, mac }: PcapDevice): boolean {
  const now = readMac(interfaceName);
  return now !== null && now.some((byte, i) => byte !== mac[i]);
}
