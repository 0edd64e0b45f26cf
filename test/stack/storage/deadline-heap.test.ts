import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DeadlineHeap, type Due } from '../../../stack/storage/deadline-heap';

class Item implements Due {
  dueAt = Infinity;
  heapIndex = -1;
  constructor(readonly id: number) {}
}

describe('DeadlineHeap', () => {
  it('always knows the least deadline and hands out what is due in order, whatever is set and unset', () => {
    const step = fc.oneof(
      fc.record({ set: fc.integer({ min: 0, max: 19 }), at: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.constant(Infinity)) }),
      fc.record({ take: fc.integer({ min: 0, max: 100 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const heap = new DeadlineHeap<Item>();
        const items = Array.from({ length: 20 }, (_, id) => new Item(id));
        const model = new Map<number, number>();
        for (const given of steps) {
          if ('take' in given) {
            const taken = heap.takeDue(given.take);
            const least = Math.min(Infinity, ...model.values());
            if (!taken) assert.ok(least > given.take, `${least} is due at ${given.take}`);
            else {
              assert.equal(model.get(taken.id), least);
              assert.ok(least <= given.take);
              assert.deepEqual([taken.dueAt, taken.heapIndex], [Infinity, -1]);
              model.delete(taken.id);
            }
          } else {
            const item = items[given.set];
            assert.ok(item);
            heap.set(item, given.at);
            if (given.at === Infinity) model.delete(item.id);
            else model.set(item.id, given.at);
          }
          assert.equal(heap.nextAt, Math.min(Infinity, ...model.values()));
          assert.equal(heap.size, model.size);
        }
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});
