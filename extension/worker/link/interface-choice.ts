/** Which of the machine's interfaces the stack can be a host on. */
import type { NetworkInterface } from '../../../stack';

/** @returns why the stack cannot be a host on the interface, or null */
export function obstacleOf({ name, loopback, ethernet, up, mac }: NetworkInterface): string | null {
  if (loopback) return `${name} is the loopback interface`;
  if (!ethernet) return `${name} carries no Ethernet frames`;
  if (!up) return `${name} is down`;
  return mac === null ? `${name} has no MAC address` : null;
}

/**
 * In order of preference, those that fit: the system's way to everywhere first, then where it has an address at
 * all. @param connectedOnly leave out those that the computer itself does not use
 */
export function fitInterfaces(all: readonly NetworkInterface[], connectedOnly: boolean): NetworkInterface[] {
  const rank = ({ defaultRoute, addresses }: NetworkInterface): number => (defaultRoute !== null ? 0 : addresses.length > 0 ? 1 : 2);
  return all
    .filter((one) => obstacleOf(one) === null && (!connectedOnly || rank(one) < 2))
    .sort((a, b) => rank(a) - rank(b) || (a.defaultRoute?.metric ?? 0) - (b.defaultRoute?.metric ?? 0));
}

/** For a message: every interface, and what is in its way. */
export function describeInterfaces(all: readonly NetworkInterface[]): string {
  return all.map((one) => obstacleOf(one) ?? one.name).join(', ') || 'there is none';
}
