import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { startDovecot, startRedis } from './support/real-servers';
import { describeRun, runScript, type CliOptions } from './support/run-cli';
import { ScriptFolder } from './support/script-folder';

interface SampleServers {
  readonly ports: { readonly port: number; readonly chatPort: number; readonly echoPort: number };
  stop(): void;
}

const EXAMPLES = path.resolve('examples');
const sample: { startServers(ports: Record<string, number>): Promise<SampleServers> } = createRequire(path.join(EXAMPLES, 'test'))('./server.js');

describe('The examples', function () {
  this.timeout(120_000);
  let servers: SampleServers;
  let folder: ScriptFolder;

  before(async () => {
    servers = await sample.startServers({ port: 0, chatPort: 0, echoPort: 0 });
    folder = new ScriptFolder();
    for (const name of fs.readdirSync(EXAMPLES)) if (/\.(ts|json)$/.test(name)) folder.copy(path.join('examples', name));
    folder.write('server.json', JSON.stringify({ host: 'localhost', ...servers.ports }));
  });
  after(() => {
    servers.stop();
    folder.remove();
  });

  async function run(name: string, options?: CliOptions): Promise<string[]> {
    const result = await runScript(path.join(folder.path, name), [], options);
    assert.equal(result.code, 0, describeRun(result));
    assert.equal(result.stderr, '', describeRun(result));
    assert.deepEqual(result.leftRunning, []);
    return result.stdout.toString().split('\n').slice(0, -1);
  }

  /** A client of the chat over the kernel's TCP. */
  async function chatter(name: string) {
    const socket = net.connect(servers.ports.chatPort, '127.0.0.1').setEncoding('utf8');
    let said = '';
    socket.on('data', (text: string) => (said += text));
    await once(socket, 'connect');
    socket.write(`${name}\n`);
    return {
      say: (line: string) => void socket.write(`${line}\n`),
      hears: async (text: string) => {
        while (!said.includes(text)) await once(socket, 'data');
      },
      leave: async () => {
        socket.end();
        await once(socket, 'close');
      },
    };
  }

  it('hello: one request, one line', async () => {
    assert.deepEqual(await run('hello.ts'), ['200 OK Hello from the sample server.']);
  });

  it('connect: a response over a polled socket', async () => {
    const lines = await run('connect.ts');
    assert.equal(lines[0]?.trim(), 'HTTP/1.1 200 OK');
    assert.equal(lines.filter(Boolean).at(-1), 'Hello from the sample server.');
  });

  it('fetch: a page, and a changed resource', async () => {
    assert.deepEqual(await run('fetch.ts'), ['200 text/html; charset=utf-8 121', '1 Grace 42 1']);
  });

  it('ticks: the engine\'s loop', async () => {
    const lines = await run('ticks.ts');
    assert.deepEqual(lines.slice(0, 2), ['half a second has passed', 'a second of ticks at 30 Hz; more frames than ticks: true; timer rounds: 3']);
    assert.match(lines[2] ?? '', /^answer 200, after \d+ ticks$/);
  });

  it('emitter: events over a polled socket', async () => {
    assert.deepEqual(await run('emitter.ts'), [`connected to port ${servers.ports.echoPort}`, 'received: what goes out comes back', 'closed']);
  });

  it('emitter: tells why there is no connection', async () => {
    const script = folder.write('emitter-refused.ts', `
      import { SocketEvents } from './socket-events';
      new SocketEvents(Network.Connect('127.0.0.1', 1)).on('connect', () => print('connected')).on('close', (error) => print(error?.code));
    `);
    assert.deepEqual(await run(path.basename(script)), ['EADDRNOTAVAIL']);
  });

  it('chat: greets who comes, and leaves when told to', async () => {
    // On a machine that is held up it must not take that for silence.
    const patient = fs.readFileSync(path.join(EXAMPLES, 'chat.ts'), 'utf8').replace('QUIET_MS = 2_000', 'QUIET_MS = 60_000');
    assert.match(patient, /QUIET_MS = 60_000/);
    folder.write('chat-patient.ts', patient);
    const grace = await chatter('Grace');
    let alan: Awaited<ReturnType<typeof chatter>> | undefined;
    const lines = run('chat-patient.ts', {
      when: {
        text: 'Rift: hello, all',
        run: () => {
          void (async () => {
            alan = await chatter('Alan');
            await alan.hears('Rift: welcome, Alan');
            grace.say('grüß dich, Rift €');
            grace.say('bye, Rift');
          })();
        },
      },
    });
    await grace.hears('* Rift has gone');
    assert.deepEqual(await lines, [
      '* who are you?', '* Rift has come (2 here)', 'Rift: hello, all', '* Alan has come (3 here)', 'Rift: welcome, Alan',
      'Grace: grüß dich, Rift €', 'Grace: bye, Rift', '* bye', 'left the chat',
    ]);
    await grace.leave();
    await alan?.leave();
  });

  it('chat: leaves a chat where nothing is said', async () => {
    assert.deepEqual((await run('chat.ts')).slice(-2), ['* bye', 'left the chat']);
  });

  it('parallel: the parts of a file, put together', async () => {
    const lines = await run('parallel.ts');
    assert.deepEqual(lines, ['25 %', '50 %', '75 %', '100 %', '4000000 bytes in 4 parts, checksum right']);
  });

  it('json-api: lists, makes, changes and removes', async () => {
    const lines = await run('json-api.ts');
    assert.deepEqual(lines.slice(1), ["{ id: 2, name: 'Grace', score: 0, level: 3 }", '42', '1', '404 there is no player 2']);
  });

  it('redis: a client over the raw socket, against Debian\'s Redis', async () => {
    const redis = await startRedis();
    try {
      folder.write('redis.json', JSON.stringify({ host: 'localhost', port: redis.port }));
      assert.deepEqual(await run('redis.ts'), [
        'PONG', 'OK', JSON.stringify('Ädä\r\nLovelace'), 'null', '[ 1, 2, 3, 4, 5 ]', "[ 'a', 'b', 'c' ]", 'true',
        'WRONGTYPE Operation against a key holding the wrong kind of value',
      ]);
      const script = folder.write('redis-transaction.ts', `
        import redis from './redis.json';
        import { RedisClient, RedisError } from './redis-client';
        const client = await RedisClient.connect(redis.host, redis.port);
        await client.call('SET', 'text', 'a');
        await client.call('MULTI');
        client.call('INCR', 'text').then(print);
        client.call('SET', 'text', 'b').then(print);
        const replies = await client.call('EXEC');
        if (Array.isArray(replies)) print(replies.map((reply) => (reply instanceof RedisError ? reply.message : reply)));
        print(await client.call('EVAL', "return {1,{'two',{}},false}", '0'));
        client.call('QUIT').then(print);
        client.call('PING').catch((error) => print(error.message));
      `);
      assert.deepEqual(await run(path.basename(script)), [
        'QUEUED', 'QUEUED', "[ 'ERR value is not an integer or out of range', 'OK' ]", "[ 1, [ 'two', [] ], null ]", 'OK', 'the connection was closed',
      ]);
    } finally {
      await redis.stop();
    }
  });

  it('imap: a dialogue with Debian\'s Dovecot', async () => {
    const mail = await startDovecot();
    try {
      folder.write('mail.json', JSON.stringify({ host: 'localhost', port: mail.port, user: mail.user, password: mail.password }));
      assert.deepEqual(await run('imap.ts'), [
        'speaks IMAP4rev1: true', 'messages: 1', 'Subject: From a stack of its own', 'Every byte of this went through it.', 'left: 0', 'closed by the server: true',
      ]);
      folder.write('mail.json', JSON.stringify({ host: 'localhost', port: mail.port, user: mail.user, password: 'wrong' }));
      const refused = await runScript(path.join(folder.path, 'imap.ts'));
      assert.equal(refused.code, 1, describeRun(refused));
      assert.match(refused.stderr, /^Error: LOGIN: NO \[AUTHENTICATIONFAILED\][^]*imap\.ts:\d+:\d+/);
    } finally {
      await mail.stop();
    }
  });

  it('each has a test here', () => {
    const sources = fs.readdirSync(EXAMPLES).filter((name) => name.endsWith('.ts'));
    const text = new Map(sources.map((name) => [name, fs.readFileSync(path.join(EXAMPLES, name), 'utf8')]));
    const modules = new Set([...text.values()].flatMap((source) => [...source.matchAll(/from '\.\/([\w-]+)';/g)].map((match) => `${match[1]}.ts`)));
    const own = fs.readFileSync(path.resolve('test/interop/examples.test.ts'), 'utf8');
    const untested = sources.filter((name) => !modules.has(name) && !own.includes(`run('${name}'`));
    assert.deepEqual(untested, []);
  });

  it('are shown by npm start, which ends by itself', async () => {
    const child = spawn(process.execPath, ['examples/start.js'], { stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    const [code] = await once(child, 'close');
    const output = Buffer.concat(chunks).toString();
    assert.equal(code, 0, output);
    for (const name of ['hello', 'connect', 'fetch', 'ticks', 'emitter', 'json-api', 'parallel', 'chat']) assert.match(output, new RegExp(`^\\$ riftnet run \\S*${name}\\.ts `, 'm'));
    assert.match(output, /\nAll example scripts ran\./);
  });
});
