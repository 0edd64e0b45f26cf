/** The ways to be a host on an interface: with a MAC address of the stack's own, then with the interface's. */
import type { NetworkInterface } from '../../../stack';
import { captureObstacle } from '../../node/permission';
import type { AddressSetting, WorkerSettings } from '../../protocol';
import { FailureMemory } from './failure-memory';
import { takeInstance, type Instance } from './instance';
import { obstacleOf } from './interface-choice';
import { LinkFailure, type Link, type LinkAttempt, type LinkContext } from './link';
import { chooseInterface, openPcapLink, type PcapLinkOptions } from './pcap-link';
import { openSharedLink } from './shared-link';

/** Four DISCOVERs (`DHCP_TIMEOUT_MS`): who answers does so by then. */
const PATIENCE_MS = 10_000;
/** Where the gateway is open too: three of them. */
const AUTO_PATIENCE_MS = 3_500;

/** @param why in a few words, this link @throws LinkFailure for an interface that is not there, or where none fits */
export function planPcap({ pcap }: WorkerSettings, why: string): LinkAttempt[] {
  const on = chooseInterface(pcap);
  // Whoever asks for it by name has perhaps mended what kept 'auto' from it.
  new FailureMemory(on).forget();
  const { address } = pcap;
  if (address.mode === 'shared') return [sharedWay(on, address, why)];
  const way = ways(on, address);
  if (on.wireless) return [way('interface', Infinity, `${why}; Wi-Fi carries no other MAC address`)];
  // A given address needs no answer that could be missing.
  if (address.mode !== 'dhcp') return [way('own', Infinity, why)];
  return [way('own', PATIENCE_MS, why), way('interface', Infinity, "DHCP did not answer a MAC address of the stack's own")];
}

/**
 * For the link `auto`: on an interface that the computer itself uses, where this process may capture, and only as
 * long as somebody may answer. @throws LinkFailure why there is no way
 */
export function planPcapIfAllowed({ pcap }: WorkerSettings): LinkAttempt[] {
  const obstacle = captureObstacle();
  if (obstacle !== null) throw new LinkFailure(`this process may not capture (${obstacle}): run riftnet doctor`);
  const on = chooseInterface(pcap, true);
  const unfit = obstacleOf(on);
  if (unfit !== null) throw new LinkFailure(unfit);
  const { address } = pcap;
  const why = "which 'auto' takes where this process may capture";
  // What it may lack, an address or free ports, comes and goes.
  if (address.mode === 'shared') return [sharedWay(on, address, why)];
  const mac = on.wireless ? 'interface' : 'own';
  if (address.mode === 'static') return [ways(on, address)(mac, Infinity, why)];
  // Only a wait for DHCP is worth a memory: whatever else is wrong is seen at once, and may lie in an option.
  const memory = new FailureMemory(on);
  const known = memory.recall();
  if (known !== null) throw new LinkFailure(`${known.reason} at ${known.at}: it is tried again an hour later, or at once with --link pcap (setting riftnet.link)`);
  return [{ ...ways(on, address)(mac, AUTO_PATIENCE_MS, why), onSilence: (reason) => memory.remember(reason) }];
}

/** The computer has its address already, or it has none to share: nobody need be waited for. */
function sharedWay(on: NetworkInterface, wanted: AddressSetting & { readonly mode: 'shared' }, why: string): LinkAttempt {
  return { open: (context) => openSharedLink(context, { on, wanted, why }), patienceMs: Infinity };
}

/** @returns what makes a way with one MAC address or the other; all of them are one instance */
function ways(on: NetworkInterface, wanted: PcapLinkOptions['wanted']): (mac: 'own' | 'interface', patienceMs: number, why: string) => LinkAttempt {
  const instance = shared(() => takeInstance(on));
  return (mac, patienceMs, why) => ({
    patienceMs,
    open(context: LinkContext): Link {
      const held = instance.hold();
      try {
        return openPcapLink(context, { on, instance: held.value, mac, why, wanted, onClose: held.letGo });
      } catch (error) {
        held.letGo();
        throw error;
      }
    },
  });
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
