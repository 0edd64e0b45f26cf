import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describeFrame } from '../../../stack/link/describe';
import { parseIpv4 as parseAddress } from '../../../stack/wire/address';
import { ARP_BYTES, ARP_REPLY, ARP_REQUEST, writeArp } from '../../../stack/wire/arp';
import { DHCP_ACK, DHCP_DISCOVER, encodeDhcp, OPTION_DNS, OPTION_LEASE_TIME, OPTION_MESSAGE, OPTION_ROUTER, OPTION_SERVER_ID, words } from '../../../stack/wire/dhcp';
import { encodeDnsQuery } from '../../../stack/wire/dns';
import { readMac } from '../../../stack/wire/ethernet';
import { writeIpv4Header } from '../../../stack/wire/ipv4';
import { encodeSegment, parseFlags } from '../../support/tcp-segment';

const ip = (text: string): number => parseAddress(text) ?? assert.fail(text);
const MAC = Uint8Array.of(2, 0, 0, 0, 0, 7);

function frame(type: number, payload: Uint8Array): Uint8Array {
  return Uint8Array.from([...new Uint8Array(6).fill(255), ...MAC, type >>> 8, type & 255, ...payload]);
}

function arp(operation: typeof ARP_REQUEST | typeof ARP_REPLY, sender: string, target: string): string | null {
  const bytes = new Uint8Array(ARP_BYTES);
  writeArp(bytes, 0, { operation, senderMac: readMac(MAC, 0), senderAddress: ip(sender), targetMac: { high: 0, low: 0 }, targetAddress: ip(target) });
  return describeFrame(frame(0x0806, bytes));
}

function ipv4(protocol: number, source: string, destination: string, payload: Uint8Array, fragmentOffset = 0): string | null {
  const bytes = new Uint8Array(20 + payload.length);
  bytes.set(payload, 20);
  writeIpv4Header(bytes, 0, {
    totalBytes: bytes.length, ecn: 0, identification: 1, dontFragment: false, moreFragments: false, fragmentOffset, ttl: 64, protocol, source: ip(source), destination: ip(destination),
  });
  return describeFrame(frame(0x0800, bytes));
}

function udp(source: string, sourcePort: number, destination: string, port: number, data: Uint8Array): string | null {
  const length = data.length + 8;
  return ipv4(17, source, destination, Uint8Array.from([sourcePort >>> 8, sourcePort & 255, port >>> 8, port & 255, length >>> 8, length & 255, 0, 0, ...data]));
}

