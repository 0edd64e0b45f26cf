import assert from 'node:assert/strict';
import { PathMtus } from '../../../stack/iface/path-mtus';
import { createCounters } from '../../../stack/observer';
import { PROTOCOL_TCP } from '../../../stack/egress';
import { readU16, readU32 } from '../../../stack/wire/bytes';
import { writeIpv4Header } from '../../../stack/wire/ipv4';
import { ACK, SYN, TCP_HEADER_BYTES, writeTcpChecksum, writeTcpHeader } from '../../../stack/wire/tcp';
import { writeMssOption } from '../../../stack/wire/tcp-options';
import { PEER_ADDRESS, RawPeer, STACK_ADDRESS } from '../../support/raw-peer';
import { ip } from '../../support/two-stacks';

const FAR = ip('192.0.2.1');

/** "Fragmentation needed" about a packet of the stack, as a router sends it. */
function tooBig(peer: RawPeer, sent: { header: { protocol: number }; payload: Uint8Array }, mtu: number, mangle: (quoted: Uint8Array) => void = () => {}): void {
  const quoted = new Uint8Array(28);
  writeIpv4Header(quoted, 0, {
    totalBytes: 1_500, ecn: 0, identification: 0, dontFragment: true, moreFragments: false, fragmentOffset: 0, ttl: 60,
    protocol: sent.header.protocol, source: STACK_ADDRESS, destination: FAR,
  });
  quoted.set(sent.payload.subarray(0, 8), 20);
  mangle(quoted);
  peer.icmp(3, 4, mtu, quoted, { source: ip('10.0.0.2') });
}

function routed(): RawPeer {
  const peer = new RawPeer({ gateway: '10.0.0.2' });
  peer.introduce(PEER_ADDRESS);
  return peer;
}

/** A SYN-ACK with an MSS of 1460 for the stack's SYN. */
function accept(peer: RawPeer, syn: Uint8Array): void {
  const [port, remotePort, iss] = [readU16(syn, 0), readU16(syn, 2), readU32(syn, 4)];
  const segment = new Uint8Array(TCP_HEADER_BYTES + 4);
  writeTcpHeader(segment, 0, remotePort, port, 1_000, (iss + 1) >>> 0, segment.length, SYN | ACK, 65_535);
  writeMssOption(segment, TCP_HEADER_BYTES, 1_460);
  writeTcpChecksum(segment, 0, segment.length, FAR, STACK_ADDRESS);
  peer.ipv4({ protocol: PROTOCOL_TCP, source: FAR }, segment);
  peer.clock.advance(0);
}

describe('Path MTUs (RFC 1191)', () => {
  const make = (maxPathMtus = 3) => {
    const counters = createCounters().ipv4;
    return { counters, paths: new PathMtus({ pathMtuMs: 600_000, maxPathMtus }, counters) };
  };

  it('are those of the link until a router has said less, and never more than that', () => {
    const { paths } = make();
    assert.equal(paths.toward(FAR, 1_500), 1_500);
    paths.narrow(FAR, 1_400, 1_500, 0);
    paths.narrow(FAR, 1_450, 1_500, 1);
    assert.equal(paths.toward(FAR, 1_500), 1_400);
    assert.equal(paths.toward(FAR, 1_000), 1_000);
    assert.equal(paths.toward(FAR + 1, 1_500), 1_500);
    paths.narrow(FAR + 1, 9_000, 1_500, 2);
    assert.equal(paths.size, 1);
  });

  it('are not believed below 552 bytes', () => {
    const { paths } = make();
    paths.narrow(FAR, 68, 1_500, 0);
    assert.equal(paths.toward(FAR, 1_500), 552);
  });

  it('are forgotten after ten minutes (§6.3)', () => {
    const { paths } = make();
    paths.narrow(FAR, 1_400, 1_500, 0);
    paths.poll(599_999);
    assert.equal(paths.toward(FAR, 1_500), 1_400);
    paths.poll(600_000);
    assert.equal(paths.toward(FAR, 1_500), 1_500);
    assert.equal(paths.size, 0);
  });

  it('are bounded: the oldest goes', () => {
    const { paths, counters } = make();
    for (let i = 0; i < 10; i++) paths.narrow(FAR + i, 1_400, 1_500, i);
    assert.equal(paths.size, 3);
    assert.equal(paths.toward(FAR + 9, 1_500), 1_400);
    assert.equal(paths.toward(FAR + 6, 1_500), 1_500);
    assert.equal(counters.pathMtuEvicted, 7);
  });

  it('serve new connections and datagrams once TCP has accepted the message (RFC 5927 §7)', () => {
    const peer = routed();
    peer.stack.tcp.connect({ address: FAR, port: 80 }, peer.clock.now());
    peer.clock.advance(0);
    const [syn] = peer.packets();
    assert.ok(syn);
    tooBig(peer, syn, 1_300, (quoted) => quoted.set([9, 9, 9, 9], 24));
    assert.equal(peer.stack.counters.ipv4.pathMtuNarrowed, 0, 'not a segment that is in flight');
    tooBig(peer, syn, 1_300);
    assert.equal(peer.stack.counters.ipv4.pathMtuNarrowed, 1);
    const socket = peer.stack.tcp.connect({ address: FAR, port: 80 }, peer.clock.now());
    peer.clock.advance(0);
    const [next] = peer.packets();
    // The first option of our SYN is the MSS (RFC 9293 §3.7.1). It tells what we can take: the link's (RFC 6691 §2).
    assert.deepEqual([...(next?.payload.subarray(20, 24) ?? [])], [2, 4, 1_460 >> 8, 1_460 & 255]);
    assert.ok(next);
    accept(peer, next.payload);
    socket.write(new Uint8Array(2_000));
    peer.clock.advance(0);
    const segments = peer.packets().filter(({ header }) => header.protocol === 6);
    assert.deepEqual(segments.map(({ header }) => header.totalBytes), [40, 1_300, 780], 'an ACK, and segments as large as the path takes');
    peer.stack.udp.bind().send(FAR, 9, new Uint8Array(1_400));
    peer.clock.advance(0);
    const fragments = peer.packets().filter(({ header }) => header.protocol === 17);
    assert.deepEqual(fragments.map(({ header }) => header.totalBytes), [1_300, 148]);
  });

  it('are not narrowed by a message about a datagram: ours may be fragmented', () => {
    const peer = routed();
    peer.stack.udp.bind().send(FAR, 9, new Uint8Array(1_000));
    peer.clock.advance(0);
    const [sent] = peer.packets();
    assert.ok(sent);
    tooBig(peer, sent, 600);
    assert.equal(peer.stack.counters.ipv4.pathMtuNarrowed, 0);
  });
});
