/** An address that a kernel has too: the stack may speak only for the ports that were set aside for it. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { SentPacket } from '../../support/raw-peer';
import { PEER_ADDRESS, RawPeer, STACK_ADDRESS } from '../../support/raw-peer';
import { decodeSegment, encodeSegment, parseFlags } from '../../support/tcp-segment';
import { ip } from '../../support/two-stacks';
import { writeIcmp } from '../../../stack/wire/icmp';
import { writeIpv4Header } from '../../../stack/wire/ipv4';
import { writeUdpHeader } from '../../../stack/wire/udp';

const PORTS = { first: 61_440, last: 61_695 };
const TCP = 6;
const UDP = 17;

function shared(): RawPeer {
  const peer = new RawPeer({ address: { mode: 'shared', address: STACK_ADDRESS, prefixLength: 24, gateway: ip('10.0.0.254'), ports: PORTS } });
  peer.introduce();
  return peer;
}

function segment(port: number, flags: string, remotePort = 80): Uint8Array {
  return encodeSegment(PEER_ADDRESS, STACK_ADDRESS, {
    sourcePort: remotePort, destinationPort: port, seq: 1_000, ack: 1, flags: parseFlags(flags), win: 1_000,
    mss: null, wscale: null, sackPermitted: false, sack: null, ts: null, payload: new Uint8Array(0),
  });
}

function datagram(port: number, bytes = 3): Uint8Array {
  const made = new Uint8Array(8 + bytes);
  writeUdpHeader(made, 0, PEER_ADDRESS, 1_000, STACK_ADDRESS, port, bytes);
  return made;
}

/** The body of an ICMP error about a packet that left from `localPort`. */
function quote(protocol: number, localPort: number, remotePort: number, seq = 0): Uint8Array {
  const quoted = new Uint8Array(28);
  writeIpv4Header(quoted, 0, {
    totalBytes: 60, ecn: 0, identification: 0, dontFragment: true, moreFragments: false, fragmentOffset: 0, ttl: 1, protocol, source: STACK_ADDRESS, destination: PEER_ADDRESS,
  });
  const view = new DataView(quoted.buffer);
  view.setUint16(20, localPort);
  view.setUint16(22, remotePort);
  view.setUint32(24, seq);
  return quoted;
}

function icmpMessage(type: number, body: Uint8Array): Uint8Array {
  const message = new Uint8Array(8 + body.length);
  message.set(body, 8);
  writeIcmp(message, 0, message.length, { type, code: 3, rest: 0 });
  return message;
}

function flagsOf(packet: SentPacket | undefined): string {
  assert.ok(packet, 'a packet was sent');
  return [...decodeSegment(packet.header.source, packet.header.destination, packet.payload).flags].join(' ');
}

