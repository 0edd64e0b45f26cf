/** Compiles a bundle of this product that stands beside this one. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';

/**
 * The bundle as a function of `names`, which it finds in place of globals. Code that it calls cannot use `import()`:
 * Node gives that to a module it has loaded itself, and so to an `eval` called from there, whoever passed it in.
 */
export function compileBundle(name: string, names: readonly string[]): (...values: unknown[]) => void {
  const file = path.join(__dirname, name);
  const body = vm.compileFunction(readFileSync(file, 'utf8'), names, { filename: file });
  return (...values) => void Reflect.apply(body, undefined, values);
}
