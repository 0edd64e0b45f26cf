import assert from 'node:assert/strict';
import { stage } from './stage';

describe('The tick loop', () => {
  it('ticks at its rate without drift, and renders twice as often, after the tick', async () => {
    const { host, OnTick, OnRender } = stage();
    const order: string[] = [];
    OnTick.on((n) => order.push(`t${n}`));
    OnRender.on((n) => order.push(`r${n}`));
    await host.advance(101);
    assert.deepEqual(order, ['r1', 't1', 'r2', 'r3', 't2', 'r4', 'r5', 't3', 'r6']);
    await host.advance(100_000 - 101 + 1);
    assert.equal(order.at(-2), 't3000');
  });

  it('lets those who await a tick go on before the frame of the same moment, as its handlers do', async () => {
    const { host, OnTick, OnRender } = stage(30);
    const order: string[] = [];
    OnRender.on((n) => order.push(`frame ${n}`));
    OnTick.on((n) => order.push(`handler ${n}`));
    void (async () => {
      for (;;) {
        const n = await OnTick;
        order.push(`awaited ${n}`);
        await Promise.resolve();
        order.push(`and then ${n}`);
      }
    })();
    await host.advance(70);
    assert.deepEqual(order, ['frame 1', 'handler 1', 'awaited 1', 'and then 1', 'frame 2', 'frame 3', 'handler 2', 'awaited 2', 'and then 2', 'frame 4']);
  });

  it('does not catch up in a burst after a late tick', async () => {
    const { host, OnTick, Engine } = stage(100);
    const times: number[] = [];
    OnTick.on((n) => {
      times.push(host.now());
      // The script is busy for 95 ms.
      if (n === 2) host.clock.runUntil(host.now() + 95);
    });
    await host.advance(200);
    // The late one as soon as it can be, then the next in time: the eight between are left out.
    assert.deepEqual(times.slice(0, 6), [10, 20, 115, 120, 130, 140]);
    assert.equal(Engine.GetTickCount(), times.length);
  });

  it('resumes each await once, at the next tick', async () => {
    const { host, OnTick } = stage();
    const seen: number[] = [];
    const script = async () => {
      for (let i = 0; i < 3; i++) seen.push(await OnTick);
    };
    void script();
    await host.advance(34);
    assert.deepEqual(seen, [1]);
    await host.advance(200);
    assert.deepEqual(seen, [1, 2, 3]);
  });

  it('can be iterated over, leaving out what happened meanwhile', async () => {
    const { host, OnTick } = stage();
    const seen: number[] = [];
    const script = async () => {
      for await (const n of OnTick) {
        seen.push(n);
        if (n === 1) await OnTick;
        if (seen.length === 3) break;
      }
    };
    void script();
    await host.advance(300);
    assert.deepEqual(seen, [1, 3, 4]);
  });

  it('keeps the script alive only while somebody waits', async () => {
    const { host, OnTick, loop } = stage();
    await host.advance(10);
    assert.equal(host.alive.size, 0);
    const handler = () => {};
    OnTick.on(handler);
    assert.equal(host.alive.size, 1);
    assert.equal(OnTick.off(handler), true);
    assert.equal(OnTick.off(handler), false);
    assert.equal(host.alive.size, 0);
    void OnTick.then();
    assert.equal(host.alive.size, 1);
    await host.advance(60);
    assert.equal(host.alive.size, 0);
    loop.stop();
  });

  it('reports a handler that throws, or whose promise is rejected, and runs the others', async () => {
    const { host, OnTick, errors } = stage();
    const ran: string[] = [];
    OnTick.once(() => {
      throw new Error('first');
    });
    OnTick.once(async () => {
      await Promise.resolve();
      throw new Error('second');
    });
    OnTick.on((n) => ran.push(`third ${n}`));
    await host.advance(70);
    assert.deepEqual(ran, ['third 1', 'third 2']);
    assert.deepEqual(errors.map(String), ['Error: first', 'Error: second']);
  });

  it('does not run a handler that another took off', async () => {
    const { host, OnTick } = stage();
    const ran: string[] = [];
    const second = () => ran.push('second');
    OnTick.on(() => OnTick.off(second));
    OnTick.on(second);
    await host.advance(100);
    assert.deepEqual(ran, []);
  });

  it('names the argument that is no handler', () => {
    const { OnTick } = stage();
    assert.throws(() => Reflect.apply(OnTick.on, OnTick, [5]), { name: 'TypeError', message: /OnTick\.on\(handler\): handler must be a function, not 5/ });
  });
});

