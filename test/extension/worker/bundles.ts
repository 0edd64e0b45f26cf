/** Builds the bundles that a script's process loads, apart from those of `dist/`. */
import { buildParts, SCRIPT_PARTS } from '../../support/product-parts';

/** @returns the folder that holds `script.js` with its parts, and `worker.js` */
export function buildBundles(): Promise<string> {
  return buildParts([...SCRIPT_PARTS, 'worker'], 'dist/test/worker-bundles');
}
