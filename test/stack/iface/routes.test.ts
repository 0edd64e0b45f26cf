import assert from 'node:assert/strict';
import { Routes } from '../../../stack/iface/routes';
import { ip } from '../../support/two-stacks';

function routes(prefixLength: number, gateway: string | null = null, anyDestination = false): Routes {
  const made = new Routes(anyDestination);
  made.local = { address: ip('192.168.1.10'), prefixLength, gateway: gateway === null ? null : ip(gateway) };
  return made;
}

describe('Routes', () => {
  it('lead to neighbours directly and elsewhere by the gateway', () => {
    const table = routes(24, '192.168.1.1');
    assert.equal(table.nextHop(ip('192.168.1.77')), ip('192.168.1.77'));
    assert.equal(table.nextHop(ip('8.8.8.8')), ip('192.168.1.1'));
    assert.equal(routes(24).nextHop(ip('8.8.8.8')), null);
    assert.equal(table.sourceFor(ip('8.8.8.8')), ip('192.168.1.10'));
    assert.equal(routes(24).sourceFor(ip('8.8.8.8')), null);
  });

  it('lead to broadcast addresses, both kinds, and to groups on the link', () => {
    const table = routes(24, '192.168.1.1');
    assert.ok(table.isBroadcast(ip('192.168.1.255')));
    assert.ok(!table.isBroadcast(ip('192.168.2.255')));
    assert.equal(table.nextHop(ip('192.168.1.255')), ip('192.168.1.255'));
    assert.equal(table.nextHop(ip('224.0.0.251')), ip('224.0.0.251'));
  });

  it('have no broadcast address for prefixes of 31 and 32 bits (RFC 3021 §2.1)', () => {
    assert.ok(!routes(31).isBroadcast(ip('192.168.1.11')));
    assert.equal(routes(31).nextHop(ip('192.168.1.11')), ip('192.168.1.11'));
    assert.equal(routes(32, '192.168.1.1').nextHop(ip('192.168.1.11')), ip('192.168.1.1'));
  });

  it('take a prefix of 0 bits as everything being on the link', () => {
    assert.equal(routes(0).nextHop(ip('8.8.8.8')), ip('8.8.8.8'));
    assert.equal(routes(0).nextHop(ip('224.0.0.1')), null);
  });

  it('lead nowhere for our own, loopback, this-network and reserved addresses (RFC 1122 §3.2.1.3)', () => {
    const table = routes(24, '192.168.1.1');
    for (const address of ['192.168.1.10', '127.0.0.1', '0.0.0.0', '0.1.2.3', '240.0.0.1']) assert.equal(table.nextHop(ip(address)), null, address);
  });

  it('take only our address as ours, or, for a router, any that one host can have', () => {
    assert.ok(routes(24).isOurs(ip('192.168.1.10')));
    assert.ok(!routes(24).isOurs(ip('8.8.8.8')));
    const router = routes(24, null, true);
    assert.ok(router.isOurs(ip('8.8.8.8')));
    for (const address of ['127.0.0.1', '192.168.1.255', '255.255.255.255', '224.0.0.1', '0.0.0.0']) assert.ok(!router.isOurs(ip(address)), address);
    assert.ok(router.maySendFrom(ip('8.8.8.8'), ip('192.168.1.20')));
    assert.ok(!routes(24).maySendFrom(ip('8.8.8.8'), ip('192.168.1.20')));
  });

  it('without an address, lead only to everybody, from 0.0.0.0', () => {
    const none = new Routes(false);
    assert.equal(none.nextHop(0xffff_ffff), 0xffff_ffff);
    assert.equal(none.nextHop(ip('10.0.0.1')), null);
    assert.equal(none.sourceFor(0xffff_ffff), null);
    assert.ok(none.maySendFrom(0, 0xffff_ffff));
    assert.ok(!none.maySendFrom(0, ip('10.0.0.1')));
    assert.ok(!none.isOurs(ip('10.0.0.1')));
  });
});
