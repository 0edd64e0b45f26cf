import assert from 'node:assert/strict';
import type { RememberedLease } from '../../../stack/socket/dhcp-lease';
import { BROADCAST_ADDRESS } from '../../../stack/wire/address';
import {
  DHCP_ACK, DHCP_DECLINE, DHCP_DISCOVER, DHCP_NAK, DHCP_OFFER, DHCP_RELEASE, DHCP_REQUEST, optionAddress, OPTION_REQUESTED_ADDRESS, OPTION_SERVER_ID,
  words,
} from '../../../stack/wire/dhcp';
import { ADDRESS, Exchange, OTHER_SERVER, SERVER } from './dhcp-exchange';

class Store {
  readonly saved: (RememberedLease | null)[] = [];

  constructor(public kept: RememberedLease | null = null) {}

  load(): RememberedLease | null {
    return this.kept;
  }

  save(lease: RememberedLease | null): void {
    this.kept = lease;
    this.saved.push(lease);
  }
}

const LAST: RememberedLease = { address: ADDRESS, server: SERVER };

describe('The DHCP client with the last lease (RFC 2131 §3.2, §4.4.2)', () => {
  it('asks for its address by broadcast, naming neither a server nor ciaddr (§4.3.2), and is bound by one ACK', () => {
    const store = new Store(LAST);
    const x = new Exchange({ store });
    x.client.start(0);
    assert.equal(x.client.stateName, 'rebooting');
    const request = x.take();
    assert.equal(request.type, DHCP_REQUEST);
    assert.deepEqual([request.ciaddr, request.sent.source, request.sent.destination, request.broadcast], [0, 0, BROADCAST_ADDRESS, true]);
    assert.equal(optionAddress(request, OPTION_REQUESTED_ADDRESS), ADDRESS);
    assert.equal(request.options.has(OPTION_SERVER_ID), false);
    x.reply(request, DHCP_ACK, {}, [[OPTION_SERVER_ID, words(OTHER_SERVER)]]);
    assert.equal(x.client.stateName, 'bound');
    assert.deepEqual(store.kept, { address: ADDRESS, server: OTHER_SERVER }, 'whoever answers is the server now');
    assert.equal(x.leases.length, 1);
  });

  it('discovers at once where the address is refused, as in another network, and forgets it', () => {
    const store = new Store(LAST);
    const x = new Exchange({ store });
    x.client.start(0);
    x.reply(x.take(), DHCP_NAK, { yiaddr: 0 });
    assert.equal(store.kept, null);
    x.until(0);
    assert.equal(x.take().type, DHCP_DISCOVER);
    assert.deepEqual(x.lost, []);
  });

  it('asks twice in vain before it discovers: a server that does not know the address is silent (§4.3.2)', () => {
    const x = new Exchange({ store: new Store(LAST) });
    x.client.start(0);
    assert.equal(x.take().type, DHCP_REQUEST);
    x.until(x.client.pollAt());
    assert.equal(x.take().type, DHCP_REQUEST);
    x.until(x.client.pollAt());
    assert.equal(x.take().type, DHCP_DISCOVER);
    assert.ok(x.now <= 5_000, `${x.now} ms`);
  });

  it('takes no other address for the one it asked for', () => {
    const x = new Exchange({ store: new Store(LAST) });
    x.client.start(0);
    const request = x.take();
    x.reply(request, DHCP_ACK, { yiaddr: ADDRESS + 1 });
    x.reply(request, DHCP_OFFER);
    assert.deepEqual([x.counters.rxUnusable, x.counters.rxUnexpected], [1, 1]);
    assert.equal(x.client.stateName, 'rebooting');
  });

  it('does not ask for what no host can have, whatever the store says', () => {
    for (const address of [0, 0x7f00_0001, 0xffff_ffff]) {
      const x = new Exchange({ store: new Store({ address, server: SERVER }) });
      x.client.start(0);
      assert.equal(x.take().type, DHCP_DISCOVER);
    }
  });

  it('keeps the lease when it is stopped, and gives it back and forgets it when released (§4.4.6)', () => {
    const store = new Store();
    const x = new Exchange({ store });
    x.bind();
    assert.deepEqual(store.kept, LAST);
    x.client.stop();
    assert.deepEqual(x.host.sent, []);
    assert.deepEqual(store.kept, LAST);
    assert.equal(x.client.pollAt(), Infinity);
    x.client.start(x.now);
    x.reply(x.take(), DHCP_ACK);
    x.client.release();
    assert.equal(x.take().type, DHCP_RELEASE);
    assert.equal(store.kept, null);
  });

  it('forgets the lease when the server refuses to extend it, and when another host has the address', () => {
    const store = new Store();
    const x = new Exchange({ store });
    x.until(x.bind().renewAt);
    x.reply(x.take(), DHCP_NAK);
    assert.equal(store.kept, null);
    const other = new Exchange({ store });
    other.bind();
    other.client.decline(0);
    assert.equal(store.kept, null);
  });
});

