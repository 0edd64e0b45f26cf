import assert from 'node:assert/strict';
import { RateLimiter } from '../../../stack/storage/rate-limiter';

const takeAll = (limiter: RateLimiter, now: number): number => {
  let count = 0;
  while (count < 10_000 && limiter.take(now)) count++;
  return count;
};

describe('RateLimiter', () => {
  it('lets a burst through at first, whenever that is', () => {
    assert.equal(takeAll(new RateLimiter(10, 5), 0), 5);
    assert.equal(takeAll(new RateLimiter(10, 5), 1e9), 5);
  });

  it('then so many a second', () => {
    const limiter = new RateLimiter(10, 5);
    takeAll(limiter, 0);
    assert.equal(limiter.take(99), false);
    assert.equal(limiter.take(100), true);
    assert.equal(limiter.take(100), false);
    let count = 0;
    for (let now = 101; now <= 10_100; now++) if (limiter.take(now)) count++;
    assert.equal(count, 100);
  });

  it('keeps fractions of a token', () => {
    const limiter = new RateLimiter(3, 1);
    let count = 0;
    for (let now = 0; now <= 30_000; now += 7) if (limiter.take(now)) count++;
    assert.ok(count >= 90 && count <= 91, `${count} in 30 s`);
  });

  it('saves up no more than the burst in a silence', () => {
    const limiter = new RateLimiter(10, 5);
    takeAll(limiter, 0);
    assert.equal(takeAll(limiter, 3_600_000), 5);
  });

  it('takes the time last passed where the event has none', () => {
    const limiter = new RateLimiter(10, 1);
    assert.equal(limiter.takeNow(), true);
    assert.equal(limiter.takeNow(), false);
    limiter.pass(50);
    assert.equal(limiter.takeNow(), false);
    limiter.pass(150);
    assert.equal(limiter.takeNow(), true);
  });

  it('is not confused by a time that stands still', () => {
    const limiter = new RateLimiter(1_000, 1);
    assert.equal(limiter.take(5), true);
    for (let i = 0; i < 100; i++) assert.equal(limiter.take(5), false);
  });
});
