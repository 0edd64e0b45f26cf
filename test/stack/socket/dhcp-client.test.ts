import assert from 'node:assert/strict';
import { BROADCAST_ADDRESS } from '../../../stack/wire/address';
import {
  DHCP_ACK, DHCP_DECLINE, DHCP_DISCOVER, DHCP_NAK, DHCP_OFFER, DHCP_RELEASE, DHCP_REQUEST, encodeDhcp, optionAddress, OPTION_CLIENT_ID, OPTION_DNS,
  OPTION_HOST_NAME, OPTION_LEASE_TIME, OPTION_PARAMETER_LIST, OPTION_REBINDING_TIME, OPTION_RENEWAL_TIME, OPTION_REQUESTED_ADDRESS, OPTION_ROUTER,
  OPTION_SERVER_ID, OPTION_SUBNET_MASK, words, type DhcpMessage,
} from '../../../stack/wire/dhcp';
import { ADDRESS, DAY_S, Exchange, MAC, OTHER_SERVER, SERVER } from './dhcp-exchange';

describe('The DHCP client (RFC 2131)', () => {
  it('discovers by broadcast from 0.0.0.0, asking for mask, router, name servers and times (§4.4.1)', () => {
    const x = new Exchange({ hostname: 'riftnet' });
    x.client.start(0);
    const discover = x.take();
    assert.equal(discover.type, DHCP_DISCOVER);
    assert.deepEqual([discover.sent.source, discover.sent.destination], [0, BROADCAST_ADDRESS]);
    assert.equal(discover.broadcast, true);
    assert.deepEqual(discover.chaddr, MAC);
    assert.deepEqual([...(discover.options.get(OPTION_PARAMETER_LIST) ?? [])], [1, 3, 6, 51, 54, 58, 59]);
    assert.deepEqual(discover.options.get(OPTION_CLIENT_ID), Uint8Array.of(1, ...MAC));
    assert.equal(Buffer.from(discover.options.get(OPTION_HOST_NAME) ?? []).toString(), 'riftnet');
  });

  it('requests what is offered, naming server and address, and takes the lease from the ACK (§3.1)', () => {
    const x = new Exchange({ clientId: Uint8Array.of(0, 9, 9) });
    x.client.start(0);
    x.reply(x.take(), DHCP_OFFER);
    const request = x.take();
    assert.equal(request.type, DHCP_REQUEST);
    assert.equal(optionAddress(request, OPTION_REQUESTED_ADDRESS), ADDRESS);
    assert.equal(optionAddress(request, OPTION_SERVER_ID), SERVER);
    assert.equal(request.ciaddr, 0);
    assert.deepEqual(request.options.get(OPTION_CLIENT_ID), Uint8Array.of(0, 9, 9));
    assert.equal(x.leases.length, 0);
    x.reply(request, DHCP_ACK);
    const lease = x.leases.at(-1);
    assert.ok(lease);
    assert.deepEqual(
      { ...lease, renewAt: 0 },
      { address: ADDRESS, prefixLength: 24, router: SERVER, dns: [SERVER, 0x0808_0808], server: SERVER, renewAt: 0, rebindAt: DAY_S * 875, expiresAt: DAY_S * 1000 },
    );
    assert.ok(lease.renewAt <= DAY_S * 500 && lease.renewAt > DAY_S * 460, 'T1 is half the lease, a little early');
    assert.equal(x.client.stateName, 'bound');
    assert.equal(x.counters.leases, 1);
  });

  it('repeats the discovery after 4, 8, 16, 32, 64, 64 s, each up to a second more or less (§4.1)', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const x = new Exchange({}, seed);
      x.client.start(0);
      const first = x.take();
      let last = 0;
      for (const wait of [4, 8, 16, 32, 64, 64]) {
        const at = x.client.pollAt();
        assert.ok(Math.abs(at - last - wait * 1000) <= 1000, `seed ${seed}: waited ${at - last} ms in place of ${wait} s`);
        x.until(at);
        const again = x.take();
        assert.equal(again.xid, first.xid);
        assert.equal(again.secs, Math.floor(at / 1000));
        last = at;
      }
    }
  });

  it('gives all requests of an exchange the seconds of its DISCOVER, so that relays treat them alike (§3.1 (3))', () => {
    const x = new Exchange();
    x.client.start(0);
    x.take();
    x.until(5_000);
    const discover = x.take();
    assert.ok(discover.secs > 0);
    x.until(8_000);
    x.reply(discover, DHCP_OFFER);
    x.until(30_000);
    const requests = [x.take(), x.take(), x.take()];
    assert.deepEqual(requests.map(({ type, secs }) => [type, secs]), requests.map(() => [DHCP_REQUEST, discover.secs]));
  });

  it('begins anew after five requests without an answer (§3.1.5)', () => {
    const x = new Exchange();
    x.client.start(0);
    const discover = x.take();
    x.reply(discover, DHCP_OFFER);
    for (let i = 0; i < 5; i++) {
      assert.equal(x.take().type, DHCP_REQUEST);
      x.until(x.client.pollAt());
    }
    const again = x.take();
    assert.equal(again.type, DHCP_DISCOVER);
    assert.notEqual(again.xid, discover.xid);
  });

  it('begins anew after a NAK, but not at once (§3.1.5)', () => {
    const x = new Exchange();
    x.client.start(0);
    x.reply(x.take(), DHCP_OFFER);
    x.reply(x.take(), DHCP_NAK, { yiaddr: 0 });
    assert.equal(x.counters.rxNaks, 1);
    assert.deepEqual(x.host.sent, []);
    assert.ok(x.client.pollAt() >= 500 && x.client.pollAt() <= 2000);
    x.until(2000);
    assert.equal(x.take().type, DHCP_DISCOVER);
    assert.deepEqual(x.lost, []);
  });

  it('ignores and counts answers to others, from other ports, malformed or at the wrong time', () => {
    const x = new Exchange();
    x.client.start(0);
    const discover = x.take();
    x.reply({ ...discover, xid: discover.xid ^ 1 }, DHCP_OFFER);
    x.reply(discover, DHCP_OFFER, { chaddr: Uint8Array.of(2, 0, 0, 0, 0, 8) });
    assert.equal(x.counters.rxWrongTransaction, 2);
    x.reply(discover, DHCP_ACK);
    x.raw(encodeDhcp({ ...discover, op: 'request' }));
    x.raw(encodeDhcp(discover), 1067);
    assert.equal(x.counters.rxUnexpected, 3);
    x.raw(Uint8Array.of(1, 2, 3));
    assert.equal(x.counters.rxMalformed, 1);
    assert.equal(x.client.stateName, 'selecting');
    assert.deepEqual(x.host.sent, []);
  });

  it('takes no offer without a server, or of an address that no host can have', () => {
    const x = new Exchange();
    x.client.start(0);
    const discover = x.take();
    x.reply(discover, DHCP_OFFER, {}, [[OPTION_SERVER_ID, null]]);
    for (const yiaddr of [0, 0x7f00_0001, 0xe000_0001, 0xffff_ffff]) x.reply(discover, DHCP_OFFER, { yiaddr });
    assert.equal(x.counters.rxUnusable, 5);
    x.reply(discover, DHCP_OFFER);
    assert.equal(x.take().type, DHCP_REQUEST);
  });

  it('takes no ACK of another address or server, without a lease time, with a mask with holes, or of a network or broadcast address', () => {
    const bad: [Partial<DhcpMessage>, [number, Uint8Array | null][]][] = [
      [{ yiaddr: ADDRESS + 1 }, []],
      [{}, [[OPTION_LEASE_TIME, null]]],
      [{}, [[OPTION_LEASE_TIME, words(0)]]],
      [{}, [[OPTION_SUBNET_MASK, words(0xffff_00ff)]]],
      [{}, [[OPTION_SUBNET_MASK, words(0)]]],
      // With a prefix of 30 the address 10.0.2.100 is the network's own number.
      [{}, [[OPTION_SUBNET_MASK, words(0xffff_fffc)]]],
    ];
    for (const [changes, options] of bad) {
      const x = new Exchange();
      x.client.start(0);
      x.reply(x.take(), DHCP_OFFER);
      const request = x.take();
      // Whose ACK was not asked for says nothing.
      x.reply(request, DHCP_ACK, {}, [[OPTION_SERVER_ID, words(OTHER_SERVER)]]);
      assert.equal(x.client.stateName, 'requesting');
      x.reply(request, DHCP_ACK, changes, options);
      assert.deepEqual([x.counters.rxUnusable, x.leases.length, x.client.stateName], [2, 0, 'init']);
      x.until(x.client.pollAt());
      x.reply(x.take(), DHCP_OFFER);
      x.until(x.client.pollAt());
      x.reply(x.take(), DHCP_ACK);
      assert.equal(x.leases.length, 1);
    }
  });

  it('takes no router outside the subnet, and no name server that cannot be one', () => {
    const lease = new Exchange().bind([
      [OPTION_ROUTER, words(0x0a00_0301, ADDRESS, 0x0a00_0202)],
      [OPTION_DNS, words(0, 0x7f00_0035, 0xffff_ffff, 0x0909_0909, 0x0909_0909)],
    ]);
    assert.equal(lease.router, 0x0a00_0202);
    assert.deepEqual(lease.dns, [0x0909_0909]);
    const without = new Exchange().bind([[OPTION_ROUTER, null], [OPTION_DNS, null]]);
    assert.deepEqual([without.router, without.dns], [null, []]);
  });

  it('derives the prefix from the class of the address where the server sends no mask', () => {
    assert.equal(new Exchange().bind([[OPTION_SUBNET_MASK, null]]).prefixLength, 8);
  });

  it('keeps T1 and T2 of the server, but not in the wrong order (§4.4.5)', () => {
    const good = new Exchange().bind([[OPTION_RENEWAL_TIME, words(1000)], [OPTION_REBINDING_TIME, words(2000)]]);
    assert.ok(good.renewAt <= 1_000_000 && good.renewAt >= 930_000);
    assert.equal(good.rebindAt, 2_000_000);
    const bad = new Exchange().bind([[OPTION_RENEWAL_TIME, words(3000)], [OPTION_REBINDING_TIME, words(DAY_S + 1)]]);
    assert.ok(bad.renewAt < bad.rebindAt && bad.rebindAt < bad.expiresAt);
  });

  it('renews by unicast from its address, naming it in ciaddr only, and tells of the new lease (§4.3.2, §4.4.5)', () => {
    const x = new Exchange();
    const lease = x.bind();
    x.until(lease.renewAt);
    const request = x.take();
    assert.equal(x.client.stateName, 'renewing');
    assert.deepEqual([request.type, request.ciaddr, request.broadcast], [DHCP_REQUEST, ADDRESS, false]);
    assert.deepEqual([request.sent.source, request.sent.destination], [ADDRESS, SERVER]);
    assert.equal(request.options.has(OPTION_SERVER_ID) || request.options.has(OPTION_REQUESTED_ADDRESS), false);
    x.now += 50;
    x.reply(request, DHCP_ACK, { ciaddr: ADDRESS });
    const renewed = x.leases.at(-1);
    assert.equal(renewed?.expiresAt, lease.renewAt + DAY_S * 1000, 'the lease counts from the request');
    assert.equal(x.client.stateName, 'bound');
    assert.deepEqual(x.lost, []);
  });

  it('repeats the renewal at half of what is left until T2, then asks every server, and gives up at the end (§4.4.5)', () => {
    const x = new Exchange();
    const lease = x.bind();
    x.until(lease.renewAt);
    x.take();
    assert.equal(x.client.pollAt(), lease.renewAt + (lease.rebindAt - lease.renewAt) / 2);
    x.until(lease.rebindAt - 1);
    while (x.host.sent.length > 0) assert.equal(x.take().sent.destination, SERVER);
    x.until(lease.rebindAt);
    assert.equal(x.client.stateName, 'rebinding');
    const rebind = x.take();
    assert.deepEqual([rebind.sent.source, rebind.sent.destination, rebind.ciaddr], [ADDRESS, BROADCAST_ADDRESS, ADDRESS]);
    x.until(lease.expiresAt - 1);
    const tries = x.host.sent.length;
    assert.ok(tries >= 4 && tries < 15, `${tries} requests`);
    x.host.sent.length = 0;
    assert.deepEqual(x.lost, []);
    x.until(lease.expiresAt);
    assert.equal(x.lost.length, 1);
    assert.match(x.lost[0] ?? '', /10\.0\.2\.100/);
    assert.equal(x.counters.expired, 1);
    assert.equal(x.take().type, DHCP_DISCOVER);
  });

  it('takes another server for its own when rebinding, and keeps the address', () => {
    const x = new Exchange();
    const lease = x.bind();
    x.until(lease.rebindAt);
    x.host.sent.length = 0;
    x.until(x.client.pollAt());
    x.reply(x.take(), DHCP_ACK, { ciaddr: ADDRESS }, [[OPTION_SERVER_ID, words(OTHER_SERVER)]]);
    assert.equal(x.leases.at(-1)?.server, OTHER_SERVER);
    assert.deepEqual(x.lost, []);
  });

  it('drops its address at once when the renewal is refused (§4.4.5)', () => {
    const x = new Exchange();
    x.until(x.bind().renewAt);
    const request = x.take();
    x.reply(request, DHCP_NAK, {}, [[OPTION_SERVER_ID, words(OTHER_SERVER)]]);
    assert.deepEqual(x.lost, [], 'a server that was not asked refuses nothing');
    x.reply(request, DHCP_NAK);
    assert.equal(x.lost.length, 1);
    assert.equal(x.client.stateName, 'init');
  });

  it('loses the address when polled only long after the end', () => {
    const x = new Exchange();
    const lease = x.bind();
    x.now = lease.expiresAt + 5;
    x.client.poll(x.now);
    assert.equal(x.lost.length, 1);
    assert.equal(x.client.stateName, 'selecting');
  });

  it('never asks again for a lease without end (§3.3)', () => {
    const x = new Exchange();
    assert.equal(x.bind([[OPTION_LEASE_TIME, words(0xffff_ffff)]]).expiresAt, Infinity);
    assert.equal(x.client.pollAt(), Infinity);
  });

  it('gives the address back when released, by broadcast, which waits for no MAC address, and stops (§4.4.6)', () => {
    const x = new Exchange();
    x.bind();
    x.client.release();
    const release = x.take();
    assert.deepEqual([release.type, release.ciaddr, release.sent.destination], [DHCP_RELEASE, ADDRESS, BROADCAST_ADDRESS]);
    assert.equal(x.client.pollAt(), Infinity);
    x.client.release();
    assert.deepEqual(x.host.sent, []);
    x.client.start(x.now);
    assert.equal(x.take().type, DHCP_DISCOVER);
  });

  it('gives back an address that may not be sent from yet, without it for a source; what cannot be sent is not counted', () => {
    const x = new Exchange();
    const lease = x.bind();
    x.host.noSource = ADDRESS;
    x.until(lease.renewAt);
    assert.deepEqual([x.client.stateName, x.counters.txRequests, x.host.sent.length], ['renewing', 1, 0]);
    x.client.release();
    const release = x.take();
    assert.deepEqual([release.type, release.ciaddr, release.sent.source, x.counters.txReleases], [DHCP_RELEASE, ADDRESS, 0, 1]);
  });

  it('gives up an address that the computer has itself without a word to the server, also where it is taken for another station\'s', () => {
    for (const how of ['abandon', 'decline'] as const) {
      let own = false;
      const x = new Exchange({ refuse: () => (own ? 'this computer has it itself' : null) });
      x.bind();
      own = true;
      x.client[how](1_000);
      assert.equal(x.client.stateName, 'init');
      assert.deepEqual(x.lost, how === 'abandon' ? [] : ['the DHCP lease cannot be kept: 10.0.2.100: this computer has it itself']);
      assert.equal(x.counters.txDeclines + x.counters.txReleases, 0);
      x.until(20_000);
      assert.equal(x.take().type, DHCP_DISCOVER);
    }
  });

  it('asks at once for an address that the computer had itself and has no longer, however long the wait has grown', () => {
    let own = false;
    const x = new Exchange({ refuse: () => (own ? 'this computer has it itself' : null) });
    x.bind();
    own = true;
    x.client.abandon(1_000);
    x.until(70_000);
    assert.ok(x.client.pollAt() - x.now > 10_000, `the next DISCOVER is due after ${x.client.pollAt() - x.now} ms`);
    while (x.host.sent.length > 0) x.take();
    own = false;
    x.client.askAgain(x.now);
    const discover = x.take();
    assert.equal(discover.type, DHCP_DISCOVER);
    x.reply(discover, DHCP_OFFER);
    x.reply(x.take(), DHCP_ACK);
    assert.equal(x.client.stateName, 'bound');
    // A lease is not given up for it.
    x.client.askAgain(x.now);
    assert.deepEqual([x.client.stateName, x.host.sent.length], ['bound', 0]);
  });

  it('declines an address in use by broadcast, and begins anew after ten seconds (§3.1.5)', () => {
    const x = new Exchange();
    x.bind();
    x.client.decline(1000);
    const decline = x.take();
    // Table 5: no flags.
    assert.deepEqual([decline.type, decline.ciaddr, decline.broadcast, decline.sent.destination], [DHCP_DECLINE, 0, false, BROADCAST_ADDRESS]);
    assert.equal(optionAddress(decline, OPTION_REQUESTED_ADDRESS), ADDRESS);
    assert.equal(x.lost.length, 1);
    assert.equal(x.client.pollAt(), 11_000);
  });
});
