/** Why a stack on a captured interface has no address: the interface, another station, or which DHCP server. */
import { formatIpv4, type AddressOptions, type DhcpFault, type DhcpFaultKind, type PcapDevice, type Stack } from '../../../stack';
import type { Link } from './link';

const OTHER_WAY = 'give the stack an address, --address A.B.C.D/LEN (setting riftnet.address), or take --link gateway';

const DOES: Readonly<Record<DhcpFaultKind, string>> = {
  malformed: 'sends what is no DHCP message',
  unusable: 'gives what cannot be a lease',
  refuses: 'offers an address and then refuses it',
  silent: 'offers an address and then does not answer',
  own: 'offers an address that this computer has itself',
  taken: 'gave an address that another host has',
};

export function explainNoAddress(
  { checkedAddress, dhcpFaults }: Pick<Stack, 'checkedAddress' | 'dhcpFaults'>,
  wanted: AddressOptions,
  { interfaceName, isUp }: Pick<PcapDevice, 'interfaceName' | 'isUp'>,
): ReturnType<Link['explainNoAddress']> {
  const say = (cause: string, advice = OTHER_WAY) => ({ cause, advice });
  if (!isUp) return say(`the interface ${interfaceName} is down`, 'bring it up');
  if (wanted.mode !== 'dhcp') return say(`${formatIpv4(wanted.address)} on ${interfaceName} is not free`, 'give the stack another address');
  if (dhcpFaults.length > 0) {
    return say(`the answers of DHCP on ${interfaceName} cannot be used: ${dhcpFaults.map(describe).join(', ')}`, `look at ${dhcpFaults.length === 1 ? 'that server' : 'these servers'}, or ${OTHER_WAY}`);
  }
  if (checkedAddress !== null) return say(`the address that DHCP gave on ${interfaceName} is still being checked for another owner`, 'wait a few seconds more');
  return say(`no DHCP server answers on ${interfaceName}`);
}

function describe({ server, kind }: DhcpFault): string {
  return `${formatIpv4(server)} ${DOES[kind]}`;
}
