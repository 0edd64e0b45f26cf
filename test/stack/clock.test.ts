import assert from 'node:assert/strict';
import { SystemClock, VirtualClock } from '../../stack/clock';
import { SeededRandom } from '../../stack/random';

describe('SystemClock', () => {
  it('waits longer than setTimeout can: 24.8 days at a time', () => {
    const original = globalThis.setTimeout;
    const asked: { readonly run: () => void; readonly ms: number }[] = [];
    // Not the real one: whatever is asked for is run by the test.
    globalThis.setTimeout = Object.assign((run: () => void, ms = 0) => (asked.push({ run, ms }), original(() => undefined, 0)), { __promisify__: original.__promisify__ });
    try {
      const clock = new SystemClock();
      let ran = 0;
      clock.at(clock.now() + 2 ** 31 + 1_000, () => ran++);
      asked.at(-1)?.run();
      clock.at(clock.now() + 1_000, () => ran++);
      assert.deepEqual(asked.map(({ ms }) => ms >= 1_000 && ms <= 1_001 ? 1_000 : ms), [2 ** 31 - 1, 2 ** 31 - 1, 1_000]);
      assert.equal(ran, 0);
      asked.at(-1)?.run();
      assert.equal(ran, 1);
    } finally {
      globalThis.setTimeout = original;
    }
  });
});

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

  it('keeps that order among many calls, whatever is cancelled or added between them', () => {
    const clock = new VirtualClock();
    const random = new SeededRandom(5);
    const pending = new Map<number, { at: number; cancel: () => void }>();
    let id = 0;
    let ran = 0;
    const schedule = (): void => {
      const key = id++;
      const at = clock.now() + random.below(50);
      const timer = clock.at(at, () => {
        assert.equal(clock.now(), at);
        for (const [other, { at: otherAt }] of pending) assert.ok(at < otherAt || (at === otherAt && key <= other), `${key} at ${at} ran before ${other} at ${otherAt}`);
        pending.delete(key);
        ran++;
        if (id < 2_000) schedule();
        if (id < 2_000 && random.below(2)) schedule();
        const victim = [...pending.keys()][random.below(Math.max(1, pending.size))];
        if (victim !== undefined && random.below(3) === 0) {
          pending.get(victim)?.cancel();
          pending.get(victim)?.cancel();
          pending.delete(victim);
        }
      });
      pending.set(key, { at, cancel: () => timer.cancel() });
    };
    for (let i = 0; i < 50; i++) schedule();
    clock.runUntil(1_000_000);
    assert.equal(pending.size, 0);
    assert.ok(ran > 200, `${ran} calls ran`);
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
