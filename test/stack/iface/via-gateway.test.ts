/** The computer's own address, to which packets can go only by the router: nothing injected on its interface reaches its kernel. */
import assert from 'node:assert/strict';
import { ARP_REPLY, ARP_REQUEST } from '../../../stack/wire/arp';
import { BROADCAST_MAC } from '../../../stack/wire/ethernet';
import { PEER_ADDRESS, RawPeer, STACK_ADDRESS } from '../../support/raw-peer';
import { ip } from '../../support/two-stacks';

const ROUTER = ip('10.0.0.254');
/** The computer's. */
const HOST = ip('10.0.0.7');
const HOST_MAC = { high: 0x0242, low: 0x4200_0007 };

/** The peer is the router. */
function beside(options: ConstructorParameters<typeof RawPeer>[0] = {}): RawPeer {
  const peer = new RawPeer({ gateway: '10.0.0.254', ...options });
  peer.stack.viaGateway = [HOST];
  peer.introduce(ROUTER);
  return peer;
}

describe('An address that is reached via the gateway', () => {
  it('is not asked for by ARP, though it is on the own network: the packet goes to the router', () => {
    const peer = beside();
    peer.stack.tcp.connect({ address: HOST, port: 80 }, peer.clock.now());
    peer.clock.advance(0);
    const [syn] = peer.packets();
    assert.equal(syn?.header.destination, HOST);
    assert.deepEqual(syn.destinationMac, peer.mac);
    assert.equal(peer.stack.counters.arp.failed, 0);
  });

  it('has no route without a router', () => {
    const peer = new RawPeer();
    peer.stack.viaGateway = [HOST];
    assert.throws(() => peer.stack.tcp.connect({ address: HOST, port: 80 }, peer.clock.now()), { code: 'ENETUNREACH' });
  });

  it('is told that its packets have come back past us', () => {
    const peer = beside();
    peer.ipv4({ source: STACK_ADDRESS, destination: HOST }, new Uint8Array(8), { destinationMac: HOST_MAC });
    peer.ipv4({ source: PEER_ADDRESS, destination: HOST }, new Uint8Array(8), { destinationMac: HOST_MAC });
    peer.ipv4({ source: STACK_ADDRESS, destination: PEER_ADDRESS }, new Uint8Array(8), { destinationMac: HOST_MAC });
    const { ethernet } = peer.stack.counters;
    assert.deepEqual([ethernet.rxCameBack, ethernet.rxNotForUs], [1, 2]);
  });

  it('is told so, too, where the stack has the computer\'s MAC address', () => {
    const peer = beside();
    peer.ipv4({ source: STACK_ADDRESS, destination: HOST }, new Uint8Array(8));
    peer.ipv4({ source: PEER_ADDRESS, destination: HOST }, new Uint8Array(8));
    const { ipv4 } = peer.stack.counters;
    assert.deepEqual([ipv4.rxCameBack, ipv4.rxNotForUs], [1, 1]);
  });

  it('gets no answer to ARP, which it would not hear: that is counted', () => {
    const peer = beside();
    peer.arp({ operation: ARP_REQUEST, senderMac: HOST_MAC, senderAddress: HOST }, BROADCAST_MAC);
    assert.deepEqual(peer.arps(), []);
    assert.equal(peer.stack.counters.arp.rxUnanswerable, 1);
    peer.arp({ operation: ARP_REQUEST, senderAddress: PEER_ADDRESS }, BROADCAST_MAC);
    assert.deepEqual(peer.arps().map(({ packet }) => packet.operation), [ARP_REPLY]);
    assert.equal(peer.stack.counters.arp.rxUnanswerable, 1);
  });
});