describe('Engine', () => {
  it('tells the time, delays, repeats and cancels', async () => {
    const { host, Engine } = stage();
    const seen: string[] = [];
    const key = Engine.Delay((time: unknown) => seen.push(`delay ${time}`), 10);
    Engine.Timer((time: unknown) => {
      seen.push(`timer ${time}`);
      return time === 30;
    }, 15);
    assert.equal(Engine.Cancel(Engine.Delay(() => seen.push('never'), 5)), true);
    await host.advance(100);
    assert.deepEqual(seen, ['delay 10', 'timer 15', 'timer 30']);
    assert.equal(Engine.Cancel(key), false);
    assert.equal(Engine.Time(), 100);
  });

  it('repeats without drift and without a burst', async () => {
    const { host, Engine } = stage();
    const times: number[] = [];
    Engine.Timer(() => {
      times.push(host.now());
      if (times.length === 2) host.clock.runUntil(host.now() + 35);
      return times.length === 4;
    }, 10);
    await host.advance(100);
    assert.deepEqual(times, [10, 20, 60, 70]);
  });

  it('can cancel a timer from within', async () => {
    const { host, Engine } = stage();
    let runs = 0;
    const key = Engine.Timer(() => {
      runs++;
      Engine.Cancel(key);
    }, 1);
    await host.advance(10);
    assert.equal(runs, 1);
    assert.equal(host.alive.size, 0);
  });

  it('defers to the end of the turn, with the time', async () => {
    const { host, Engine } = stage();
    await host.advance(3);
    const seen: unknown[] = [];
    Engine.Defer((time: unknown) => seen.push(time));
    seen.push('now');
    await Promise.resolve();
    assert.deepEqual(seen, ['now', 3]);
  });

  it('reports what its callbacks throw', async () => {
    const { host, Engine, errors } = stage();
    Engine.Defer(() => {
      throw new Error('deferred');
    });
    await Promise.resolve();
    Engine.Delay(() => {
      throw new Error('delayed');
    }, 1);
    await host.advance(2);
    assert.deepEqual(errors.map(String), ['Error: deferred', 'Error: delayed']);
  });

  it('has the web\'s names for them, which forgive more', async () => {
    const { host, aliases } = stage();
    const seen: unknown[] = [];
    aliases.setTimeout((...values: unknown[]) => seen.push(values), -5, 'a', 'b');
    aliases.setTimeout((time: unknown) => seen.push(time));
    assert.throws(() => aliases.setTimeout(() => {}, NaN), { name: 'RangeError', message: /ms must be a number from 0 to 2147483647, not NaN/ });
    aliases.setImmediate(() => seen.push('immediate'));
    const key = aliases.setInterval(() => seen.push('interval'), 2);
    assert.equal(aliases.clearTimeout(undefined), false);
    await host.advance(3);
    assert.equal(aliases.clearInterval(key), true);
    await host.advance(10);
    assert.deepEqual(seen, [['a', 'b'], 0, 'immediate', 'interval']);
  });

  for (const [name, ms, error] of [['a negative time', -1, RangeError], ['no number', '5', TypeError], ['NaN', NaN, RangeError], ['more than timers hold', 2 ** 31, RangeError]] as const) {
    it(`refuses ${name}`, () => {
      const { Engine } = stage();
      assert.throws(() => Engine.Delay(() => {}, ms), (thrown) => thrown instanceof error && /Engine\.Delay\(fn, ms\): ms must be/.test(thrown.message) && thrown.message.includes(String(ms)));
    });
  }
});
