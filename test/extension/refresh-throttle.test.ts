import assert from 'node:assert/strict';
import { MAX_REFRESH_INTERVAL_MS, REFRESH_INTERVAL_MS, RefreshThrottle } from '../../extension/refresh-throttle';
import { FakeScheduler } from './support';

function throttle(cost = 1) {
  const scheduler = new FakeScheduler();
  const flushes: string[][] = [];
  return { scheduler, flushes, throttle: new RefreshThrottle(scheduler, (ids) => {
    flushes.push([...ids]);
    return cost;
  }) };
}

describe('the refresh of the tree', () => {
  it('is at once for the first change', () => {
    const { scheduler, flushes, throttle: refresh } = throttle();
    refresh.add('a');
    scheduler.advance(0);
    assert.deepEqual(flushes, [['a']]);
  });

  it('is at most ten times a second, and loses nothing', () => {
    const { scheduler, flushes, throttle: refresh } = throttle();
    const changed = new Set<string>();
    for (let ms = 0; ms < 1_000; ms++) {
      refresh.add(`node-${ms}`);
      changed.add(`node-${ms}`);
      scheduler.advance(1);
    }
    scheduler.advance(REFRESH_INTERVAL_MS);
    assert.ok(flushes.length <= 11, `${flushes.length} refreshes`);
    assert.deepEqual(new Set(flushes.flat()), changed);
  });

  it('is rarer after one that made VS Code read many nodes, but never rarer than once a second', () => {
    for (const [cost, most] of [[200, 4], [1_000_000, 2]] as const) {
      const { scheduler, flushes, throttle: refresh } = throttle(cost);
      for (let ms = 0; ms <= 1_000; ms++) {
        refresh.add('a');
        scheduler.advance(1);
      }
      assert.ok(flushes.length <= most && flushes.length >= 2, `${flushes.length} refreshes of ${cost} nodes`);
      scheduler.advance(MAX_REFRESH_INTERVAL_MS);
      assert.equal(scheduler.pending, 0);
    }
  });

  it('names a node once, however often it changed', () => {
    const { scheduler, flushes, throttle: refresh } = throttle();
    refresh.add('x');
    scheduler.advance(0);
    for (let n = 0; n < 50; n++) refresh.add('a');
    scheduler.advance(REFRESH_INTERVAL_MS);
    assert.deepEqual(flushes, [['x'], ['a']]);
    assert.equal(scheduler.pending, 0);
  });

  it('waits while it is held, and loses nothing', () => {
    const { scheduler, flushes, throttle: refresh } = throttle();
    refresh.hold(5_000);
    refresh.add('a');
    scheduler.advance(4_999);
    refresh.add('b');
    assert.deepEqual(flushes, []);
    scheduler.advance(1);
    assert.deepEqual(flushes, [['a', 'b']]);
  });

  it('is over with its owner', () => {
    const { scheduler, flushes, throttle: refresh } = throttle();
    refresh.add('a');
    refresh.dispose();
    scheduler.advance(1_000);
    assert.deepEqual(flushes, []);
  });
});
