import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { readSystemAddress, type AddressSystem } from '../../../stack/link/system-address';
import { ip } from '../../support/two-stacks';

function info(address: string, cidr: string, family: 'IPv4' | 'IPv6' = 'IPv4'): NetworkInterfaceInfo {
  const common = { address, cidr, mac: '02:00:00:00:00:01', netmask: '', internal: false };
  return family === 'IPv4' ? { ...common, family } : { ...common, family, scopeid: 0 };
}

const HEADER = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT';
const TABLE = [
  HEADER,
  'eth1\t00000000\t0102A8C0\t0003\t0\t0\t50\t00000000\t0\t0\t0',
  'eth0\t00000000\tFE01A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0',
  'eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0',
  'eth0\t00000000\t0701A8C0\t0002\t0\t0\t1\t00000000\t0\t0\t0',
  'eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0',
  '',
].join('\n');

function system(given: Partial<AddressSystem> = {}): AddressSystem {
  return {
    networkInterfaces: () => ({ eth0: [info('fe80::1', 'fe80::1/64', 'IPv6'), info('192.168.1.7', '192.168.1.7/24'), info('192.168.1.8', '192.168.1.8/24')] }),
    routes: () => TABLE,
    littleEndian: true,
    ...given,
  };
}

describe('The computer\'s own address on an interface', () => {
  it('is its first, with the router of the default route that is up and costs least', () => {
    assert.deepEqual(readSystemAddress('eth0', system()), { address: ip('192.168.1.7'), prefixLength: 24, gateway: ip('192.168.1.1') });
  });

  it('is read in the order of the machine\'s bytes', () => {
    const routes = () => `${HEADER}\neth0\t00000000\tC0A80101\t0003\t0\t0\t100\t00000000\t0\t0\t0\n`;
    assert.equal(readSystemAddress('eth0', system({ routes, littleEndian: false }))?.gateway, ip('192.168.1.1'));
  });

  it('has no router where no route names one, or the system does not tell', () => {
    assert.equal(readSystemAddress('eth0', system({ routes: () => HEADER }))?.gateway, null);
    assert.equal(readSystemAddress('eth0', system({ routes: () => null }))?.gateway, null);
  });

  it('is none on an interface without IPv4, or that is not there', () => {
    assert.equal(readSystemAddress('eth0', system({ networkInterfaces: () => ({ eth0: [info('fe80::1', 'fe80::1/64', 'IPv6')] }) })), null);
    assert.equal(readSystemAddress('eth7', system()), null);
  });
});
