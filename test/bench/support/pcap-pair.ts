/** Two namespaces on a veth pair: the kernel on one end; on the other, in a process of its own, the link or the stack over it. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Cable, type Host } from '../../interop/support/namespaces';

export type PcapMeasure = 'download' | 'upload' | 'raw-receive' | 'raw-send';

const LIMIT_MS = 120_000;
const END = 'test/bench/support/pcap-end.ts';

function start(host: Host, children: ChildProcess[], ...words: string[]): ChildProcess {
  const bundle = path.resolve('dist', END.replace(/\.ts$/, '.js'));
  const child = host.start([process.execPath, bundle, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return child;
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

/** @returns Gbit/s of payload, or for the bare link of whole frames */
export async function measurePcap(measure: PcapMeasure): Promise<number> {
  const { buildTests } = createRequire(path.resolve('package.json'))('./esbuild.js') as { buildTests(files: readonly string[]): Promise<void> };
  await buildTests([END]);
  const cable = Cable.create();
  const children: ChildProcess[] = [];
  try {
    // Full-sized segments, as from a network: not 64 KiB at once, as from a neighbour in memory.
    for (const host of [cable.ours, cable.theirs]) host.setOffloads(false);
    if (measure === 'raw-send') return Number(await line(start(cable.ours, children, 'raw-send')));
    if (measure === 'raw-receive') {
      const receiver = start(cable.ours, children, 'raw-receive');
      await line(receiver);
      start(cable.theirs, children, 'blast');
      return Number(await line(receiver));
    }
    const kernel = start(cable.theirs, children, measure === 'download' ? 'kernel-source' : 'kernel-sink');
    await line(kernel);
    const own = start(cable.ours, children, measure, cable.theirAddress);
    // Whoever receives tells the rate: it knows what has arrived.
    return Number(await line(measure === 'download' ? own : kernel));
  } finally {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    cable.remove();
  }
}

