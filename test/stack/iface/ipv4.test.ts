import assert from 'node:assert/strict';
import type { Counters } from '../../../stack/observer';
import { BROADCAST_MAC } from '../../../stack/wire/ethernet';
import { writeUdpHeader } from '../../../stack/wire/udp';
import { PEER_ADDRESS, RawPeer, STACK_ADDRESS } from '../../support/raw-peer';
import { ip } from '../../support/two-stacks';

function udp(source: number, destination: number, port: number, data: readonly number[]): Uint8Array {
  const datagram = new Uint8Array(8 + data.length);
  datagram.set(data, 8);
  writeUdpHeader(datagram, 0, source, 1_000, destination, port, data.length);
  return datagram;
}

const hello = udp(PEER_ADDRESS, STACK_ADDRESS, 7, [1, 2, 3]);

/** The IPv4 and Ethernet counters that a frame raised, but for those that count every packet. */
function raised(peer: RawPeer, run: () => void): string[] {
  const { counters } = peer.stack;
  const flat = (of: Counters): [string, number][] => [...Object.entries(of.ethernet), ...Object.entries(of.ipv4)];
  const before = new Map(flat(structuredClone(counters)));
  run();
  return flat(counters).filter(([name, value]) => value !== before.get(name) && name !== 'rxPackets' && !name.startsWith('tx')).map(([name]) => name);
}

describe('Frames in', () => {
  const cases: readonly (readonly [string, string, (peer: RawPeer) => void])[] = [
    ['for another station', 'rxNotForUs', (peer) => peer.ipv4({}, hello, { destinationMac: { high: 0x0200, low: 77 } })],
    ['that are our own, come back', 'rxOwnEcho', (peer) => peer.ipv4({}, hello, { sourceMac: peer.stackMac })],
    ['of an unknown type', 'rxUnknownType', (peer) => peer.ipv4({}, hello, { mangle: (frame) => frame.set([0x86, 0xdd], 12) })],
  ];
  for (const [what, counter, run] of cases) {
    it(`are dropped and counted: ${what}`, () => {
      const peer = new RawPeer();
      assert.deepEqual(raised(peer, () => run(peer)), [counter]);
      assert.deepEqual(peer.sent(), []);
    });
  }
});

