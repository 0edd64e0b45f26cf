import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Assembler } from '../../../stack/storage/assembler';
import { seqAdd } from '../../../stack/wire/seq';

const base = fc.oneof(fc.integer({ min: 0, max: 0xffff_ffff }), fc.integer({ min: 0xffff_ff00, max: 0xffff_ffff }));
const ranges = fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 1, max: 60 })), { maxLength: 60 });

describe('Assembler', () => {
  it('holds exactly the bytes added, in ranges that are sorted, apart and not empty, across the wrap too', () => {
    fc.assert(
      fc.property(base, ranges, (start, given) => {
        const assembler = new Assembler();
        const model = new Set<number>();
        for (const [offset, length] of given) {
          const before = model.size;
          for (let i = 0; i < length; i++) model.add(offset + i);
          const result = assembler.add(seqAdd(start, offset), seqAdd(start, offset + length));
          assert.equal(result, model.size === before ? 'duplicate' : 'added');
          assert.deepEqual(offsets(assembler, start), [...model].sort((a, b) => a - b));
          assert.equal(assembler.byteCount, model.size);
          assert.equal(assembler.isEmpty, false);
        }
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('gives up what has become in order: take() finds the next byte missing', () => {
    fc.assert(
      fc.property(base, ranges, fc.integer({ min: 0, max: 470 }), (start, given, at) => {
        const assembler = new Assembler();
        const model = new Set<number>();
        for (const [offset, length] of given) {
          assembler.add(seqAdd(start, offset), seqAdd(start, offset + length));
          for (let i = 0; i < length; i++) model.add(offset + i);
        }
        let next = at;
        while (model.has(next)) next++;
        assert.equal(assembler.take(seqAdd(start, at)), seqAdd(start, next));
        assert.deepEqual(offsets(assembler, start), [...model].filter((offset) => offset > next).sort((a, b) => a - b));
      }),
      { seed: 2, numRuns: 500 },
    );
  });

  it('is bounded: refuses one range too many, and still merges into those it has', () => {
    const assembler = new Assembler();
    let count = 0;
    while (assembler.add(count * 10, count * 10 + 1) === 'added') count++;
    assert.ok(count >= 64 && count <= 1_024, `${count} ranges`);
    assert.equal(assembler.rangeCount, count);
    assert.equal(assembler.add(1, 10), 'added', 'it joins two: one fewer');
    assert.equal(assembler.rangeCount, count - 1);
    assert.equal(assembler.add(count * 10, count * 10 + 1), 'added');
    assert.equal(assembler.add(0, count * 10 + 1), 'added');
    assert.deepEqual([assembler.rangeCount, assembler.byteCount], [1, count * 10 + 1]);
    assembler.clear();
    assert.deepEqual([assembler.isEmpty, assembler.byteCount, assembler.take(5)], [true, 0, 5]);
  });
});

/** All offsets in the ranges; checks their form on the way. */
function offsets(assembler: Assembler, base: number): number[] {
  const found: number[] = [];
  let last = -1;
  for (let i = 0; i < assembler.rangeCount; i++) {
    const start = (assembler.start(i) - base) >>> 0;
    const end = (assembler.end(i) - base) >>> 0;
    assert.ok(start > last && end > start, `range ${i}: ${start}–${end} after ${last}`);
    for (let offset = start; offset < end; offset++) found.push(offset);
    last = end;
  }
  return found;
}
