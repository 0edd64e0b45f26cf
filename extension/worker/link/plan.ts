/** From the settings to the ways to the network that are tried, in order. */
import type { PcapSettings, WorkerSettings } from '../../protocol';
import { openGatewayLink } from './gateway-link';
import { LinkFailure, type LinkAttempt } from './link';
import { planPcap, planPcapIfAllowed } from './pcap-plan';

function gateway(why: string): LinkAttempt {
  return { open: (context) => openGatewayLink(context, why), patienceMs: Infinity };
}

/** A way that is closed already: tried, it says why. */
function closed(error: LinkFailure): LinkAttempt {
  const open = (): never => {
    throw error;
  };
  return { open, patienceMs: 0 };
}

/** The options, given by hand, that say how the stack is a host on an interface, as a person writes them. */
export function hostOptions({ interface: name, address, binding, localhost }: PcapSettings): string[] {
  const given = address.mode === 'static' ? `${address.address}/${address.prefixLength}` : address.mode;
  return [
    ...(name === null ? [] : [`--interface ${name}`]),
    ...(address.mode === 'dhcp' ? [] : [`--address ${given}`]),
    ...(binding === 'auto' ? [] : [`--capture-binding ${binding}`]),
    ...(localhost === 'relay' ? [] : [`--localhost ${localhost}`]),
  ];
}

/** @returns at least one way; the last is kept, whatever comes of it @throws LinkFailure naming what is missing for the only way there is */
export function planLinks(settings: WorkerSettings): readonly LinkAttempt[] {
  switch (settings.link) {
    case 'gateway':
      return [gateway("since 'gateway' was asked for")];
    case 'pcap':
      return planPcap(settings, "since 'pcap' was asked for");
    case 'auto':
      return [...planAuto(settings), gateway("which 'auto' takes where the stack cannot be a host of its own")];
  }
}

function planAuto(settings: WorkerSettings): readonly LinkAttempt[] {
  try {
    return planPcapIfAllowed(settings);
  } catch (error) {
    if (error instanceof LinkFailure) return [closed(error)];
    throw error;
  }
}
