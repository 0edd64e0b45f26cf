import assert from 'node:assert/strict';
import { BROADCAST_MAC } from '../../../stack/wire/ethernet';
import { parseIcmp } from '../../../stack/wire/icmp';
import { writeIpv4Header } from '../../../stack/wire/ipv4';
import { writeUdpHeader } from '../../../stack/wire/udp';
import { PEER_ADDRESS, RawPeer, STACK_ADDRESS } from '../../support/raw-peer';
import { ip } from '../../support/two-stacks';

const body = Uint8Array.of(1, 2, 3, 4, 5);

function introduced(options: ConstructorParameters<typeof RawPeer>[0] = {}): RawPeer {
  const peer = new RawPeer(options);
  peer.introduce();
  return peer;
}

function datagram(port: number, bytes = 3, destination = STACK_ADDRESS): Uint8Array {
  const made = new Uint8Array(8 + bytes);
  writeUdpHeader(made, 0, PEER_ADDRESS, 1_000, destination, port, bytes);
  return made;
}

/** The body of an error about a datagram that `source` sent to the peer. */
function quote(protocol: number, sourcePort: number, destinationPort: number, source = STACK_ADDRESS): Uint8Array {
  const quoted = new Uint8Array(28);
  writeIpv4Header(quoted, 0, {
    totalBytes: 1_500, ecn: 0, identification: 0, dontFragment: true, moreFragments: false, fragmentOffset: 0, ttl: 1, protocol, source, destination: PEER_ADDRESS,
  });
  quoted.set([sourcePort >>> 8, sourcePort & 255, destinationPort >>> 8, destinationPort & 255], 20);
  return quoted;
}

describe('ICMP echo (RFC 792, RFC 1122 §3.2.2.6)', () => {
  it('is answered with the same identifier, sequence number and data', () => {
    const peer = introduced();
    peer.icmp(8, 0, 0x1234_0001, body);
    const [reply] = peer.packets();
    assert.ok(reply);
    assert.equal(reply.header.source, STACK_ADDRESS);
    assert.equal(reply.header.destination, PEER_ADDRESS);
    assert.deepEqual(parseIcmp(reply.payload), { type: 0, code: 0, rest: 0x1234_0001 });
    assert.deepEqual(reply.payload.slice(8), body);
  });

  it('is answered over the MTU, in fragments', () => {
    const peer = introduced({ mtu: 576 });
    peer.icmp(8, 0, 1, new Uint8Array(1_000).fill(3));
    assert.deepEqual(peer.packets().map(({ header }) => header.totalBytes), [572, 476]);
  });

  it('is not answered when sent to everybody, or when switched off', () => {
    const peer = introduced();
    peer.icmp(8, 0, 1, body, { destination: ip('10.0.0.255') }, BROADCAST_MAC);
    assert.deepEqual(peer.sent(), []);
    assert.equal(peer.stack.counters.icmp.txSuppressed, 1);
    const silent = introduced({ config: { icmp: { answerEcho: false } } });
    silent.icmp(8, 0, 1, body);
    assert.deepEqual(silent.sent(), []);
  });

  it('is answered by a router for any address, from that address', () => {
    const peer = introduced({ acceptAnyDestination: true });
    peer.icmp(8, 0, 1, body, { destination: ip('1.1.1.1') });
    assert.equal(peer.packets()[0]?.header.source, ip('1.1.1.1'));
  });

  it('is limited in rate, and answered again after a while (RFC 1812 §4.3.2.8)', () => {
    const peer = introduced({ config: { icmp: { ratePerSecond: 50 } } });
    for (let i = 0; i < 20; i++) peer.icmp(8, 0, i, body);
    assert.equal(peer.packets().length, 5);
    assert.equal(peer.stack.counters.icmp.txRateLimited, 15);
    peer.clock.advance(40);
    for (let i = 0; i < 20; i++) peer.icmp(8, 0, i, body);
    assert.equal(peer.packets().length, 2);
  });
});

