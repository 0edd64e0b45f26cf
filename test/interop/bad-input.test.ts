import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { freePort } from './support/nginx';
import { describeRun, runCli, runScript, type CliOptions, type CliResult } from './support/run-cli';
import { ScriptFolder } from './support/script-folder';
import { closeServers, nameServer, tcpServer } from './support/servers';

describe('Bad input at the terminal', function () {
  this.timeout(60_000);
  let folder: ScriptFolder;
  before(() => (folder = new ScriptFolder()));
  afterEach(closeServers);
  after(() => folder.remove());

  /** Runs a script given as text, and checks what holds for every run. */
  async function run(text: string, args: readonly string[] = [], options?: CliOptions): Promise<CliResult> {
    const result = await runScript(folder.write('script.ts', text), args, options);
    assert.deepEqual(result.leftRunning, [], describeRun(result));
    return result;
  }

  function expectRun(result: CliResult, code: number, stdout: RegExp | string, stderr: RegExp): void {
    assert.equal(result.code, code, describeRun(result));
    if (typeof stdout === 'string') assert.equal(result.stdout.toString(), stdout, describeRun(result));
    else assert.match(result.stdout.toString(), stdout, describeRun(result));
    assert.match(result.stderr, stderr, describeRun(result));
  }

  describe('a script that is wrong', () => {
    it('names the line of a syntax error', async () => {
      expectRun(await run("print('never');\nconst x = ;\n"), 1, '', /script\.ts:2:\d+/);
    });

    it('names the TypeScript line that threw, and the lines that called it', async () => {
      const result = await run("interface Unused {\n  a: number;\n}\nprint('before');\nfunction inner(): void {\n  throw new TypeError('no such player: 42');\n}\ninner();\nprint('after');\n");
      expectRun(result, 1, 'before\n', /TypeError: no such player: 42[^]*script\.ts:6:\d+[^]*script\.ts:8:\d+/);
    });

    it('names the line in an imported file', async () => {
      folder.write('helper.ts', "export function fail(): never {\n  throw new Error('from the helper');\n}\n");
      expectRun(await run("import { fail } from './helper';\nfail();\n"), 1, '', /from the helper[^]*helper\.ts:2:\d+[^]*script\.ts:2:\d+/);
    });

    it('reports a rejection that nobody handles', async () => {
      expectRun(await run("Promise.reject(new Error('nobody asked'));\nawait Event.OnTick;\n"), 1, '', /nobody asked[^]*script\.ts:1:\d+/);
    });

    it('tells an error at once, while the sockets of the script still close', async () => {
      const server = await tcpServer(() => {}, { allowHalfOpen: true });
      const result = await run(`
        const socket = Network.Connect('localhost', ${server.port});
        while (socket.status === 'connecting') await Event.OnTick;
        console.error('on');
        throw new Error('boom');`, [], { when: { text: 'boom', on: 'stderr', run: ({ pid }) => process.kill(pid, 'SIGINT') } });
      expectRun(result, 130, '', /^on\nError: boom\n.*script\.ts:5:\d+\n$/);
      assert.ok(result.seconds < 9, describeRun(result));
    });

    it('ends a top-level await that nothing can settle, with its line', async () => {
      expectRun(await run("print('waiting');\nawait new Promise(() => {});\n"), 1, 'waiting\n', /script\.ts:2/);
    });

    it('says that an import does not exist', async () => {
      expectRun(await run("import { x } from './not-there';\nprint(x);\n"), 1, '', /not-there[^]*script\.ts:1|script\.ts:1[^]*not-there/);
    });

    it('says that a Node module is not to be had', async () => {
      expectRun(await run("import fs from 'node:fs';\nprint(fs);\n"), 1, '', /node:fs/);
    });

    it('says that there is no process and no require', async () => {
      expectRun(await run('print(process.pid);\n'), 1, '', /process[^]*script\.ts:1/);
      expectRun(await run("require('fs');\n"), 1, '', /"fs"[^]*script\.ts:1/);
    });
  });

  describe('a file or an argument that is wrong', () => {
    it('leaves a file alone that --capture would overwrite, the script itself above all', async () => {
      const script = folder.write('precious.ts', "print('ran');\n");
      const result = await runScript(script, ['--capture', script]);
      expectRun(result, 2, '', /precious\.ts exists and is no capture: it is left as it is; give another name/);
      assert.equal(fs.readFileSync(script, 'utf8'), "print('ran');\n");
      const capture = path.join(folder.path, 'again.pcapng');
      for (let i = 0; i < 2; i++) expectRun(await runScript(script, ['--capture', capture]), 0, 'ran\n', /^$/);
    });

    it('says in one line that an option lacks its value', async () => {
      for (const args of [['--timeout', '-1'], ['--capture', '--stats']]) {
        expectRun(await runCli(['run', 'x.ts', ...args]), 2, '', /^riftnet: (--timeout|--capture) needs a value; one that begins with a dash is written \1=-…\n$/);
      }
    });

    it('names a missing file', async () => {
      const missing = path.join(folder.path, 'missing.ts');
      const result = await runScript(missing);
      expectRun(result, 2, '', /missing\.ts/);
      assert.deepEqual(result.leftRunning, []);
    });

    for (const [name, args] of [
      ['no command', []],
      ['an unknown command', ['walk']],
      ['no script', ['run']],
      ['an unknown option', ['run', 'x.ts', '--wings']],
      ['an unknown link', ['run', 'x.ts', '--link', 'pigeon']],
      ['a tick rate that is no number', ['run', 'x.ts', '--tick-rate', 'fast']],
      ['a memory limit out of range', ['run', 'x.ts', '--memory', '63']],
      ['a tick rate out of range', ['run', 'x.ts', '--tick-rate', '0']],
      ['a timeout that is no number', ['run', 'x.ts', '--timeout', 'soon']],
      ['a host address that is none', ['run', 'x.ts', '--host-address', '300.1.1.1']],
      ['a name server that is none', ['run', 'x.ts', '--dns', 'nowhere']],
    ] as const) {
      it(`refuses ${name}`, async () => {
        const file = folder.write('x.ts', "print('ran');");
        const result = await runCli(args.map((word) => (word === 'x.ts' ? file : word)));
        const wrong = args.at(-1);
        expectRun(result, 2, '', wrong === undefined || wrong === 'run' ? /usage/i : new RegExp(wrong.replace('--', '').replaceAll('.', '\\.')));
        assert.deepEqual(result.leftRunning, []);
      });
    }
  });

  describe('a script that never ends', () => {
    for (const [name, text] of [
      ['spins', 'print("on"); while (true) {}'],
      ['ticks', 'print("on"); while (true) await Event.OnTick;'],
      ['defers', 'print("on"); const again = (): void => void Promise.resolve().then(again); again();'],
    ] as const) {
      it(`is ended by --timeout with 124 when it ${name}`, async () => {
        const result = await run(text, ['--timeout', '3']);
        expectRun(result, 124, 'on\n', /3 s\b/);
        assert.ok(result.seconds < 12, describeRun(result));
      });

      it(`is ended by Ctrl-C with 130 when it ${name}`, async () => {
        const result = await run(text, [], { when: { text: 'on\n', run: ({ pid }) => process.kill(pid, 'SIGINT') }, limitMs: 20_000 });
        expectRun(result, 130, 'on\n', /^/);
      });
    }

    it('is ended by Ctrl-C as a terminal sends it, to every process at once', async () => {
      const result = await run('print("on"); while (true) await Event.OnTick;', [], { when: { text: 'on\n', run: ({ pid }) => process.kill(-pid, 'SIGINT') }, limitMs: 20_000 });
      expectRun(result, 130, 'on\n', /^/);
    });

    it('is ended in silence by Ctrl-C while it is bundled, though the bundler dies of it too', async () => {
      const file = folder.write('bundled.ts', 'while (true) await Event.OnTick;');
      for (let i = 0; i < 10; i++) {
        const child = spawn(process.execPath, [path.resolve('dist/cli.js'), 'run', file, '--link', 'gateway'], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
        const { pid } = child;
        assert.ok(pid !== undefined);
        const said: Buffer[] = [];
        for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece: Buffer) => said.push(piece));
        const closed = once(child, 'close');
        while (!isBundling(pid)) await new Promise(setImmediate);
        process.kill(-pid, 'SIGINT');
        assert.deepEqual([await closed, Buffer.concat(said).toString()], [[130, null], '']);
      }
    });

    it('that may not be read is refused like one that is not there', () => {
      const file = folder.write('secret.ts', 'print(1);');
      fs.chmodSync(file, 0o000);
      // Root, but without the right to read what it may not.
      const prefix = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search', '--inh-caps=-all'] : [];
      const [command = '', ...args] = [...prefix, process.execPath, path.resolve('dist/cli.js'), 'run', file, '--link', 'gateway'];
      const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(stderr, /^riftnet: .*secret\.ts cannot be read: EACCES: permission denied/);
    });

    it('ends with the command, even one that is killed', async () => {
      const result = await run('print("on"); while (true) {}', [], { when: { text: 'on\n', run: ({ pid }) => process.kill(pid, 'SIGKILL') }, limitMs: 20_000 });
      assert.equal(result.signal, 'SIGKILL');
    });

    it('is reported when its process is killed', async () => {
      // Beside the script's process there may be helpers; the command must survive the end of them all.
      const killAll = { text: 'on\n', run: ({ descendants }: { descendants(): number[] }) => descendants().forEach((pid) => process.kill(pid, 'SIGKILL')) };
      expectRun(await run('print("on"); while (true) await Event.OnTick;', [], { when: killAll, limitMs: 20_000 }), 1, 'on\n', /SIGKILL|killed/);
    });
  });

  describe('a script that eats its memory', function () {
    // Half a gigabyte of small objects takes V8 ten seconds, and longer beside other work.
    this.timeout(150_000);
    for (const [name, text] of [
      ['objects', 'let chain = {}; while (true) chain = { chain, more: [1, 2, 3] };'],
      ['a growing array', 'const a = []; while (true) a.push(a.length + 0.5);'],
      ['a Map', 'const m = new Map(); for (let i = 0; ; i++) m.set(i, `value ${i}`);'],
      ['Buffers', 'const b = []; while (true) b.push(Buffer.alloc(1 << 20, 1));'],
      ['strings', 'const s = []; for (let i = 0; ; i++) s.push(`${i}`.repeat(10_000).toUpperCase());'],
      ['Buffers, a tick at a time', 'const b = []; while (true) { b.push(Buffer.alloc(1 << 26, 1)); await Event.OnTick; }'],
    ] as const) {
      it(`is ended with a message that names the limit: ${name}`, async () => {
        const result = await run(`print('on');\n${text}\nprint('never');`, ['--timeout', '120'], { limitMs: 140_000 });
        expectRun(result, 1, 'on\n', /memory[^\n]*\d+ ?Mi?B/i);
      });
    }
  });

  describe('a network that is not there', () => {
    const CONNECT = `
      while (socket.status === 'connecting') await Event.OnTick;
      print(socket.status, socket.error?.code);
      print(socket.error?.message);
    `;

    it('says that a name does not exist', async () => {
      const dns = await nameServer({});
      const text = `const socket = Network.Connect('no-such-host.example', 80); ${CONNECT}
        const response = await fetch('http://no-such-host.example/');
        print(response.status, response.statusMessage, response.error?.code);`;
      const result = await run(text, ['--dns', `127.0.0.1:${dns.port}`]);
      expectRun(result, 0, /^error ENOTFOUND\n.*no-such-host\.example.*\n-1 socket error ENOTFOUND\n$/, /^/);
      assert.ok(dns.questions() > 0, 'the name server was asked');
    });

    it('says that no name server answers', async () => {
      const dns = await nameServer({}, true);
      const result = await run(`const socket = Network.Connect('no-such-host.example', 80); ${CONNECT}`, ['--dns', `127.0.0.1:${dns.port}`, '--timeout', '40']);
      expectRun(result, 0, new RegExp(`^error EAI_AGAIN\\n.*no-such-host\\.example.* asked 127\\.0\\.0\\.1:${dns.port} through the gateway.*\\n$`), /^/);
    });

    it('refuses a name that leads to the loopback address', async () => {
      const server = await tcpServer((socket) => socket.end('reached'));
      const dns = await nameServer({ 'loop.example': '127.0.0.1' });
      const result = await run(`const socket = Network.Connect('loop.example', ${server.port}); ${CONNECT}`, ['--dns', `127.0.0.1:${dns.port}`]);
      expectRun(result, 0, /^error \w+\n.*127\.0\.0\.1.*\n$/, /^/);
    });

    it('refuses the loopback address, and says what to write instead', async () => {
      const result = await run(`const socket = Network.Connect('127.0.0.1', 80); ${CONNECT}`);
      expectRun(result, 0, /^error \w+\n.*127\.0\.0\.1.*localhost.*\n$/, /^/);
    });

    it('says that a port is closed', async () => {
      const port = await freePort();
      const result = await run(`const socket = Network.Connect('localhost', ${port}); ${CONNECT}
        const response = await fetch('http://localhost:${port}/');
        print(response.status, response.statusMessage, response.error?.code);`);
      expectRun(result, 0, new RegExp(`^error ECONNREFUSED\\n.*${port}.*\\n-1 socket error ECONNREFUSED\\n$`), /^/);
    });

    it('gives the bytes before a reset, then the error', async () => {
      const server = await tcpServer((socket) => {
        // The reset would overtake bytes that still lie in the gateway: it comes once the script has them.
        socket.write('half of it');
        socket.once('data', () => socket.resetAndDestroy());
      });
      const result = await run(`
        const socket = Network.Connect('localhost', ${server.port});
        let text = '';
        while (socket.status === 'connecting' || socket.status === 'connected') {
          const data = socket.read();
          if (data) { text += data.toString(); socket.write('thanks'); }
          await Event.OnTick;
        }
        print(text);
        print(socket.status, socket.error?.code);
        print(socket.error?.message, socket.write('more'));`);
      expectRun(result, 0, new RegExp(`^half of it\\nerror ECONNRESET\\n.*${server.port}.* false\\n$`), /^/);
    });

    it('gives -1 for a fetch that is reset in the middle', async () => {
      const server = await tcpServer((socket) => {
        socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', () => setTimeout(() => socket.resetAndDestroy(), 100)));
      });
      const result = await run(`
        const response = await fetch('http://localhost:${server.port}/');
        print(response.status, response.statusMessage, response.body.length, response.error !== undefined && response.error !== null);`);
      expectRun(result, 0, '-1 socket error 0 true\n', /^/);
    });

    it('gives -1 for a response that is cut short', async () => {
      const server = await tcpServer((socket) => {
        socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this'));
      });
      const result = await run(`
        const response = await fetch('http://localhost:${server.port}/');
        print(response.status, response.statusMessage, response.error !== undefined && response.error !== null);
        print(response.error?.message);`);
      expectRun(result, 0, /^-1 socket error true\n.+\n$/, /^/);
    });

    it('gives -1 for an answer that is not HTTP', async () => {
      const server = await tcpServer((socket) => {
        socket.once('data', () => socket.end('220 smtp.example ESMTP ready\r\n'));
      });
      const result = await run(`
        const response = await fetch('http://localhost:${server.port}/');
        print(response.status, response.statusMessage, response.error?.code, response.error?.message);`);
      expectRun(result, 0, new RegExp(`^-1 socket error EPROTO The response from http://localhost:${server.port}/ breaks HTTP/1\\.1: .+\\n$`), /^/);
    });

    it('gives the answer of a server that has not read the whole request', async () => {
      const server = await tcpServer((socket) => {
        socket.once('data', () => socket.end('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig'));
      });
      const result = await run(`
        for (let i = 0; i < 3; i++) {
          const response = await fetch('http://localhost:${server.port}/', { method: 'POST', body: Buffer.alloc(20_000_000) });
          print(response.status, response.text(), response.error);
        }`);
      expectRun(result, 0, '413 big null\n'.repeat(3), /^/);
    });

    it('says that a server speaks no TLS', async () => {
      const server = await tcpServer((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
      const result = await run(`
        const response = await fetch('https://localhost:${server.port}/');
        print(response.status, response.error?.message);`);
      expectRun(result, 0, `-1 https://localhost:${server.port}/: the server does not speak TLS on this port; is it an http: address?\n`, /^/);
    });
  });
});

/** Whether the bundler's process is one of its children. */
function isBundling(pid: number): boolean {
  const children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children.split(' ').some((child) => {
    try {
      return child !== '' && fs.readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('--service=');
    } catch {
      return false;
    }
  });
}
