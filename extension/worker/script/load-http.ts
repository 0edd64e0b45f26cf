/** Compiles the HTTP client's bundle, with what it needs of Node as parameters instead of globals. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import vm from 'node:vm';
import type { HttpModule } from './fetch';

const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate, queueMicrotask, EventTarget, Event, MessageChannel, Blob } =
  globalThis;

/** Names that the bundle finds as it would under Node, whatever the script has done to the global scope. */
const NODE = {
  process, performance, setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate, queueMicrotask,
  EventTarget, Event, MessageChannel, Blob,
};

/** @param nodeRequire `require` of this bundle, for Node's own modules */
export function loadHttp(nodeRequire: NodeJS.Require): HttpModule {
  const file = path.join(__dirname, 'script-http.js');
  const module: { exports: Partial<HttpModule> } = { exports: {} };
  const names = Object.keys(NODE);
  const body = vm.compileFunction(readFileSync(file, 'utf8'), ['exports', 'require', 'module', ...names], { filename: file });
  body(module.exports, nodeRequire, module, ...Object.values(NODE));
  const { createFetch } = module.exports;
  if (createFetch === undefined) throw new Error(`${file} is not the HTTP client's bundle; build again`);
  return { createFetch };
}
