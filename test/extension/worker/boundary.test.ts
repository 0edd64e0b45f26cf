import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { permissionFlag } from '../../../extension/node/script-node';
import { ScriptProcess, type ProcessEnd } from '../../../extension/worker/script-process';
import { expectError, RuntimeBench } from './runtime-bench';

/**
 * Known ways out of a realm. Each is the body of an async function; what it returns, or leaves in `leak`, is looked
 * through for anything of Node's. `code` is a program that would fetch a module of Node's.
 */
const WAYS_OUT: readonly (readonly [string, string])[] = [
  ['globals of Node', "return ['process', 'require', 'module', 'global', 'Deno', 'Bun'].map((name) => g[name]).find(Boolean);"],
  ['this of a sloppy function', "return Function('return this')().process ?? Function('return typeof require')() === 'function';"],
  ['the constructor of a function', "return (() => {}).constructor('return process')();"],
  ['the constructor of Buffer', "return Buffer.constructor('return process')();"],
  ['the constructors of what the runtime gives', "return [Network, Event, Engine, print, fetch, console, Event.OnTick.on].map((host) => host.constructor.constructor('return typeof process')()).find((type) => type !== 'undefined');"],
  ['import() of a module', "return import(['node', 'net'].join(':'));"],
  ['import() in an indirect eval', 'return (0, eval)(code);'],
  ['import() in a function', 'return Function(code)();'],
  ['import() in an async generator', "return Object.getPrototypeOf(async function* () {}).constructor(code)().next();"],
  ['eval called by a timer', 'setTimeout(eval, 0, code); await pause();'],
  ['eval called by setInterval', 'const key = setInterval(eval, 1, code); await pause(); clearInterval(key);'],
  ['eval called by setImmediate', 'setImmediate(eval, code); await pause();'],
  ['eval called by queueMicrotask', 'queueMicrotask(() => eval(code)); queueMicrotask(eval.bind(null, code)); await pause();'],
  ['eval called by Engine', 'Engine.Defer(eval.bind(null, code)); Engine.Delay(eval.bind(null, code), 1); await pause();'],
  ['eval called by a tick', 'Event.OnTick.once(eval.bind(null, code)); await pause();'],
  ['eval called by a promise', 'return Promise.resolve(code).then(eval);'],
  ['eval called by URLSearchParams', "new URLSearchParams([['x', code]]).forEach(eval); await pause();"],
  ['eval called by an array', '[code].forEach(eval); await pause();'],
  ['eval called by JSON in fetch', "await fetch('http://localhost:1/', { method: 'POST', body: { json: { [code]: { toJSON: eval } } } }); await pause();"],
  ['eval called while a value is printed', `
    let inspect; print({ [Symbol.for('nodejs.util.inspect.custom')](depth, options, given) { inspect = given; return ''; } });
    const raw = { [Symbol.for('nodejs.util.inspect.custom')]: () => code };
    inspect({ a: raw, b: raw }, { sorted: eval }); await pause(); return inspect.constructor('return process')();`],
  ['what is given to a custom inspection', "let got; print({ [Symbol.for('nodejs.util.inspect.custom')](depth, options, inspect) { got = [options, inspect]; return ''; } }); return got.flatMap((each) => [each, each.constructor, each.stylize]);"],
  ['an event\'s path and target', "const control = new AbortController(); let event; control.signal.addEventListener('abort', (given) => (event = given)); control.abort(); return [event, event.currentTarget, event.composedPath()].flat();"],
  ['call sites of Error.prepareStackTrace', `
    const prepare = Error.prepareStackTrace; let frames = [];
    Error.prepareStackTrace = (error, sites) => ((frames = sites), ''); Engine.Defer(() => void new Error().stack); void new Error().stack; await pause(); Error.prepareStackTrace = prepare;
    return frames.flatMap((frame) => [frame.getThis(), frame.getFunction(), frame.getEvalOrigin()]);`],
  ['call sites at a handler of the network', `
    const prepare = Error.prepareStackTrace; const found = [];
    Error.prepareStackTrace = (error, sites) => (found.push(...sites.flatMap((site) => [site.getThis(), site.getFunction()])), '');
    const trap = new Proxy(function () {}, { apply: () => void new Error().stack, get: () => void new Error().stack });
    try { Network.Connect(trap, 1); } catch { /* refused */ } try { Network.Connect('localhost', 1).write(trap); } catch { /* refused */ }
    await fetch(trap, trap); print(trap); Error.prepareStackTrace = prepare; return found;`],
  ['errors of the runtime', "try { Network.Connect('', 0); } catch (error) { return [error.constructor.constructor('return process')]; }"],
  ['a stack overflow inside the runtime', "let error; const dive = () => { try { dive(); } catch { try { print({}); Network.Connect('localhost', 1); } catch (thrown) { error ??= thrown; } } }; dive(); return error?.constructor.constructor('return typeof process')() === 'undefined' ? null : error;"],
  ['arguments.callee.caller', "let caller; const trap = { get host() { return 1; }, toString: Function('return arguments.callee.caller') }; try { Network.Connect(trap, 1); caller = String(trap); } catch (error) { caller = error; } return typeof caller === 'function' ? caller : null;"],
  ['a species of the runtime\'s promises', "class Mine extends Promise { constructor(run) { super((resolve, reject) => run((value) => { leak.push(value); resolve(value); }, reject)); } static get [Symbol.species]() { return Mine; } } const got = fetch('nowhere'); got.constructor = Mine; await got.then(() => 1);"],
  ['methods of Array and Map, replaced', `
    const undo = [];
    for (const [prototype, names] of [[Array.prototype, ['push', 'shift', 'splice', 'slice', 'map']], [Map.prototype, ['get', 'set', 'delete', 'values']], [Set.prototype, ['add']], [Promise.prototype, ['then']], [Uint8Array.prototype, ['set', 'subarray', 'slice']], [Function.prototype, ['call', 'apply', 'bind']]]) {
      for (const name of names) { const own = prototype[name]; undo.push(() => (prototype[name] = own)); prototype[name] = function (...values) { if (!spying) { spying = true; seen.add(this); values.forEach((value) => seen.add(value)); spying = false; } return Reflect.apply(own, this, values); }; }
    }
    await use(); undo.forEach((run) => run());`],
  ['getters on Object.prototype', `
    const names = 'highWaterMark domain signal objectMode handle fd onread encoding callback emitter captureRejections writev final destroy read write _events _handle errored error stderr stdout mainModule kill report binding host port path lookup localAddress socket connect servername ALPNProtocols session agent body headers owner async trigger'.split(' ').filter((name) => !(name in Object.prototype));
    for (const name of names) Object.defineProperty(Object.prototype, name, { configurable: true, get() { seen.add(this); }, set(value) { Object.defineProperty(this, name, { value, writable: true, configurable: true, enumerable: true }); } });
    await use(); names.forEach((name) => delete Object.prototype[name]);`],
  ['WebAssembly\'s imports', "const module = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])); return new WebAssembly.Instance(module).exports.process;"],
  ['the console\'s streams', 'return [console._stdout, console._stderr].map((stream) => stream?.constructor).filter(Boolean);'],
];

