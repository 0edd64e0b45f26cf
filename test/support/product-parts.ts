/** Bundles of the product, built for a test or a benchmark apart from those in `dist/`. */
import { createRequire } from 'node:module';
import path from 'node:path';

interface Builder {
  buildParts(names: readonly string[], outdir: string, options?: { readonly minify?: boolean }): Promise<void>;
}

/** What a script's process loads. */
export const SCRIPT_PARTS = ['script', 'script-main', 'script-http'] as const;

/** @param names as in esbuild.js @returns the folder that holds each as `NAME.js` */
export async function buildParts(names: readonly string[], folder: string, options: { readonly minify?: boolean } = {}): Promise<string> {
  const outdir = path.resolve(folder);
  await (createRequire(path.resolve('package.json'))('./esbuild.js') as Builder).buildParts(names, outdir, options);
  return outdir;
}
