/** Compiles the HTTP client's bundle, with what it needs of Node as parameters instead of globals. */
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import vm from 'node:vm';
import type { HttpModule } from './fetch';

/** Globals of Node that the bundle uses. It finds them as they were, whatever became of the script's global scope. */
const NAMES = [
  'performance', 'URL', 'URLSearchParams', 'TextEncoder', 'TextDecoder', 'WebAssembly', 'DOMException',
  'AbortController', 'AbortSignal', 'EventTarget', 'Event', 'MessagePort', 'Blob', 'File', 'ReadableStream', 'WritableStream', 'TransformStream',
  'queueMicrotask', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate',
];

// Descriptors, not values: Node loads many of these only when somebody asks, and most scripts never do.
const descriptors = NAMES.map((name) => Object.getOwnPropertyDescriptor(globalThis, name));

/** @param nodeRequire `require` of this bundle, for Node's own modules */
export function loadHttp(nodeRequire: NodeJS.Require): HttpModule {
  const file = path.join(__dirname, 'script-http.js');
  const module: { exports: Partial<HttpModule> } = { exports: {} };
  const body = vm.compileFunction(readFileSync(file, 'utf8'), ['exports', 'require', 'module', 'process', 'Buffer', ...NAMES], { filename: file });
  const values = descriptors.map((descriptor): unknown => (descriptor?.get ? descriptor.get.call(globalThis) : descriptor?.value));
  // undici loads HTTP/2 wherever there is one, at the cost of the rest of it, and this client never speaks it.
  const limitedRequire = (name: string): unknown => {
    if (name === 'node:http2') throw new Error('HTTP/2 is not used');
    return nodeRequire(name);
  };
  body(module.exports, limitedRequire, module, process, Buffer, ...values);
  const { createFetch } = module.exports;
  if (createFetch === undefined) throw new Error(`${file} is not the HTTP client's bundle; build again`);
  return { createFetch };
}