const HARNESS = `
const g = globalThis;
const leak = [];
g.leak = leak;
const code = 'import("node:net").then((found) => globalThis.leak.push(found), () => {})';
const pause = async () => { for (let i = 0; i < 3; i++) await Event.OnTick; };
const seen = new Set();
let spying = false;
/** Everything of the runtime once, while something watches. */
async function use() {
  const socket = Network.Connect('localhost', 1);
  await pause();
  print(socket.read(), socket.write('x')); console.log('x'); console.table([1]);
  await fetch('http://localhost:1/'); await fetch('https://localhost:1/');
  await pause();
  leak.push(...seen);
}
/** Whether a value, or what it leads to in a few steps, is something of Node's that a script must not have. */
function escaped(value) {
  const done = new Set();
  let next = [value];
  for (let depth = 0; depth < 4; depth++) {
    const found = [];
    for (const each of next) {
      if ((typeof each !== 'object' && typeof each !== 'function') || each === null || done.has(each)) continue;
      done.add(each);
      let own;
      try { own = Object.getOwnPropertyDescriptors(each); } catch { continue; }
      if ('versions' in own && 'pid' in own) return 'process';
      if ('readFileSync' in own || 'spawn' in own || 'createConnection' in own || ('resolve' in own && 'cache' in own)) return 'a module of Node';
      for (const { value: inner } of Object.values(own)) found.push(inner);
      found.push(Object.getPrototypeOf(each));
      if (found.length > 20_000) break;
    }
    next = found;
  }
  return null;
}
`;

