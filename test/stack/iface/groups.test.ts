import assert from 'node:assert/strict';
import { multicastMac } from '../../../stack/wire/ethernet';
import { datagram } from '../socket/udp-harness';
import { PEER_ADDRESS, RawPeer } from '../../support/raw-peer';
import { ip } from '../../support/two-stacks';

const MDNS = ip('224.0.0.251');

function send(peer: RawPeer, destination = MDNS, destinationMac = multicastMac(destination)): void {
  peer.ipv4({ destination, ttl: 255 }, datagram({ address: PEER_ADDRESS, port: 5_353 }, { address: destination, port: 5_353 }, Uint8Array.of(7)), { destinationMac });
}

describe('Multicast groups of the link (RFC 1112 §7)', () => {
  it('are heard while joined, by every UDP socket of the port, and not before or after', () => {
    const peer = new RawPeer();
    const socket = peer.stack.udp.bind({ port: 5_353 });
    send(peer);
    assert.equal(peer.stack.counters.ethernet.rxNotForUs, 1);
    peer.stack.groups.join(MDNS);
    peer.stack.groups.join(MDNS);
    send(peer);
    const received = socket.receive();
    assert.deepEqual([received?.destination, received?.source], [MDNS, PEER_ADDRESS]);
    peer.stack.groups.leave(MDNS);
    send(peer);
    assert.ok(socket.receive(), 'joined twice, left once');
    peer.stack.groups.leave(MDNS);
    peer.stack.groups.leave(MDNS);
    send(peer);
    assert.equal(socket.receive(), null);
  });

  it('do not let other groups in, of another or the same Ethernet address, nor groups in frames for us', () => {
    const peer = new RawPeer();
    const socket = peer.stack.udp.bind({ port: 5_353 });
    peer.stack.groups.join(MDNS);
    send(peer, ip('224.0.0.252'));
    assert.equal(peer.stack.counters.ethernet.rxNotForUs, 1);
    send(peer, ip('224.128.0.251'));
    send(peer, MDNS, peer.stackMac);
    assert.equal(peer.stack.counters.ipv4.rxNotForUs, 2);
    assert.equal(socket.receive(), null);
  });

  it('get no answer: no port unreachable, no echo reply (RFC 1122 §3.2.2, §3.2.2.6)', () => {
    const peer = new RawPeer();
    peer.introduce();
    peer.stack.groups.join(MDNS);
    send(peer);
    peer.icmp(8, 0, 1, new Uint8Array(8), { destination: MDNS }, multicastMac(MDNS));
    assert.deepEqual(peer.sent(), []);
  });

  it('are those of 224.0.0.0/24 only: others would need IGMP', () => {
    const peer = new RawPeer();
    for (const group of ['224.0.1.1', '239.1.2.3', '10.0.0.1', '255.255.255.255']) {
      assert.throws(() => peer.stack.groups.join(ip(group)), /no group of the link/, group);
    }
  });
});