describe('ICMP errors out (RFC 1122 §3.2.2)', () => {
  it('tell of a closed port, quoting the header as it came and the datagram', () => {
    const peer = introduced();
    peer.ipv4({ ttl: 33, identification: 77 }, datagram(9));
    const [error] = peer.packets();
    assert.ok(error);
    assert.deepEqual(parseIcmp(error.payload), { type: 3, code: 3, rest: 0 });
    assert.equal(error.payload[8 + 8], 33, 'the time to live of the packet that came');
    assert.equal(error.payload[8 + 5], 77);
    assert.deepEqual(error.payload.slice(28), datagram(9));
  });

  it('tell of an unknown protocol', () => {
    const peer = introduced();
    peer.ipv4({ protocol: 132 }, body);
    assert.deepEqual(peer.packets().map(({ payload }) => parseIcmp(payload)), [{ type: 3, code: 2, rest: 0 }]);
  });

  it('fit into 576 bytes (RFC 1812 §4.3.2.3)', () => {
    const peer = introduced();
    peer.ipv4({}, datagram(9, 1_000));
    assert.equal(peer.packets()[0]?.header.totalBytes, 576);
  });

  it('tell the sender of the first fragment that the rest did not come (RFC 1122 §3.3.2)', () => {
    const peer = introduced();
    peer.ipv4({ moreFragments: true }, datagram(9, 8));
    peer.ipv4({ moreFragments: true, identification: 2, fragmentOffset: 8 }, datagram(9, 8));
    peer.clock.advance(31_000);
    assert.deepEqual(peer.packets().map(({ payload }) => parseIcmp(payload)), [{ type: 11, code: 1, rest: 0 }]);
    assert.equal(peer.stack.counters.ipv4.reassemblyTimeout, 2);
  });

  it('are never sent about errors, packets for many, or from nobody', () => {
    const peer = introduced();
    peer.icmp(3, 3, 0, quote(17, 5, 6));
    peer.ipv4({ destination: ip('10.0.0.255') }, datagram(9, 3, ip('10.0.0.255')), { destinationMac: BROADCAST_MAC });
    peer.ipv4({ protocol: 132, destination: 0xffff_ffff }, body, { destinationMac: BROADCAST_MAC });
    peer.ipv4({ protocol: 132, fragmentOffset: 800 }, body);
    peer.clock.advance(60_000);
    assert.deepEqual(peer.packets(), []);
    assert.equal(peer.stack.counters.icmp.txErrors, 0);
    assert.equal(peer.stack.counters.icmp.txSuppressed, 2);
  });
});

describe('ICMP in', () => {
  it('hands an error to the socket that sent the packet', () => {
    const peer = introduced();
    const socket = peer.stack.udp.bind();
    let code: string | undefined;
    socket.onChange = () => (code = socket.takeError()?.error.code);
    peer.icmp(3, 1, 0, quote(17, socket.localPort, 53));
    assert.equal(code, 'EHOSTUNREACH');
  });

  it('ignores and counts errors about packets that are not ours, of other protocols, or cut short', () => {
    const peer = introduced();
    peer.icmp(3, 3, 0, quote(17, 5, 6, ip('10.0.0.99')));
    peer.icmp(3, 3, 0, quote(1, 5, 6));
    peer.icmp(3, 3, 0, quote(17, 5, 6).subarray(0, 27));
    peer.icmp(11, 0, 0, new Uint8Array(0));
    assert.equal(peer.stack.counters.icmp.rxErrors, 4);
    assert.equal(peer.stack.counters.icmp.rxErrorsIgnored, 4);
  });

  it('ignores and counts redirects, unknown types and replies nobody waits for', () => {
    const peer = introduced();
    peer.icmp(5, 1, PEER_ADDRESS, quote(17, 5, 6));
    peer.icmp(13, 0, 0, body);
    peer.icmp(0, 0, 0, body);
    const { counters } = peer.stack;
    assert.deepEqual([counters.icmp.rxRedirectsIgnored, counters.icmp.rxUnknownType, counters.icmp.rxEchoReplies], [1, 1, 1]);
    assert.deepEqual(peer.packets(), []);
  });

  it('drops and counts messages that are damaged or cut short', () => {
    const peer = introduced();
    peer.ipv4({ protocol: 1 }, Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 0));
    peer.ipv4({ protocol: 1 }, Uint8Array.of(8, 0, 0));
    assert.equal(peer.stack.counters.icmp.rxBadChecksum, 1);
    assert.equal(peer.stack.counters.icmp.rxTooShort, 1);
  });
});
