import assert from 'node:assert/strict';
import { Ipv4Header, parseIpv4, writeIpv4Header } from '../../../stack/wire/ipv4';
import { writeEthernetHeader, BROADCAST_MAC, ETHERTYPE_IPV4 } from '../../../stack/wire/ethernet';
import { createDiscipline } from './discipline';
import type { Discipline } from './queue-types';
import { markCongestion } from './marks';
import { PacketPool, type Packet } from './packet';

const MTU = 1_500;
const pool = new PacketPool(MTU);

/** An IPv4 packet of `bytes` in a frame, ECN-capable or not. */
function packet(bytes: number, ecn: 0 | 1 | 2 | 3 = 0): Packet {
  const frame = new Uint8Array(14 + bytes);
  writeEthernetHeader(frame, 0, BROADCAST_MAC, BROADCAST_MAC, ETHERTYPE_IPV4);
  writeIpv4Header(frame, 14, {
    totalBytes: bytes, ecn, identification: 1, dontFragment: true, moreFragments: false, fragmentOffset: 0, ttl: 64, protocol: 6,
    source: 0x0a00_0001, destination: 0x0a00_0002,
  });
  return pool.take(frame, frame.length);
}

/** Puts a packet of 1000 bytes in every `gapMs`, takes one out every `serviceMs`, for `forMs`. @returns the longest wait of what came out in each second */
function load(queue: Discipline, ecn: 0 | 2, gapMs: number, serviceMs: number, forMs: number): number[] {
  const longest: number[] = [];
  let nextIn = 0;
  let nextOut = 0;
  while (Math.min(nextIn, nextOut) < forMs) {
    if (nextIn <= nextOut) {
      queue.enqueue(packet(986, ecn), nextIn);
      nextIn += gapMs;
      continue;
    }
    const out = queue.dequeue(nextOut);
    if (out) {
      const second = Math.floor(nextOut / 1_000);
      longest[second] = Math.max(longest[second] ?? 0, nextOut - out.queuedAt);
      pool.give(out);
    }
    nextOut += serviceMs;
  }
  return longest;
}

describe('The queues of the network simulator', () => {
  it('drop-tail: takes as many bytes as it holds, in order, and drops what comes then', () => {
    const queue = createDiscipline({ kind: 'drop-tail', bytes: 3_000 }, pool, MTU);
    const packets = [1_000, 986, 900, 200].map((bytes) => packet(bytes));
    for (const one of packets) queue.enqueue(one, 0);
    assert.equal(queue.bytes, 1_014 + 1_000 + 914);
    assert.equal(queue.counters.overflowed, 1);
    assert.equal(queue.dequeue(1), packets[0]);
    assert.equal(queue.dequeue(1), packets[1]);
    assert.equal(queue.dequeue(1), packets[2]);
    assert.equal(queue.dequeue(1), null);
    assert.equal(queue.mostBytes, 2_928);
  });

  it('drop-tail: an empty queue takes any frame', () => {
    const queue = createDiscipline({ kind: 'drop-tail', bytes: 10 }, pool, MTU);
    queue.enqueue(packet(1_500), 0);
    assert.equal(queue.counters.overflowed, 0);
    assert.notEqual(queue.dequeue(0), null);
  });

  it('CoDel: leaves a queue alone that is above its target for less than an interval (RFC 8289 §4.3)', () => {
    const queue = createDiscipline({ kind: 'codel', bytes: 1 << 20 }, pool, MTU);
    for (let i = 0; i < 50; i++) queue.enqueue(packet(986), 0);
    // 50 ms of waiting at 1 ms each: too long, but for no longer than that.
    for (let now = 1; now <= 50; now++) pool.give(queue.dequeue(now) ?? assert.fail('empty'));
    assert.deepEqual({ ...queue.counters }, { overflowed: 0, dropped: 0, marked: 0 });
  });

  it('CoDel: drops faster and faster while the wait stays above the target (RFC 8289 §5.3)', () => {
    const queue = createDiscipline({ kind: 'codel', bytes: 1 << 30 }, pool, MTU);
    // Arrivals 2 % faster than departures: without drops the wait would grow by 20 ms each second.
    const waits = load(queue, 0, 0.98, 1, 10_000);
    assert.ok(queue.counters.dropped > 150, `${queue.counters.dropped} drops of the 200 needed`);
    assert.equal(queue.counters.marked, 0);
    assert.ok((waits.at(-1) ?? Infinity) < 25, `waits at last ${waits.at(-1)} ms; by seconds ${waits.map(Math.round).join(' ')}`);
  });

  it('CoDel: marks ECN-capable packets where it drops others', () => {
    const queue = createDiscipline({ kind: 'codel', bytes: 1 << 20 }, pool, MTU);
    load(queue, 2, 0.98, 1, 3_000);
    assert.equal(queue.counters.dropped, 0);
    assert.ok(queue.counters.marked > 10, `${queue.counters.marked} marks`);
  });

  it('a mark keeps the header checksum right, and is for ECN-capable packets only (RFC 3168 §5)', () => {
    for (const ecn of [1, 2, 3] as const) {
      const { frame } = packet(60, ecn);
      assert.equal(markCongestion(frame), true);
      const header = new Ipv4Header();
      assert.equal(parseIpv4(frame, 14, header), null);
      assert.equal(header.ecn, 3);
    }
    const { frame } = packet(60, 0);
    const before = frame.slice();
    assert.equal(markCongestion(frame), false);
    assert.deepEqual(frame, before);
  });
});
