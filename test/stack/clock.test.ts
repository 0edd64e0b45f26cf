import assert from 'node:assert/strict';
import { VirtualClock } from '../../stack/clock';

describe('VirtualClock', () => {
  it('runs calls in order of time, then of scheduling, and none that was cancelled', () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    clock.at(20, () => seen.push('20'));
    clock.at(10, () => seen.push('10a'));
    clock.at(10, () => seen.push('10b'));
    clock.at(5, () => seen.push('never')).cancel();
    clock.runUntil(10);
    assert.deepEqual(seen, ['10a', '10b']);
    assert.equal(clock.now(), 10);
    clock.advance(10);
    assert.deepEqual(seen, ['10a', '10b', '20']);
    assert.equal(clock.nextAt(), Infinity);
  });

  it('says whether a condition came true before the limit', () => {
    const clock = new VirtualClock();
    let done = false;
    clock.at(50, () => (done = true));
    assert.equal(clock.runWhile(() => done, 40), false);
    assert.equal(clock.runWhile(() => done, 60), true);
    assert.equal(clock.now(), 50);
  });
});
