import assert from 'node:assert/strict';
import { RuntimeBench } from './runtime-bench';

/** Ticks a second; frames come twice as often. */
const RATE = 100;
const PERIOD_MS = 1_000 / RATE;
/** Ticks that are looked at together: a loop that is late by a millisecond at each would be late by five of them in the end. */
const STRETCH = 50;

describe('Ticks and frames in a script\'s own process, by its own clock', function () {
  this.timeout(120_000);
  let bench: RuntimeBench;
  before(async () => (bench = await RuntimeBench.start()));
  after(() => bench.stop());

  for (const [event, rate] of [['OnTick', RATE], ['OnRender', 2 * RATE]] as const) {
    const period = 1_000 / rate;

    it(`${event} comes in its time, and does not drift`, async () => {
      // A busy computer leaves some out: the script goes on until none of a stretch was late.
      const { outcome, output } = await bench.run(`
        let first = { n: 0, at: -Infinity };
        let most = 0;
        for (;;) {
          const n = await Event.${event};
          const at = Engine.Time();
          if (first.n === 0) first = { n, at };
          const elapsed = at - first.at;
          // However late any of them was: there are never more than there is time for. One may make up for its own lateness.
          most = Math.max(most, (n - first.n) - elapsed / ${period});
          if (n - first.n < ${STRETCH}) continue;
          if (n - first.n === ${STRETCH} && Math.abs(elapsed - ${STRETCH * period}) < ${period / 2}) break;
          first = { n, at };
        }
        print(most <= 2 || most);`, { tickRate: RATE });
      assert.deepEqual([outcome, output], [{ kind: 'finished' }, ['true']]);
    });
  }

  it('carry on after a script that was busy, without a burst of what was missed', async () => {
    const busyMs = 500;
    const { outcome, output } = await bench.run(`
      const wrong: string[] = [];
      for (const event of [Event.OnTick, Event.OnRender]) {
        const period = event === Event.OnTick ? ${PERIOD_MS} : ${PERIOD_MS / 2};
        let count = await event;
        const until = Engine.Time() + ${busyMs};
        while (Engine.Time() < until);
        const from = Engine.Time();
        for (let i = 1; i <= 30; i++) {
          const next = await event;
          // Each is counted, and none of those that were missed.
          if (next !== ++count) wrong.push('number ' + next + ' after ' + (count - 1));
          const elapsed = Engine.Time() - from;
          // The late one at once, and the next in its time, which may be near.
          if (i > 2 && elapsed < (i - 2) * period) wrong.push(i + ' within ' + elapsed + ' ms');
        }
      }
      print(wrong, Engine.GetTickCount() <= Engine.Time() / ${PERIOD_MS} + 1);`, { tickRate: RATE });
    assert.deepEqual([outcome, output], [{ kind: 'finished' }, ['[] true']]);
  });
});
