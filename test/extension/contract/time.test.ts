import assert from 'node:assert/strict';
import manifest from '../../../package.json';
import { parseCommand } from '../../../extension/cli-options';
import { closeServers, tcpServer } from '../../interop/support/servers';
import { stage } from '../worker/stage';
import { expectError, RuntimeBench } from '../worker/runtime-bench';

describe('The contract: Event and Engine', function () {
  this.timeout(60_000);
  let bench: RuntimeBench;
  before(async () => (bench = await RuntimeBench.start()));
  afterEach(closeServers);
  after(() => bench.stop());

  /** How many RST the stack has sent. */
  const resets = (): number => Number(/"txResets":(\d+)/.exec(JSON.stringify(bench.runtime.counters()))?.[1]);

  it('Event.OnTick: Event<number>: constant frequency, carries the tick counter, before render', async () => {
    const { host, OnTick, OnRender } = stage(30);
    const times: number[] = [];
    const order: string[] = [];
    OnTick.on((n) => {
      times.push(host.now());
      order.push(`tick ${n}`);
    });
    OnRender.on((n) => order.push(`frame ${n}`));
    await host.advance(60_001);
    assert.equal(times.length, 1_800);
    times.forEach((time, i) => assert.ok(time - ((i + 1) * 1_000) / 30 < 1.001, `tick ${i + 1} at ${time}`));
    assert.deepEqual(order.slice(0, 6), ['frame 1', 'tick 1', 'frame 2', 'frame 3', 'tick 2', 'frame 4']);
    // The first frame has no tick in its moment; each other one that has comes after it.
    for (let n = 1; n <= 1_800; n++) assert.equal(order.indexOf(`frame ${2 * n}`) - order.indexOf(`tick ${n}`), 1);
  });

  it('Event.OnRender: Event<number>: more often than ticks, carries the frame counter', async () => {
    for (const [tickRate, frames] of [[1, 60], [30, 60], [60, 120], [200, 400]] as const) {
      const { host, OnTick, OnRender } = stage(tickRate);
      const seen: number[] = [];
      let ticks = 0;
      OnTick.on(() => ticks++);
      OnRender.on((n) => seen.push(n as number));
      await host.advance(10_000);
      assert.deepEqual([ticks, seen.length], [tickRate * 10, frames * 10]);
      seen.forEach((n, i) => assert.equal(n, i + 1));
    }
  });

  it('An event can be awaited (`const n = await Event.OnTick;` resumes at the next tick, once per await), and bound: `on(handler)`, `once(handler)`, `off(handler)`, `for await`.', async () => {
    const { host, OnTick } = stage(100);
    const seen: string[] = [];
    void (async () => {
      seen.push(`await ${await OnTick}`, `await ${await OnTick}`);
      for await (const n of OnTick) {
        seen.push(`for ${n}`);
        if (n === 4) break;
      }
    })();
    const bound = (n: unknown) => seen.push(`on ${n}`);
    OnTick.on(bound);
    OnTick.once((n) => seen.push(`once ${n}`));
    await host.advance(20);
    assert.equal(OnTick.off(bound), true);
    assert.equal(OnTick.off(bound), false);
    await host.advance(100);
    assert.deepEqual(seen, ['on 1', 'once 1', 'on 2', 'await 1', 'await 2', 'for 3', 'for 4'].sort((a, b) => order(a) - order(b)));
    function order(text: string): number {
      return ['on 1', 'once 1', 'on 2', 'await 1', 'await 2', 'for 3', 'for 4'].indexOf(text);
    }
  });

  it('A handler that throws is reported with its line and does not stop the others.', async () => {
    const { outcome, output, errors } = await bench.run("Event.OnTick.once(() => print('first'));\nEvent.OnTick.once(() => {\n  throw new Error('second');\n});\nEvent.OnTick.once(async () => {\n  await null;\n  throw new Error('third');\n});\nEvent.OnTick.once(() => print('fourth'));\nEngine.Delay(() => { throw new Error('fifth'); }, 1);\nEngine.Defer(() => { throw new Error('sixth'); });\nawait Event.OnTick; await Event.OnTick; print('on');");
    assert.equal(outcome.kind, 'finished');
    assert.deepEqual(output, ['first', 'fourth', 'on']);
    assert.deepEqual(errors.map(({ message, location }) => `${message} ${location?.line}`).sort(), ['Error: fifth 10', 'Error: second 3', 'Error: sixth 11', 'Error: third 7']);
  });

  it('Engine.TICK_RATE: number: Hz; 30 unless set; frames 60', async () => {
    const text = 'let frames = 0; Event.OnRender.on(() => { frames++; }); while (frames < 4) await Event.OnTick; print(Engine.TICK_RATE, Engine.GetTickCount() <= 3); Event.OnRender.off(() => {}); throw 0;';
    assert.deepEqual((await bench.run(text, { tickRate: 30 })).output, ['30 true']);
    assert.match((await bench.run(text, { tickRate: 12.5 })).output[0] ?? '', /^12\.5 /);
    const command = parseCommand(['run', 'examples/hello.ts']);
    assert.ok(command.kind === 'run');
    assert.deepEqual([command.tickRate, manifest.contributes.configuration.properties['riftnet.tickRate'].default], [30, 30]);
  });

  it('Engine.Time(): number: ms since the environment started, sub-ms precision', async () => {
    const { output } = await bench.run('const times = Array.from({ length: 1000 }, () => Engine.Time()); print(times[0] >= 0 && times[0] < 5000, times.every((time, i) => i === 0 || time >= times[i - 1]), times.some((time) => time % 1 !== 0)); const from = Engine.Time(); await new Promise((resolve) => Engine.Delay(resolve, 50)); print(Engine.Time() - from >= 49.9);');
    assert.deepEqual(output, ['true true true', 'true']);
  });

  it('Engine.GetTickCount(): number', async () => {
    const { output } = await bench.run('print(Engine.GetTickCount()); const n = await Event.OnTick; print(n === Engine.GetTickCount(), await Event.OnTick === n + 1);');
    assert.deepEqual(output, ['0', 'true true']);
  });

  it('Engine.Defer(fn): before the next tick; alias queueMicrotask', async () => {
    const { output } = await bench.run("Event.OnTick.once(() => print('tick')); Engine.Defer((time) => print('deferred', typeof time)); queueMicrotask((time) => print('microtask', typeof time)); print('now'); await Event.OnTick;");
    assert.deepEqual(output, ['now', 'deferred number', 'microtask number', 'tick']);
  });

  it('Engine.Delay(fn, ms): number: alias setTimeout, and setImmediate with ms = 0; fn gets the time', async () => {
    const { host, Engine, aliases } = stage(30);
    const seen: [string, unknown, number][] = [];
    const note = (name: string) => (time: unknown) => void seen.push([name, time, host.now()]);
    for (const key of [Engine.Delay(note('delay'), 20), aliases.setTimeout(note('timeout'), 10), aliases.setImmediate(note('immediate'))]) assert.equal(typeof key, 'number');
    await host.advance(100);
    assert.deepEqual(seen, [['immediate', 0, 0], ['timeout', 10, 10], ['delay', 20, 20]]);
  });

  it('Engine.Timer(fn, ms): number: alias setInterval; ends when fn returns true', async () => {
    const { host, Engine, aliases } = stage(30);
    const seen: string[] = [];
    const key = Engine.Timer((time: unknown) => {
      seen.push(`timer ${time}`);
      return seen.length === 3;
    }, 10);
    await host.advance(100);
    let truthy = 0;
    const other = aliases.setInterval(() => ++truthy, 10);
    await host.advance(100);
    assert.deepEqual([typeof key, seen], ['number', ['timer 10', 'timer 20', 'timer 30']]);
    // Only true itself: a number is none.
    assert.equal(truthy, 10);
    assert.equal(Engine.Cancel(other), true);
    assert.equal(Engine.Cancel(key), false);
  });

  it('Engine.Cancel(key): boolean: aliases clearTimeout, clearInterval, clearImmediate', async () => {
    const { host, Engine, aliases } = stage(30);
    let ran = 0;
    const run = () => ran++;
    for (const cancel of [Engine.Cancel, aliases.clearTimeout, aliases.clearInterval, aliases.clearImmediate]) {
      for (const key of [Engine.Delay(run, 1), Engine.Timer(run, 1), aliases.setImmediate(run)]) {
        assert.equal(cancel(key), true);
        assert.equal(cancel(key), false);
      }
      for (const nothing of [undefined, null, 'x', {}, -1]) assert.equal(cancel(nothing), false);
    }
    await host.advance(50);
    assert.equal(ran, 0);
    assert.equal(host.alive.size, 0);
  });

  it('A script ends when its top level has finished and nothing is left that could wake it (no bound handler, timer, or pending promise of ours), or when it is stopped.', async () => {
    const server = await tcpServer((socket) => socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')));
    // Each keeps it alive until it is done, and no longer; an open socket does not.
    const { output, outcome } = await bench.run(`
      Network.Connect('localhost', ${server.port});
      const handler = (n) => { if (n < 3) return; Event.OnTick.off(handler); print('handler'); };
      Event.OnTick.on(handler);
      Engine.Delay(() => print('timer'), 20);
      Engine.Timer((time) => time > 100, 10);
      void fetch('http://localhost:${server.port}/').then((response) => print('fetch', response.status));
      void Promise.resolve(Event.OnTick).then((n) => print('promise', n));
      print('top level');`);
    assert.deepEqual(outcome, { kind: 'finished' });
    assert.equal(output[0], 'top level');
    assert.deepEqual([...output].sort(), ['fetch 200', 'handler', 'promise 1', 'timer', 'top level']);
    for (const text of ['Event.OnTick.on(() => {});', 'Event.OnRender.on(() => {});', 'Engine.Timer(() => {}, 1);', 'while (true) await Event.OnTick;']) {
      const stopped = await bench.run(`print('on'); ${text}`, {
        onMessage: (message, runId) => {
          if (message.type === 'output') bench.runtime.handle({ type: 'stop', runId });
        },
      });
      assert.deepEqual(stopped.outcome, { kind: 'stopped' }, text);
    }
  });

  it('Its sockets then send what is queued and close, for at most 10 s; then they are reset, and that is reported.', async () => {
    let received = 0;
    let ended = false;
    const takes = await tcpServer((socket) => socket.on('data', (data) => (received += data.length)).on('end', () => (ended = true)));
    // It neither reads nor closes: its window is zero, and stays so.
    const stuck = await tcpServer((socket) => socket.pause(), { allowHalfOpen: true });
    const before = resets();
    const { outcome } = await bench.run(`
      const sockets = [${takes.port}, ${stuck.port}].map((port) => Network.Connect('localhost', port));
      while (sockets.some(({ status }) => status === 'connecting')) await Event.OnTick;
      for (const socket of sockets) socket.write(Buffer.alloc(40 << 20));`);
    assert.deepEqual([outcome.kind, received, ended], ['finished', 40 << 20, true]);
    const told = bench.messages.find((message) => message.type === 'log' && message.level === 'warn' && message.message.includes(`localhost:${stuck.port}`));
    assert.ok(told?.type === 'log');
    assert.match(told.message, /Reset after the script's end: localhost:\d+ did not close within 10 s/);
    assert.ok(!told.message.includes(String(takes.port)));
    assert.ok(resets() > before);
  });

  it('A top-level await that nothing can settle any more ends the script as an error, with its line.', async () => {
    for (const [text, line] of [
      ["print('x');\n\nawait new Promise(() => {});", 3],
      ["await Event.OnTick;\nconst later = async () => {\n  await new Promise(() => {});\n};\nawait later();", 5],
      ["for (let i = 0; i < 3; i++) {\n  await Event.OnTick;\n  if (i === 2) await { then() {} };\n}", 3],
      ["const socket = Network.Connect('localhost', 1);\nawait Promise.race([]);", 2],
      ["\nasync function* never() {\n  await new Promise(() => {});\n}\nfor await (const x of never()) print(x);", 5],
    ] as const) {
      const error = expectError((await bench.run(text)).outcome);
      assert.deepEqual([error.kind, error.location?.line], ['stuck', line], text);
      assert.match(error.stack, new RegExp(`run-\\d+\\.ts:${line}:`));
    }
  });
});
