import assert from 'node:assert/strict';
import { DhcpFaults } from '../../../stack/socket/dhcp-faults';
import { DHCP_ACK, DHCP_NAK, DHCP_OFFER, OPTION_LEASE_TIME, words } from '../../../stack/wire/dhcp';
import { ADDRESS, DAY_S, Exchange, SERVER } from './dhcp-exchange';

const NO_TIME: [number, Uint8Array][] = [[OPTION_LEASE_TIME, words(0)]];

describe('The DHCP client remembers what a server did wrong', () => {
  for (const [kind, what, go] of [
    ['malformed', 'that sends garbage', (x: Exchange) => x.raw(new Uint8Array(300))],
    ['unusable', 'that offers an address for no time', (x: Exchange) => x.reply(x.take(), DHCP_OFFER, {}, NO_TIME)],
    ['unusable', 'that gives another address than it offered', (x: Exchange) => {
      x.reply(x.take(), DHCP_OFFER);
      x.reply(x.take(), DHCP_ACK, { yiaddr: ADDRESS + 1 });
    }],
    ['refuses', 'that refuses what it offered', (x: Exchange) => {
      x.reply(x.take(), DHCP_OFFER);
      x.reply(x.take(), DHCP_NAK, { yiaddr: 0 });
    }],
    ['silent', 'that offers and does not answer', (x: Exchange) => {
      x.reply(x.take(), DHCP_OFFER);
      x.until(180_000);
    }],
    ['taken', 'whose address another host has', (x: Exchange) => {
      x.bind();
      x.client.decline(x.now);
    }],
  ] as const) {
    it(kind === 'taken' ? `one ${what}, also while its next one is checked` : `one ${what}, until it keeps its word`, () => {
      const x = new Exchange();
      if (kind !== 'taken') x.client.start(0);
      go(x);
      assert.deepEqual(x.client.faults, [{ server: SERVER, kind }]);
      while (x.client.stateName !== 'selecting') x.until(x.client.pollAt());
      x.until(x.client.pollAt());
      x.host.sent.splice(0, x.host.sent.length - 1);
      x.reply(x.take(), DHCP_OFFER);
      // A server that has failed is asked once nobody else has offered.
      if (x.client.stateName === 'selecting') x.until(x.client.pollAt());
      x.reply(x.take(), DHCP_ACK);
      assert.deepEqual(x.client.faults, kind === 'taken' ? [{ server: SERVER, kind }] : []);
      x.until(x.now + (DAY_S * 1_000) / 2);
      x.reply(x.take(), DHCP_ACK);
      assert.deepEqual(x.client.faults, []);
    });
  }

  it('one that offers an address of this computer', () => {
    const x = new Exchange({ refuse: (address) => (address === ADDRESS ? 'on eth1' : null) });
    x.client.start(0);
    x.reply(x.take(), DHCP_OFFER);
    assert.deepEqual(x.client.faults, [{ server: SERVER, kind: 'own' }]);
  });

  it('not one that answers others, nor garbage while the address is kept', () => {
    const x = new Exchange();
    x.client.start(0);
    const discover = x.take();
    x.reply({ ...discover, xid: discover.xid ^ 1 }, DHCP_OFFER, {}, NO_TIME);
    x.raw(new Uint8Array(300), 1_067);
    x.reply(discover, DHCP_OFFER);
    x.reply(x.take(), DHCP_ACK);
    x.raw(new Uint8Array(300));
    assert.deepEqual([x.client.faults, x.counters.rxMalformed], [[], 1]);
  });

  it('four servers, each with its latest', () => {
    const faults = new DhcpFaults();
    for (const server of [1, 2, 3, 4, 1, 5]) faults.note(server, server === 5 ? 'silent' : 'own');
    faults.note(3, 'taken');
    assert.deepEqual(faults.all, [{ server: 4, kind: 'own' }, { server: 1, kind: 'own' }, { server: 5, kind: 'silent' }, { server: 3, kind: 'taken' }]);
  });
});
