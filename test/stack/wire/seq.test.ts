import assert from 'node:assert/strict';
import fc from 'fast-check';
import { seqAdd, seqDiff, seqGe, seqGt, seqLe, seqLt, seqMax, seqMin, seqWithin } from '../../../stack/wire/seq';

const SEED = 1;
const seq = fc.oneof(fc.integer({ min: 0, max: 0xffff_ffff }), fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff));
/** Comparisons hold for numbers less than 2³¹ apart (RFC 9293 §3.4). */
const distance = fc.oneof(fc.integer({ min: -0x7fff_ffff, max: 0x7fff_ffff }), fc.integer({ min: -3, max: 3 }));

describe('Sequence numbers (RFC 9293 §3.4)', () => {
  it('stay within 0 … 2³²−1 whatever is added', () => {
    check(fc.property(seq, distance, (a, d) => {
      const sum = seqAdd(a, d);
      return Number.isInteger(sum) && sum >= 0 && sum <= 0xffff_ffff && (BigInt(a) + BigInt(d) - BigInt(sum)) % 0x1_0000_0000n === 0n;
    }));
  });

  it('compare by the shorter way round: adding d > 0 makes greater, across the wrap too', () => {
    check(fc.property(seq, distance, (a, d) => {
      const b = seqAdd(a, d);
      assert.equal(seqDiff(b, a), d);
      assert.equal(seqLt(b, a), d < 0);
      assert.equal(seqLe(b, a), d <= 0);
      assert.equal(seqGt(b, a), d > 0);
      assert.equal(seqGe(b, a), d >= 0);
      assert.equal(seqMax(a, b), d > 0 ? b : a);
      assert.equal(seqMin(a, b), d < 0 ? b : a);
    }));
  });

  it('are within a range exactly when counting up from its start meets them before its end', () => {
    const length = fc.oneof(fc.integer({ min: 0, max: 0x7fff_ffff }), fc.integer({ min: 0, max: 3 }));
    const offset = fc.oneof(fc.integer({ min: 0, max: 0xffff_ffff }), fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0xffff_fffc, max: 0xffff_ffff }));
    check(fc.property(seq, length, offset, (start, size, at) => seqWithin(seqAdd(start, at), start, size) === at < size));
  });
});

function check<T>(property: fc.IProperty<T>): void {
  fc.assert(property, { seed: SEED, numRuns: 2_000 });
}
