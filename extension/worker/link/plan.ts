/** From the settings to the ways to the network that are tried, in order. */
import type { LinkMode, WorkerSettings } from '../../protocol';
import { openGatewayLink } from './gateway-link';
import type { LinkAttempt } from './link';
import { planPcap } from './pcap-plan';

const GATEWAY_WHY: Readonly<Record<Exclude<LinkMode, 'pcap'>, string>> = {
  auto: "link 'auto' uses the embedded gateway, which needs no privileges",
  gateway: "as the setting 'gateway' says",
};

function gateway(why: string): LinkAttempt {
  return { open: (context) => openGatewayLink(context, why), patienceMs: Infinity };
}

/** @returns at least one way; the last is kept, whatever comes of it @throws LinkFailure naming what is missing for the only way there is */
export function planLinks(settings: WorkerSettings): readonly LinkAttempt[] {
  return settings.link === 'pcap' ? planPcap(settings) : [gateway(GATEWAY_WHY[settings.link])];
}
