import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { parseIpv4 } from '../../../stack';
import { OwnAddresses } from '../../../extension/worker/own-addresses';

function info(address: string, internal = false): NetworkInterfaceInfo {
  return { address, internal, cidr: `${address}/24`, netmask: '255.255.255.0', mac: '02:00:00:00:00:01', family: 'IPv4' };
}

const ip = (text: string): number => parseIpv4(text) ?? assert.fail(text);

describe('The computer\'s own addresses', () => {
  it('are those of all interfaces but the loopback', () => {
    const own = new OwnAddresses(() => ({ lo: [info('127.0.0.1', true)], eth0: [info('10.77.0.10')], docker0: [info('172.17.0.1')] }));
    assert.deepEqual(['10.77.0.10', '172.17.0.1', '127.0.0.1', '10.77.0.11'].map((text) => own.has(ip(text), 0)), [true, true, false, false]);
  });

  it('are asked for again after a second, and not for each connection', () => {
    let asked = 0;
    let address = '10.77.0.10';
    const own = new OwnAddresses(() => {
      asked++;
      return { eth0: [info(address)] };
    });
    for (let now = 0; now < 1_000; now += 10) assert.ok(own.has(ip('10.77.0.10'), now));
    assert.equal(asked, 1);
    address = '10.77.0.11';
    assert.deepEqual([own.has(ip('10.77.0.11'), 1_000), own.has(ip('10.77.0.10'), 1_001)], [true, false]);
    assert.equal(asked, 2);
  });
});
