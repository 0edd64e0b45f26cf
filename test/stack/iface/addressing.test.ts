import assert from 'node:assert/strict';
import { Addressing } from '../../../stack/iface/addressing';
import { Routes } from '../../../stack/iface/routes';
import type { StackEvent } from '../../../stack/observer';
import type { DhcpLease } from '../../../stack/socket/dhcp-lease';
import type { DnsServer } from '../../../stack/socket/dns-servers';
import { ip } from '../../support/two-stacks';

const lease: DhcpLease = {
  address: ip('10.0.0.5'), prefixLength: 24, router: ip('10.0.0.1'), dns: [ip('10.0.0.1')], server: ip('10.0.0.1'), renewAt: 1, rebindAt: 2, expiresAt: 3,
};

function make(ownDns: readonly DnsServer[] | null = null) {
  const routes = new Routes(false);
  const seen: string[] = [];
  const events: StackEvent[] = [];
  const addressing = new Addressing({
    routes, ownDns, detector: null, onContested: () => seen.push('contested'), observer: (event) => events.push(event),
    onDns: (servers) => seen.push(`dns ${servers === null ? 'unknown' : servers.map(({ port }) => port).join()}`),
    onLost: (reason) => seen.push(`lost, address still there: ${routes.local !== null}: ${reason}`),
    onChange: () => seen.push('change'),
  });
  return { addressing, routes, seen, events };
}

describe('The address of the stack', () => {
  it('comes with a lease: routes, name servers, an event', () => {
    const { addressing, routes, seen, events } = make();
    addressing.leased(lease);
    assert.deepEqual(routes.local, { address: lease.address, prefixLength: 24, gateway: ip('10.0.0.1') });
    assert.deepEqual(seen, ['dns 53', 'change']);
    assert.deepEqual(events, [{ type: 'address', address: '10.0.0.5', prefixLength: 24, gateway: '10.0.0.1', dns: ['10.0.0.1'], source: 'dhcp' }]);
  });

  it('stays when the lease is renewed, which can name other servers', () => {
    const { addressing, seen } = make();
    addressing.leased(lease);
    addressing.leased({ ...lease, dns: [] });
    assert.deepEqual(seen, ['dns 53', 'change', 'dns ']);
    assert.deepEqual(addressing.current?.dns, []);
  });

  it('stays when a renewal names another router or a smaller network, and nothing ends', () => {
    const { addressing, routes, seen, events } = make();
    addressing.leased(lease);
    addressing.leased({ ...lease, router: ip('10.0.0.2'), prefixLength: 25 });
    assert.deepEqual(seen, ['dns 53', 'change', 'dns 53', 'change']);
    assert.deepEqual(routes.local, { address: lease.address, prefixLength: 25, gateway: ip('10.0.0.2') });
    assert.deepEqual(events.map(({ type }) => type), ['address', 'address']);
  });

  it('ends what was built on it before another takes its place', () => {
    const { addressing, routes, seen } = make();
    addressing.leased(lease);
    addressing.leased({ ...lease, address: ip('10.0.0.6') });
    assert.deepEqual(seen.slice(2), ['lost, address still there: true: DHCP gave the address 10.0.0.6 in place of 10.0.0.5', 'dns unknown', 'change', 'dns 53', 'change']);
    assert.equal(routes.local?.address, ip('10.0.0.6'));
  });

  it('is lost once', () => {
    const { addressing, routes, seen, events } = make();
    addressing.leased(lease);
    addressing.lose('the lease ran out');
    addressing.lose('the lease ran out');
    assert.equal(addressing.current, null);
    assert.equal(routes.local, null);
    assert.equal(seen.filter((line) => line.startsWith('lost')).length, 1);
    assert.deepEqual(events.at(-1), { type: 'address-lost', reason: 'the lease ran out' });
  });

  it('keeps name servers that were given over those of a lease', () => {
    const { addressing, events } = make([{ address: ip('9.9.9.9'), port: 5_353 }]);
    addressing.leased(lease);
    assert.deepEqual(addressing.current?.dns, [{ address: ip('9.9.9.9'), port: 5_353 }]);
    assert.match(JSON.stringify(events), /9\.9\.9\.9:5353/);
  });

  it('is used only once the detector has found nobody else with it, and checked again when the link was down', () => {
    const routes = new Routes(false);
    const probes: string[] = [];
    const events: StackEvent[] = [];
    const addressing = new Addressing({
      routes, ownDns: null, observer: (event) => events.push(event), onContested: () => {}, onDns: () => {}, onLost: () => {}, onChange: () => {},
      detector: { probe: (address, waitMs = 0) => probes.push(`${address} ${waitMs}`), stop: () => {} },
    });
    const address = ip('10.0.0.5');
    addressing.assign({ address, prefixLength: 24 }, 'static');
    assert.equal(addressing.current?.address, undefined);
    addressing.clear(ip('10.0.0.6'));
    assert.equal(routes.local?.address, undefined);
    addressing.clear(address);
    assert.equal(routes.local?.address, address);
    addressing.recheck('the link was down');
    assert.equal(addressing.current?.address, undefined);
    assert.deepEqual(probes, [`${address} 0`, `${address} 0`]);
    addressing.contested(address, { high: 2, low: 3 }, 0);
    assert.equal(probes.at(-1), `${address} 60000`);
    assert.deepEqual(events.map(({ type }) => type), ['address-probing', 'address', 'address-lost', 'address-probing', 'address-taken', 'address-probing']);
  });

  it('is not taken into use by probes that a link which is down has lost: a given one is checked anew', () => {
    const seen: string[] = [];
    const addressing = new Addressing({
      routes: new Routes(false), ownDns: null, observer: () => {}, onContested: () => {}, onDns: () => {}, onLost: () => {}, onChange: () => {},
      detector: { probe: (address) => seen.push(`probe ${address}`), stop: () => seen.push('stop') },
    });
    const address = ip('10.0.0.5');
    addressing.assign({ address, prefixLength: 24 }, 'static');
    addressing.pauseCheck();
    assert.deepEqual(seen, [`probe ${address}`, 'stop']);
    addressing.recheck('the link was down');
    assert.equal(seen.at(-1), `probe ${address}`);
    addressing.clear(address);
    assert.equal(addressing.current?.address, address);
    // What is held is looked at when the link is back, not before.
    seen.length = 0;
    addressing.pauseCheck();
    assert.deepEqual(seen, []);
  });

  it('is given up when the computer has it itself, and taken back only if it was given', () => {
    const address = ip('10.0.0.5');
    for (const source of ['static', 'dhcp'] as const) {
      const { addressing, seen, events } = make();
      assert.equal(addressing.yield('nothing to give up', 1_000), false);
      if (source === 'static') addressing.assign({ address, prefixLength: 24 }, 'static');
      else addressing.leased(lease);
      assert.equal(addressing.yield('the computer has it', 1_000), true);
      assert.equal(addressing.current?.address, undefined);
      assert.deepEqual(events.slice(1), [
        { type: 'address-taken', address: '10.0.0.5', message: 'the computer has it', retryMs: 1_000 }, { type: 'address-lost', reason: 'the computer has it' },
      ]);
      assert.ok(seen.includes('lost, address still there: true: the computer has it'));
      addressing.reclaim();
      addressing.reclaim();
      assert.equal(addressing.current?.address, source === 'static' ? address : undefined);
    }
  });
});
