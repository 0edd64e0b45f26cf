import assert from 'node:assert/strict';
import type { PartialStackConfig } from '../../../stack/config';
import { ARP_REPLY, ARP_REQUEST, type ArpPacket } from '../../../stack/wire/arp';
import { BROADCAST_MAC } from '../../../stack/wire/ethernet';
import { RawPeer, STACK_ADDRESS } from '../../support/raw-peer';
import { ip } from '../../support/two-stacks';

const OTHER_MAC = { high: 0x0200, low: 99 };
const NOBODY = { high: 0, low: 0 };

/** What is seen of the stack's ARP: when, and what kind. */
function watch(peer: RawPeer, ms: number): { at: number; what: string; packet: ArpPacket }[] {
  const seen: { at: number; what: string; packet: ArpPacket }[] = [];
  for (const end = peer.clock.now() + ms; ; peer.clock.advance(10)) {
    for (const { packet, destinationMac } of peer.arps()) {
      assert.deepEqual([packet.operation, packet.senderMac, destinationMac], [ARP_REQUEST, peer.stackMac, BROADCAST_MAC]);
      const what = packet.senderAddress === 0 ? 'probe' : packet.senderAddress === packet.targetAddress ? 'announce' : 'ask';
      seen.push({ at: peer.clock.now(), what, packet });
    }
    if (peer.clock.now() >= end) return seen;
  }
}

function claim(peer: RawPeer, operation: typeof ARP_REQUEST | typeof ARP_REPLY = ARP_REPLY, senderMac = OTHER_MAC): void {
  peer.arp({ operation, senderMac, senderAddress: STACK_ADDRESS, targetAddress: STACK_ADDRESS }, BROADCAST_MAC);
}

/** The stack's address now. */
function address(peer: RawPeer): number | null {
  return peer.stack.addressInfo?.address ?? null;
}

/** With the address taken, announced twice. */
function holding(config: PartialStackConfig = {}): RawPeer {
  const peer = new RawPeer({ conflictDetection: true, config });
  watch(peer, 12_000);
  assert.equal(address(peer), STACK_ADDRESS);
  return peer;
}