describe('A shared address', () => {
  for (const port of [22, PORTS.first - 1, PORTS.last + 1, 65_535]) {
    it(`leaves port ${port} to the kernel without a word`, () => {
      const peer = shared();
      for (const flags of ['SYN', 'ACK', 'FIN ACK', 'RST', 'SYN ACK']) peer.ipv4({ protocol: TCP }, segment(port, flags));
      peer.ipv4({ protocol: UDP }, datagram(port));
      peer.clock.advance(120_000);
      assert.deepEqual(peer.sent(), []);
      assert.equal(peer.stack.counters.ipv4.rxNotOurs, 6);
      assert.equal(peer.stack.counters.tcp.rxSegments, 0);
    });
  }

  it('leaves ARP, echo and unknown protocols to the kernel', () => {
    const peer = shared();
    peer.arp({ operation: 1, senderAddress: PEER_ADDRESS, targetAddress: STACK_ADDRESS });
    peer.icmp(8, 0, 1, Uint8Array.of(1, 2, 3));
    peer.ipv4({ protocol: 132 }, new Uint8Array(16));
    peer.clock.advance(10_000);
    assert.deepEqual(peer.sent(), []);
    assert.equal(peer.stack.counters.arp.txReplies, 0);
    assert.equal(peer.stack.counters.ipv4.rxNotOurs, 2);
  });

  it('neither probes, announces nor defends the address: its kernel does', () => {
    const peer = new RawPeer({ conflictDetection: true, address: { mode: 'shared', address: STACK_ADDRESS, prefixLength: 24, ports: PORTS } });
    assert.equal(peer.stack.addressInfo?.address, STACK_ADDRESS);
    peer.arp({ operation: 1, senderAddress: STACK_ADDRESS, targetAddress: STACK_ADDRESS });
    peer.clock.advance(60_000);
    assert.deepEqual(peer.sent(), []);
  });

  it('says nothing of fragments that never became whole, but for its own ports', () => {
    const peer = shared();
    peer.ipv4({ protocol: UDP, moreFragments: true }, datagram(53, 8));
    peer.ipv4({ protocol: UDP, moreFragments: true, identification: 2 }, datagram(PORTS.first, 8));
    peer.clock.advance(60_000);
    const errors = peer.packets();
    assert.deepEqual(errors.map(({ payload }) => [payload[0], (payload[28 + 2] ?? 0) << 8 | (payload[28 + 3] ?? 0)]), [[11, PORTS.first]]);
  });

  it('answers for its own ports as every host does', () => {
    const peer = shared();
    peer.ipv4({ protocol: TCP }, segment(PORTS.last, 'SYN'));
    assert.equal(flagsOf(peer.packets()[0]), 'RST ACK');
    peer.ipv4({ protocol: UDP }, datagram(PORTS.first));
    assert.deepEqual(peer.packets().map(({ payload }) => [payload[0], payload[1]]), [[3, 3]]);
  });

  it('connects from its own ports only, and to as many places as there are ports', () => {
    const peer = shared();
    const { tcp } = peer.stack;
    const ports = new Set<number>();
    for (let i = PORTS.first; i <= PORTS.last; i++) ports.add(tcp.connect({ address: PEER_ADDRESS, port: 80 }, peer.clock.now()).localPort);
    assert.equal(ports.size, PORTS.last - PORTS.first + 1);
    assert.deepEqual([Math.min(...ports), Math.max(...ports)], [PORTS.first, PORTS.last]);
    assert.throws(() => tcp.connect({ address: PEER_ADDRESS, port: 80 }, peer.clock.now()), { code: 'ENOBUFS' });
  });

  it('binds datagram sockets to its own ports only', () => {
    const { udp } = shared().stack;
    for (let i = 0; i < 200; i++) {
      const { localPort } = udp.bind();
      assert.ok(localPort >= PORTS.first && localPort <= PORTS.last, `port ${localPort}`);
    }
  });

  it('refuses ports that are the kernel\'s, naming those that are not', () => {
    const peer = shared();
    const { tcp, udp } = peer.stack;
    const refusal = { code: 'EADDRNOTAVAIL', message: /ort 8080 is the computer's own.*61440 to 61695/ };
    assert.throws(() => tcp.connect({ address: PEER_ADDRESS, port: 80, localPort: 8_080 }, peer.clock.now()), refusal);
    assert.throws(() => tcp.listen({ port: 8_080 }), refusal);
    assert.throws(() => udp.bind({ port: 8_080 }), refusal);
    assert.equal(tcp.listen({ port: PORTS.first }).accept(), null);
    assert.equal(udp.bind({ port: PORTS.first }).localPort, PORTS.first);
  });

  it('acts on ICMP errors about its own flows, and on no others', () => {
    const peer = shared();
    const socket = peer.stack.tcp.connect({ address: PEER_ADDRESS, port: 80 }, peer.clock.now());
    peer.clock.advance(0);
    const [syn] = peer.packets();
    assert.ok(syn);
    const { seq } = decodeSegment(syn.header.source, syn.header.destination, syn.payload);
    peer.icmp(3, 13, 0, quote(TCP, 50_000, 80, seq));
    peer.icmp(5, 1, 0, quote(TCP, socket.localPort, 80, seq));
    peer.icmp(3, 13, 0, quote(1, socket.localPort, 80, seq));
    assert.equal(peer.stack.counters.ipv4.rxNotOurs, 3);
    assert.equal(socket.state, 'SYN-SENT');
    peer.icmp(3, 13, 0, quote(TCP, socket.localPort, 80, seq));
    assert.equal(socket.error?.code, 'EACCES');
  });

  it('follows the computer to another address, and ends what was open', () => {
    const peer = shared();
    const { stack, clock } = peer;
    const socket = stack.tcp.connect({ address: PEER_ADDRESS, port: 80 }, clock.now());
    const given = { address: STACK_ADDRESS, prefixLength: 24, gateway: ip('10.0.0.254') };
    stack.shareAddress({ ...given, dns: [{ address: PEER_ADDRESS, port: 53 }] }, 'unused', clock.now());
    clock.advance(0);
    assert.equal(socket.state, 'SYN-SENT', 'the same address ends nothing');
    assert.deepEqual(stack.addressInfo?.dns, [{ address: PEER_ADDRESS, port: 53 }]);

    stack.shareAddress({ ...given, address: ip('10.0.0.7') }, 'the computer has another address', clock.now());
    clock.advance(0);
    assert.deepEqual([socket.error?.code, socket.error?.message], ['ENETDOWN', 'the computer has another address']);
    assert.equal(stack.addressInfo?.address, ip('10.0.0.7'));

    stack.shareAddress(null, 'the computer has no address', clock.now());
    assert.equal(stack.addressInfo, null);
    assert.throws(() => stack.tcp.connect({ address: PEER_ADDRESS, port: 80 }, clock.now()), { code: 'ENETUNREACH' });
    assert.throws(() => new RawPeer().stack.shareAddress(null, '', 0), /shares no address/);
  });

  it('says nothing to anything else, whatever it is: only its own ports, and questions for neighbours, leave it', () => {
    const port = fc.oneof(fc.integer({ min: 0, max: 65_535 }), fc.constantFrom(PORTS.first - 1, PORTS.first, PORTS.last, PORTS.last + 1, 22, 68, 80, 443));
    const packet = fc.oneof(
      fc.record({ protocol: fc.constant(TCP), payload: fc.tuple(port, port, fc.constantFrom('SYN', 'ACK', 'FIN ACK', 'RST', 'SYN ACK', 'PSH ACK')).map(([to, from, flags]) => segment(to, flags, from)) }),
      fc.record({ protocol: fc.constant(UDP), payload: port.map((to) => datagram(to)) }),
      fc.record({ protocol: fc.constantFrom(1, TCP, UDP, 47, 132), payload: fc.uint8Array({ minLength: 0, maxLength: 80 }) }),
      fc.record({ protocol: fc.constant(1), payload: fc.tuple(fc.integer({ min: 0, max: 255 }), port, fc.constantFrom(1, TCP, UDP)).map(([type, from, protocol]) => icmpMessage(type, quote(protocol, from, 80))) }),
    );
    fc.assert(fc.property(fc.array(packet, { maxLength: 20 }), fc.boolean(), (packets, moreFragments) => {
      const peer = shared();
      peer.stack.tcp.connect({ address: PEER_ADDRESS, port: 80 }, peer.clock.now());
      packets.forEach(({ protocol, payload }, i) => {
        // Fragments are whole multiples of eight bytes but for the last.
        const fits = moreFragments && payload.length % 8 === 0 && payload.length > 0;
        peer.ipv4({ protocol, identification: i, moreFragments: fits }, payload);
      });
      peer.arp({ operation: 1, senderAddress: PEER_ADDRESS, targetAddress: STACK_ADDRESS });
      peer.clock.advance(35_000);
      for (const frame of peer.sent()) {
        const view = new DataView(frame.buffer, frame.byteOffset);
        if (view.getUint16(12) === 0x0806) {
          assert.equal(view.getUint16(20), 1, 'of ARP only requests');
          continue;
        }
        const protocol = frame[23];
        // TCP and UDP leave from a port of ours; an error quotes what was for one.
        const at = protocol === 1 ? 34 + 8 + 20 + 2 : 34;
        const ours = view.getUint16(at);
        assert.ok(ours >= PORTS.first && ours <= PORTS.last, `protocol ${protocol} of port ${ours}: ${Buffer.from(frame).toString('hex')}`);
      }
    }), { seed: 61_440, numRuns: 300 });
  });

  it('refuses a range of ports that cannot be', () => {
    const make = (first: number, last: number) => () => new RawPeer({ address: { mode: 'shared', address: STACK_ADDRESS, prefixLength: 24, ports: { first, last } } });
    assert.throws(make(0, 10), /a port of the range is 0/);
    assert.throws(make(10, 65_536), /a port of the range is 65536/);
    assert.throws(make(20, 10), /20 to 10 is empty/);
  });
});
