import assert from 'node:assert/strict';
import { ARP_REPLY, ARP_REQUEST } from '../../../stack/wire/arp';
import { BROADCAST_MAC } from '../../../stack/wire/ethernet';
import { PEER_ADDRESS, RawPeer, STACK_ADDRESS } from '../../support/raw-peer';
import { ip } from '../../support/two-stacks';

const OTHER_MAC = { high: 0x0200, low: 99 };

function send(peer: RawPeer, to = PEER_ADDRESS, ...bytes: number[]): void {
  peer.stack.udp.bind().send(to, 9, Uint8Array.from(bytes));
  peer.clock.advance(0);
}

describe('ARP (RFC 826, RFC 1122 §2.3.2)', () => {
  it('answers a request for our address, and no other', () => {
    const peer = new RawPeer();
    peer.arp({ operation: ARP_REQUEST, targetMac: { high: 0, low: 0 } }, BROADCAST_MAC);
    const [reply] = peer.arps();
    assert.deepEqual(reply?.packet, {
      operation: ARP_REPLY, senderMac: peer.stackMac, senderAddress: STACK_ADDRESS, targetMac: peer.mac, targetAddress: PEER_ADDRESS,
    });
    assert.deepEqual(reply?.destinationMac, peer.mac);
    const other = new RawPeer();
    other.arp({ operation: ARP_REQUEST, targetAddress: ip('10.0.0.3') }, BROADCAST_MAC);
    assert.deepEqual(other.sent(), []);
    assert.equal(other.stack.counters.arp.rxIgnored, 1);
  });

  it('answers a probe, which has no sender address, and learns nothing from it (RFC 5227 §2.1.1)', () => {
    const peer = new RawPeer();
    peer.arp({ operation: ARP_REQUEST, senderAddress: 0 }, BROADCAST_MAC);
    assert.equal(peer.arps().length, 1);
    send(peer, 0x0a00_0002);
    assert.equal(peer.arps()[0]?.packet.operation, ARP_REQUEST);
  });

  it('asks once for a neighbour, keeps what waits, and sends it in order when the answer comes', () => {
    const peer = new RawPeer();
    for (const byte of [1, 2, 3]) send(peer, PEER_ADDRESS, byte);
    const asked = peer.arps();
    assert.equal(asked.length, 1);
    assert.deepEqual(asked[0]?.destinationMac, BROADCAST_MAC);
    assert.equal(asked[0]?.packet.targetAddress, PEER_ADDRESS);
    peer.arp({});
    assert.deepEqual(peer.packets().map(({ payload }) => payload[8]), [1, 2, 3]);
    assert.equal(peer.stack.counters.arp.resolved, 1);
    send(peer, PEER_ADDRESS, 4);
    assert.deepEqual(peer.packets().map(({ payload, destinationMac }) => [payload[8], destinationMac]), [[4, peer.mac]]);
  });

  it('repeats the request once a second, three times, then drops and reports what waits (RFC 1122 §2.3.2.1)', () => {
    const peer = new RawPeer();
    send(peer, PEER_ADDRESS, 1);
    const times: number[] = [];
    for (let ms = 0; ms < 5_000; ms += 100) {
      if (peer.arps().length > 0) times.push(peer.clock.now());
      peer.clock.advance(100);
    }
    assert.deepEqual(times, [0, 1_000, 2_000]);
    assert.equal(peer.stack.counters.arp.failed, 1);
    assert.equal(peer.stack.counters.arp.txUnresolved, 1);
    peer.arp({});
    assert.deepEqual(peer.packets(), []);
  });

  it('keeps a bounded queue per neighbour, the latest packets (RFC 1122 §2.3.2.2)', () => {
    const peer = new RawPeer({ config: { arp: { queuePackets: 2 } } });
    for (const byte of [1, 2, 3, 4]) send(peer, PEER_ADDRESS, byte);
    peer.arp({});
    assert.deepEqual(peer.packets().map(({ payload }) => payload[8]), [3, 4]);
    assert.equal(peer.stack.counters.arp.queueFull, 2);
  });

  it('keeps bounded memory for all neighbours together', () => {
    const peer = new RawPeer({ config: { arp: { queueBytes: 100 } } });
    for (let host = 2; host < 12; host++) send(peer, ip(`10.0.0.${host}`), 1);
    assert.equal(peer.stack.counters.arp.queueFull, 8, 'two frames of 43 bytes fit');
  });

  it('uses a neighbour past its time, asking it alone, and goes on when it answers (RFC 1122 §2.3.2.1)', () => {
    const peer = new RawPeer({ config: { arp: { reachableMs: 5_000 } } });
    send(peer, PEER_ADDRESS, 1);
    peer.arp({});
    peer.sent();
    peer.clock.advance(5_001);
    assert.deepEqual(peer.sent(), [], 'an idle neighbour is not asked');
    send(peer, PEER_ADDRESS, 2);
    const frames = peer.sent();
    assert.equal(frames.length, 2, 'the packet at once, and a request');
    assert.deepEqual([...(frames[1]?.subarray(0, 6) ?? [])], [2, 0, 0, 0, 0, 1], 'by unicast');
    peer.arp({});
    peer.clock.advance(4_000);
    assert.deepEqual(peer.sent(), []);
  });

  it('forgets a neighbour that does not answer when asked again, and asks everybody', () => {
    const peer = new RawPeer({ config: { arp: { reachableMs: 5_000 } } });
    send(peer, PEER_ADDRESS, 1);
    peer.arp({});
    peer.clock.advance(6_000);
    peer.sent();
    send(peer, PEER_ADDRESS, 2);
    peer.clock.advance(4_000);
    assert.equal(peer.arps().length, 3);
    assert.equal(peer.stack.counters.arp.expired, 1);
    send(peer, PEER_ADDRESS, 3);
    assert.deepEqual(peer.arps()[0]?.destinationMac, BROADCAST_MAC);
  });

  it('makes no entry from replies that nobody asked for, but follows a known neighbour to another card', () => {
    const peer = new RawPeer();
    peer.arp({ senderAddress: ip('10.0.0.3'), senderMac: OTHER_MAC });
    assert.equal(peer.stack.counters.arp.rxIgnored, 1);
    send(peer, ip('10.0.0.3'), 1);
    assert.equal(peer.arps().length, 1, 'it is asked for');
    peer.introduce();
    peer.arp({ senderMac: OTHER_MAC });
    send(peer, PEER_ADDRESS, 1);
    assert.deepEqual(peer.packets()[0]?.destinationMac, OTHER_MAC);
  });

  it('learns from a request for us only on our own network, and answers it from any (RFC 826)', () => {
    const peer = new RawPeer({ gateway: '10.0.0.254' });
    peer.arp({ operation: ARP_REQUEST, senderAddress: ip('192.168.7.7') }, BROADCAST_MAC);
    assert.deepEqual(peer.arps().map(({ packet, destinationMac }) => [packet.operation, packet.targetAddress, destinationMac]), [[ARP_REPLY, ip('192.168.7.7'), peer.mac]]);
    assert.equal(peer.stack.counters.arp.rxIgnored, 1);
    peer.arp({ operation: ARP_REQUEST, senderAddress: ip('224.0.0.1') }, BROADCAST_MAC);
    assert.deepEqual(peer.sent(), []);
  });

  it('warns of another station with our address, not more often than every ten seconds (RFC 5227 §2.4)', () => {
    const peer = new RawPeer();
    for (let i = 0; i < 5; i++) peer.arp({ senderAddress: STACK_ADDRESS, senderMac: OTHER_MAC }, BROADCAST_MAC);
    const warnings = peer.events.filter(({ type }) => type === 'warning');
    assert.equal(warnings.length, 1);
    assert.match(JSON.stringify(warnings), /02:00:00:00:00:63 on the link claims our address 10\.0\.0\.1/);
    assert.equal(peer.stack.counters.arp.rxIgnored, 5);
  });

  it('holds a bounded table, evicting the least recently used', () => {
    const peer = new RawPeer({ config: { arp: { maxNeighbors: 3 } } });
    for (const host of [2, 3, 4]) peer.introduce(ip(`10.0.0.${host}`));
    send(peer, ip('10.0.0.2'), 1);
    peer.introduce(ip('10.0.0.5'));
    assert.equal(peer.stack.counters.arp.tableFull, 1);
    peer.sent();
    send(peer, ip('10.0.0.2'), 1);
    assert.equal(peer.packets().length, 1, 'still known');
    send(peer, ip('10.0.0.3'), 1);
    assert.equal(peer.packets().length, 0, 'evicted');
  });

  it('counts malformed packets and those with a group as sender', () => {
    const peer = new RawPeer();
    peer.arp({ senderMac: { high: 0x0300, low: 1 } });
    assert.equal(peer.stack.counters.arp.rxMalformed, 1);
  });
});
