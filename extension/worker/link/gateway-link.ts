/** The embedded gateway: a router in this process, which relays through the operating system's sockets. */
import { formatIpv4, Gateway, StackError } from '../../../stack';
import { LOOPBACK_ADVICE, type Link, type LinkContext } from './link';

/** DHCP in memory answers at once: after this something is wrong. */
const ADDRESS_TIMEOUT_MS = 20_000;

/** @param why in a few words, this link @throws StackError EINVAL naming the setting that cannot be */
export function openGatewayLink({ settings, clock, random, observer }: LinkContext, why: string): Link {
  const gateway = new Gateway({ clock, random, observer, config: { hostAddress: settings.hostAddress, dnsServers: settings.dns } });
  const outside = formatIpv4(gateway.hostAddress);
  return {
    kind: 'gateway',
    device: gateway.device,
    address: { mode: 'dhcp', hostname: 'riftnet' },
    stackConfig: {},
    conflictDetection: false,
    reason: `The embedded gateway relays through this computer's own sockets (${why}); localhost is ${outside}.`,
    interfaceName: null,
    needsRelay: false,
    loopbackAdvice: LOOPBACK_ADVICE,
    thisComputer: { address: gateway.hostAddressInside, outside },
    addressTimeoutMs: ADDRESS_TIMEOUT_MS,
    explainNoAddress: () => ({ cause: 'the embedded gateway does not answer', advice: 'this is an error of Riftnet: please report it' }),
    explainLookup({ code, message }) {
      // The gateway's own address tells nobody anything.
      const servers = gateway.nameServers.join(', ') || 'no server';
      const own = formatIpv4(gateway.address).replaceAll('.', '\\.');
      return new StackError(code, message.replace(new RegExp(`\\b${own}\\b`, 'g'), `${servers} through the gateway`));
    },
    counters: () => ({ gateway: gateway.stack.counters }),
    close: () => gateway.close(),
  };
}
