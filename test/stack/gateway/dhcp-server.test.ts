import assert from 'node:assert/strict';
import { VirtualClock } from '../../../stack/clock';
import { DhcpServer } from '../../../stack/gateway/dhcp-server';
import { parseSubnet } from '../../../stack/gateway/subnet';
import { formatIpv4 } from '../../../stack/wire/address';
import {
  DHCP_ACK, DHCP_DECLINE, DHCP_DISCOVER, DHCP_INFORM, DHCP_NAK, DHCP_OFFER, DHCP_RELEASE, DHCP_REQUEST, encodeDhcp, optionAddress,
  OPTION_CLIENT_ID, OPTION_DNS, OPTION_LEASE_TIME, OPTION_REQUESTED_ADDRESS, OPTION_ROUTER, OPTION_SERVER_ID, OPTION_SUBNET_MASK, parseDhcp, words,
  type DhcpMessage,
} from '../../../stack/wire/dhcp';
import { UdpHarness } from '../socket/udp-harness';

const SUBNET = parseSubnet('192.168.9.8/29');
const FIRST = SUBNET.firstLease;

class Exchange {
  readonly clock = new VirtualClock();
  readonly host = new UdpHarness();
  readonly server = new DhcpServer({ clock: this.clock, udp: this.host.udp, counters: this.host.counters.gateway, subnet: SUBNET, leaseSeconds: 3600 });

  /** @returns the server's answer, or null for silence */
  ask(type: number, client: number, options: [number, Uint8Array][] = [], changes: Partial<DhcpMessage> = {}): (DhcpMessage & { to: number }) | null {
    const bytes = encodeDhcp({
      op: 'request', type, xid: 77, secs: 0, broadcast: true, ciaddr: 0, yiaddr: 0, siaddr: 0, giaddr: 0, chaddr: Uint8Array.of(2, 0, 0, 0, 0, client),
      options: new Map(options), ...changes,
    });
    this.host.arrive({ address: changes.ciaddr ?? 0, port: 68 }, { address: 0xffff_ffff, port: 67 }, bytes);
    const sent = this.host.sent.shift();
    if (!sent) return null;
    assert.deepEqual([sent.source, sent.sourcePort, sent.destinationPort], [SUBNET.gateway, 67, 68]);
    const message = parseDhcp(sent.data);
    assert.ok(message && message.op === 'reply' && message.xid === 77);
    return { ...message, to: sent.destination };
  }

  lease(client: number): number {
    const address = this.ask(DHCP_DISCOVER, client)?.yiaddr ?? 0;
    const ack = this.ask(DHCP_REQUEST, client, [[OPTION_REQUESTED_ADDRESS, words(address)], [OPTION_SERVER_ID, words(SUBNET.gateway)]]);
    assert.equal(ack?.type, DHCP_ACK);
    return address;
  }
}

