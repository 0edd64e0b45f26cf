import assert from 'node:assert/strict';
import fc from 'fast-check';
import { VirtualClock } from '../../../stack/clock';
import type { AddressOptions } from '../../../stack/iface/addressing';
import { createCable } from '../../../stack/link/cable';
import type { Device } from '../../../stack/link/device';
import type { Counters } from '../../../stack/observer';
import { SeededRandom } from '../../../stack/random';
import { Stack } from '../../../stack/stack';
import { writeArp } from '../../../stack/wire/arp';
import { readU16, writeU16 } from '../../../stack/wire/bytes';
import { checksumAdd, checksumFinish, pseudoHeaderSum } from '../../../stack/wire/checksum';
import { writeEthernetHeader } from '../../../stack/wire/ethernet';
import { writeIcmp } from '../../../stack/wire/icmp';
import { Ipv4Header, parseIpv4, writeIpv4Header } from '../../../stack/wire/ipv4';
import { ip } from '../../support/two-stacks';

const STACK = { mac: { high: 0x0200, low: 2 }, address: ip('10.0.0.1') };
const PEER = { mac: { high: 0x0200, low: 1 }, address: ip('10.0.0.2') };
const [OPEN_PORT, CLOSED_PORT] = [80, 81];

function frame(type: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(14 + payload.length);
  writeEthernetHeader(bytes, 0, STACK.mac, PEER.mac, type);
  bytes.set(payload, 14);
  return bytes;
}

function packet(protocol: number, payload: Uint8Array, fragment: { readonly offset: number; readonly more: boolean } = { offset: 0, more: false }): Uint8Array {
  const bytes = new Uint8Array(20 + payload.length);
  bytes.set(payload, 20);
  writeIpv4Header(bytes, 0, {
    totalBytes: bytes.length, ecn: 0, identification: 7, dontFragment: false, moreFragments: fragment.more, fragmentOffset: fragment.offset, ttl: 64,
    protocol, source: PEER.address, destination: STACK.address,
  });
  return resum(frame(0x0800, bytes));
}

/** Makes the checksums right again where the headers can be read, so that what is wrong inside is reached. */
function resum(bytes: Uint8Array): Uint8Array {
  const at = 14;
  const headerBytes = ((bytes[at] ?? 0) & 15) * 4;
  if (bytes.length < at + headerBytes || headerBytes < 20) return bytes;
  writeU16(bytes, at + 10, 0);
  writeU16(bytes, at + 10, checksumFinish(checksumAdd(0, bytes, at, at + headerBytes)));
  const header = new Ipv4Header();
  if (parseIpv4(bytes, at, header) !== null || header.fragmentOffset !== 0 || header.moreFragments) return bytes;
  const [start, end] = [at + headerBytes, at + header.totalBytes];
  const checksumAt = new Map([[1, 2], [6, 16], [17, 6]]).get(header.protocol);
  if (checksumAt === undefined || end - start < checksumAt + 2) return bytes;
  const pseudo = header.protocol === 1 ? 0 : pseudoHeaderSum(header.source, header.destination, header.protocol, end - start);
  writeU16(bytes, start + checksumAt, 0);
  writeU16(bytes, start + checksumAt, checksumFinish(checksumAdd(pseudo, bytes, start, end)));
  return bytes;
}

function tcp(port: number, flags: number, options: readonly number[] = []): Uint8Array {
  const segment = new Uint8Array(20 + options.length + 10);
  writeU16(segment, 0, 40_000);
  writeU16(segment, 2, port);
  segment[12] = ((20 + options.length) / 4) << 4;
  segment[13] = flags;
  writeU16(segment, 14, 1_000);
  segment.set(options, 20);
  return packet(6, segment);
}

function udp(port: number): Uint8Array {
  const datagram = new Uint8Array(20);
  writeU16(datagram, 0, 40_000);
  writeU16(datagram, 2, port);
  writeU16(datagram, 4, 20);
  return packet(17, datagram);
}

function icmp(type: number, body: Uint8Array): Uint8Array {
  const message = new Uint8Array(8 + body.length);
  message.set(body, 8);
  writeIcmp(message, 0, message.length, { type, code: 0, rest: 0 });
  return packet(1, message);
}

function arp(operation: 1 | 2): Uint8Array {
  const payload = new Uint8Array(28);
  writeArp(payload, 0, { operation, senderMac: PEER.mac, senderAddress: PEER.address, targetMac: STACK.mac, targetAddress: STACK.address });
  return frame(0x0806, payload);
}

const good: readonly Uint8Array[] = [
  arp(1), arp(2), udp(OPEN_PORT), udp(CLOSED_PORT), udp(68), tcp(OPEN_PORT, 2, [2, 4, 5, 180, 1, 3, 3, 7]), tcp(OPEN_PORT, 16), tcp(OPEN_PORT, 4), tcp(OPEN_PORT, 17),
  tcp(CLOSED_PORT, 2), icmp(8, new Uint8Array(5)), icmp(3, udp(CLOSED_PORT).subarray(14)), icmp(11, tcp(OPEN_PORT, 2).subarray(14)), icmp(5, new Uint8Array(28)),
  packet(17, new Uint8Array(16), { offset: 0, more: true }), packet(17, new Uint8Array(16), { offset: 16, more: true }), packet(17, new Uint8Array(7), { offset: 32, more: false }),
  packet(17, new Uint8Array(16), { offset: 8, more: true }), packet(99, new Uint8Array(4)),
];

