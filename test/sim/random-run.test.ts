import assert from 'node:assert/strict';
import { seeds, withSeed } from '../support/seeds';
import { conditionsOf, runSeed } from './random-run';

/** `npm run sim -- --seeds N` runs as many as you like; CI runs 1 000. */
const COUNT = 100;

describe('Transfers over random conditions', function () {
  this.timeout(60_000);

  it(`arrive byte for byte, never stall, and leave nothing behind: ${COUNT} seeds`, () => {
    let retransmissions = 0;
    for (const seed of seeds(COUNT)) withSeed(seed, () => (retransmissions += runSeed(seed).retransmissions));
    if (seeds(COUNT).length > 1) assert.ok(retransmissions > 100, `the paths lost much: ${retransmissions} retransmissions`);
  });

  it('are the same for the same seed', () => {
    assert.deepEqual(conditionsOf(17), conditionsOf(17));
    assert.deepEqual(runSeed(17), runSeed(17));
    assert.notDeepEqual(conditionsOf(17), conditionsOf(18));
  });

  it('meet every mechanism on and off, and every kind of trouble', () => {
    const many = Array.from({ length: 200 }, (_, i) => conditionsOf(i + 1));
    for (const name of ['nagle', 'sack', 'timestamps', 'windowScaling', 'rack', 'tlp', 'prr', 'fastRetransmit', 'limitedTransmit', 'frto', 'undo', 'hystart', 'pacing', 'autoTuning', 'blackHoleDetection', 'congestion', 'ecn'] as const) {
      const values = new Set(many.map(({ left }) => left[name]));
      assert.ok(values.size >= 2, `${name} is always ${[...values].join()}`);
    }
    for (const name of ['loss', 'reorder', 'duplicate', 'corrupt', 'mark'] as const) {
      const hit = many.filter(({ forward }) => (forward[name] ?? 0) > 0).length;
      assert.ok(hit > 20 && hit < 180, `${name} in ${hit} of 200`);
    }
    assert.ok(many.some(({ forward }) => forward.burstyLoss !== undefined));
    assert.deepEqual([...new Set(many.map(({ forward }) => forward.queue?.kind))].sort(), ['codel', 'drop-tail', undefined]);
  });
});
