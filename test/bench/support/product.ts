/** The product as it is shipped, built for a benchmark, and a server of the operating system's in a process of its own. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { buildParts, SCRIPT_PARTS } from '../../support/product-parts';

/** @returns the folder that holds `cli.js` and the parts of a script's process, minified */
export function buildProduct(): Promise<string> {
  return buildParts([...SCRIPT_PARTS, 'cli'], 'dist/test/bench/product', { minify: true });
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
