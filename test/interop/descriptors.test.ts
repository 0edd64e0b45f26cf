/** A process has only so many files and sockets open: what becomes of a worker, its scripts and its link that have come up against it. */
import assert from 'node:assert/strict';
import { execFileSync, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { DEFAULT_WORKER_SETTINGS, PROTOCOL_VERSION, type HostMessage, type RunOutcome, type WorkerMessage } from '../../extension/protocol';
import { eachOnLan } from './support/each-test';
import type { Programs } from './support/programs';
import { describeRun, runCli } from './support/run-cli';
import { ScriptFolder } from './support/script-folder';
import { type Lan, LAN, WAN } from './support/topology';

/** Lets a process open only so many more than it has open now. */
function leaveDescriptors(pid: number, count: number): void {
  const open = new Set(fs.readdirSync(`/proc/${pid}/fd`).map(Number));
  let limit = 0;
  // A new descriptor has the lowest number that is free, and the limit is on the number.
  for (let left = count; open.has(limit) || left-- > 0; ) limit++;
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${limit}:`]);
}

const MANY = 1_000;
const SAYS_WHAT_TO_DO = /EMFILE.*ulimit -n/;

describe('A worker that may open nothing more', function () {
  this.timeout(120_000);
  let folder: ScriptFolder;
  let worker: ChildProcess;
  let ended: Promise<unknown>;
  const messages: WorkerMessage[] = [];
  let wake = (): void => {};

  beforeEach(async () => {
    folder = new ScriptFolder();
    messages.length = 0;
    worker = fork('dist/worker.js', { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] });
    ended = once(worker, 'exit');
    worker.on('message', (message: WorkerMessage) => {
      messages.push(message);
      wake();
    });
    worker.on('exit', () => wake());
    send({ type: 'configure', version: PROTOCOL_VERSION, settings: { ...DEFAULT_WORKER_SETTINGS, link: 'gateway' } });
    await message(({ type }) => type === 'ready');
  });
  afterEach(async () => {
    worker.kill('SIGKILL');
    await ended;
    folder.remove();
  });

  const send = (message: HostMessage): void => void worker.send(message);

  async function message(matches: (message: WorkerMessage) => boolean): Promise<WorkerMessage> {
    for (;;) {
      const found = messages.find(matches);
      if (found) return found;
      if (worker.exitCode !== null || worker.signalCode !== null) assert.fail(`the worker ended: ${JSON.stringify(messages.slice(-3))}`);
      await new Promise<void>((resolve) => (wake = resolve));
    }
  }

  function start(runId: string, text: string): void {
    const file = folder.write(`${runId}.ts`, text);
    send({ type: 'run', runId, file, source: null, tickRate: 30, timeoutSeconds: null, limits: { memoryMb: 256, outputBytesPerSecond: 1 << 20 } });
  }

  async function outcomeOf(runId: string): Promise<RunOutcome> {
    const found = await message((one) => one.type === 'ended' && one.runId === runId);
    return found.type === 'ended' ? found.outcome : assert.fail();
  }

  it('holds a script to its memory limit all the same', async () => {
    start('grows', "print('running');\nconst held = [];\nwhile (held.length < 100) {\n  await Event.OnTick;\n  held.push(Buffer.alloc(8 << 20, 1));\n}\nprint('has it all');");
    await message((one) => one.type === 'output' && one.text.includes('running'));
    leaveDescriptors(worker.pid ?? assert.fail('the worker runs'), 0);
    assert.deepEqual((await outcomeOf('grows')).kind, 'limit', JSON.stringify(messages.slice(-3)));
  });

  it('ends each run in words, however far it comes, until there is room again', async () => {
    const pid = worker.pid ?? assert.fail('the worker runs');
    for (let count = 0; ; count++) {
      assert.ok(count < 40, 'so many are enough for one script');
      leaveDescriptors(pid, count);
      start(`${count}`, "print('ran');");
      const outcome = await outcomeOf(`${count}`);
      if (outcome.kind === 'finished') break;
      assert.match(JSON.stringify(outcome), SAYS_WHAT_TO_DO);
    }
  });

  it('goes on with the scripts that run', async () => {
    const pid = worker.pid ?? assert.fail('the worker runs');
    start('running', "print('running'); for (;;) await Event.OnTick;");
    await message((one) => one.type === 'output' && one.text === 'running');
    leaveDescriptors(pid, 0);
    start('refused', '');
    assert.match(JSON.stringify(await outcomeOf('refused')), SAYS_WHAT_TO_DO);
    leaveDescriptors(pid, MANY);
    start('next', '');
    assert.deepEqual(await outcomeOf('next'), { kind: 'finished' });
    send({ type: 'stop', runId: 'running' });
    assert.deepEqual(await outcomeOf('running'), { kind: 'stopped' });
  });
});

describe('A captured link in a process that may open nothing more', function () {
  this.timeout(120_000);
  let lan: Lan;
  let programs: Programs;
  let folder: ScriptFolder;
  eachOnLan((made) => ({ lan, programs, folder } = made), { offloads: false });

  const PORT = 7_000;
  /** Longer than any look at the system's interfaces is apart from the next. */
  const HELD_MS = 5_000;
  const SCRIPT = `
    const socket = Network.Connect('${WAN.server}', ${PORT});
    while (socket.status === 'connecting') await Event.OnTick;
    print(socket.status, socket.error?.message ?? '');
    const since = Engine.Time();
    for (let rounds = 1; socket.status === 'connected' && Engine.Time() - since < ${HELD_MS}; rounds++) {
      socket.write('x');
      while (socket.read() === null && socket.status === 'connected') await Event.OnTick;
    }
    print(socket.status, socket.error?.message ?? '');`;

  for (const [title, args] of [
    ['with an address of its own', ['--address', '10.77.0.99/24', '--gateway', LAN.router, '--localhost', 'router']],
    ["with the computer's address", ['--address', 'shared']],
  ] as const) {
    it(`keeps its connections ${title}: nothing has changed on the interface`, async () => {
      await programs.peer(lan.server, 'echo-server', String(PORT)).line();
      const options = { host: lan.host, env: folder.environment, limitMs: 100_000 };
      if (args[1] === 'shared') assert.equal((await runCli(['doctor', '--fix', 'shared'], options)).code, 0);
      const result = await runCli(['run', folder.write('echo.ts', SCRIPT), '--link', 'pcap', '--interface', 'eth0', ...args], {
        ...options, when: { text: 'connected', run: ({ pid }) => leaveDescriptors(pid, 0) },
      });
      assert.deepEqual([result.code, result.stdout.toString()], [0, 'connected \nconnected \n'], describeRun(result));
      assert.doesNotMatch(result.stderr, /gone|down|no IPv4 address/, describeRun(result));
    });
  }
});
