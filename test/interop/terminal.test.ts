import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { describeRun, LOCAL, runCli, runScript } from './support/run-cli';
import { ScriptFolder } from './support/script-folder';
import { closeServers, nameServer, tcpServer } from './support/servers';

/** Resolves once a process that has written something writes no more. */
async function standsStill(pid: number): Promise<void> {
  const written = (): number => Number(/^wchar: (\d+)$/m.exec(fs.readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
  for (let before = -1, now = 0; before !== now || now < 65_536; ) {
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 200));
    now = written();
  }
}

describe('riftnet run', function () {
  this.timeout(60_000);
  let folder: ScriptFolder;
  before(() => (folder = new ScriptFolder()));
  afterEach(closeServers);
  after(() => folder.remove());

  it('writes to stdout only what the script prints', async () => {
    const script = folder.write('print.js', "print('one', 2, { three: [4] }); print('ünïcode €'); print(''); print(Buffer.from('ab'));");
    const run = await runScript(script);
    assert.equal(run.code, 0, describeRun(run));
    assert.equal(run.stdout.toString(), "one 2 { three: [ 4 ] }\nünïcode €\n\n<Buffer 61 62>\n");
  });

  it('prints all of a large output, in order', async () => {
    const script = folder.write('many.ts', 'for (let i = 0; i < 20_000; i++) print(i); print("end");');
    const run = await runScript(script);
    assert.equal(run.code, 0, describeRun(run));
    const expected = `${Array.from({ length: 20_000 }, (_, i) => i).join('\n')}\nend\n`;
    assert.ok(run.stdout.toString() === expected, `${run.stdout.length} bytes instead of ${expected.length}: ${run.stdout.toString().slice(-200)}`);
  });

  it('ticks at the rate it is told', async () => {
    const script = folder.write('ticks.ts', `
      await Event.OnTick;
      const from = Engine.Time();
      for (let i = 0; i < 100; i++) await Event.OnTick;
      print(Engine.TICK_RATE, Math.round((Engine.Time() - from) / 10));
    `);
    const run = await runScript(script, ['--tick-rate', '200']);
    assert.equal(run.code, 0, describeRun(run));
    const [rate, tens] = run.stdout.toString().trim().split(' ').map(Number);
    assert.equal(rate, 200);
    // 100 ticks at 200 Hz are 500 ms, and 3.3 s at the usual rate; a busy machine may be late, never early.
    assert.ok(tens !== undefined && tens >= 45 && tens < 300, describeRun(run));
  });

  it('ends a script that uses more than --memory says, and names the option', async () => {
    const script = folder.write('eater.ts', "print('on'); const kept: Buffer[] = []; while (true) kept.push(Buffer.alloc(1 << 20, 1));");
    const run = await runScript(script, ['--memory', '100']);
    assert.equal(run.code, 1, describeRun(run));
    assert.equal(run.stdout.toString(), 'on\n');
    assert.match(run.stderr.toString(), /memory limit is 100 MiB\. .*option --memory/, describeRun(run));
  });

  it('sends what is queued when the script ends with an open socket', async () => {
    let told: (length: number) => void = () => {};
    const received = new Promise<number>((resolve) => (told = resolve));
    const server = await tcpServer((socket) => {
      let length = 0;
      socket.on('data', (chunk) => (length += chunk.length));
      socket.on('close', () => told(length));
    });
    const script = folder.write('last-words.ts', `
      const socket = Network.Connect('localhost', ${server.port});
      while (socket.status === 'connecting') await Event.OnTick;
      socket.write(Buffer.alloc(3_000_000, 7));
    `);
    const run = await runScript(script);
    assert.equal(run.code, 0, describeRun(run));
    assert.equal(await received, 3_000_000);
    // Ten seconds are for peers that do not close; this one has.
    assert.ok(run.seconds < 9, describeRun(run));
  });

  it('asks the name server that --dns names', async () => {
    const server = await tcpServer((socket) => socket.end('reached'));
    const probe = folder.write('probe.ts', `
      const socket = Network.Connect('localhost', ${server.port});
      while (socket.status === 'connecting') await Event.OnTick;
      print(socket.remoteAddress);
    `);
    // The address that stands for this computer in the stack, relayed to --host-address.
    const here = (await runScript(probe)).stdout.toString().trim();
    const dns = await nameServer({ 'server.example': here });
    const script = folder.write('named.ts', `
      const socket = Network.Connect('Server.Example', ${server.port});
      let text = '';
      while (socket.status === 'connecting' || socket.status === 'connected') { text += socket.read()?.toString() ?? ''; await Event.OnTick; }
      print(text, socket.status, socket.remoteAddress);
    `);
    const run = await runScript(script, ['--dns', `127.0.0.1:${dns.port}`]);
    assert.equal(run.code, 0, describeRun(run));
    assert.equal(run.stdout.toString(), `reached fin ${here}\n`);
    assert.ok(dns.questions() > 0);
  });

  it('captures every frame in a file that tshark reads without complaint', async () => {
    const server = await tcpServer((socket) => socket.once('data', () => socket.end('captured answer')));
    const capture = path.join(folder.path, 'run.pcapng');
    const script = folder.write('capture.ts', `
      const socket = Network.Connect('localhost', ${server.port});
      while (socket.status === 'connecting') await Event.OnTick;
      socket.write('captured question');
      while (socket.status === 'connected') { socket.read(); await Event.OnTick; }
    `);
    const run = await runScript(script, ['--capture', capture]);
    assert.equal(run.code, 0, describeRun(run));
    const tshark = (...args: string[]): string =>
      execFileSync('tshark', ['-n', '-r', capture, '-o', 'tcp.check_checksum:TRUE', '-o', 'ip.check_checksum:TRUE', '-o', 'udp.check_checksum:TRUE', ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    const port = `tcp.port == ${server.port}`;
    assert.notEqual(tshark('-Y', `${port} && tcp.flags.syn == 1 && tcp.flags.ack == 0`), '', 'the SYN is there');
    assert.notEqual(tshark('-Y', `${port} && tcp contains "captured question"`), '');
    assert.notEqual(tshark('-Y', `${port} && tcp contains "captured answer"`), '');
    assert.notEqual(tshark('-Y', `${port} && tcp.flags.fin == 1`), '');
    assert.equal(tshark('-Y', '_ws.malformed || ip.checksum.status == "Bad" || tcp.checksum.status == "Bad" || udp.checksum.status == "Bad"'), '');
    const times = tshark('-T', 'fields', '-e', 'frame.time_epoch').trim().split('\n').map(Number);
    assert.ok(times.every((time, i) => time >= (times[i - 1] ?? 0)), 'times only grow');
    assert.ok(Math.abs((times[0] ?? 0) * 1_000 - Date.now()) < 120_000, `the first frame is of now: ${times[0]}`);
  });

  it('says why a capture cannot be written', async () => {
    const script = folder.write('nothing.ts', "print('ran');");
    const run = await runScript(script, ['--capture', path.join(folder.path, 'no-such-folder', 'x.pcapng')]);
    assert.equal(run.code, 2, describeRun(run));
    assert.match(run.stderr, /no-such-folder/);
    assert.deepEqual(run.leftRunning, []);
  });

  it('writes the counters as one line of JSON on stderr', async () => {
    const server = await tcpServer((socket) => socket.end('counted'));
    const script = folder.write('stats.ts', `
      const socket = Network.Connect('localhost', ${server.port});
      while (socket.status === 'connecting' || socket.status === 'connected') { socket.read(); await Event.OnTick; }
      print('done');
    `);
    const run = await runScript(script, ['--stats']);
    assert.equal(run.code, 0, describeRun(run));
    assert.equal(run.stdout.toString(), 'done\n');
    const lines = run.stderr.split('\n').filter((line) => line.startsWith('{'));
    assert.equal(lines.length, 1, describeRun(run));
    const text = lines[0] ?? '';
    const stats: unknown = JSON.parse(text);
    assert.ok(typeof stats === 'object' && stats !== null);
    assert.match(text, /"activeOpens":[1-9]/);
    assert.match(text, /"rxSegments":[1-9]/);
    assert.match(text, /"rxFrames":[1-9]/);
  });

  it('stops a script whose output nobody takes, and says so unless the reader has left', () => {
    const script = folder.write('talks.ts', 'for (let i = 0; ; i++) { print(i); if (i % 10_000 === 0) await Event.OnTick; }');
    const shell = (command: string) => spawnSync('sh', ['-c', command, 'sh', process.execPath, path.resolve('dist/cli.js'), script], { encoding: 'utf8', timeout: 30_000 });
    const left = shell('{ "$1" "$2" run "$3" --link gateway --timeout 20; echo "exit $?" >&2; } | head -n 1');
    assert.deepEqual([left.stdout, left.stderr], ['0\n', 'exit 1\n']);
    const full = shell('"$1" "$2" run "$3" --link gateway --timeout 20 > /dev/full');
    assert.equal(full.status, 1);
    assert.match(full.stderr, /^riftnet: standard output cannot be written: ENOSPC.*\n$/);
  });

  it('ends by time or signal though nobody reads what was printed', async () => {
    const script = folder.write('unread.ts', "for (let i = 0; ; i++) { print('x'.repeat(1_000)); if (i % 100 === 0) await Event.OnTick; }");
    for (const [signal, code, args] of [[null, 124, ['--timeout', '1']], ['SIGTERM', 130, []], ['SIGINT', 130, []]] as const) {
      const child = spawn(process.execPath, ['dist/cli.js', 'run', script, ...LOCAL, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
      const ended = once(child, 'exit');
      const limit = setTimeout(() => child.kill('SIGKILL'), 30_000);
      if (signal !== null) {
        await standsStill(child.pid ?? 0);
        child.kill(signal);
      }
      const [found] = await ended;
      clearTimeout(limit);
      child.stdout.destroy();
      assert.equal(found, code, signal ?? 'timeout');
    }
  });

  it('says what is wrong with a variable of its own, and ends', async () => {
    const run = await runScript(folder.write('never.ts', "print('ran');"), [], { limitMs: 30_000, env: { ...process.env, RIFTNET_SCRIPT_NODE: 'nonsense' } });
    assert.deepEqual([run.code, run.stdout.toString(), run.leftRunning], [2, '', []], describeRun(run));
    assert.match(run.stderr, /^riftnet: RIFTNET_SCRIPT_NODE is "nonsense".*unset it\n$/);
  });

  it('runs from any folder, with a relative path', async () => {
    folder.write('here.ts', "print('here');");
    const run = await runCli(['run', 'here.ts', '--link', 'gateway'], { cwd: folder.path });
    assert.equal(run.code, 0, describeRun(run));
    assert.equal(run.stdout.toString(), 'here\n');
    assert.ok(fs.existsSync(path.join(folder.path, 'here.ts')));
  });

  it('tells how it is used', async () => {
    const run = await runCli(['--help']);
    assert.equal(run.code, 0, describeRun(run));
    for (const option of ['--link', '--tick-rate', '--timeout', '--memory', '--host-address', '--dns', '--capture', '--stats']) {
      assert.ok(run.stdout.toString().includes(option), `${option} is in the usage`);
    }
  });
});
