/** Addresses and names as a host of its own on a link gets them: whole stacks, with other stations. */
import assert from 'node:assert/strict';
import { decode, encode } from 'dns-packet';
import type { RememberedLease } from '../../stack/socket/dhcp-lease';
import { ARP_REPLY } from '../../stack/wire/arp';
import { BROADCAST_MAC } from '../../stack/wire/ethernet';
import {
  DHCP_ACK, DHCP_DECLINE, DHCP_DISCOVER, DHCP_OFFER, DHCP_REQUEST, encodeDhcp, optionAddress, OPTION_LEASE_TIME, OPTION_REQUESTED_ADDRESS, OPTION_SERVER_ID,
  OPTION_SUBNET_MASK, parseDhcp, words, type DhcpMessage,
} from '../../stack/wire/dhcp';
import { formatIpv4 } from '../../stack/wire/address';
import { RawPeer } from '../support/raw-peer';
import { ip, twoStacks } from '../support/two-stacks';
import { datagram } from './socket/udp-harness';

const SERVER = ip('10.0.0.2');
const OTHER_MAC = { high: 0x0200, low: 99 };

/** A DHCP server at the other end, that offers the addresses in turn, and a host that has some of them. */
class Lan {
  readonly peer: RawPeer;
  readonly heard: string[] = [];
  private offered = 0;

  constructor(
    private readonly addresses: readonly number[],
    private readonly taken: readonly number[],
    options: { refuse?: (address: number) => string | null; leaseStore?: { load(): RememberedLease | null; save(lease: RememberedLease | null): void } } = {},
    private readonly leaseSeconds = 3_600,
  ) {
    this.peer = new RawPeer({ conflictDetection: true, address: { mode: 'dhcp', ...options } });
  }

  get address(): number | null {
    return this.peer.stack.addressInfo?.address ?? null;
  }

  run(ms: number): void {
    for (const end = this.peer.clock.now() + ms; this.peer.clock.now() < end; this.peer.clock.advance(10)) {
      for (const frame of this.peer.sent()) this.hear(frame);
    }
  }

  private hear(frame: Uint8Array): void {
    const { peer } = this;
    if (frame[12] === 8 && frame[13] === 6) {
      const target = ((frame[38] ?? 0) * 2 ** 24 + (frame[39] ?? 0) * 2 ** 16 + (frame[40] ?? 0) * 2 ** 8 + (frame[41] ?? 0)) >>> 0;
      const isProbe = frame[28] === 0;
      this.heard.push(`${isProbe ? 'probe' : 'announce'} ${formatIpv4(target)}`);
      if (this.taken.includes(target)) peer.arp({ operation: ARP_REPLY, senderMac: OTHER_MAC, senderAddress: target, targetAddress: 0 }, BROADCAST_MAC);
      return;
    }
    const message = parseDhcp(frame.subarray(42));
    if (!message) return;
    const requested = optionAddress(message, OPTION_REQUESTED_ADDRESS) ?? message.ciaddr;
    if (message.type === DHCP_DISCOVER) this.reply(message, DHCP_OFFER, this.addresses[this.offered++ % this.addresses.length] ?? 0);
    else if (message.type === DHCP_REQUEST) this.reply(message, DHCP_ACK, requested);
    const name = { [DHCP_DISCOVER]: 'discover', [DHCP_REQUEST]: 'request', [DHCP_DECLINE]: 'decline' }[message.type] ?? String(message.type);
    this.heard.push(message.type === DHCP_DISCOVER ? name : `${name} ${formatIpv4(requested)}`);
  }

  private reply(to: DhcpMessage, type: number, yiaddr: number): void {
    const options = new Map([[OPTION_SERVER_ID, words(SERVER)], [OPTION_SUBNET_MASK, words(0xffff_ff00)], [OPTION_LEASE_TIME, words(this.leaseSeconds)]]);
    const bytes = encodeDhcp({ op: 'reply', type, xid: to.xid, secs: 0, broadcast: true, ciaddr: 0, yiaddr, siaddr: 0, giaddr: 0, chaddr: to.chaddr, options });
    this.peer.ipv4({ source: SERVER, destination: 0xffff_ffff }, datagram({ address: SERVER, port: 67 }, { address: 0xffff_ffff, port: 68 }, bytes), { destinationMac: BROADCAST_MAC });
  }
}

