/** The ways to be a host on an interface: with a MAC address of the stack's own, then with the interface's. */
import type { NetworkInterface } from '../../../stack';
import { captureObstacle } from '../../node/permission';
import type { PcapSettings, WorkerSettings } from '../../protocol';
import { takeInstance, type Instance } from './instance';
import { LinkFailure, type Link, type LinkAttempt, type LinkContext } from './link';
import { chooseInterface, openPcapLink } from './pcap-link';
import { SilenceMemory } from './silence-memory';

/** Two DISCOVERs and a while (RFC 2131 §4.1: the second after 4 s, the third after 12): who answers does so by then. */
const PATIENCE_MS = 10_000;
/** Where the gateway is open too: both are sent by then, give or take their jitter. */
const AUTO_PATIENCE_MS = 6_000;

/** @param why in a few words, this link @throws LinkFailure for an interface that is not there, or where none fits */
export function planPcap({ pcap }: WorkerSettings, why: string): LinkAttempt[] {
  return ways(chooseInterface(pcap), pcap, why, PATIENCE_MS, Infinity, () => {});
}

/**
 * For the link `auto`: on an interface that the computer itself uses, where this process may capture, and only
 * where somebody answers. @throws LinkFailure why there is no way
 */
export function planPcapIfAllowed({ pcap }: WorkerSettings): LinkAttempt[] {
  const obstacle = captureObstacle();
  if (obstacle !== null) throw new LinkFailure(`this process may not capture (${obstacle}): run riftnet doctor`);
  const on = chooseInterface(pcap, true);
  const memory = new SilenceMemory(on);
  const since = pcap.address.mode === 'dhcp' ? memory.recall() : null;
  if (since !== null) throw new LinkFailure(`no DHCP server answered on ${on.name} at ${since}: it is tried again after an hour, or at once with --link pcap`);
  return ways(on, pcap, "which 'auto' takes where this process may capture", AUTO_PATIENCE_MS, AUTO_PATIENCE_MS, () => memory.remember());
}

/** @param onSilence nobody has answered on the last way */
function ways(on: NetworkInterface, { address }: PcapSettings, why: string, patienceMs: number, lastPatienceMs: number, onSilence: () => void): LinkAttempt[] {
  const instance = shared(() => takeInstance(on));
  const way = (mac: 'own' | 'interface', reason: string): Pick<LinkAttempt, 'open'> => ({
    open(context: LinkContext): Link {
      const held = instance.hold();
      try {
        return { ...openPcapLink(context, { on, instance: held.value, mac, why: reason }), close: held.letGo };
      } catch (error) {
        held.letGo();
        throw error;
      }
    },
  });
  const last = on.wireless ? way('interface', `${why}; Wi-Fi carries no other MAC address`) : way('interface', "DHCP did not answer a MAC address of the stack's own");
  // A given address needs no answer that could be missing.
  if (address.mode !== 'dhcp') return [{ ...(on.wireless ? last : way('own', why)), patienceMs: Infinity }];
  const first = on.wireless ? [] : [{ ...way('own', why), patienceMs }];
  return [...first, { ...last, patienceMs: lastPatienceMs, onSilence }];
}

interface Shared {
  hold(): { readonly value: Instance; readonly letGo: () => void };
}

/** One instance for all ways, of which two are open while one gives way to the other. */
function shared(take: () => Instance): Shared {
  let value: Instance | null = null;
  let holders = 0;
  return {
    hold() {
      const held = (value ??= take());
      holders++;
      let holding = true;
      return {
        value: held,
        letGo: () => {
          if (!holding) return;
          holding = false;
          if (--holders > 0) return;
          held.release();
          value = null;
        },
      };
    },
  };
}
