import assert from 'node:assert/strict';
import type { DhcpFault } from '../../../../stack';
import { explainNoAddress } from '../../../../extension/worker/link/no-address';

const ROGUE = 0x0a4d_0042;
const OTHER = 0x0a4d_0001;
const OTHER_WAY = 'give the stack an address, --address A.B.C.D/LEN (setting riftnet.address), or take --link gateway';

function explain({ faults = [], isUp = true, checked = null, address = null }: { faults?: readonly DhcpFault[]; isUp?: boolean; checked?: number | null; address?: number | null }): string {
  const wanted = address === null ? ({ mode: 'dhcp' } as const) : ({ mode: 'static', address, prefixLength: 24 } as const);
  const { cause, advice } = explainNoAddress({ checkedAddress: checked, dhcpFaults: faults }, wanted, { interfaceName: 'eth0', isUp });
  return `${cause}; ${advice}`;
}

describe('A stack without an address says', () => {
  for (const [kind, does] of [
    ['malformed', 'sends what is no DHCP message'],
    ['unusable', 'gives what cannot be a lease'],
    ['refuses', 'offers an address and then refuses it'],
    ['silent', 'offers an address and then does not answer'],
    ['own', 'offers an address that this computer has itself'],
    ['taken', 'gave an address that another host has'],
  ] as const) {
    it(`which DHCP server ${does}`, () => {
      assert.equal(explain({ faults: [{ server: ROGUE, kind }] }), `the answers of DHCP on eth0 cannot be used: 10.77.0.66 ${does}; look at that server, or ${OTHER_WAY}`);
    });
  }

  it('of several servers what each does', () => {
    assert.equal(
      explain({ faults: [{ server: ROGUE, kind: 'refuses' }, { server: OTHER, kind: 'own' }] }),
      `the answers of DHCP on eth0 cannot be used: 10.77.0.66 offers an address and then refuses it, 10.77.0.1 offers an address that this computer has itself; look at these servers, or ${OTHER_WAY}`,
    );
  });

  it('that no server answers, that an address is still being checked, that it is not free, that the interface is down', () => {
    assert.equal(explain({}), `no DHCP server answers on eth0; ${OTHER_WAY}`);
    assert.equal(explain({ checked: OTHER }), 'the address that DHCP gave on eth0 is still being checked for another owner; wait a few seconds more');
    assert.equal(explain({ address: OTHER }), '10.77.0.1 on eth0 is not free; give the stack another address');
    assert.equal(explain({ isUp: false, faults: [{ server: ROGUE, kind: 'own' }] }), 'the interface eth0 is down; bring it up');
  });
});