describe('The DHCP client with addresses it must not take', () => {
  const refuse = (address: number) => (address === ADDRESS ? 'eth0 has it' : null);

  it('leaves such an offer without REQUEST, DECLINE or RELEASE, counts it, and says so once', () => {
    const told: string[] = [];
    const x = new Exchange({ refuse, onRefused: (address, why) => told.push(`${address} ${why}`) });
    x.client.start(0);
    x.reply(x.take(), DHCP_OFFER);
    assert.deepEqual(x.host.sent, []);
    assert.equal(x.client.stateName, 'selecting');
    x.until(x.client.pollAt());
    const again = x.take();
    assert.equal(again.type, DHCP_DISCOVER);
    x.reply(again, DHCP_OFFER);
    assert.equal(x.counters.rxRefused, 2);
    assert.deepEqual(told, [`${ADDRESS} eth0 has it`]);
  });

  it('takes the offer of another server', () => {
    const x = new Exchange({ refuse });
    x.client.start(0);
    const discover = x.take();
    x.reply(discover, DHCP_OFFER);
    x.reply(discover, DHCP_OFFER, { yiaddr: ADDRESS + 1 }, [[OPTION_SERVER_ID, words(OTHER_SERVER)]]);
    const request = x.take();
    assert.equal(optionAddress(request, OPTION_REQUESTED_ADDRESS), ADDRESS + 1);
    assert.equal(optionAddress(request, OPTION_SERVER_ID), OTHER_SERVER);
  });

  it('does not ask for such an address of the last run', () => {
    const x = new Exchange({ refuse, store: new Store(LAST) });
    x.client.start(0);
    assert.equal(x.take().type, DHCP_DISCOVER);
  });

  it('gives up one that an interface of the computer has got meanwhile, without a word to the server', () => {
    let taken = false;
    const x = new Exchange({ refuse: () => (taken ? 'eth0 has it' : null) });
    x.until(x.bind().renewAt);
    taken = true;
    x.reply(x.take(), DHCP_ACK);
    assert.match(x.lost[0] ?? '', /10\.0\.2\.100: eth0 has it/);
    assert.equal(x.client.stateName, 'init');
    assert.deepEqual(x.host.sent, []);
  });
});

describe('The DHCP client does not let a server make it send without a pause', () => {
  it('waits twice as long after each NAK in a row, up to 16 s, and begins anew after a lease', () => {
    const x = new Exchange();
    x.client.start(0);
    const waits: number[] = [];
    // Others are waited for before a server that has refused is asked again.
    const offer = (): void => {
      x.reply(x.take(), DHCP_OFFER);
      if (x.host.sent.length === 0) x.until(x.client.pollAt());
    };
    for (let i = 0; i < 8; i++) {
      offer();
      x.reply(x.take(), DHCP_NAK, { yiaddr: 0 });
      waits.push(x.client.pollAt() - x.now);
      x.until(x.client.pollAt());
    }
    waits.forEach((wait, i) => assert.ok(Math.abs(wait - Math.min(1_000 * 2 ** i, 16_000)) <= 250, `wait ${i}: ${wait} ms`));
    offer();
    x.reply(x.take(), DHCP_ACK);
    const [lease] = x.leases;
    assert.ok(lease);
    x.until(lease.renewAt);
    x.reply(x.take(), DHCP_NAK);
    assert.ok(x.client.pollAt() - x.now <= 1_250);
  });

  it('declines at most one address a minute after ten that others had (RFC 5227 §2.1.1)', () => {
    const x = new Exchange();
    x.client.start(0);
    for (let i = 1; i <= 12; i++) {
      x.reply(x.take(), DHCP_OFFER);
      x.reply(x.take(), DHCP_ACK);
      x.client.decline(x.now);
      assert.equal(x.take().type, DHCP_DECLINE);
      assert.equal(x.client.pollAt() - x.now, i < 10 ? 10_000 : 60_000, `after ${i}`);
      x.until(x.client.pollAt());
    }
  });

  it('answers a flood of offers, ACKs and NAKs with one message each time at most', () => {
    const x = new Exchange();
    x.client.start(0);
    const discover = x.take();
    for (let i = 0; i < 100; i++) x.reply(discover, DHCP_OFFER, { yiaddr: ADDRESS + (i % 50) });
    assert.equal(x.host.sent.length, 1);
    const request = x.take();
    for (let i = 0; i < 100; i++) x.reply(request, i % 2 === 0 ? DHCP_NAK : DHCP_ACK);
    assert.deepEqual(x.host.sent, []);
  });

  it('asks for unicast answers where broadcasts are not wanted', () => {
    const x = new Exchange({}, 1, { broadcastFlag: false });
    x.client.start(0);
    assert.equal(x.take().broadcast, false);
  });
});
