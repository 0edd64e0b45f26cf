import assert from 'node:assert/strict';
import { describeInterfaces, fitInterfaces } from '../../../../extension/worker/link/interface-choice';
import type { NetworkInterface } from '../../../../stack';

const BASE: NetworkInterface = {
  name: 'eth0', addresses: [], mac: Uint8Array.of(2, 0, 0, 0, 0, 1), mtu: 1_500, up: true, loopback: false, wireless: false, ethernet: true, defaultRoute: null,
};
const ADDRESS = [{ address: 0x0a00_0005, prefixLength: 24 }];

describe('The interface that is taken', () => {
  it('is the system\'s best way to everywhere, else one it has an address on, else any that fits', () => {
    const all = [
      { ...BASE, name: 'unused0' },
      { ...BASE, name: 'docker0', addresses: ADDRESS },
      { ...BASE, name: 'wlan0', addresses: ADDRESS, defaultRoute: { router: 1, metric: 600 } },
      { ...BASE, name: 'eth0', addresses: ADDRESS, defaultRoute: { router: 1, metric: 100 } },
    ];
    assert.deepEqual(fitInterfaces(all, false).map(({ name }) => name), ['eth0', 'wlan0', 'docker0', 'unused0']);
    assert.deepEqual(fitInterfaces(all, true).map(({ name }) => name), ['eth0', 'wlan0', 'docker0']);
  });

  it('is none that cannot carry the stack, and each obstacle is named', () => {
    const all = [
      { ...BASE, name: 'lo', loopback: true, addresses: ADDRESS },
      { ...BASE, name: 'tun0', ethernet: false, mac: null, addresses: ADDRESS, defaultRoute: { router: 1, metric: 0 } },
      { ...BASE, name: 'eth1', up: false, addresses: ADDRESS },
      { ...BASE, name: 'odd0', mac: null },
    ];
    assert.deepEqual(fitInterfaces(all, false), []);
    assert.equal(describeInterfaces(all), 'lo is the loopback interface, tun0 carries no Ethernet frames, eth1 is down, odd0 has no MAC address');
    assert.equal(describeInterfaces([]), 'there is none');
  });
});
