/** The product as it is shipped, built for a benchmark, and a server of the operating system's in a process of its own. */
import { build } from 'esbuild';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const FOLDER = path.resolve('dist/test/bench/product');

/** @returns the folder that holds `cli.js` and the parts of a script's process, minified */
export async function buildProduct(): Promise<string> {
  await build({
    entryPoints: { cli: 'extension/cli.ts', script: 'extension/worker/script/boot.ts', 'script-main': 'extension/worker/script/main.ts', 'script-http': 'extension/worker/script/http/main.ts' },
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: ['esbuild', 'cap', 'koffi'],
    outdir: FOLDER,
    logLevel: 'warning',
  });
  return FOLDER;
}

/** Starts this bundle's own file again as a server, `argument` says which. It tells its port first. */
export async function startServer(file: string, argument: string): Promise<{ readonly port: number; readonly child: ChildProcess }> {
  const child = fork(file, [argument]);
  const [port]: unknown[] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`the server ${argument} has ended with ${code}`);
    }),
  ]);
  if (typeof port !== 'number') throw new Error(`the server ${argument} told no port`);
  return { port, child };
}