describe('The boundary around a script', function () {
  this.timeout(60_000);
  let bench: RuntimeBench;

  before(async () => (bench = await RuntimeBench.start()));
  after(() => bench.stop());

  for (const [name, body] of WAYS_OUT) {
    it(`nothing of Node comes from ${name}`, async () => {
      const { outcome, output } = await bench.run(`${HARNESS}
        let got;
        try { got = await (async () => { ${body} })(); } catch { got = null; }
        print('found', escaped([got, ...leak]));
      `, { tickRate: 500 });
      assert.deepEqual(outcome, { kind: 'finished' });
      assert.equal(output.filter((line) => line.startsWith('found ')).at(-1), 'found null');
    });
  }

  for (const [name, text, message] of [
    ['process', 'process.exit(1);', /process is not defined \(scripts have no process: use print, Engine and Network\)/],
    ['require', "const name = 'fs'; (0, eval)('require')(name);", /require is not defined \(scripts have no require: use import\)/],
    ['a node: module', "import { readFileSync } from 'node:fs';\nprint(readFileSync);", /"node:fs" is a module of Node, and not available to Riftnet scripts/],
    ['a module of Node by its bare name', "import net from 'net';\nprint(net);", /"net" is a module of Node, and not available/],
    ['__dirname', '(0, eval)("__dirname");', /__dirname is not defined \(scripts have no file system\)/],
  ] as const) {
    it(`an attempt at ${name} is a clear error`, async () => assert.match(expectError((await bench.run(text)).outcome).message, message));
  }

  for (const [name, text] of [
    ['waits in Atomics.wait', "print('on'); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);"],
    ['spins in a microtask', "print('on'); const spin = () => Promise.resolve().then(spin); await spin();"],
    ['spins in a regular expression', "print('on'); /(a+)+$/.test('a'.repeat(60) + 'b');"],
    ['handles every error and goes on', "print('on'); for (;;) { try { (() => { for (;;); })(); } catch { /* on */ } }"],
  ] as const) {
    it(`a script that ${name} is stopped at once`, async () => {
      const { outcome } = await bench.run(text, {
        onMessage: (message, runId) => {
          if (message.type === 'output') bench.runtime.handle({ type: 'stop', runId });
        },
      });
      assert.deepEqual(outcome, { kind: 'stopped' });
    });
  }

  it('scripts share no globals, no memory and no sockets', async () => {
    const one = bench.run("globalThis.shared = 'one'; Array.prototype.polluted = true; for (let i = 0; i < 20; i++) await Event.OnTick; print('one done');");
    const two = await bench.run("for (let i = 0; i < 5; i++) await Event.OnTick; print(typeof globalThis.shared, [].polluted);");
    assert.deepEqual(two.output, ['undefined undefined']);
    assert.deepEqual((await one).output, ['one done']);
  });
});

/** Past the realm: a program with Node's `require`, in a process that is started as a script's. */
const ROGUE = `
const results = {};
const attempt = (name, run) => { try { run(); results[name] = 'done'; } catch (error) { results[name] = error.code ?? error.message.split('\\n')[0]; } };
const later = (name, run) => run().then(() => (results[name] = 'done'), (error) => (results[name] = error.code ?? error.message));
const fs = require('node:fs');
const { folder, addon, port } = PARAMETERS;
attempt('read a file', () => fs.readFileSync('/etc/hostname'));
attempt('list a folder', () => fs.readdirSync('/'));
attempt('look at a file', () => fs.statSync('/etc/hostname'));
attempt('write a file', () => fs.writeFileSync(folder + '/written', 'x'));
attempt('write to its own bundle', () => fs.appendFileSync(__filename, '//'));
attempt('delete a file', () => fs.unlinkSync(folder + '/script-http.js'));
attempt('make a link', () => fs.symlinkSync('/etc/hostname', folder + '/link'));
attempt('read through /proc', () => fs.readFileSync('/proc/self/root/etc/hostname'));
attempt('read a path with dots', () => fs.readFileSync(folder + '/script.js/../../../etc/hostname'));
attempt('spawn', () => require('node:child_process').spawnSync('/bin/true').error && (() => { throw require('node:child_process').spawnSync('/bin/true').error; })());
attempt('exec', () => require('node:child_process').execSync('true'));
attempt('fork', () => require('node:child_process').fork(__filename));
attempt('cluster', () => require('node:cluster').fork());
attempt('a thread', () => new (require('node:worker_threads').Worker)('1', { eval: true }));
attempt('an addon', () => process.dlopen({ exports: {} }, addon));
attempt('an addon by require', () => require(addon));
attempt('WASI', () => new (require('node:wasi').WASI)({ version: 'preview1', preopens: { '/': '/' } }));
attempt('the inspector', () => require('node:inspector').open(0));
attempt('a binding', () => process.binding('fs').open('/etc/hostname', 0, 0));
attempt('a binding for processes', () => process.binding('spawn_sync'));
attempt('require of a file', () => require('/etc/hostname'));
attempt('a heap snapshot', () => require('node:v8').writeHeapSnapshot(folder + '/heap'));
Promise.all([
  later('read a file later', () => fs.promises.readFile('/etc/hostname')),
  later('import of a file', () => import('file:///etc/hostname')),
  later('the system\\'s sockets', () => new Promise((resolve, reject) => { const socket = require('node:net').connect(port, '127.0.0.1', resolve); socket.on('error', reject); })),
]).then(() => process.stderr.write(JSON.stringify(results), () => process.exit(0)));
`;

