import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { DEFAULT_WORKER_SETTINGS, PROTOCOL_VERSION, type WorkerMessage } from '../../../extension/protocol';
import { buildBundles } from './bundles';
import { expectError, gone, isRunning, RuntimeBench } from './runtime-bench';

/** The port of a server on 127.0.0.1, which `localhost` stands for here. */
async function listen(server: net.Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('A worker and its scripts', function () {
  this.timeout(60_000);
  let bench: RuntimeBench;
  const servers: net.Server[] = [];

  before(async () => (bench = await RuntimeBench.start()));
  after(async () => {
    await bench.stop();
    for (const server of servers) server.close();
  });

  async function serve(handle: (socket: net.Socket) => void, options: net.ServerOpts = {}): Promise<number> {
    const server = net.createServer(options, (socket) => {
      socket.on('error', () => {});
      handle(socket);
    });
    servers.push(server);
    return listen(server);
  }

  async function serveHttp(handle: http.RequestListener): Promise<number> {
    const server = http.createServer(handle);
    servers.push(server);
    return listen(server);
  }

  it('is ready with an address from the gateway', async () => {
    const message = await bench.message(({ type }) => type === 'ready');
    assert.ok(message.type === 'ready');
    assert.equal(message.version, PROTOCOL_VERSION);
    assert.match(message.link.address ?? '', /^\d+\.\d+\.\d+\.\d+$/);
    assert.equal(message.link.kind, 'gateway');
  });

  describe('a script\'s life', () => {
    it('ends when nothing is left that could wake it', async () => {
      const { outcome, output } = await bench.run("Engine.Delay(() => print('later'), 5); Event.OnTick.once((n) => print('tick', n)); print('first');");
      assert.deepEqual(outcome, { kind: 'finished' });
      assert.deepEqual([output[0], [...output].sort()], ['first', ['first', 'later', 'tick 1']]);
    });

    it('prints with levels, as Node inspects', async () => {
      const { output } = await bench.run("print('a', 1, { b: [2] }); console.warn('%s is %d', 'x', 3); console.log(new Map([[1, 2]])); print(Buffer.from('é'), null, undefined); console.table([{ a: 1 }]);");
      assert.deepEqual(output.slice(0, 4), ['a 1 { b: [ 2 ] }', 'warn: x is 3', 'log: Map(1) { 1 => 2 }', '<Buffer c3 a9> null undefined']);
    });

    it('sets in what a group prints, on every line, whichever method prints it', async () => {
      const { output } = await bench.run("console.groupEnd(); console.group('outer'); console.log('one\\ntwo'); console.group(); console.warn('%d', 3); console.dir({ a: 1 }); console.groupEnd(); print('print'); console.groupEnd(); console.log('out'); class Named { static make() { return new Named(); } } print(Named.make());");
      assert.deepEqual(output, ['log: outer', 'log:   one\n  two', 'warn:     3', 'log:     { a: 1 }', 'print', 'log: out', 'Named {}']);
    });

    it('has only the contract\'s names', async () => {
      const { output } = await bench.run(`
        const names = ['process', 'require', 'module', 'exports', '__dirname', '__filename', 'global', 'navigator', 'crypto', 'performance', 'WebSocket', 'Headers'];
        print(names.filter((name) => name in globalThis).join() || 'none');
        print(typeof Buffer, typeof URL, typeof URLSearchParams, typeof TextEncoder, typeof TextDecoder, typeof structuredClone, typeof atob, typeof btoa, typeof AbortController);
        print([typeof setTimeout, typeof setInterval, typeof setImmediate, typeof clearTimeout, typeof queueMicrotask].join());
        print(structuredClone({ a: new Uint8Array([1]) }), new URL('http://a/b').href, AbortSignal.abort().aborted);`);
      assert.deepEqual(output, [
        'none', 'function function function function function function function function function', 'function,function,function,function,function',
        '{ a: Uint8Array(1) [ 1 ] } http://a/b true',
      ]);
    });

    it('cannot leave its process, even if it gets hold of Node', async () => {
      const { output } = await bench.run(`
        let caught = 'nothing';
        try {
          const load = Buffer.constructor('return import("node:child_process")');
          await load();
        } catch (error) { caught = error.constructor.name; }
        print(caught);
        try { await import(['node', 'fs'].join(':')); } catch (error) { print(error.message); }`);
      assert.equal(output.length, 2);
      assert.match(output[0] ?? '', /Error$/);
      assert.match(output[1] ?? '', /node:fs/);
    });

    it('reports what it throws with the line, through imports', async () => {
      fs.writeFileSync(path.join(bench.folder, 'helper.ts'), 'type Unused = string;\n\nexport function fail(): never {\n  throw new TypeError("helper failed");\n}\n');
      const { outcome } = await bench.run("import { fail } from './helper';\nprint('before');\nfunction outer(): void {\n  fail();\n}\nouter();\n");
      const error = expectError(outcome);
      assert.equal(error.kind, 'throw');
      assert.equal(error.message, 'TypeError: helper failed');
      assert.deepEqual(error.location, { file: path.join(bench.folder, 'helper.ts'), line: 4, column: 9 });
      assert.match(error.stack, /at fail \(.*helper\.ts:4:9\)\n\s+at outer \(.*run-\d+\.ts:4:3\)\n\s+at .*run-\d+\.ts:6:1$/);
    });

    for (const [name, text, kind, message, line] of [
      ['a rejection that nobody handles', "\nPromise.reject(new Error('unhandled'));\nawait Event.OnTick;", 'rejection', 'Error: unhandled', 2],
      ['something that is no error', "\n\nthrow { code: 5 };", 'throw', 'Uncaught { code: 5 }', null],
      ['a top-level await that nothing can settle', "print('x');\n\nawait new Promise(() => {});", 'stuck', 'Error: the script waits for a promise that nothing can settle any more', 3],
      ['an await in an import that nothing can settle', "import './stuck';\n", 'stuck', 'Error: the script waits for a promise that nothing can settle any more', 2],
      ['a name of Node', '\nprint(process.pid);', 'throw', 'ReferenceError: process is not defined (scripts have no process: use print, Engine and Network)', 2],
      ['a wrong argument', "\n\nNetwork.Connect('example.com', 0);", 'throw', 'RangeError: Network.Connect(host, port): port must be a whole number from 1 to 65535, not 0', 3],
      ['a syntax error', '\nconst = 5;', 'syntax', 'SyntaxError: Expected identifier but found "="', 2],
    ] as const) {
      it(`ends as an error with ${name}`, async () => {
        fs.writeFileSync(path.join(bench.folder, 'stuck.ts'), '// An import.\nawait new Promise(() => {});\nexport {};\n');
        const error = expectError((await bench.run(text)).outcome);
        assert.deepEqual([error.kind, error.message, error.location?.line ?? null], [kind, message, line]);
      });
    }

    it('goes on when a handler throws, which is reported', async () => {
      const { outcome, output, errors } = await bench.run("let n = 0;\nEvent.OnTick.on(function bad() {\n  if (++n === 3) Event.OnTick.off(bad);\n  throw new Error('handler');\n});\nEvent.OnTick.once(() => print('other'));\nEngine.Delay(() => { throw new Error('delayed'); }, 1);");
      assert.equal(outcome.kind, 'finished');
      assert.deepEqual(output, ['other']);
      assert.equal(errors.filter(({ kind, message, location }) => kind === 'handler' && message === 'Error: handler' && location?.line === 4).length, 3);
      assert.equal(errors.filter(({ message, location }) => message === 'Error: delayed' && location?.line === 7).length, 1);
    });

    it('goes on whatever a handler throws, and tells as much of it as fits', async () => {
      const { outcome, output, errors } = await bench.run(`
        const named = Object.assign(new Error('y'.repeat(1e6)), { stack: 'none' });
        for (const thrown of [new Error('\\u0001'.repeat(1e6)), named, ['z'.repeat(1e6)], new Proxy({}, { getPrototypeOf() { throw 1; } })]) Event.OnTick.once(() => { throw thrown; });
        await Event.OnTick;
        print('on');`);
      assert.equal(outcome.kind, 'finished');
      assert.deepEqual(output, ['on']);
      assert.deepEqual(errors.map(({ message }) => message.slice(0, 15)), ['Error: \u0001\u0001\u0001\u0001\u0001\u0001\u0001\u0001', 'Error: yyyyyyyy', 'Uncaught [\n  \'z', 'Uncaught {}']);
      assert.equal(errors[0]?.location?.line, 3);
      // The place is told, however long the words before it.
      assert.match(errors[0]?.stack ?? '', /…\n +at .*run-\d+\.ts:3:\d+$/);
    });

    it('tells an end with more words than any message holds', async () => {
      const error = expectError((await bench.run("throw new Error('\\0'.repeat(3e6));")).outcome);
      assert.deepEqual([error.kind, error.message.length, error.location?.line], ['throw', 2_001, 1]);
    });
  });

  describe('limits', () => {
    it('stops a script that spins, at once, with what it had printed', async () => {
      const { outcome, output, pid } = await bench.run("print('on'); while (true) {}", {
        onMessage: (message, runId) => {
          if (message.type === 'output') bench.runtime.handle({ type: 'stop', runId });
        },
      });
      assert.deepEqual([outcome, output], [{ kind: 'stopped' }, ['on']]);
      assert.equal(isRunning(pid), false);
    });

    it('ends a script after its time', async () => {
      assert.deepEqual((await bench.run('while (true) await Event.OnTick;', { timeoutSeconds: 0.2 })).outcome, { kind: 'timeout', seconds: 0.2 });
    });

    for (const [name, text] of [
      ['Buffers', 'const kept = []; while (true) kept.push(Buffer.alloc(1 << 20, 1));'],
      ['objects', 'let chain = {}; while (true) chain = { chain, more: [1, 2, 3] };'],
    ] as const) {
      it(`ends only the script that eats its memory with ${name}`, async () => {
        const other = bench.run("for (let i = 0; i < 50; i++) await Event.OnTick; print('lived');");
        const { outcome } = await bench.run(text, { memoryMb: 128 });
        assert.ok(outcome.kind === 'limit', JSON.stringify(outcome));
        assert.match(outcome.message, /memory.* limit is 128 MiB.*raise the limit \(the setting riftnet\.memoryLimit\)/);
        assert.deepEqual((await other).output, ['lived']);
      });
    }

    it('drops what a script prints beyond its rate, and tells how much', async () => {
      const { outcome, output } = await bench.run("for (let i = 0; i < 10_000; i++) print('x'.repeat(99));", { outputBytesPerSecond: 10_000 });
      assert.equal(outcome.kind, 'finished');
      assert.ok(output.length < 2_000, String(output.length));
      assert.match(output.at(-1) ?? '', /bytes of output were dropped: the limit is 10000 bytes a second/);
    });

    for (const [name, text] of [
      ['prints without end', "const line = 'x'.repeat(5_000); for (;;) print(line);"],
      ['prints one line without end', "const line = 'x'.repeat(1 << 24); for (;;) console.error(line);"],
      ['fails in its handlers without end', "for (let i = 0; i < 2_000; i++) Event.OnTick.on(() => { throw new Error(`handler ${i}`); }); for (;;) await Event.OnTick;"],
    ] as const) {
      it(`takes a script that ${name}, beside one that goes on as if nothing were`, async () => {
        const LIMIT = 20_000;
        const from = performance.now();
        let passed = 0;
        let runId = '';
        const loud = bench.run(text, {
          outputBytesPerSecond: LIMIT, tickRate: 1_000,
          onMessage: (message, id) => {
            runId = id;
            if (message.type === 'output') passed += message.text.length;
            if (message.type === 'script-error') passed += message.error.stack.length;
          },
        });
        const quiet = await bench.run("for (let i = 0; i < 100; i++) await Event.OnTick; print('lived');");
        assert.deepEqual(quiet.output, ['lived']);
        bench.runtime.handle({ type: 'stop', runId });
        const { outcome, output } = await loud;
        assert.deepEqual(outcome, { kind: 'stopped' });
        assert.ok(passed > 0);
        const seconds = (performance.now() - from) / 1_000;
        // Each second's beginning may pass one line of any length up to the limit, and what was dropped is told.
        assert.ok(passed < (seconds + 2) * 2 * LIMIT, `${passed} bytes in ${seconds} s`);
        assert.match(output.at(-1) ?? '', /bytes of output were dropped/);
      });
    }

    it('reports a script\'s process that was killed from outside', async () => {
      const { outcome } = await bench.run("print('on'); while (true) await Event.OnTick;", {
        onMessage: (message) => {
          const started = bench.messages.findLast(({ type }) => type === 'started');
          if (message.type === 'output' && started?.type === 'started') process.kill(started.pid, 'SIGKILL');
        },
      });
      assert.ok(outcome.kind === 'crashed');
      assert.match(outcome.message, /SIGKILL/);
    });
  });

  describe('sockets', () => {
    it('exchange bytes with a server, and report it', async () => {
      const port = await serve((socket) => socket.on('data', (data) => socket.end(`echo ${data}`)));
      const { output, sockets, outcome } = await bench.run(`
        const socket = Network.Connect('localhost', ${port});
        while (socket.status === 'connecting') await Event.OnTick;
        print(socket.status, socket.write('hello'), socket.remotePort === ${port});
        let text = '';
        while (socket.status === 'connected') { text += socket.read() ?? ''; await Event.OnTick; }
        print(text, socket.status, socket.error, socket.bytesRead, socket.bytesWritten);`);
      assert.deepEqual(output, ['connected true true', 'echo hello fin null 10 5']);
      assert.equal(outcome.kind, 'finished');
      const report = sockets.get(1);
      assert.deepEqual([report?.host, report?.port, report?.status, report?.bytesRead, report?.bytesWritten, report?.tcpState], ['localhost', port, 'fin', 10, 5, null]);
      assert.ok((report?.closedAt ?? 0) >= (report?.openedAt ?? Infinity));
    });

    it('satisfy a read of more than any window', async () => {
      const size = 20 << 20;
      const port = await serve((socket) => {
        socket.write(Buffer.alloc(size, 7));
        socket.end('end');
      });
      const { output } = await bench.run(`
        const socket = Network.Connect('localhost', ${port});
        let data = null;
        while (data === null) { await Event.OnTick; data = socket.read(${size}); }
        print(data.length, data.every((byte) => byte === 7), socket.status);
        let rest = '';
        while (socket.status === 'connected') { await Event.OnTick; rest += socket.read() ?? ''; }
        print(rest);`, { memoryMb: 512 });
      assert.deepEqual(output, [`${size} true connected`, 'end']);
    });

    it('hold the peer up while the script does not read', async () => {
      let sent = 0;
      let full: (() => void) | null = null;
      const port = await serve((socket) => {
        const block = Buffer.alloc(1 << 20);
        const send = (): void => {
          while (sent < 400 << 20) {
            sent += block.length;
            if (!socket.write(block)) return void socket.once('drain', send);
          }
          full?.();
        };
        send();
      });
      const { outcome } = await bench.run(`
        const socket = Network.Connect('localhost', ${port});
        for (let i = 0; i < 100; i++) await Event.OnTick;
        print(socket.status, socket.bytesRead);
        socket.close();`, { onMessage: () => (full = () => assert.fail('the peer was never held up')) });
      assert.equal(outcome.kind, 'finished');
      // The script's window, the stack's two buffers, the relay's and the kernel's: far below what the server has.
      assert.ok(sent < 100 << 20, `${sent} bytes were taken`);
    });

    it('that are refused on this computer name the address that was asked', async () => {
      const port = await serve(() => {});
      servers.at(-1)?.close();
      const { output } = await bench.run(`
        const socket = Network.Connect('localhost', ${port});
        while (socket.status === 'connecting') await Event.OnTick;
        print(socket.error.code, socket.error.message);
        print(await fetch('http://localhost:${port}/').then((response) => response.error.message));`);
      const message = `localhost:${port}: connection refused: nothing listens on 127.0.0.1:${port}, which localhost stands for`;
      assert.deepEqual(output, [`ECONNREFUSED ${message}`, message]);
    });

    for (const [name, host, code] of [['the loopback address', '127.0.0.1', 'EADDRNOTAVAIL'], ['no host\'s address', '224.0.0.1', 'EADDRNOTAVAIL']] as const) {
      it(`end in error for ${name}`, async () => {
        const { output } = await bench.run(`
          const socket = Network.Connect('${host}', 80);
          while (socket.status === 'connecting') await Event.OnTick;
          print(socket.status, socket.error.code, socket.error.message);`);
        assert.ok(output[0]?.startsWith(`error ${code} ${host}`), output[0]);
      });
    }

    it('can be closed by a person', async () => {
      const port = await serve(() => {});
      const { output } = await bench.run(`
        const socket = Network.Connect('localhost', ${port});
        while (socket.status === 'connecting') await Event.OnTick;
        print('open');
        while (socket.status === 'connected') await Event.OnTick;
        print(socket.status);`, {
        onMessage: (message, runId) => {
          if (message.type === 'output' && message.text === 'open') bench.runtime.handle({ type: 'close-socket', runId, socketId: 1 });
        },
      });
      assert.deepEqual(output, ['open', 'fin']);
    });

    it('send what is queued when the script ends', async () => {
      let received = 0;
      const port = await serve((socket) => socket.on('data', (data) => (received += data.length)));
      const { outcome, sockets } = await bench.run(`
        const socket = Network.Connect('localhost', ${port});
        while (socket.status === 'connecting') await Event.OnTick;
        socket.write(Buffer.alloc(30 << 20));`);
      assert.deepEqual([outcome.kind, received], ['finished', 30 << 20]);
      const report = sockets.get(1);
      // The peer closed too: nothing was left to wait for, the ten seconds for lingerers least of all.
      assert.ok((report?.closedAt ?? Infinity) - (report?.openedAt ?? 0) < 9_000, JSON.stringify(report));
    });

    it('do not hold up the news of an error, however long they take to close', async () => {
      const port = await serve((socket) => socket.resume(), { allowHalfOpen: true });
      const { outcome, output } = await bench.run(`
        const socket = Network.Connect('localhost', ${port});
        while (socket.status === 'connecting') await Event.OnTick;
        for (let i = 0; i < 1_000; i++) print(i);
        throw new Error('boom');`);
      assert.equal(expectError(outcome).message, 'Error: boom');
      // Told behind all that the script printed, while the socket is open still.
      assert.equal(output.length, 1_000);
      const [report] = bench.messages.flatMap((message) => (message.type === 'activity' ? message.sockets.filter((socket) => socket.port === port) : [])).slice(-1);
      assert.equal(report?.closedAt, null);
    });

    it('leave an orderly end behind, though the worker writes to a script that is over', async () => {
      const port = await serve((socket) => {
        const more = setInterval(() => socket.write(Buffer.alloc(1_000)), 1);
        socket.on('close', () => clearInterval(more));
      });
      for (let i = 0; i < 5; i++) {
        const { outcome } = await bench.run(`
          const sockets = Array.from({ length: 20 }, () => Network.Connect('localhost', ${port}));
          while (sockets.some((socket) => socket.status === 'connecting' || socket.read() === null)) await Event.OnTick;
          print('bye');`, {
          onMessage: (message) => {
            // A worker that is busy for a while: what is for the script and what is from it gather in the pipe.
            const until = performance.now() + 150;
            if (message.type === 'output') while (performance.now() < until);
          },
        });
        assert.deepEqual(outcome, { kind: 'finished' });
      }
    });

    it('are reset, and that is told, when the peer does not close within ten seconds of the script\'s end', async () => {
      const port = await serve((socket) => socket.resume(), { allowHalfOpen: true });
      const { outcome } = await bench.run(`
        const socket = Network.Connect('localhost', ${port});
        while (socket.status === 'connecting') await Event.OnTick;`);
      assert.equal(outcome.kind, 'finished');
      assert.ok(bench.messages.some((message) => message.type === 'log' && message.level === 'warn' && message.message.includes(`localhost:${port} did not close within 10 s`)));
    });
  });

  describe('fetch', () => {
    it('gives status, headers, body and timings, over one connection for one server', async () => {
      let connections = 0;
      const port = await serveHttp((request, response) => {
        response.setHeader('Set-Cookie', ['a=1', 'b=2']);
        request.on('data', (data) => response.write(data));
        request.on('end', () => response.end(`${request.method} ${request.url}`));
      });
      servers.at(-1)?.on('connection', () => connections++);
      const { output, fetches, sockets } = await bench.run(`
        for (const method of ['GET', 'PATCH'] as const) {
          const response = await fetch('http://localhost:${port}/x?y', method === 'GET' ? {} : { method, body: { json: { a: 1 } } });
          print(response.status, response.ok, response.headers['set-cookie'], response.text(), response.timings.total > 0, response.error);
        }`);
      assert.deepEqual(output, ['200 true a=1, b=2 GET /x?y true null', '200 true a=1, b=2 {"a":1}PATCH /x?y true null']);
      assert.equal(connections, 1);
      assert.deepEqual([...fetches.values()].map(({ method, status, durationMs }) => [method, status, durationMs !== null]), [['GET', 200, true], ['PATCH', 200, true]]);
      assert.equal(sockets.get(1)?.fetchId, 1);
    });

    it('never rejects, whatever fails', async () => {
      const port = await serveHttp((request, response) => {
        if (request.url === '/slow') return;
        if (request.url === '/nowhere') return void response.writeHead(302, { location: 'http://localhost:0/' }).end();
        if (request.url === '/loop') return void response.writeHead(302, { location: '/loop' }).end();
        response.end('x'.repeat(1_000));
      });
      const { output, outcome } = await bench.run(`
        const base = 'http://localhost:${port}';
        const responses = [
          await fetch('nowhere'), await fetch(base + '/slow', { timeoutMs: 50 }), await fetch(base + '/', { maxBodyBytes: 999 }),
          await fetch('http://127.0.0.1:${port}/'), await fetch('https://localhost:${port}/'), await fetch(base + '/loop'), await fetch(base + '/nowhere'),
          await fetch(base, { headers: { 'bad name': 'x' } }), await fetch(base, { method: 'GET', body: 'x' } as never),
        ];
        for (const { status, statusMessage, error, body } of responses) print(status, statusMessage, body.length, error?.message ? 'why' : 'no reason');
        print(responses.slice(1, 4).map(({ error }) => error?.code).join());`);
      assert.equal(outcome.kind, 'finished');
      assert.deepEqual(output, [...Array.from({ length: 9 }, () => '-1 socket error 0 why'), 'ETIMEDOUT,EMSGSIZE,EADDRNOTAVAIL']);
    });

    it('fails at once when a person closes its connection', async () => {
      const port = await serveHttp((_request, response) => void response.writeHead(200, { 'content-length': 10 }).write('begun'));
      const { output } = await bench.run(`const { status, error } = await fetch('http://localhost:${port}/'); print(status, error?.code, error?.message);`, {
        onMessage: (message, runId) => {
          if (message.type === 'activity' && message.fetches.some(({ bodyBytes }) => bodyBytes > 0)) bench.runtime.handle({ type: 'close-socket', runId, socketId: 1 });
        },
      });
      assert.deepEqual(output, [`-1 ECONNABORTED localhost:${port}: the connection was closed by hand`]);
    });

    it('is unharmed by what the script does to its global names', async () => {
      const port = await serveHttp((_request, response) => response.end('fine'));
      const { output } = await bench.run(`
        const g = globalThis as Record<string, unknown>;
        for (const name of ['setTimeout', 'clearTimeout', 'Buffer', 'URL', 'queueMicrotask', 'AbortController', 'TextDecoder']) g[name] = undefined;
        print((await fetch('http://localhost:${port}/')).text());`);
      assert.deepEqual(output, ['fine']);
    });
  });

  describe('the worker\'s process', () => {
    it('leaves no script behind when it is killed, not even one that spins', async () => {
      const bundles = await buildBundles();
      const file = path.join(bench.folder, 'spins.ts');
      fs.writeFileSync(file, "print('on'); while (true) {}");
      const worker = fork(path.join(bundles, 'worker.js'), [], { stdio: 'ignore', serialization: 'json' });
      let pid = 0;
      const spinning = new Promise<void>((resolve) => {
        worker.on('message', (message: WorkerMessage) => {
          if (message.type === 'ready') worker.send({ type: 'run', runId: '1', file, source: null, tickRate: 30, timeoutSeconds: null, limits: { memoryMb: 256, outputBytesPerSecond: 1_000 } });
          if (message.type === 'started') pid = message.pid;
          if (message.type === 'output') resolve();
        });
      });
      worker.send({ type: 'configure', version: PROTOCOL_VERSION, settings: { ...DEFAULT_WORKER_SETTINGS, link: 'gateway' } });
      await spinning;
      assert.equal(isRunning(pid), true);
      worker.kill('SIGKILL');
      await gone(pid);
    });

    it('refuses another version of the protocol, and settings that cannot be, in plain words', async () => {
      const bundles = await buildBundles();
      for (const [version, hostAddress, words] of [[PROTOCOL_VERSION + 1, null, /version/], [PROTOCOL_VERSION, '1.2.3.400', /1\.2\.3\.400/]] as const) {
        const worker = fork(path.join(bundles, 'worker.js'), [], { stdio: 'ignore', serialization: 'json' });
        const failed = once(worker, 'message');
        const exited = once(worker, 'exit');
        worker.send({ type: 'configure', version, settings: { ...DEFAULT_WORKER_SETTINGS, link: 'gateway', hostAddress } });
        const [message]: [WorkerMessage] = await failed as [WorkerMessage];
        assert.ok(message.type === 'failed');
        assert.match(message.message, words);
        assert.deepEqual(await exited, [1, null]);
      }
    });
  });
});
