/** What a script's process costs: the way of received bytes into it, and its start. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { DEFAULT_WORKER_SETTINGS, type WorkerSettings } from '../../extension/protocol';
import type { Uplink } from '../../extension/worker/attachment';
import { Network } from '../../extension/worker/network';
import { Runtime } from '../../extension/worker/runtime';
import type { Benchmark } from './support/harness';
import { buildProduct, startServer } from './support/product';
import { BODY_BYTES, PATTERN_BYTES, patternAt } from './support/script-server';

const SETTINGS: WorkerSettings = { ...DEFAULT_WORKER_SETTINGS, link: 'gateway', hostAddress: '127.0.0.1' };
const WARM_UP_BYTES = 64 << 20;
const BYTES = 1 << 30;
const STARTS = 11;
const REQUESTS = 1_000;
const WARM_UP_REQUESTS = 200;

/** `measure` gets the port of the server: one that sends the pattern without end, or one that speaks HTTP. */
async function withServer(kind: 'stream' | 'http', measure: (port: number) => Promise<number>): Promise<number> {
  const { port, child } = await startServer(path.join(__dirname, 'support', 'script-server.js'), kind);
  try {
    return await measure(port);
  } finally {
    child.kill('SIGKILL');
  }
}

/** A script reads all there is on each tick, as scripts do. */
async function byScript(): Promise<number> {
  const bundles = await buildProduct();
  return withServer('stream', (port) => runForNumber(bundles, `
    const patternAt = ${patternAt};
    const PATTERN_BYTES = ${PATTERN_BYTES};
    const socket = Network.Connect('localhost', ${port});
    let [received, base, startedAt] = [0, 0, 0];
    while (received < ${WARM_UP_BYTES + BYTES}) {
      const data = socket.read();
      if (data !== null) {
        if (data[0] !== patternAt(received)) throw new Error('wrong byte at ' + received);
        received += data.length;
        if (startedAt === 0 && received >= ${WARM_UP_BYTES}) [startedAt, base] = [Engine.Time(), received];
      }
      await Event.OnTick;
      if (socket.status === 'error' || socket.status === 'fin') throw new Error(socket.status + ' ' + socket.error?.message);
    }
    print((received - base) * 8 / (Engine.Time() - startedAt) / 1e6);
  `));
}

