import assert from 'node:assert/strict';
import {
  DHCP_ACK, DHCP_NAK, DHCP_OFFER, optionAddress, OPTION_LEASE_TIME, OPTION_REQUESTED_ADDRESS, OPTION_ROUTER, OPTION_SERVER_ID, OPTION_SUBNET_MASK,
  words, type DhcpMessage,
} from '../../../stack/wire/dhcp';
import { ADDRESS, Exchange, OTHER_SERVER, SERVER } from './dhcp-exchange';

describe('The DHCP client with several servers (RFC 2131 §4.4.1)', () => {
  const BAD_ADDRESS = 0x0a00_0266;
  const other: [number, Uint8Array][] = [[OPTION_SERVER_ID, words(OTHER_SERVER)]];
  const offerOfOther = (x: Exchange, to: DhcpMessage): void => x.reply(to, DHCP_OFFER, { yiaddr: BAD_ADDRESS }, other);

  for (const [what, answer, waits] of [
    ['refuses', (x: Exchange, to: DhcpMessage) => x.reply(to, DHCP_NAK, { yiaddr: 0 }, other), 0],
    ['gives no time', (x: Exchange, to: DhcpMessage) => x.reply(to, DHCP_ACK, { yiaddr: BAD_ADDRESS }, [...other, [OPTION_LEASE_TIME, words(0)]]), 0],
    ['gives another address', (x: Exchange, to: DhcpMessage) => x.reply(to, DHCP_ACK, { yiaddr: BAD_ADDRESS + 1 }, other), 0],
    ['is silent', () => {}, 15_000],
  ] as const) {
    it(`takes the second one's offer where the first ${what}, and asks the first last from then on`, () => {
      const x = new Exchange();
      x.client.start(0);
      const discover = x.take();
      offerOfOther(x, discover);
      x.reply(discover, DHCP_OFFER);
      const request = x.take();
      assert.equal(optionAddress(request, OPTION_SERVER_ID), OTHER_SERVER);
      answer(x, request);
      x.until(waits);
      const requests: DhcpMessage[] = [];
      while (x.host.sent.length > 0) requests.push(x.take());
      const last = requests.at(-1) ?? assert.fail('a request');
      assert.deepEqual([optionAddress(last, OPTION_SERVER_ID), optionAddress(last, OPTION_REQUESTED_ADDRESS)], [SERVER, ADDRESS]);
      x.reply(last, DHCP_ACK);
      assert.deepEqual(x.leases.map(({ address, server }) => [address, server]), [[ADDRESS, SERVER]]);
    });
  }

  it('waits for another before it asks one that has failed again, and takes that one where there is no other', () => {
    const x = new Exchange();
    x.client.start(0);
    offerOfOther(x, x.take());
    x.reply(x.take(), DHCP_NAK, { yiaddr: 0 }, other);
    x.until(x.client.pollAt());
    offerOfOther(x, x.take());
    assert.deepEqual(x.host.sent, []);
    x.until(x.client.pollAt());
    assert.equal(optionAddress(x.take(), OPTION_SERVER_ID), OTHER_SERVER);
  });

  it('keeps a bounded number of offers, one of each server, and counts the others', () => {
    const x = new Exchange();
    x.client.start(0);
    const discover = x.take();
    offerOfOther(x, discover);
    offerOfOther(x, discover);
    for (let i = 0; i < 8; i++) for (let twice = 0; twice < 2; twice++) x.reply(discover, DHCP_OFFER, {}, [[OPTION_SERVER_ID, words(SERVER + 16 + i)]]);
    assert.equal(x.counters.rxUnexpected, 1 + 16 - 4);
  });

  for (const [what, changes, options] of [
    ['without a lease time', {}, [[OPTION_LEASE_TIME, null]]],
    ['for no time', {}, [[OPTION_LEASE_TIME, words(0)]]],
    ['of the server\'s own address', { yiaddr: SERVER }, []],
    ['of the only router\'s address', { yiaddr: ADDRESS }, [[OPTION_ROUTER, words(ADDRESS)]]],
    ['of the network\'s broadcast address', { yiaddr: 0x0a00_02ff }, []],
    ['with a mask that has holes', {}, [[OPTION_SUBNET_MASK, words(0xff00_ff00)]]],
  ] as const satisfies readonly (readonly [string, Partial<DhcpMessage>, readonly (readonly [number, Uint8Array | null])[]])[]) {
    it(`asks for no offer ${what}`, () => {
      const x = new Exchange();
      x.client.start(0);
      x.reply(x.take(), DHCP_OFFER, changes, options.map(([code, value]) => [code, value]));
      assert.deepEqual([x.host.sent.length, x.counters.rxUnusable], [0, 1]);
    });
  }
});