describe('Past the realm, the process holds', function () {
  this.timeout(60_000);
  let folder: string;
  before(() => (folder = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'riftnet-rogue-'))));
  after(() => fs.rmSync(folder, { recursive: true }));

  async function rogue(program: string, parameters: object): Promise<ProcessEnd> {
    for (const name of ['script-main.js', 'script-http.js']) fs.writeFileSync(path.join(folder, name), '');
    fs.writeFileSync(path.join(folder, 'script.js'), program.replace('PARAMETERS', () => JSON.stringify(parameters)));
    const node = { path: process.execPath, permissionFlag: permissionFlag(process.allowedNodeEnvironmentFlags) };
    return new Promise((resolve) => {
      const started = new ScriptProcess({ bundles: folder, memoryMb: 128, node, prefix: [], onDebuggable: null }, resolve);
      started.reports?.resume();
    });
  }

  it('no file, no process, no thread, no addon, no binding, no debugger, whatever code asks for it', async () => {
    const server = net.createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    const addon = path.resolve('node_modules/@esbuild/linux-x64/bin/esbuild');
    const end = await rogue(ROGUE, { folder, addon, port: address.port });
    server.close();
    const text = end.errorOutput.trim();
    assert.ok(text.startsWith('{'), text);
    const results = JSON.parse(text) as Record<string, string>;
    const sockets = results['the system\'s sockets'];
    delete results['the system\'s sockets'];
    assert.equal(Object.keys(results).length, 24);
    const succeeded = Object.entries(results).filter(([, result]) => result === 'done');
    assert.deepEqual(succeeded, []);
    for (const name of ['read a file', 'write a file', 'read through /proc', 'spawn', 'a thread', 'an addon', 'WASI', 'read a file later']) assert.match(results[name] ?? '', /^ERR_(ACCESS_DENIED|DLOPEN_DISABLED)$/, name);
    // What the boundary is not, as docs/boundary.md says: only a Node with a permission for them withholds the system's sockets.
    const withheld = process.allowedNodeEnvironmentFlags.has('--allow-net');
    assert.equal(sockets === 'done', !withheld, sockets);
    assert.deepEqual(fs.readdirSync(folder).sort(), ['script-http.js', 'script-main.js', 'script.js']);
  });

  it('has nothing of the worker\'s environment but language, time zone and whom TLS trusts', async () => {
    process.env['RIFTNET_SECRET'] = 'secret';
    const end = await rogue("process.stderr.write(Object.keys(process.env).join());", {});
    delete process.env['RIFTNET_SECRET'];
    for (const name of end.errorOutput.split(',')) assert.match(name, /^(TZ|LANG|LC_ALL|NODE_EXTRA_CA_CERTS|SYSTEMROOT|ELECTRON_RUN_AS_NODE)$/);
  });
});

describe('Disarmed, Node', function () {
  this.timeout(30_000);

  it('has neither signals for other processes, nor the system\'s sockets, nor ways to native code and modules', async () => {
    const { build } = await import('esbuild');
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-disarmed-'));
    const file = path.join(folder, 'disarmed.js');
    await build({
      stdin: {
        contents: `
          import net from 'node:net';
          import { disarm } from './disarm';
          const pipe = new net.Socket({ fd: 3, readable: true, writable: true });
          disarm(pipe);
          const tries = {
            kill: () => process.kill(process.ppid, 0), binding: () => process.binding('tcp_wrap'), module: () => process.getBuiltinModule('net'), dlopen: () => process.dlopen({}, ''),
            main: () => process.mainModule.require('net'), handles: () => process._getActiveHandles(),
            connect: () => net.connect(1, '127.0.0.1'), socket: () => new net.Socket().connect(1), listen: () => net.createServer().listen(0), server: () => net._createServerHandle('127.0.0.1', 0, 4),
            pipe: () => new pipe._handle.constructor(0).connect({}, '/tmp/x'), path: () => net.connect('/tmp/x'), again: () => Reflect.apply(net.Server.prototype._listen2, net.createServer(), ['127.0.0.1', 0, 4, 1]),
            http: () => require('node:http').get('http://127.0.0.1:1/').on('error', () => {}), tls: () => require('node:tls').connect(1).on('error', () => {}),
          };
          const open = Object.keys(tries).filter((name) => { try { tries[name](); return true; } catch { return false; } });
          process.stdout.write(JSON.stringify(open));
          process.exit(0);`,
        resolveDir: path.resolve('extension/worker/script'),
      },
      bundle: true, platform: 'node', format: 'cjs', outfile: file, logLevel: 'warning',
    });
    const { spawn } = await import('node:child_process');
    const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] });
    const chunks: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(child, 'close');
    fs.rmSync(folder, { recursive: true });
    assert.equal(Buffer.concat(chunks).toString(), '[]');
  });
});
