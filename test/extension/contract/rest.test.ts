import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import { closeServers, originServer, tcpServer } from '../../interop/support/servers';
import { expectError, RuntimeBench } from '../worker/runtime-bench';

describe('The contract: print, Buffer, the rest', function () {
  this.timeout(60_000);
  let bench: RuntimeBench;
  before(async () => (bench = await RuntimeBench.start()));
  afterEach(closeServers);
  after(() => bench.stop());

  it('`print(...values)` writes a line to the output: strings as they are, everything else as Node inspects it, separated by spaces.', async () => {
    const values = "'text', '', 1, -0, 1n, true, null, undefined, Symbol('s'), [1, 'a'], { a: { b: { c: { d: 1 } } } }, new Map([[1, { x: 'y' }]]), Buffer.from('é'), /x/g, new Date(0), () => {}, new Error('e').message";
    const { output } = await bench.run(`print(${values}); print(); print('two\\nlines'); print('%s', 1); print('x'.repeat(200_000).length, 'x'.repeat(200_000));`);
    const here: unknown[] = new Function(`return [${values}]`)();
    assert.deepEqual(output.slice(0, 4), [here.map((value) => (typeof value === 'string' ? value : inspect(value))).join(' '), '', 'two\nlines', '%s 1']);
    assert.equal(output[4], `200000 ${'x'.repeat(200_000)}`);
  });

  it('`console.log/info/warn/error/debug` work too, with their level.', async () => {
    const { output } = await bench.run("for (const level of ['log', 'info', 'warn', 'error', 'debug']) console[level]('%s is', level, { a: 1 }); print('print');");
    assert.deepEqual(output, ['log', 'info', 'warn', 'error', 'debug'].map((level) => `${level}: ${level} is { a: 1 }`).concat('print'));
  });

  it("`Buffer`, `URL`, `URLSearchParams`, `TextEncoder`, `TextDecoder`, `structuredClone`, `atob`, `btoa`, `AbortController` and the language's own globals are there.", async () => {
    // The language's own, from a realm that has nothing else.
    const pure: object = runInNewContext('globalThis');
    const language = Object.getOwnPropertyNames(globalThis).filter((name) => Object.hasOwn(pure, name));
    const { output } = await bench.run(`
      print(Buffer.from('rift').toString('base64'), Buffer.alloc(1) instanceof Uint8Array, Buffer.isBuffer(Buffer.concat([])));
      print(new URL('/b?c=1', 'http://a/').href, new URLSearchParams({ q: 'ü' }).toString());
      print(new TextDecoder().decode(new TextEncoder().encode('€')), atob(btoa('x')), structuredClone(new Map([[1, [2]]])));
      const control = new AbortController(); control.abort('why'); print(control.signal.aborted, control.signal.reason);
      print(${JSON.stringify(language)}.filter((name) => !(name in globalThis) && !['WebAssembly', 'console'].includes(name)).join() || 'all');
      print([] instanceof Array, {} instanceof Object, new Error('x') instanceof Error, Buffer.alloc(1).buffer instanceof ArrayBuffer, JSON.parse('[]') instanceof Array);`);
    assert.deepEqual(output, ['cmlmdA== true true', 'http://a/b?c=1 q=%C3%BC', '€ x Map(1) { 1 => [ 2 ] }', 'true why', 'all', 'true true true true true']);
  });

  it('`require`, `process`, `node:` modules and the operating system are not: an attempt is a clear error.', async () => {
    for (const [text, message] of [
      ["require('fs');", /"fs" is a module of Node, and not available to Riftnet scripts.*nothing for require to load/],
      ['print(process.env);', /process is not defined \(scripts have no process: use print, Engine and Network\)/],
      ["import os from 'node:os';\nprint(os);", /"node:os" is a module of Node, and not available to Riftnet scripts: they have Network, fetch, Event and Engine instead/],
      ["const name = 'node:fs'; await import(name);", /is not supported \(what a script imports is put together before it runs/],
      ["new WebSocket('ws://a/');", /WebSocket is not defined \(use Network\.Connect\)/],
    ] as const) {
      const error = expectError((await bench.run(text)).outcome);
      assert.match(error.message, message);
      assert.equal(error.location?.line, 1, text);
    }
  });

  it('Relative imports of .ts, .js and .json work, and so do pure-JavaScript packages from node_modules.', async () => {
    const write = (name: string, text: string) => {
      const file = path.join(bench.folder, name);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, text);
    };
    write('lib/typed.ts', 'export const typed: string = "ts"; export enum Kind { One = 1 }');
    write('lib/plain.js', 'export const plain = "js";');
    write('lib/data.json', '{ "data": ["json"] }');
    write('node_modules/esm-package/package.json', '{ "name": "esm-package", "type": "module", "exports": { ".": "./main.js" } }');
    write('node_modules/esm-package/main.js', 'export default function twice(x) { return x + x; }');
    write('node_modules/cjs-package/package.json', '{ "name": "cjs-package", "main": "lib/index.js" }');
    write('node_modules/cjs-package/lib/index.js', 'exports.name = require("./name");');
    write('node_modules/cjs-package/lib/name.js', 'module.exports = "cjs";');
    const { output } = await bench.run("import { typed, Kind } from './lib/typed';\nimport { plain } from './lib/plain.js';\nimport json from './lib/data.json';\nimport twice from 'esm-package';\nimport { name } from 'cjs-package';\nprint(typed, Kind.One, plain, json.data[0], twice('a'), name, (await import('./lib/plain.js')).plain);");
    assert.deepEqual(output, ['ts 1 js json aa cjs js']);
  });

  it("Connect to a server's port 80, wait with `await Event.OnTick` while connecting, write a request line, `Connection: close` and a blank line, then print what `read()` gives on each tick until the status is no longer `connected`. Printed: the response, byte for byte, headers and body.", async () => {
    // A body that comes in pieces, of which no tick sees all.
    const server = http.createServer((request, response) => {
      assert.equal(request.url, '/');
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'x-header': 'one' });
      const lines = Array.from({ length: 50 }, (_, i) => `line ${i} with ümläuts — €`);
      const send = (): void => {
        const line = lines.shift();
        if (line === undefined) return void response.end();
        response.write(`${line}\n`);
        setTimeout(send, 1);
      };
      send();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    // Port 80 is not for a test to take; all else is as in the contract, and interop runs the example itself.
    const { output, outcome } = await bench.run(`
      const socket = Network.Connect('localhost', ${address.port});
      while (socket.status === 'connecting') await Event.OnTick;
      socket.write('GET / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n');
      while (true) {
        const data = socket.read();
        if (data) print(data.toString('latin1'));
        await Event.OnTick;
        if (socket.status !== 'connected') break;
      }`);
    const expected = await new Promise<string>((resolve, reject) => {
      const chunks: Buffer[] = [];
      const socket = net.connect(address.port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'));
      socket.on('data', (chunk) => chunks.push(chunk)).on('end', () => resolve(Buffer.concat(chunks).toString('latin1'))).on('error', reject);
    });
    server.close();
    assert.deepEqual(outcome, { kind: 'finished' });
    const date = /^Date: .*$/m;
    assert.equal(output.join('').replace(date, ''), expected.replace(date, ''));
  });

  it("`await fetch` a page and print status, one header and the body's length; then PATCH a resource with a JSON body and print the fields of the JSON that comes back.", async () => {
    const page = await tcpServer((socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello')));
    const origin = await originServer();
    const { output, outcome } = await bench.run(`
      const response = await fetch('http://localhost:${page.port}/');
      print(response.status, response.headers['content-type'], response.body.length);
      const patched = await fetch('http://localhost:${origin.port}/players/1', { method: 'PATCH', body: { json: { name: 'Grace', score: 42 } } });
      const { id, name, score, level, contentType } = patched.json();
      print(id, name, score, level, contentType);`);
    assert.deepEqual(outcome, { kind: 'finished' });
    assert.deepEqual(output, ['200 text/html 5', '1 Grace 42 1 application/json']);
  });
});
