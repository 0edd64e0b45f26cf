import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { closeServers, tcpServer } from '../../interop/support/servers';
import { expectError, RuntimeBench } from './runtime-bench';

describe('What a script may be written in', function () {
  this.timeout(60_000);
  let bench: RuntimeBench;
  before(async () => {
    bench = await RuntimeBench.start();
    // The project's own dependencies, which are real packages.
    fs.symlinkSync(path.resolve('node_modules'), path.join(bench.folder, 'node_modules'));
  });
  after(() => bench.stop());

  function write(name: string, text: string): string {
    const file = path.join(bench.folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
    return file;
  }

  it('TypeScript that does not pass its type check runs all the same', async () => {
    const { output, outcome } = await bench.run("const n: number = 'text' as never as string;\nconst missing: NoSuchType = { a: 1 };\nprint(n.toUpperCase(), missing.a, undeclared?.());\nfunction undeclared(this: Wrong): Other { return 'ran' as never; }");
    assert.equal(outcome.kind, 'finished');
    assert.deepEqual(output, ['TEXT 1 ran']);
  });

  it('all of TypeScript\'s syntax that has a meaning at run time', async () => {
    const { output, outcome } = await bench.run(`
      import type { Nothing } from './there-is-no-such-file';
      enum Colour { Red = 1, Green }
      const enum Flag { A = 1 << 3 }
      namespace Space { export const inside = 'namespace'; }
      abstract class Base<T> { constructor(protected readonly value: T, public name = 'property') {} abstract show(): string; }
      class Derived extends Base<number> { #secret = 7; declare later: string; override show() { return \`\${this.value} \${this.#secret}\`; } static { print('static block'); } }
      function overloaded(x: string): string; function overloaded(x: number): number; function overloaded(x: unknown) { return x; }
      const record = { a: 1 } satisfies Record<string, number>;
      using resource = { [Symbol.dispose ?? Symbol.for('dispose')]() {} } as never;
      label: for (const x of [1, 2]) { for (;;) continue label; }
      print(Colour.Green, Colour[1], Flag.A, Space.inside, new Derived(5).show(), new Derived(1).name, overloaded('o'), record.a, <string>'cast', ('x' as unknown as string)!.length);
      const g = async function* <T>(values: T[]) { yield* values; };
      for await (const value of g([1n])) print(value);
      let u: Nothing | undefined; print(u ?? 'coalesced', u?.x, 1_000_000);
    `.replace(/^.*using resource.*$/m, ''));
    assert.equal(outcome.kind, 'finished', JSON.stringify(outcome));
    assert.deepEqual(output, ['static block', '2 Red 8 namespace 5 7 property o 1 cast 1', '1n', 'coalesced undefined 1000000']);
  });

  it('packages from npm in pure JavaScript: ES modules, CommonJS, and one that is both', async () => {
    const { output, outcome } = await bench.run("import fc from 'fast-check';\nimport { parse } from 'acorn';\nimport * as dns from 'dns-packet';\nfc.assert(fc.property(fc.integer(), (n) => n === n));\nprint(parse('a + b', { ecmaVersion: 2022 }).body[0].type);\nprint(typeof dns.encode);");
    assert.equal(outcome.kind, 'finished', JSON.stringify(outcome));
    assert.deepEqual(output, ['ExpressionStatement', 'function']);
  });

  it('a package that needs what there is not says so where it asks', async () => {
    write('node_modules2/x', '');
    const error = expectError((await bench.run("import mocha from 'esbuild';\nprint(mocha);")).outcome);
    assert.match(`${error.message} ${error.stack}`, /is a module of Node, and not available|is not supported|Could not resolve/);
  });

  for (const [name, files, text, expected] of [
    ['a syntax error in an import', { 'broken.ts': 'export const ok = 1;\nexport const = 2;\n' }, "import './broken';", ['syntax', 'broken.ts', 2]],
    ['JSON that is none', { 'broken.json': '{\n  "a": 1,\n  oops\n}\n' }, "import data from './broken.json';\nprint(data);", ['syntax', 'broken.json', 3]],
    ['an import without such an export', { 'exports.ts': 'export const a = 1;\n' }, "\nimport { b } from './exports';\nprint(b);", ['syntax', 'run', 2]],
    ['a throw while an import is evaluated', { 'throws.ts': "interface A {\n  a: 1;\n}\n\nthrow new RangeError('import');\n" }, "import './throws';", ['throw', 'throws.ts', 5]],
    ['a rejection in an import that nobody handles', { 'rejects.ts': "type A = 1;\nexport const p = Promise.reject(new Error('import'));\n" }, "import './rejects';\nawait Event.OnTick; await Event.OnTick;", ['rejection', 'rejects.ts', 2]],
    ['a throw in an async function, after an await', { 'later.ts': "export async function later(): Promise<never> {\n  await Event.OnTick;\n  throw new TypeError('later');\n}\n" }, "import { later } from './later';\nawait later();", ['throw', 'later.ts', 3]],
    ['a throw of something that is frozen', {}, "\nconst error = Object.freeze(new Error('frozen'));\nthrow error;", ['throw', 'run', 2]],
    ['a throw inside JSON, on the line that called', {}, "\n\nJSON.parse('{');", ['throw', 'run', 3]],
    ['a class whose message is a getter that throws', {}, "class Bad extends Error { get message() { throw 1; } }\n\nthrow new Bad();", ['throw', 'run', 3]],
    ['a throw behind a wide line of other scripts', {}, "/* üüü日本語 */ const x = '€€€'; function f() { throw new Error('wide'); }\nf();", ['throw', 'run', 1]],
  ] as const) {
    it(`${name} is told with its line`, async () => {
      for (const [file, content] of Object.entries<string>(files)) write(file, content);
      const error = expectError((await bench.run(text)).outcome);
      const file = path.basename(error.location?.file ?? 'nowhere').replace(/^run-.*/, 'run');
      assert.deepEqual([error.kind, file, error.location?.line], expected, error.stack);
    });
  }

  it('a stack names classes and functions as they were written', async () => {
    const error = expectError((await bench.run("class Client {\n  static make() { return new Client(); }\n  fail() { throw new Error('named'); }\n  async later() { await null; this.fail(); }\n}\nclass _Own { go() { Client.make().fail(); } }\nfunction outer() { new _Own().go(); }\nouter();")).outcome);
    assert.deepEqual([...error.stack.matchAll(/at ([\w.]+) \(/g)].map((match) => match[1]), ['Client.fail', '_Own.go', 'outer']);
  });

  it('an error in a handler names its line in an import', async () => {
    write('handler.ts', "export function bind(): void {\n  Event.OnTick.once(() => {\n    null!.x;\n  });\n}\n");
    const { errors, outcome } = await bench.run("import { bind } from './handler';\nbind();");
    assert.equal(outcome.kind, 'finished');
    assert.deepEqual(errors.map(({ kind, location }) => [kind, path.basename(location?.file ?? ''), location?.line, location?.column]), [['handler', 'handler.ts', 3, 11]]);
  });
});

describe('What a script sees within one tick', function () {
  this.timeout(60_000);
  let bench: RuntimeBench;
  before(async () => (bench = await RuntimeBench.start()));
  afterEach(closeServers);
  after(() => bench.stop());

  it('everything that has arrived by then, on every socket, though the script was busy meanwhile', async () => {
    const server = await tcpServer((socket) => socket.once('data', () => socket.end(Buffer.alloc(100_000, 1))));
    const { output } = await bench.run(`
      const sockets = Array.from({ length: 5 }, () => Network.Connect('localhost', ${server.port}));
      while (sockets.some(({ status }) => status === 'connecting')) await Event.OnTick;
      for (const socket of sockets) socket.write('go');
      await Event.OnTick;
      // The worker goes on receiving; none of it shows yet.
      const before = sockets.map(({ bytesRead, status }) => status + bytesRead).join();
      for (const from = Engine.Time(); Engine.Time() - from < 1_000; );
      print(before === sockets.map(({ bytesRead, status }) => status + bytesRead).join());
      await Event.OnTick;
      print(sockets.map((socket) => socket.read()?.length).join(), sockets.map(({ status }) => status).join());`);
    assert.deepEqual(output, ['true', '100000,100000,100000,100000,100000 fin,fin,fin,fin,fin']);
  });

  it('the same for all who look in it: handlers and those who await', async () => {
    const server = await tcpServer((socket) => {
      const timer = setInterval(() => socket.write('.'), 1);
      socket.on('close', () => clearInterval(timer));
    });
    const { output } = await bench.run(`
      const socket = Network.Connect('localhost', ${server.port});
      while (socket.status === 'connecting') await Event.OnTick;
      let seen = [];
      let differs = 0;
      const look = () => { seen.push(socket.read(1) === null); };
      Event.OnTick.on(() => { seen = []; look(); const from = Engine.Time(); while (Engine.Time() - from < 5); });
      Event.OnTick.on(look);
      for (let i = 0; i < 50; i++) {
        await Event.OnTick;
        // Once there is nothing, nothing comes before the next turn.
        look();
        const first = seen.indexOf(true);
        if (first >= 0 && seen.slice(first).includes(false)) differs++;
      }
      print(differs);
      throw 'end';`, { tickRate: 100 });
    assert.deepEqual(output, ['0']);
  });

  it('after a second of its own work one tick, not the thirty that it missed', async () => {
    const { output } = await bench.run(`
      await Event.OnTick;
      const from = Engine.Time();
      while (Engine.Time() - from < 1_000);
      const count = Engine.GetTickCount();
      await Event.OnTick; await Event.OnTick; await Event.OnTick;
      print(Engine.GetTickCount() - count, Engine.Time() - from >= 1_000 + 2 * 33 - 5);`, { tickRate: 30 });
    assert.deepEqual(output, ['3 true']);
  });

  it('an asynchronous compilation keeps the script alive, as any promise of its own', async () => {
    const { output, outcome } = await bench.run("const module = await WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));\nprint(module instanceof WebAssembly.Module);");
    assert.deepEqual([outcome.kind, output], ['finished', ['true']]);
  });
});
