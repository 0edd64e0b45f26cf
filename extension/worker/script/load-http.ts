/** Compiles the HTTP client's bundle, with what it needs of Node as parameters instead of globals. */
import { Buffer } from 'node:buffer';
import process from 'node:process';
import { compileBundle } from './compile';
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
  const module: { exports: Partial<HttpModule> } = { exports: {} };
  const body = compileBundle('script-http.js', ['exports', 'require', 'module', 'process', 'Buffer', ...NAMES]);
  const values = descriptors.map((descriptor): unknown => (descriptor?.get ? descriptor.get.call(globalThis) : descriptor?.value));
  // undici loads HTTP/2 wherever there is one, at the cost of the rest of it, and this client never speaks it.
  const limitedRequire = (name: string): unknown => {
    if (name === 'node:http2') throw new Error('HTTP/2 is not used');
    return nodeRequire(name);
  };
  // The loader of the real one is gone (disarm.ts), and so it is here for all but this client.
  const itsProcess: unknown = Object.create(process, { getBuiltinModule: { value: limitedRequire } });
  body(module.exports, limitedRequire, module, itsProcess, Buffer, ...values);
  const { createFetch } = module.exports;
  if (createFetch === undefined) throw new Error("script-http.js is not the HTTP client's bundle; build again");
  return { createFetch };
}