/** Good frames with bytes overwritten, cut short or with padding after them, checksums right or wrong; or noise. */
const badFrame: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 14, maxLength: 120 }) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 120 }).map((bytes) => frame((bytes[0] ?? 0) & 1 ? 0x0800 : 0x0806, bytes)) },
  {
    weight: 10,
    arbitrary: fc
      .record({
        base: fc.constantFrom(...good),
        writes: fc.array(fc.tuple(fc.nat(79), fc.oneof(fc.constantFrom(0, 1, 127, 128, 255), fc.nat(255))), { maxLength: 4 }),
        length: fc.option(fc.integer({ min: 14, max: 90 }), { freq: 2 }),
        fix: fc.boolean(),
      })
      .map(({ base, writes, length, fix }) => {
        const bytes = new Uint8Array(length ?? base.length);
        bytes.set(base.subarray(0, bytes.length));
        for (const [at, value] of writes) if (at < bytes.length) bytes[at] = value;
        return fix && readU16(bytes, 12) === 0x0800 ? resum(bytes) : bytes;
      }),
  },
);

/** Every counter that says what became of a frame: all that count arrivals, but the one that counts every packet. */
function fates(counters: Counters): number {
  const { ethernet, arp: arpCounters, ipv4, icmp: icmpCounters, udp: udpCounters, tcp: tcpCounters } = counters;
  let sum = 0;
  for (const group of [ethernet, arpCounters, ipv4, icmpCounters, udpCounters, tcpCounters]) {
    for (const [name, value] of Object.entries(group)) if (name.startsWith('rx') && name !== 'rxPackets') sum += value;
  }
  return sum;
}

const modes: readonly (readonly [string, AddressOptions, boolean])[] = [
  ['a host', { mode: 'static', address: STACK.address, prefixLength: 24 }, false],
  ['a router', { mode: 'static', address: STACK.address, prefixLength: 24 }, true],
  ['a host without an address', { mode: 'dhcp' }, false],
];

function makeStack(address: AddressOptions, acceptAnyDestination: boolean): { readonly stack: Stack; readonly peer: Device } {
  const [peer, device] = createCable({ mtu: 1500, queueBytes: 100_000 });
  const stack = new Stack({ device, random: new SeededRandom(1), address, acceptAnyDestination, config: { ipv4: { reassemblyBytes: 10_000 }, arp: { maxNeighbors: 8 } } });
  stack.tcp.listen({ port: OPEN_PORT });
  stack.udp.bind({ port: OPEN_PORT });
  return { stack, peer };
}

describe('Frames that are random, damaged or cut short', function () {
  this.timeout(60_000);

  for (const [what, address, router] of modes) {
    it(`never throw, and each is counted, at ${what}`, () => {
      fc.assert(
        fc.property(fc.array(badFrame, { minLength: 1, maxLength: 40 }), (frames) => {
          const { stack, peer } = makeStack(address, router);
          const clock = new VirtualClock();
          for (const bytes of frames) {
            const before = fates(stack.counters);
            const { rxFrames } = stack.linkCounters;
            peer.send(bytes, bytes.length);
            stack.poll(clock.now());
            assert.equal(stack.linkCounters.rxFrames, rxFrames + 1);
            assert.ok(fates(stack.counters) > before, `no counter tells what became of ${Buffer.from(bytes).toString('hex')}`);
            peer.receive(100, () => undefined);
            clock.advance(100);
          }
          // Long after, everything kept for them is gone.
          for (let i = 0; i < 100 && stack.pollAt() < 3_600_000; i++) {
            clock.runUntil(Math.max(clock.now(), stack.pollAt()));
            stack.poll(clock.now());
          }
        }),
        { seed: 1122, numRuns: 300 },
      );
    });
  }

  it('leave a host that answers as before', () => {
    fc.assert(
      fc.property(fc.array(badFrame, { maxLength: 60 }), (frames) => {
        const { stack, peer } = makeStack({ mode: 'static', address: STACK.address, prefixLength: 24 }, false);
        for (const bytes of frames) {
          peer.send(bytes, bytes.length);
          stack.poll(0);
        }
        // A minute later, what was used up of the rate limit is of no account; what still waits for the peer goes when it shows itself.
        stack.poll(60_000);
        peer.send(arp(1), 42);
        stack.poll(60_000);
        peer.receive(1_000, () => undefined);
        const echo = icmp(8, new Uint8Array(5));
        peer.send(echo, echo.length);
        stack.poll(60_000);
        let replies = 0;
        peer.receive(1_000, (reply) => {
          if (readU16(reply, 12) === 0x0800 && reply[23] === 1 && reply[34] === 0) replies++;
        });
        assert.equal(replies, 1);
      }),
      { seed: 792, numRuns: 200 },
    );
  });
});
