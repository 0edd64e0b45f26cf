/** The ways to be a host on an interface: with a MAC address of the stack's own, then with the interface's. */
import type { WorkerSettings } from '../../protocol';
import { takeInstance, type Instance } from './instance';
import type { Link, LinkAttempt, LinkContext } from './link';
import { chooseInterface, openPcapLink } from './pcap-link';

/** Two DISCOVERs and a while (RFC 2131 §4.1: the second after 4 s, the third after 12): who answers does so by then. */
const PATIENCE_MS = 10_000;

/** @throws LinkFailure for an interface that is not there, or on which the stack cannot be a host */
export function planPcap({ pcap }: WorkerSettings): LinkAttempt[] {
  const on = chooseInterface(pcap);
  const instance = shared(() => takeInstance(on));
  const attempt = (mac: 'own' | 'interface', patienceMs: number, why: string): LinkAttempt => ({
    patienceMs,
    open(context: LinkContext): Link {
      const held = instance.hold();
      try {
        return { ...openPcapLink(context, { on, instance: held.value, mac, why }), close: held.letGo };
      } catch (error) {
        held.letGo();
        throw error;
      }
    },
  });
  if (on.wireless) return [attempt('interface', Infinity, 'Wi-Fi carries no other')];
  const own = attempt('own', PATIENCE_MS, "as the setting 'pcap' says");
  // A given address needs no answer that could be missing.
  if (pcap.address.mode === 'static') return [own];
  return [own, attempt('interface', Infinity, 'DHCP did not answer a MAC address of the stack\'s own')];
}

/** One instance for all ways, of which two are open while one gives way to the other. */
function shared(take: () => Instance): { hold(): { readonly value: Instance; readonly letGo: () => void } } {
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