describe('The gateway’s DHCP server (RFC 2131 §4.3)', () => {
  it('offers an address with mask, router, name server and lease time, by broadcast', () => {
    const offer = new Exchange().ask(DHCP_DISCOVER, 1, [[OPTION_CLIENT_ID, Uint8Array.of(0, 1)]]);
    assert.ok(offer);
    assert.deepEqual([offer.type, offer.to, offer.yiaddr], [DHCP_OFFER, 0xffff_ffff, FIRST]);
    const gateway = '192.168.9.9';
    for (const code of [OPTION_ROUTER, OPTION_DNS, OPTION_SERVER_ID]) assert.equal(formatIpv4(optionAddress(offer, code) ?? 0), gateway);
    assert.equal(formatIpv4(optionAddress(offer, OPTION_SUBNET_MASK) ?? 0), '255.255.255.248');
    assert.equal(optionAddress(offer, OPTION_LEASE_TIME), 3600);
    assert.deepEqual(offer.options.get(OPTION_CLIENT_ID), Uint8Array.of(0, 1), 'RFC 6842 §3');
  });

  it('gives a client the address it has, others another, and nobody one when all are taken', () => {
    const x = new Exchange();
    assert.equal(x.lease(1), FIRST);
    assert.equal(x.lease(1), FIRST);
    for (let client = 2; client <= 5; client++) assert.equal(x.lease(client), FIRST + client - 1);
    assert.equal(x.ask(DHCP_DISCOVER, 6), null);
    assert.equal(x.host.counters.gateway.dhcpIgnored, 1);
    assert.equal(x.host.counters.gateway.dhcpLeases, 6);
  });

  it('gives what the client wishes if it is free', () => {
    const x = new Exchange();
    assert.equal(x.ask(DHCP_DISCOVER, 1, [[OPTION_REQUESTED_ADDRESS, words(FIRST + 3)]])?.yiaddr, FIRST + 3);
    assert.equal(x.ask(DHCP_DISCOVER, 2, [[OPTION_REQUESTED_ADDRESS, words(FIRST + 3)]])?.yiaddr, FIRST);
    assert.equal(x.ask(DHCP_DISCOVER, 3, [[OPTION_REQUESTED_ADDRESS, words(0x0808_0808)]])?.yiaddr, FIRST + 1);
  });

  it('grants again a lease from before it was made, and refuses one of another network (§4.3.2)', () => {
    const x = new Exchange();
    assert.equal(x.ask(DHCP_REQUEST, 1, [[OPTION_REQUESTED_ADDRESS, words(FIRST + 2)]])?.type, DHCP_ACK);
    assert.equal(x.ask(DHCP_REQUEST, 2, [[OPTION_REQUESTED_ADDRESS, words(FIRST + 2)]])?.type, DHCP_NAK);
    assert.equal(x.ask(DHCP_REQUEST, 2, [[OPTION_REQUESTED_ADDRESS, words(0x0a00_0001)]])?.type, DHCP_NAK);
    assert.equal(x.ask(DHCP_REQUEST, 2)?.type, DHCP_NAK);
    assert.equal(x.host.counters.gateway.dhcpNaks, 3);
  });

  it('is silent when the client takes another server’s offer', () => {
    const x = new Exchange();
    assert.equal(x.ask(DHCP_REQUEST, 1, [[OPTION_REQUESTED_ADDRESS, words(FIRST)], [OPTION_SERVER_ID, words(1)]]), null);
  });

  it('renews by unicast to the client’s own address', () => {
    const x = new Exchange();
    const address = x.lease(1);
    const ack = x.ask(DHCP_REQUEST, 1, [], { ciaddr: address, broadcast: false });
    assert.deepEqual([ack?.type, ack?.to, ack?.yiaddr], [DHCP_ACK, address, address]);
  });

  it('gives an address to another once it was released, or its lease or offer has ended', () => {
    const x = new Exchange();
    const address = x.lease(1);
    x.ask(DHCP_RELEASE, 2, [], { ciaddr: address });
    assert.equal(x.ask(DHCP_REQUEST, 2, [[OPTION_REQUESTED_ADDRESS, words(address)]])?.type, DHCP_NAK, 'only its owner may release it');
    x.ask(DHCP_RELEASE, 1, [], { ciaddr: address });
    assert.equal(x.lease(2), address);
    x.clock.advance(3_600_000);
    assert.equal(x.ask(DHCP_DISCOVER, 3)?.yiaddr, address);
    x.clock.advance(60_000);
    assert.equal(x.ask(DHCP_DISCOVER, 4)?.yiaddr, address);
  });

  it('keeps from everybody an address that a client found in use', () => {
    const x = new Exchange();
    const address = x.lease(1);
    x.ask(DHCP_DECLINE, 1, [[OPTION_REQUESTED_ADDRESS, words(address)]]);
    assert.equal(x.lease(1), FIRST + 1);
    x.clock.advance(600_000);
    assert.equal(x.lease(2), address);
  });

  it('tells the parameters without a lease to who has an address already (§4.3.5)', () => {
    const ack = new Exchange().ask(DHCP_INFORM, 1, [], { ciaddr: 0x0a00_0001 });
    assert.deepEqual([ack?.type, ack?.to, ack?.yiaddr], [DHCP_ACK, 0x0a00_0001, 0]);
    assert.equal(ack?.options.has(OPTION_LEASE_TIME), false);
    assert.equal(ack?.options.has(OPTION_DNS), true);
  });

  it('counts what is no request', () => {
    const x = new Exchange();
    x.host.arrive({ address: 1, port: 68 }, { address: SUBNET.gateway, port: 67 }, Uint8Array.of(1));
    assert.equal(x.ask(DHCP_OFFER, 1), null);
    assert.equal(x.ask(DHCP_DISCOVER, 1, [], { op: 'reply' }), null);
    assert.equal(x.ask(DHCP_DISCOVER, 1, [], { giaddr: 5 }), null);
    assert.equal(x.host.counters.gateway.dhcpMalformed, 4);
    x.server.close();
    assert.equal(x.ask(DHCP_DISCOVER, 1), null);
  });
});
