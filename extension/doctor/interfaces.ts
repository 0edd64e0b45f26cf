/** The machine's interfaces as the report tells them, and which of them the link would take. */
import { formatIpv4, formatMac, type NetworkInterface } from '../../stack';
import { fitInterfaces, obstacleOf } from '../worker/link/interface-choice';
import type { InterfaceReport } from '../network-report';

/** Of interfaces, without asking the system. */
export function reportInterfaces(all: readonly NetworkInterface[]): InterfaceReport[] {
  const [best] = fitInterfaces(all, false);
  return all.map((one) => ({
    name: one.name,
    addresses: one.addresses.map(({ address, prefixLength }) => `${formatIpv4(address)}/${prefixLength}`),
    mac: one.mac && formatMac(one.mac),
    mtu: one.mtu,
    up: one.up,
    loopback: one.loopback,
    wireless: one.wireless,
    obstacle: obstacleOf(one),
    recommended: one === best,
  }));
}
