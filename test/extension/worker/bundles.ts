/** Builds the bundles that a script's process loads, apart from those of `dist/`. */
import { build } from 'esbuild';
import path from 'node:path';

const FOLDER = path.resolve('dist/test/worker-bundles');

/** @returns the folder that holds `script.js` with its parts, and `worker.js` */
export async function buildBundles(): Promise<string> {
  await build({
    entryPoints: { script: 'extension/worker/script/boot.ts', 'script-main': 'extension/worker/script/main.ts', 'script-http': 'extension/worker/script/http/main.ts', worker: 'extension/worker/main.ts' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: ['esbuild', 'cap', 'koffi'],
    outdir: FOLDER,
    logLevel: 'warning',
  });
  return FOLDER;
}
