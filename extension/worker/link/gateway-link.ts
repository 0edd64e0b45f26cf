/** The embedded gateway: a router in this process, which relays through the operating system's sockets. */
import { formatIpv4, Gateway, StackError, type GatewaySystem, type Stack } from '../../../stack';
import { ownerHere } from '../own-addresses';
import { explainLookup, LOOPBACK_ADVICE, type Link, type LinkContext } from './link';

/** DHCP in memory answers at once: after this something is wrong. */
const ADDRESS_TIMEOUT_MS = 20_000;

/** @param why in a few words, this link @param system for tests: what is asked in the system's place @throws StackError EINVAL naming the setting that cannot be */
export function openGatewayLink({ settings, clock, random, observer }: LinkContext, why: string, system: Partial<GatewaySystem> = {}): Link {
  const gateway = new Gateway({ clock, random, observer, config: { hostAddress: settings.hostAddress, dnsServers: settings.dns }, system });
  const outside = formatIpv4(gateway.hostAddress);
  // All of 127.0.0.0/8 is this computer (RFC 1122 §3.2.1.3).
  if (settings.hostAddress !== null && !outside.startsWith('127.') && ownerHere(gateway.hostAddress) === null) {
    observer({ type: 'warning', message: `this computer has no address ${outside}: localhost in a script reaches another one; give one of its own, ${LOOPBACK_ADVICE}` });
  }
  let guest: Stack | null = null;
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
    attached: (stack) => (guest = stack),
    beforeLookup() {
      if (gateway.nameServersChanged()) guest?.dns.forget();
    },
    explainLookup(error) {
      const { code, message } = explainLookup(error);
      // The gateway's own address tells nobody anything.
      const servers = gateway.nameServers.join(', ') || 'no server';
      const own = formatIpv4(gateway.address).replaceAll('.', '\\.');
      return new StackError(code, message.replace(new RegExp(`\\b${own}\\b`, 'g'), `${servers} through the gateway`));
    },
    explainReset({ localPort, remoteAddress, remotePort }) {
      const code = gateway.whyReset(localPort, remoteAddress, remotePort);
      return code === null ? null : failureOutside(code, `${formatIpv4(remoteAddress)}:${remotePort}`);
    },
    counters: () => ({ gateway: gateway.stack.counters }),
    close: () => gateway.close(),
  };
}

/** What became of an open connection of the operating system's. Other codes are shown as the reset that the script's side saw. */
function failureOutside(code: string, peer: string): StackError {
  switch (code) {
    case 'ETIMEDOUT':
      return new StackError('ETIMEDOUT', `${peer} fell silent: it acknowledged nothing of what was sent to it. Check that the host is up and still reachable`);
    case 'EHOSTUNREACH':
      return new StackError('EHOSTUNREACH', `${peer} cannot be reached any more: no way leads to the host. Check that it is up and in the same network`);
    case 'ENETUNREACH':
      return new StackError('ENETUNREACH', `${peer} cannot be reached any more: no way leads to its network. Check this computer's network`);
    case 'ENETDOWN':
      return new StackError('ENETDOWN', `${peer} cannot be reached any more: this computer's network is down`);
    default:
      return new StackError('ECONNRESET', `The connection to ${peer} was ended by this computer's system (${code})`);
  }
}
