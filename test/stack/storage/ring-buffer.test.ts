import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RingBuffer } from '../../../stack/storage/ring-buffer';
import { pattern } from '../../support/patterns';

type Step =
  | { readonly do: 'write' | 'read' | 'discard' | 'limit'; readonly count: number }
  | { readonly do: 'put'; readonly offset: number; readonly count: number }
  | { readonly do: 'copyOut'; readonly offset: number; readonly count: number };

const count = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 9_000 }));
const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constantFrom('write' as const, 'read' as const, 'discard' as const), count }),
    fc.record({ do: fc.constant('limit' as const), count: fc.integer({ min: 1, max: 20_000 }) }),
    fc.record({ do: fc.constant('put' as const), offset: count, count }),
    fc.record({ do: fc.constant('copyOut' as const), offset: count, count }),
  ),
  { maxLength: 60 },
) satisfies fc.Arbitrary<Step[]>;

describe('RingBuffer', () => {
  it('behaves like a plain array, whatever is done to it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000 }), steps, (limit, given) => {
        const ring = new RingBuffer(limit);
        const model = new Model(limit);
        for (const step of given) {
          model.apply(step, ring);
          assert.equal(ring.length, model.bytes.length);
          assert.equal(ring.free, Math.max(0, model.limit - model.bytes.length));
          assert.equal(ring.limit, model.limit);
        }
        const rest = new Uint8Array(ring.length);
        assert.equal(ring.read(rest), rest.length);
        assert.ok(Buffer.from(rest).equals(Buffer.from(model.bytes)), 'the rest');
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('keeps bytes put behind the tail through growth and wrap, until they join the queue', () => {
    const ring = new RingBuffer(1 << 20);
    ring.write(pattern(4_000, 0));
    ring.read(new Uint8Array(3_900));
    ring.put(200, pattern(3_800, 4_100), 0, 3_800); // wraps within the first 4096 bytes
    ring.put(60_000, pattern(10, 63_900), 0, 10); // makes it grow
    ring.put(100, pattern(100, 4_000), 0, 100);
    ring.extend(3_900);
    const out = new Uint8Array(4_000);
    assert.equal(ring.read(out), 4_000);
    assert.deepEqual(out, pattern(4_000, 3_900));
    const late = new Uint8Array(10);
    ring.copyOut(56_000, 10, late, 0);
    assert.deepEqual(late, pattern(10, 63_900));
  });

  it('takes memory only as needed, in proportion, and gives it back', () => {
    const ring = new RingBuffer(1 << 30);
    assert.equal(ring.capacity, 0);
    ring.write(new Uint8Array(100));
    assert.ok(ring.capacity > 0 && ring.capacity <= 4_096);
    ring.write(new Uint8Array(10_000));
    assert.ok(ring.capacity <= 32_768);
    ring.clear();
    assert.deepEqual([ring.capacity, ring.length], [0, 0]);
    assert.equal(ring.write(pattern(5)), 5);
  });

  it('keeps what it holds when the limit falls below it, and takes nothing until there is room', () => {
    const ring = new RingBuffer(1_000);
    ring.write(pattern(1_000));
    ring.setLimit(10);
    assert.deepEqual([ring.length, ring.free, ring.write(pattern(5))], [1_000, 0, 0]);
    ring.discard(995);
    assert.deepEqual([ring.free, ring.write(pattern(9))], [5, 5]);
  });
});

/** The same queue, byte by byte. */
class Model {
  bytes: number[] = [];
  private written = 0;

  constructor(public limit: number) {}

  apply(step: Step, ring: RingBuffer): void {
    switch (step.do) {
      case 'write': {
        const data = this.next(step.count);
        const taken = ring.write(data);
        assert.equal(taken, Math.min(data.length, Math.max(0, this.limit - this.bytes.length)));
        for (const byte of data.subarray(0, taken)) this.bytes.push(byte);
        return;
      }
      case 'read': {
        const target = new Uint8Array(step.count);
        const got = ring.read(target);
        assert.deepEqual([...target.subarray(0, got)], this.bytes.splice(0, Math.min(step.count, this.bytes.length)));
        return;
      }
      case 'discard': {
        const discarded = Math.min(step.count, this.bytes.length);
        ring.discard(discarded);
        this.bytes.splice(0, discarded);
        return;
      }
      case 'limit':
        this.limit = step.count;
        ring.setLimit(step.count);
        return;
      case 'put': {
        // Out of order first, then the gap before it: as TCP fills a hole.
        const room = Math.max(0, this.limit - this.bytes.length);
        const gap = Math.min(step.offset, room);
        const data = this.next(Math.min(gap + step.count, room));
        ring.put(this.bytes.length + gap, data, gap, data.length);
        ring.put(this.bytes.length, data, 0, gap);
        ring.extend(data.length);
        for (const byte of data) this.bytes.push(byte);
        return;
      }
      case 'copyOut': {
        const offset = Math.min(step.offset, this.bytes.length);
        const length = Math.min(step.count, this.bytes.length - offset);
        const target = new Uint8Array(length + 2).fill(0xee);
        ring.copyOut(offset, length, target, 1);
        assert.deepEqual([...target], [0xee, ...this.bytes.slice(offset, offset + length), 0xee]);
      }
    }
  }

  private next(length: number): Uint8Array {
    const data = pattern(length, this.written);
    this.written += length;
    return data;
  }
}
