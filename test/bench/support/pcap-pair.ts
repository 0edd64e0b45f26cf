/** Two namespaces on a veth pair: the kernel on one end; on the other, in a process of its own, the link, the stack over it, or the kernel too. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import type { PcapBinding } from '../../../stack';
import { Cable, type Host } from '../../interop/support/namespaces';
import { buildProduct } from './product';

export type PcapMeasure = 'download' | 'upload' | 'send-share' | 'raw-receive' | 'raw-send' | 'raw-send-received' | 'kernel-download' | 'kernel-upload';
/** One connection for all requests, or one for each. */
export type Connections = 'kept' | 'once';

const LIMIT_MS = 120_000;
const END = 'test/bench/support/pcap-end.ts';
const OUR_ADDRESS = '10.77.0.2';
const REQUESTS = 1_000;
const WARM_UP_REQUESTS = 1_000;
const HTTP_PORT = 5_002;
/** Where `kernel-source` listens. */
const STREAM_PORT = 5_001;
const READ_WARM_UP_BYTES = 64 << 20;
const READ_MS = 3_000;

/** A cable, and the programs on its ends; all gone when `use` is done. */
class Bench {
  readonly cable = Cable.create();
  private readonly children: ChildProcess[] = [];

  /** @param profiled whether `--cpu-prof` is about this program */
  start(host: Host, words: readonly string[], profiled = false): ChildProcess {
    const flags = process.execArgv.filter((flag, i, all) => flag.startsWith('--cpu-prof') || all[i - 1] === '--cpu-prof-dir');
    const child = host.start([process.execPath, '--enable-source-maps', ...(profiled ? flags : []), ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.children.push(child);
    return child;
  }

  end(host: Host, ...words: string[]): ChildProcess {
    const own = host === this.cable.ours;
    return this.start(host, [path.resolve('dist', END.replace(/\.ts$/, '.js')), ...words], own);
  }

  async close(): Promise<void> {
    for (const child of this.children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'exit');
      // Not at once: what is profiled writes its profile.
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await ended;
      clearTimeout(timer);
    }
    this.cable.remove();
  }

  static async use(run: (bench: Bench) => Promise<number>): Promise<number> {
    const { buildTests } = createRequire(path.resolve('package.json'))('./esbuild.js') as { buildTests(files: readonly string[]): Promise<void> };
    await buildTests([END]);
    const bench = new Bench();
    try {
      // Full-sized segments, as from a network: not 64 KiB at once, as from a neighbour in memory.
      for (const host of [bench.cable.ours, bench.cable.theirs]) host.setOffloads(false);
      return await run(bench);
    } finally {
      await bench.close();
    }
  }
}

/** The program's next line. */
function line(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`nothing for ${LIMIT_MS} ms`)), LIMIT_MS);
    child.stdout?.once('data', (chunk: Buffer) => {
      clearTimeout(timer);
      resolve(chunk.toString().trim());
    });
    child.once('exit', (code) => reject(new Error(`ended with ${code}`)));
  });
}

/** @returns Gbit/s of payload, or for the bare link of whole frames; for `send-share` percent */
export function measureRate(measure: PcapMeasure, binding: PcapBinding): Promise<number> {
  return Bench.use(async (bench) => {
    const { ours, theirs, theirAddress } = bench.cable;
    if (measure === 'raw-send') return Number(await line(bench.end(ours, 'raw-send', binding)));
    if (measure === 'raw-send-received') {
      const mac = await line(bench.end(theirs, 'udp-sink'));
      return Number(await line(bench.end(ours, 'raw-send', binding, mac)));
    }
    if (measure === 'raw-receive') {
      const receiver = bench.end(ours, 'raw-receive', binding);
      await line(receiver);
      bench.end(theirs, 'blast');
      return Number(await line(receiver));
    }
    const download = measure.endsWith('download');
    const byKernel = measure.startsWith('kernel');
    const peer = bench.end(theirs, download ? 'kernel-source' : 'kernel-sink');
    await line(peer);
    if (byKernel) ours.ip('address', 'add', `${OUR_ADDRESS}/24`, 'dev', 'eth0');
    const own = byKernel ? bench.end(ours, measure, theirAddress) : bench.end(ours, measure, binding, theirAddress);
    // Whoever receives tells the rate: it knows what has arrived.
    return Number(await line(download || measure === 'send-share' ? own : peer));
  });
}

/** Prints the median time of a fetch, ms. */
function script(address: string, connections: Connections): string {
  return `
const times: number[] = [];
for (let i = 0; i < ${REQUESTS + WARM_UP_REQUESTS}; i++) {
  const startedAt = Engine.Time();
  const response = await fetch('http://${address}:${HTTP_PORT}/', ${connections === 'kept' ? '{}' : "{ headers: { connection: 'close' } }"});
  if (response.body.length !== 1024) throw new Error(response.status + ' ' + response.error?.message);
  if (i >= ${WARM_UP_REQUESTS}) times.push(Engine.Time() - startedAt);
}
print(times.sort((a, b) => a - b)[${REQUESTS / 2}]);
`;
}

/** @returns the median of 1 000 requests for 1 KiB, ms: by a script's fetch over that binding, or by node:http over the kernel */
export function measureFetch(client: PcapBinding | 'kernel', connections: Connections): Promise<number> {
  return Bench.use(async (bench) => {
    const { ours, theirs, theirAddress } = bench.cable;
    await line(bench.end(theirs, 'http-server', String(HTTP_PORT)));
    if (client === 'kernel') {
      ours.ip('address', 'add', `${OUR_ADDRESS}/24`, 'dev', 'eth0');
      return Number(await line(bench.end(ours, 'http-client', theirAddress, String(HTTP_PORT), connections, String(WARM_UP_REQUESTS), String(REQUESTS))));
    }
    return runScript(bench, client, script(theirAddress, connections));
  });
}

/** Prints the rate of what it has read, Gbit/s. */
function readingScript(address: string): string {
  return `
const socket = Network.Connect('${address}', ${STREAM_PORT});
let [received, startedAt] = [0, 0];
while (startedAt === 0 || Engine.Time() - startedAt < ${READ_MS}) {
  received += socket.read()?.length ?? 0;
  if (startedAt === 0 && received >= ${READ_WARM_UP_BYTES}) [startedAt, received] = [Engine.Time(), 0];
  await Event.OnTick;
  if (socket.status === 'error' || socket.status === 'fin') throw new Error(socket.status + ' ' + socket.error?.message);
}
print(received * 8 / (Engine.Time() - startedAt) / 1e6);
`;
}

/** @returns Gbit/s that a script reads, all there is on each tick */
export function measureRead(binding: PcapBinding): Promise<number> {
  return Bench.use(async (bench) => {
    const { theirs, theirAddress } = bench.cable;
    await line(bench.end(theirs, 'kernel-source'));
    return runScript(bench, binding, readingScript(theirAddress));
  });
}

/** Runs a script by the terminal command over that binding. @returns the number that it prints */
async function runScript(bench: Bench, binding: PcapBinding, source: string): Promise<number> {
  const bundles = await buildProduct();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-bench-'));
  try {
    const file = path.join(folder, 'bench.ts');
    fs.writeFileSync(file, source);
    const words = ['run', file, '--link', 'pcap', '--interface', 'eth0', '--capture-binding', binding, '--address', `${OUR_ADDRESS}/24`];
    return Number(await line(bench.start(bench.cable.ours, [path.join(bundles, 'cli.js'), ...words], true)));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