/** Runs a script that prints one number. */
async function runForNumber(bundles: string, source: string): Promise<number> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-bench-'));
  const file = path.join(folder, 'bench.ts');
  try {
    return await new Promise<number>((resolve, reject) => {
      let printed = '';
      const runtime = new Runtime({
        settings: SETTINGS,
        bundles,
        emit: (message) => {
          if (message.type === 'output') printed = message.text;
          if (message.type !== 'ended') return;
          const value = Number(printed);
          void runtime.close(0).then(() => (message.outcome.kind === 'finished' && printed !== '' ? resolve(value) : reject(new Error(JSON.stringify(message.outcome)))));
        },
      });
      runtime.handle({ type: 'run', runId: '1', file, source, tickRate: 30, timeoutSeconds: null, limits: { memoryMb: 512, outputBytesPerSecond: 1 << 20 } });
    });
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** The same stack, link and server, read in the worker's own process. */
async function byStack(): Promise<number> {
  return withServer('stream', async (port) => {
    const network = new Network({ settings: SETTINGS, log: () => {}, onChange: () => {} });
    const { stack, link } = await new Promise<Uplink>((resolve, reject) => void network.whenReady('localhost', (result) => (result instanceof Error ? reject(result) : resolve(result))));
    const { thisComputer } = link;
    if (thisComputer === null) throw new Error('the gateway leads to this computer');
    return new Promise<number>((resolve, reject) => {
      const target = new Uint8Array(1 << 18);
      let received = 0;
      let base = 0;
      let startedAt = 0;
      const socket = stack.tcp.connect({ address: thisComputer.address, port }, network.clock.now());
      socket.onChange = () => {
        if (socket.error !== null) return reject(socket.error);
        for (let length = socket.read(target); length > 0; length = socket.read(target)) {
          if (target[0] !== patternAt(received)) return reject(new Error(`wrong byte at ${received}`));
          received += length;
          if (startedAt === 0 && received >= WARM_UP_BYTES) [startedAt, base] = [performance.now(), received];
          if (received < WARM_UP_BYTES + BYTES) continue;
          socket.onChange = null;
          resolve(((received - base) * 8) / (performance.now() - startedAt) / 1e6);
          return network.close();
        }
      };
    });
  });
}

/** Median time of one fetch after the other by a script, µs. */
async function byFetch(keepAlive: boolean): Promise<number> {
  const bundles = await buildProduct();
  return withServer('http', (port) => runForNumber(bundles, `
    const times: number[] = [];
    for (let i = 0; i < ${WARM_UP_REQUESTS + REQUESTS}; i++) {
      const startedAt = Engine.Time();
      const { status, body, error } = await fetch('http://localhost:${port}/', ${keepAlive ? '{}' : "{ headers: { connection: 'close' } }"});
      if (status !== 200 || body.length !== ${BODY_BYTES}) throw new Error(error?.message ?? String(status));
      if (i >= ${WARM_UP_REQUESTS}) times.push(Engine.Time() - startedAt);
    }
    print(times.sort((a, b) => a - b)[${REQUESTS >> 1}]! * 1_000);
  `));
}

/** The same requests by Node's own client over the kernel. */
async function byNode(keepAlive: boolean): Promise<number> {
  return withServer('http', async (port) => {
    const agent = new http.Agent({ keepAlive });
    const times: number[] = [];
    for (let i = 0; i < WARM_UP_REQUESTS + REQUESTS; i++) {
      const startedAt = performance.now();
      const length = await new Promise<number>((resolve, reject) => {
        http.get({ port, host: '127.0.0.1', agent }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => resolve(Buffer.concat(chunks).length)).on('error', reject);
        }).on('error', reject);
      });
      if (length !== BODY_BYTES) throw new Error(`${length} bytes`);
      if (i >= WARM_UP_REQUESTS) times.push(performance.now() - startedAt);
    }
    agent.destroy();
    return (times.sort((a, b) => a - b)[REQUESTS >> 1] ?? NaN) * 1_000;
  });
}

/** Median time from the start of a process to the first byte it prints, ms. */
async function firstByte(args: readonly string[], untilExit: boolean): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i <= STARTS; i++) {
    const started = performance.now();
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let at = 0;
    child.stdout.once('data', () => (at = performance.now()));
    await new Promise((resolve) => child.on('close', resolve));
    if (untilExit) at = performance.now();
    if (child.exitCode !== 0 || at === 0) throw new Error(`node ${args.join(' ')} ended with ${child.exitCode}`);
    // The first brings the files into the system's cache.
    if (i > 0) times.push(at - started);
  }
  return times.sort((a, b) => a - b)[STARTS >> 1] ?? NaN;
}

async function coldStart(): Promise<number> {
  const bundles = await buildProduct();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-bench-'));
  const file = path.join(folder, 'hello.ts');
  fs.writeFileSync(file, "print('hello');\n");
  try {
    return await firstByte([path.join(bundles, 'cli.js'), 'run', file, '--link', 'gateway'], false);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

export const benchmarks: readonly Benchmark[] = [
  {
    name: 'script/read',
    unit: 'Gbit/s',
    run: byScript,
    against: { what: 'the same stack, without a script', run: byStack },
    target: 'ratio at least 0.8',
  },
  {
    name: 'script/start',
    unit: 'ms',
    run: coldStart,
    against: { what: 'node -e 0', run: () => firstByte(['-e', '0'], true) },
    target: 'under 150 ms',
  },
  {
    name: 'script/fetch-keep-alive',
    unit: 'µs',
    run: () => byFetch(true),
    against: { what: 'node:http over the kernel', run: () => byNode(true) },
    target: 'ratio at most 2, on a link of its own',
  },
  {
    name: 'script/fetch-new-connection',
    unit: 'µs',
    run: () => byFetch(false),
    against: { what: 'node:http over the kernel', run: () => byNode(false) },
    target: 'ratio at most 2, on a link of its own',
  },
];