describe('A frame in words', () => {
  it('tells questions, answers, probes and announcements of ARP apart (RFC 826, RFC 5227)', () => {
    assert.equal(arp(ARP_REQUEST, '10.0.0.2', '10.0.0.1'), 'ARP: who has 10.0.0.1? tell 10.0.0.2');
    assert.equal(arp(ARP_REPLY, '10.0.0.1', '10.0.0.2'), 'ARP: 10.0.0.1 is at 02:00:00:00:00:07');
    assert.equal(arp(ARP_REQUEST, '0.0.0.0', '10.0.0.2'), 'ARP probe: has anybody 10.0.0.2?');
    assert.equal(arp(ARP_REQUEST, '10.0.0.2', '10.0.0.2'), 'ARP announcement: 10.0.0.2 is at 02:00:00:00:00:07');
  });

  it('names what a DHCP message offers, and a server\'s own words without what a terminal would obey', () => {
    const fields = { xid: 1, secs: 0, broadcast: true, ciaddr: 0, siaddr: 0, giaddr: 0, chaddr: MAC };
    const discover = encodeDhcp({ ...fields, op: 'request', type: DHCP_DISCOVER, yiaddr: 0, options: new Map() });
    assert.equal(udp('0.0.0.0', 68, '255.255.255.255', 67, discover), 'DHCP DISCOVER from 02:00:00:00:00:07');
    const options = new Map([[OPTION_SERVER_ID, words(ip('10.0.0.1'))], [OPTION_ROUTER, words(ip('10.0.0.1'))], [OPTION_DNS, words(ip('10.0.0.8'), ip('10.0.0.9'))], [OPTION_LEASE_TIME, words(60)], [OPTION_MESSAGE, Uint8Array.of(72, 105, 27, 0x9b, 7)]]);
    const ack = encodeDhcp({ ...fields, op: 'reply', type: DHCP_ACK, yiaddr: ip('10.0.0.50'), options });
    assert.equal(udp('10.0.0.1', 67, '255.255.255.255', 68, ack), 'DHCP ACK of 10.0.0.50, server 10.0.0.1, router 10.0.0.1, DNS 10.0.0.8, 10.0.0.9, for 60 s, "Hi\\u001b?\\u0007"');
    assert.equal(udp('10.0.0.1', 67, '10.0.0.2', 68, new Uint8Array(20)), 'DHCP 10.0.0.1 to 10.0.0.2: not understood');
  });

  it('names the question and the answer of DNS', () => {
    const query = encodeDnsQuery(7, 'Web.Test', null);
    assert.equal(udp('10.0.0.2', 50_000, '10.0.0.1', 53, query), 'DNS query 10.0.0.2 to 10.0.0.1: web.test');
    // The question again, one A record that points at it.
    const answer = Uint8Array.from([...query, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 9]);
    answer[2] = 0x81;
    answer[7] = 1;
    assert.equal(udp('10.0.0.1', 53, '10.0.0.2', 50_000, answer), 'DNS answer 10.0.0.1 to 10.0.0.2: web.test 10.0.0.9');
    // The question again, and in the authority section the name server of the root, which is no SOA record.
    const referral = Uint8Array.from([...query, 0, 0, 2, 0, 1, 0, 0, 0, 60, 0, 3, 1, 97, 0]);
    referral[2] = 0x81;
    referral[9] = 1;
    assert.equal(udp('10.0.0.1', 53, '10.0.0.2', 50_000, referral), 'DNS answer 10.0.0.1 to 10.0.0.2: web.test only other servers to ask');
    const refusal = query.slice();
    refusal[2] = 0x81;
    refusal[3] = 3;
    assert.equal(udp('10.0.0.1', 53, '10.0.0.2', 50_000, refusal), 'DNS answer 10.0.0.1 to 10.0.0.2: web.test no such name');
    assert.equal(udp('10.0.0.1', 53, '10.0.0.2', 50_000, new Uint8Array(5)), 'DNS 10.0.0.1 to 10.0.0.2: not understood');
  });

  it('names the flags of TCP, the errors of ICMP, and what else there is', () => {
    const segment = (flags: string, data = new Uint8Array(0)) => encodeSegment(ip('10.0.0.2'), ip('10.0.0.1'), { sourcePort: 50_000, destinationPort: 80, seq: 1, ack: 1, flags: parseFlags(flags), win: 100, mss: null, wscale: null, payload: data });
    assert.match(ipv4(6, '10.0.0.2', '10.0.0.1', segment('SYN')) ?? '', /^TCP 10\.0\.0\.2:50000 to 10\.0\.0\.1:80 SYN$/);
    assert.match(ipv4(6, '10.0.0.2', '10.0.0.1', segment('ACK', new Uint8Array(3))) ?? '', /^TCP .* ACK, 3 bytes$/);
    const quoted = new Uint8Array(28);
    quoted.set([0x45, 0, 0, 28], 0);
    quoted.set([10, 0, 0, 9], 16);
    assert.equal(ipv4(1, '10.0.0.1', '10.0.0.2', Uint8Array.of(3, 13, 0, 0, 0, 0, 0, 0, ...quoted)), 'ICMP from 10.0.0.1: cannot reach by a rule, about a packet to 10.0.0.9');
    assert.equal(ipv4(1, '10.0.0.1', '10.0.0.2', Uint8Array.of(5, 1, 0, 0, 10, 0, 0, 3, ...quoted)), 'ICMP from 10.0.0.1: redirect to 10.0.0.3, about a packet to 10.0.0.9');
    assert.equal(ipv4(47, '10.0.0.1', '10.0.0.2', new Uint8Array(4)), 'IPv4 10.0.0.1 to 10.0.0.2: protocol 47');
    assert.equal(ipv4(6, '10.0.0.1', '10.0.0.2', new Uint8Array(40), 8), 'IPv4 10.0.0.1 to 10.0.0.2: a fragment of protocol 6');
    assert.equal(describeFrame(frame(0x86dd, new Uint8Array(40))), null);
  });

  it('is one line of printable ASCII, or nothing, whatever the bytes', () => {
    const type = fc.constantFrom([0x08, 0x00], [0x08, 0x06], [0x86, 0xdd]);
    const payload = fc.oneof(fc.uint8Array({ maxLength: 400 }), fc.uint8Array({ minLength: 30, maxLength: 400 }).map((bytes) => {
      // A sound header over anything.
      writeIpv4Header(bytes, 0, { totalBytes: bytes.length, ecn: 0, identification: 1, dontFragment: false, moreFragments: false, fragmentOffset: 0, ttl: 64, protocol: bytes[9] ?? 0, source: 1, destination: 2 });
      return bytes;
    }));
    fc.assert(fc.property(type, payload, fc.constantFrom(53, 67, 68, 9), fc.constantFrom(1, 6, 17), (ethertype, bytes, port, protocol) => {
      if (bytes.length > 24) writeIpv4Header(bytes, 0, { totalBytes: bytes.length, ecn: 0, identification: 1, dontFragment: false, moreFragments: false, fragmentOffset: 0, ttl: 64, protocol, source: 1, destination: 2 });
      if (bytes.length > 30) bytes.set([0, port, 0, port, 0, bytes.length - 20 > 255 ? 255 : bytes.length - 20], 20);
      const text = describeFrame(Uint8Array.from([...new Uint8Array(12), ...ethertype, ...bytes]));
      assert.ok(text === null || /^[ -~]+$/.test(text), JSON.stringify(text));
    }), { numRuns: 2_000 });
  });
});