describe('Address conflict detection (RFC 5227)', () => {
  it('is off unless asked for: the address is there at once, and nothing is sent', () => {
    const peer = new RawPeer();
    assert.equal(address(peer), STACK_ADDRESS);
    assert.deepEqual(watch(peer, 10_000), []);
  });

  it('probes three times before it uses the address, and announces it twice then (§2.1.1, §2.3)', () => {
    const peer = new RawPeer({ conflictDetection: true });
    const seen = watch(peer, 20_000);
    assert.deepEqual(seen.map(({ what }) => what), ['probe', 'probe', 'probe', 'announce', 'announce']);
    for (const { packet } of seen) assert.deepEqual([packet.targetAddress, packet.targetMac], [STACK_ADDRESS, NOBODY]);
    const [a = 0, b = 0, c = 0, d = 0, e = 0] = seen.map(({ at }) => at);
    assert.ok(a <= 1_010, 'PROBE_WAIT');
    for (const gap of [b - a, c - b]) assert.ok(gap >= 990 && gap <= 2_010, `PROBE_MIN … PROBE_MAX: ${gap}`);
    assert.ok(Math.abs(d - c - 2_000) <= 10 && Math.abs(e - d - 2_000) <= 10, 'ANNOUNCE_WAIT, ANNOUNCE_INTERVAL');
    assert.deepEqual(peer.events.map(({ type }) => type), ['address-probing', 'address']);
    assert.equal(peer.clock.nextAt(), Infinity);
  });

  it('has no address while it probes: it answers nobody, nothing leaves, names wait', () => {
    const peer = new RawPeer({ conflictDetection: true });
    peer.clock.advance(1_500);
    peer.sent();
    assert.equal(address(peer), null);
    peer.arp({ operation: ARP_REQUEST, targetMac: NOBODY }, BROADCAST_MAC);
    assert.equal(peer.stack.udp.bind().send(ip('10.0.0.2'), 9, Uint8Array.of(1)), 'unreachable');
    peer.clock.advance(0);
    assert.deepEqual(peer.sent(), []);
    let told = 0;
    peer.stack.onAddress = () => told++;
    peer.clock.advance(10_000);
    assert.equal(told, 1);
  });

  const rivals: [string, (peer: RawPeer) => void][] = [
    ['a reply of its owner', (peer) => claim(peer)],
    ['a request of its owner', (peer) => peer.arp({ operation: ARP_REQUEST, senderMac: OTHER_MAC, senderAddress: STACK_ADDRESS, targetAddress: ip('10.0.0.7') }, BROADCAST_MAC)],
    ['a probe of another host that wants it too', (peer) => peer.arp({ operation: ARP_REQUEST, senderMac: OTHER_MAC, senderAddress: 0, targetMac: NOBODY }, BROADCAST_MAC)],
  ];
  for (const [name, rival] of rivals) {
    it(`does not use an address after ${name}, says so, and tries again a minute later (§2.1.1)`, () => {
      const peer = new RawPeer({ conflictDetection: true });
      watch(peer, 3_000);
      rival(peer);
      assert.equal(peer.stack.counters.arp.conflicts, 1);
      assert.match(JSON.stringify(peer.events), /02:00:00:00:00:63 on the link has the address 10\.0\.0\.1: .*60 s/);
      assert.deepEqual(watch(peer, 59_900), []);
      assert.equal(address(peer), null);
      assert.deepEqual(watch(peer, 15_000).map(({ what }) => what), ['probe', 'probe', 'probe', 'announce', 'announce']);
      assert.equal(address(peer), STACK_ADDRESS);
    });
  }

  it('takes neither its own echo, nor talk of other addresses, nor a question for the address for a conflict', () => {
    const peer = new RawPeer({ conflictDetection: true });
    watch(peer, 2_000);
    claim(peer, ARP_REQUEST, peer.stackMac);
    peer.arp({ operation: ARP_REQUEST, senderMac: OTHER_MAC, senderAddress: ip('10.0.0.7'), targetAddress: STACK_ADDRESS }, BROADCAST_MAC);
    peer.arp({ operation: ARP_REQUEST, senderMac: OTHER_MAC, senderAddress: 0, targetAddress: ip('10.0.0.7') }, BROADCAST_MAC);
    watch(peer, 8_000);
    assert.equal(peer.stack.counters.arp.conflicts, 0);
    assert.equal(address(peer), STACK_ADDRESS);
  });

  it('defends its address against one claim, and keeps its connections (§2.4 (b))', () => {
    const peer = holding();
    const socket = peer.stack.tcp.connect({ address: ip('10.0.0.2'), port: 80 }, peer.clock.now());
    peer.clock.advance(0);
    peer.arps();
    claim(peer);
    assert.deepEqual(watch(peer, 0).map(({ what }) => what), ['announce']);
    assert.equal(address(peer), STACK_ADDRESS);
    assert.equal(socket.state, 'SYN-SENT');
    assert.match(JSON.stringify(peer.events.at(-1)), /02:00:00:00:00:63 on the link claims our address/);
    watch(peer, 10_000);
    claim(peer);
    assert.equal(peer.stack.counters.arp.defended, 2, 'ten seconds later it is another quarrel');
    assert.equal(address(peer), STACK_ADDRESS);
  });

  it('gives the address up at the second claim within ten seconds, ending what was built on it', () => {
    const peer = holding();
    claim(peer);
    watch(peer, 9_900);
    const socket = peer.stack.tcp.connect({ address: ip('10.0.0.2'), port: 80 }, peer.clock.now());
    claim(peer);
    assert.equal(address(peer), null);
    assert.equal(socket.state, 'CLOSED');
    assert.equal(socket.error?.code, 'ENETDOWN');
    assert.equal(peer.stack.counters.arp.conflicts, 1);
  });

  it('slows down after ten conflicts: one probe a minute (§2.1.1, MAX_CONFLICTS)', () => {
    const peer = new RawPeer({ conflictDetection: true, config: { arp: { probeWaitMs: 0, probes: 1, announceWaitMs: 100 } } });
    let probes = 0;
    const started = peer.clock.now();
    while (peer.clock.now() < started + 1_200_000) {
      for (const { packet } of peer.arps()) {
        if (packet.senderAddress !== 0) continue;
        probes++;
        claim(peer);
      }
      peer.clock.advance(50);
    }
    assert.ok(probes >= 15 && probes <= 21, `${probes} probes in twenty minutes`);
  });

  it('holds against a storm of claims without growing or flooding: two announcements, then silence', () => {
    const peer = holding();
    for (let i = 0; i < 1_000; i++) claim(peer, ARP_REPLY, { high: 0x0200, low: 1_000 + i });
    assert.deepEqual(watch(peer, 0).map(({ what }) => what), ['announce']);
    assert.equal(address(peer), null);
    assert.deepEqual([peer.events.filter(({ type }) => type === 'address-taken').length, peer.stack.counters.arp.conflicts], [1, 1]);
  });

  it('takes nothing for news that the owner says before the next try, and tries when it said so (§2.1.1)', () => {
    const peer = holding();
    for (let i = 0; i < 2; i++) claim(peer);
    const lost = peer.clock.now();
    peer.arps();
    for (let i = 0; i < 50; i++) {
      assert.deepEqual(watch(peer, 1_000), []);
      claim(peer);
    }
    assert.equal(peer.events.filter(({ type }) => type === 'address-taken').length, 1);
    const [probe] = watch(peer, 11_100);
    assert.ok(probe?.what === 'probe' && probe.at - lost >= 60_000 && probe.at - lost <= 61_010, JSON.stringify(probe));
    // From here on it is observed again.
    claim(peer);
    assert.equal(peer.events.filter(({ type }) => type === 'address-taken').length, 2);
  });
});
