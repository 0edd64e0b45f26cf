import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FlowTable, type Flow } from '../../../stack/storage/flow-table';

const flow = fc.record({
  localAddress: fc.integer({ min: 1, max: 2 }), localPort: fc.integer({ min: 1, max: 3 }),
  remoteAddress: fc.integer({ min: 1, max: 2 }), remotePort: fc.integer({ min: 1, max: 3 }),
});

describe('FlowTable', () => {
  for (const [name, hash] of [
    ['a hash without collisions', (local: number, remote: number, ports: number) => local * 0x1000_0000 + remote * 0x100_0000 + ports],
    ['a hash with many', (_local: number, _remote: number, ports: number) => ports & 1],
    ['a hash that is always the same', () => 7],
  ] as const) {
    it(`finds exactly the flows it holds, with ${name}`, () => {
      fc.assert(
        fc.property(fc.array(fc.tuple(fc.constantFrom('add', 'remove', 'find'), flow), { maxLength: 150 }), (steps) => {
          const table = new FlowTable<Flow>(hash);
          const model = new Map<string, Flow>();
          for (const [what, given] of steps) {
            const { localAddress, localPort, remoteAddress, remotePort } = given;
            const key = JSON.stringify(given);
            const held = model.get(key) ?? null;
            assert.equal(table.find(localAddress, localPort, remoteAddress, remotePort), held);
            if (what === 'add' && !held) {
              table.add(given);
              model.set(key, given);
            } else if (what === 'remove') {
              table.remove(held ?? given);
              model.delete(key);
            }
            assert.equal(table.size, model.size);
          }
          assert.deepEqual(new Set(table), new Set(model.values()));
        }),
        { seed: 1, numRuns: 300 },
      );
    });
  }
});