describe('A leased address (RFC 2131 §4.4.1 with RFC 5227)', () => {
  it('is probed before it is used; one that another host has is declined, and the next taken after ten seconds', () => {
    const lan = new Lan([ip('10.0.0.50'), ip('10.0.0.51')], [ip('10.0.0.50')]);
    lan.run(1_500);
    assert.equal(lan.address, null);
    lan.run(30_000);
    assert.deepEqual(lan.heard, [
      'discover', 'request 10.0.0.50', 'probe 10.0.0.50', 'decline 10.0.0.50',
      'discover', 'request 10.0.0.51', 'probe 10.0.0.51', 'probe 10.0.0.51', 'probe 10.0.0.51', 'announce 10.0.0.51', 'announce 10.0.0.51',
    ]);
    assert.equal(lan.address, ip('10.0.0.51'));
    assert.match(JSON.stringify(lan.peer.events), /02:00:00:00:00:63 on the link has the address 10\.0\.0\.50: the DHCP server is asked for another/);
  });

  it('is declined also when another host takes it later and does not give way', () => {
    const lan = new Lan([ip('10.0.0.50'), ip('10.0.0.51')], []);
    lan.run(20_000);
    assert.equal(lan.address, ip('10.0.0.50'));
    for (let i = 0; i < 2; i++) lan.peer.arp({ operation: ARP_REPLY, senderMac: OTHER_MAC, senderAddress: ip('10.0.0.50') }, BROADCAST_MAC);
    lan.run(30_000);
    assert.ok(lan.heard.includes('decline 10.0.0.50'));
    assert.equal(lan.address, ip('10.0.0.51'));
  });

  it('is not probed, declined or used where an interface of the computer has it', () => {
    const lan = new Lan([ip('10.0.0.50'), ip('10.0.0.51')], [], { refuse: (address) => (address === ip('10.0.0.50') ? 'eth0 has it' : null) });
    lan.run(20_000);
    assert.ok(!lan.heard.some((line) => line.endsWith('10.0.0.50')), lan.heard.join());
    assert.equal(lan.address, ip('10.0.0.51'));
    assert.match(JSON.stringify(lan.peer.events), /DHCP offers 10\.0\.0\.50, which is not taken: eth0 has it/);
  });

  it('is kept by a closed stack for the next one, and asked for first', () => {
    let kept: RememberedLease | null = null;
    const leaseStore = { load: () => kept, save: (lease: RememberedLease | null) => void (kept = lease) };
    const first = new Lan([ip('10.0.0.50')], [], { leaseStore });
    first.run(15_000);
    first.peer.stack.close(first.peer.clock.now());
    first.run(100);
    assert.deepEqual(first.heard.filter((line) => /^\d/.test(line)), [], 'no RELEASE');
    const second = new Lan([ip('10.0.0.77')], [], { leaseStore });
    second.run(100);
    assert.deepEqual(second.heard, ['request 10.0.0.50']);
  });

  it('stays without another probe through renewals, also of a lease that is shorter than the probing', () => {
    const lan = new Lan([ip('10.0.0.50')], [], {}, 8);
    lan.run(60_000);
    assert.equal(lan.heard.filter((line) => line.startsWith('probe')).length, 3, lan.heard.join());
    assert.equal(lan.peer.events.filter(({ type }) => type === 'address').length, 1);
    assert.equal(lan.peer.events.filter(({ type }) => type === 'address-lost').length, 0);
  });
});

describe('Names over whole stacks', () => {
  it('come over TCP where a datagram has no room for the answer', () => {
    const { clock, a, b } = twoStacks();
    const answers = Array.from({ length: 50 }, (_, i) => ({ type: 'A' as const, name: 'big.example', data: `192.0.2.${i}`, ttl: 60 }));
    const inbox = b.udp.bind({ port: 53 });
    inbox.onChange = () => {
      for (let query = inbox.receive(); query; query = inbox.receive()) {
        const { id, questions } = decode(Buffer.from(query.data));
        inbox.send(query.source, query.sourcePort, encode({ type: 'response', flags: 1 << 9, ...(id !== undefined && { id }), ...(questions && { questions }) }));
      }
    };
    b.tcp.listen({ port: 53 }).onAccept = (socket) => {
      const serve = (): void => {
        if (socket.readableBytes < 14) return;
        const bytes = new Uint8Array(socket.readableBytes);
        socket.read(bytes);
        const { id, questions } = decode(Buffer.from(bytes.subarray(2)));
        const message = encode({ type: 'response', answers, ...(id !== undefined && { id }), ...(questions && { questions }) });
        socket.write(Uint8Array.of(message.length >>> 8, message.length & 255, ...message));
      };
      socket.onChange = serve;
      serve();
    };
    a.dns.servers = [{ address: ip('10.0.0.2'), port: 53 }];
    let count = 0;
    a.dns.resolve('big.example', clock.now(), (result) => (count = 'error' in result ? -1 : result.addresses.length));
    clock.advance(1_000);
    assert.equal(count, 50);
    assert.equal(a.counters.dns.tcpQueries, 1);
    assert.equal([...a.tcp.sockets].length, 0);
  });

  it('come from a device of the link that is in the group, and answers by unicast (RFC 6762 §6.7)', () => {
    const { clock, a, b } = twoStacks({ config: { dns: { multicast: true } } });
    b.groups.join(ip('224.0.0.251'));
    const device = b.udp.bind({ port: 5_353 });
    device.onChange = () => {
      for (let query = device.receive(); query; query = device.receive()) {
        const { id, questions } = decode(Buffer.from(query.data));
        const answer = { type: 'A' as const, name: 'lamp.local', data: '10.0.0.2', ttl: 120, flush: true };
        device.send(query.source, query.sourcePort, encode({ type: 'response', answers: [answer], ...(id !== undefined && { id }), ...(questions && { questions }) }));
      }
    };
    let text = '';
    a.dns.servers = [];
    a.dns.resolve('lamp.local', clock.now(), (result) => (text = 'error' in result ? result.error.message : result.addresses.map(formatIpv4).join()));
    clock.advance(100);
    assert.equal(text, '10.0.0.2');
  });
});