describe('IPv4 in (RFC 791, RFC 1122 §3.2.1)', () => {
  it('delivers a packet, without the link’s padding', () => {
    const peer = new RawPeer();
    const inbox = peer.stack.udp.bind({ port: 7 });
    const padded = new Uint8Array(hello.length + 20);
    padded.set(hello);
    peer.ipv4({ totalBytes: 20 + hello.length }, padded);
    assert.deepEqual(inbox.receive()?.data, Uint8Array.of(1, 2, 3));
  });

  it('takes a packet larger than the MTU: receive offload makes them', () => {
    const peer = new RawPeer({ mtu: 1_500 });
    const inbox = peer.stack.udp.bind({ port: 7 });
    const big = udp(PEER_ADDRESS, STACK_ADDRESS, 7, new Array<number>(8_000).fill(5));
    peer.ipv4({}, big);
    assert.equal(inbox.receive()?.data.length, 8_000);
  });

  const cases: readonly (readonly [string, string, (peer: RawPeer) => void])[] = [
    ['with a bad checksum', 'rxBadChecksum', (peer) => peer.ipv4({}, hello, { mangle: (frame) => frame.fill(9, 24, 25) })],
    ['of another version', 'rxBadVersion', (peer) => peer.ipv4({}, hello, { mangle: (frame) => frame.fill(0x65, 14, 15) })],
    ['with a header that is too short', 'rxBadHeaderLength', (peer) => peer.ipv4({}, hello, { mangle: (frame) => frame.fill(0x44, 14, 15) })],
    ['that claim more than came', 'rxBadTotalLength', (peer) => peer.ipv4({ totalBytes: 1_000 }, hello)],
    ['for another address', 'rxNotForUs', (peer) => peer.ipv4({ destination: ip('10.0.0.3') }, hello)],
    ['for a group we are not in', 'rxNotForUs', (peer) => peer.ipv4({ destination: ip('224.0.0.1') }, hello)],
    ['for us in a frame for everybody (RFC 1122 §3.3.6)', 'rxNotForUs', (peer) => peer.ipv4({}, hello, { destinationMac: BROADCAST_MAC })],
    ['from a broadcast address', 'rxBadSource', (peer) => peer.ipv4({ source: 0xffff_ffff }, hello)],
    ['from our network’s broadcast address', 'rxBadSource', (peer) => peer.ipv4({ source: ip('10.0.0.255') }, hello)],
    ['from a group', 'rxBadSource', (peer) => peer.ipv4({ source: ip('224.0.0.1') }, hello)],
    ['from 127.0.0.1', 'rxBadSource', (peer) => peer.ipv4({ source: ip('127.0.0.1') }, hello)],
    ['from 0.0.0.0 to us alone', 'rxBadSource', (peer) => peer.ipv4({ source: 0 }, hello)],
    ['from our own address', 'rxBadSource', (peer) => peer.ipv4({ source: STACK_ADDRESS }, hello)],
    ['of an unknown protocol', 'rxUnknownProtocol', (peer) => peer.ipv4({ protocol: 200 }, hello)],
  ];
  for (const [what, counter, run] of cases) {
    it(`drops and counts packets ${what}`, () => {
      const peer = new RawPeer();
      const inbox = peer.stack.udp.bind({ port: 7 });
      assert.deepEqual(raised(peer, () => run(peer)), [counter]);
      assert.equal(inbox.receive(), null);
    });
  }

  it('drops and counts source-routed packets', () => {
    const peer = new RawPeer();
    const payload = Uint8Array.of(131, 3, 4, 0, ...hello);
    const frame = (bytes: Uint8Array): void => {
      bytes[14] = 0x46;
      bytes.fill(0, 24, 26);
      let sum = 0;
      for (let i = 14; i < 38; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
      sum = (sum & 0xffff) + (sum >>> 16);
      bytes.set([(~sum >>> 8) & 0xff, ~sum & 0xff], 24);
    };
    assert.deepEqual(raised(peer, () => peer.ipv4({}, payload, { mangle: frame })), ['rxSourceRoute']);
  });

  it('delivers broadcasts to UDP, and never a TCP segment (RFC 9293 §3.9.2.3)', () => {
    const peer = new RawPeer();
    const inbox = peer.stack.udp.bind({ port: 7 });
    peer.ipv4({ destination: ip('10.0.0.255') }, udp(PEER_ADDRESS, ip('10.0.0.255'), 7, [4]), { destinationMac: BROADCAST_MAC });
    assert.deepEqual(inbox.receive()?.data, Uint8Array.of(4));
    peer.ipv4({ destination: ip('10.0.0.255'), protocol: 6 }, new Uint8Array(20), { destinationMac: BROADCAST_MAC });
    assert.equal(peer.stack.counters.tcp.rxBadBroadcast, 1);
    assert.equal(peer.stack.counters.tcp.rxSegments, 0);
  });
});

describe('IPv4 out (RFC 791 §3.2, RFC 1122 §3.3)', () => {
  it('sends by the gateway what is not on our network', () => {
    const peer = new RawPeer({ gateway: '10.0.0.2' });
    peer.introduce();
    peer.stack.udp.bind().send(ip('93.184.216.34'), 9, Uint8Array.of(1));
    const [packet] = peer.packets();
    assert.equal(packet?.header.destination, ip('93.184.216.34'));
    assert.equal(packet?.header.ttl, 64);
    assert.deepEqual(packet?.destinationMac, peer.mac);
  });

  it('counts what has no route', () => {
    const peer = new RawPeer();
    assert.equal(peer.stack.udp.bind().send(ip('93.184.216.34'), 9, Uint8Array.of(1)), 'unreachable');
    assert.deepEqual(peer.sent(), []);
  });

  it('sends broadcasts and groups without asking for a neighbour', () => {
    const peer = new RawPeer();
    const socket = peer.stack.udp.bind();
    socket.send(ip('10.0.0.255'), 9, Uint8Array.of(1));
    socket.send(ip('224.0.0.251'), 5_353, Uint8Array.of(1));
    assert.deepEqual(peer.packets().map(({ destinationMac }) => destinationMac), [BROADCAST_MAC, { high: 0x0100, low: 0x5e00_00fb }]);
  });

  it('cuts a packet over the MTU into fragments on multiples of eight bytes', () => {
    const peer = new RawPeer({ mtu: 100 });
    peer.introduce();
    const data = Uint8Array.from({ length: 200 }, (_, i) => i);
    peer.stack.udp.bind().send(PEER_ADDRESS, 9, data);
    const fragments = peer.packets();
    assert.deepEqual(fragments.map(({ header }) => [header.fragmentOffset, header.totalBytes, header.moreFragments]), [[0, 100, true], [80, 100, true], [160, 68, false]]);
    assert.equal(new Set(fragments.map(({ header }) => header.identification)).size, 1);
    assert.deepEqual(Buffer.concat(fragments.map(({ payload }) => payload)).subarray(8), Buffer.from(data));
  });

  it('keeps every fragment while the neighbour is asked for', () => {
    const peer = new RawPeer({ mtu: 100 });
    const data = Uint8Array.from({ length: 200 }, (_, i) => i);
    peer.stack.udp.bind().send(PEER_ADDRESS, 9, data);
    peer.clock.advance(0);
    peer.sent();
    peer.arp({});
    assert.deepEqual(Buffer.concat(peer.packets().map(({ payload }) => payload)).subarray(8), Buffer.from(data));
  });

  it('gives each packet to one destination its own identification (RFC 6864 §4.3)', () => {
    const peer = new RawPeer();
    peer.introduce();
    const socket = peer.stack.udp.bind();
    for (let i = 0; i < 100; i++) socket.send(PEER_ADDRESS, 9, Uint8Array.of(1));
    assert.equal(new Set(peer.packets().map(({ header }) => header.identification)).size, 100);
  });
});
