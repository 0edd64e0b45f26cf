import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as vscode from 'vscode';
import type { RiftnetApi } from '../../extension/api';
import { openScript, report, runOf, until, withExtension } from './support';

const SOCKETS = 1_000;
const FETCHES = 10_000;
/** How long the processor time is taken over. */
const MEASURED_MS = 5_000;
/** Of one core, in the process that hosts every extension of the window; measured: a quarter of it. */
const MOST_PERCENT = 50;

/** What more is held than before: of the sockets each report and node, of the fetches the bounded history; measured: a quarter of it. */
const MOST_MIB = 16;

// What nobody holds any more is no memory in use, but for V8's own good time.
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** MiB of this process's heap that are in use. */
function heapMib(): number {
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

/** A server of its own process, so that its work is not taken for the extension's. It echoes, and answers HTTP. */
const SERVER = `
require('node:net').createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', (data) => socket.write(data.subarray(0, 3).toString() === 'GET' ? 'HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\nok'.repeat(data.toString().split('\\r\\n\\r\\n').length - 1) : data));
}).listen(0, '127.0.0.1', 4096, function () { process.stdout.write(this.address().port + '\\n'); });
`;

describe('the window under load', function () {
  this.timeout(180_000);
  let api: RiftnetApi;
  let port = 0;
  let server: ReturnType<typeof spawn>;
  withExtension((active) => (api = active));

  before(async () => {
    const child = spawn(process.execPath, ['-e', SERVER], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' } });
    server = child;
    port = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.stdout.once('data', (data: Buffer) => resolve(Number(data.toString())));
    });
    await vscode.commands.executeCommand('riftnet.sockets.focus');
  });

  after(() => server.kill('SIGKILL'));

  /** Percent of one core that this process, the extension host, uses for as long as something takes. */
  async function processorShare(during: () => Promise<unknown>): Promise<number> {
    const cpu = process.cpuUsage();
    const start = performance.now();
    await during();
    const { user, system } = process.cpuUsage(cpu);
    return (user + system) / 10 / (performance.now() - start);
  }

  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, MEASURED_MS));

  it(`stays calm while ${SOCKETS} sockets exchange something ten times a second each`, async () => {
    const document = await openScript(
      'thousand.ts',
      `const sockets = Array.from({ length: ${SOCKETS} }, () => Network.Connect('localhost', ${port}));
while (sockets.some((socket) => socket.status === 'connecting')) await Event.OnTick;
print('open', sockets.filter((socket) => socket.status === 'connected').length);
Event.OnTick.on((tick) => {
  for (let index = tick % 3; index < sockets.length; index += 3) {
    sockets[index].read();
    sockets[index].write('hello');
  }
});
`,
    );
    const idle = await processorShare(pause);
    const heap = heapMib();
    await vscode.commands.executeCommand('riftnet.runScript');
    await until(api, 'all to be open', () => api.output.some((entry) => entry.endsWith(`[thousand.ts] open ${SOCKETS}`)), 60_000);
    await until(api, 'all to be shown', () => runOf(api, document)?.sockets.size === SOCKETS);
    const refreshes = api.refreshes;
    const busy = await processorShare(pause);
    const held = heapMib() - heap;
    const perSecond = ((api.refreshes - refreshes) * 1_000) / MEASURED_MS;
    report(`extension host: ${busy.toFixed(1)} % of a core with ${SOCKETS} busy sockets, ${idle.toFixed(1)} % before; ${perSecond.toFixed(1)} refreshes of the tree a second`);
    report(`extension host: ${held.toFixed(1)} MiB more in use than the ${heap.toFixed(1)} MiB before`);
    assert.ok(busy < MOST_PERCENT, `${busy} % of a core`);
    assert.ok(held < MOST_MIB, `${held} MiB`);
    assert.ok(perSecond <= 10, `${perSecond} refreshes a second`);
    assert.match(api.tree[0]?.description ?? '', /1000 open · ↓ .*\/s/);
    const started = performance.now();
    await vscode.commands.executeCommand('riftnet.stopScript', document.uri);
    await until(api, 'the end', () => runOf(api, document)?.phase === 'ended');
    report(`stopped in ${(performance.now() - started).toFixed(0)} ms`);
  });

  it(`shows a bounded history of ${FETCHES} fetches`, async () => {
    const document = await openScript(
      'fetches.ts',
      `let next = 0;
const one = async () => { while (next++ < ${FETCHES}) await fetch('http://localhost:${port}/'); };
await Promise.all(Array.from({ length: 32 }, one));
print('done');
`,
    );
    const heap = heapMib();
    const refreshes = api.refreshes;
    const started = performance.now();
    const busy = await processorShare(async () => {
      await vscode.commands.executeCommand('riftnet.runScript');
      await until(api, 'the end', () => runOf(api, document)?.phase === 'ended', 120_000);
    });
    const seconds = (performance.now() - started) / 1_000;
    const run = runOf(api, document);
    assert.deepEqual(run?.outcome, { kind: 'finished' });
    report(`extension host: ${busy.toFixed(1)} % of a core for ${FETCHES} fetches in ${seconds.toFixed(1)} s; ${((api.refreshes - refreshes) / seconds).toFixed(1)} refreshes of the tree a second`);
    const held = heapMib() - heap;
    report(`extension host: ${held.toFixed(1)} MiB more in use than the ${heap.toFixed(1)} MiB before`);
    assert.ok(held < MOST_MIB, `${held} MiB`);
    assert.ok((api.tree[0]?.children.length ?? Infinity) <= 200, 'a bounded number is shown');
    assert.match(api.tree[0]?.description ?? '', /older not shown/);
    assert.equal(run.fetches.size + run.sockets.size + run.forgotten >= FETCHES, true, 'the rest is counted');
    assert.ok(api.refreshes - refreshes <= 10 * seconds + 2);
  });
});
