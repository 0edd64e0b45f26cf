import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { StackError } from '../../../stack/errors';
import { chooseHostAddress, localNetworks, primaryAddress, type NetworkInterfaces } from '../../../stack/gateway/host-address';
import { chooseSubnet, isInSubnet, parseSubnet } from '../../../stack/gateway/subnet';
import { formatIpv4, parseIpv4 } from '../../../stack/wire/address';

function ipv4(cidr: string, internal = false): NetworkInterfaceInfo {
  const [address = ''] = cidr.split('/');
  return { address, netmask: '', family: 'IPv4', mac: '', internal, cidr };
}

const V6: NetworkInterfaceInfo = { address: 'fe80::1', netmask: '', family: 'IPv6', mac: '', internal: false, cidr: 'fe80::1/64', scopeid: 2 };
const LO = [ipv4('127.0.0.1/8', true)];
const primaryOf = (interfaces: NetworkInterfaces) => {
  const address = primaryAddress(localNetworks(interfaces));
  return address === null ? null : formatIpv4(address);
};
const invalid = (error: unknown) => error instanceof StackError && error.code === 'EINVAL';

describe('This computer’s address', () => {
  it('is the first that is neither the loopback nor IPv6', () => {
    assert.equal(primaryOf({ lo: LO, eth0: [V6, ipv4('192.168.1.5/24')], eth1: [ipv4('10.1.1.1/8')] }), '192.168.1.5');
    assert.equal(primaryOf({ lo: LO, eth0: [V6] }), null);
  });

  it('is a real interface’s rather than a bridge’s or a tunnel’s, and those rather than a link-local one', () => {
    assert.equal(primaryOf({ docker0: [ipv4('172.17.0.1/16')], wlan0: [ipv4('192.168.1.5/24')] }), '192.168.1.5');
    assert.equal(primaryOf({ eth0: [ipv4('169.254.3.4/16')], wg0: [ipv4('10.9.0.2/32')] }), '10.9.0.2');
    assert.equal(primaryOf({ eth0: [ipv4('169.254.3.4/16')] }), '169.254.3.4');
  });
});

describe('What localhost stands for', () => {
  const subnet = parseSubnet('10.0.2.0/24');
  const choose = (wanted: string | null, interfaces: NetworkInterfaces) => {
    const host = chooseHostAddress(wanted, localNetworks(interfaces), subnet.gateway, (address) => isInSubnet(subnet, address));
    return { outside: formatIpv4(host.outside), inside: host.inside.map(formatIpv4), warning: host.warning };
  };
  const ETH = { eth0: [ipv4('192.168.1.5/24')] };

  it('is this computer’s primary address by default, which is its own name inside', () => {
    assert.deepEqual(choose(null, ETH), { outside: '192.168.1.5', inside: ['192.168.1.5', '10.0.2.2'], warning: null });
  });

  it('is the setting where there is one; the primary address then leads there too', () => {
    assert.deepEqual(choose('127.0.0.1', ETH), { outside: '127.0.0.1', inside: ['192.168.1.5', '10.0.2.2'], warning: null });
    assert.deepEqual(choose('192.168.1.77', ETH), { outside: '192.168.1.77', inside: ['192.168.1.77', '192.168.1.5', '10.0.2.2'], warning: null });
  });

  it('is the loopback of a computer without an address, by the gateway’s address, with a warning', () => {
    const host = choose(null, { lo: LO });
    assert.deepEqual([host.outside, host.inside], ['127.0.0.1', ['10.0.2.2']]);
    assert.match(host.warning ?? '', /127\.0\.0\.1/);
  });

  it('is never named by an address on the cable, where the gateway would not be asked', () => {
    const host = choose('10.0.2.99', ETH);
    assert.deepEqual(host.inside, ['192.168.1.5', '10.0.2.2']);
    assert.match(host.warning ?? '', /10\.0\.2\.99/);
  });

  it('refuses a setting that is no host’s address, naming it', () => {
    for (const text of ['example.org', '1.2.3', '0.0.0.0', '224.0.0.1', '']) assert.throws(() => choose(text, ETH), invalid, text);
  });
});

describe('The network on the cable', () => {
  it('has the gateway at 2 and guests from 15, or, where it is small, at 1 and from 2', () => {
    const wide = parseSubnet('10.0.2.0/24');
    assert.deepEqual([wide.gateway, wide.firstLease, wide.lastLease].map(formatIpv4), ['10.0.2.2', '10.0.2.15', '10.0.2.78']);
    const narrow = parseSubnet('192.168.9.8/29');
    assert.deepEqual([narrow.gateway, narrow.firstLease, narrow.lastLease].map(formatIpv4), ['192.168.9.9', '192.168.9.10', '192.168.9.14']);
  });

  it('is the first of a few that no interface is in', () => {
    const choose = (...cidrs: string[]) => formatIpv4(chooseSubnet(localNetworks({ x: cidrs.map((cidr) => ipv4(cidr)) })).network);
    assert.equal(choose('192.168.1.5/24'), '10.0.2.0');
    assert.equal(choose('10.0.2.77/24'), '10.213.86.0');
    assert.equal(choose('10.0.0.1/8'), '172.29.213.0');
    assert.equal(choose('10.0.0.1/8', '172.16.0.1/12', '192.168.0.1/16'), '10.0.2.0');
  });

  it('refuses what is no network, naming it', () => {
    for (const text of ['10.0.2.0', '10.0.2.0/30', '10.0.2.0/7', '10.0.2.1/24', '127.0.0.0/8', '224.0.0.0/24', 'x/24', '10.0.2.0/24x']) {
      assert.throws(() => parseSubnet(text), (error) => invalid(error) && error instanceof Error && error.message.includes(text), text);
    }
  });

  it('tells what is in it', () => {
    const subnet = parseSubnet('10.0.2.0/24');
    assert.deepEqual(['10.0.2.0', '10.0.2.255', '10.0.3.0', '10.0.1.255'].map((text) => isInSubnet(subnet, parseIpv4(text) ?? 0)), [true, true, false, false]);
  });
});
