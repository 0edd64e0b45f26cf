/**
 * What scripts find in the global scope: the language, a short list of the web's and Node's helpers, and
 * the runtime's own names. Everything else Node puts there is removed before the script's first line. That
 * is for clarity, not for safety: the boundary is the process, which has no privileges.
 */

/** From Node, as they are. */
const KEPT = [
  'Buffer', 'URL', 'URLSearchParams', 'TextEncoder', 'TextDecoder', 'structuredClone', 'atob', 'btoa',
  'AbortController', 'AbortSignal', 'DOMException', 'WebAssembly',
];

/** The language's own (ECMA-262 §19 and Annex B). */
const LANGUAGE = [
  'globalThis', 'Infinity', 'NaN', 'undefined', 'eval', 'isFinite', 'isNaN', 'parseFloat', 'parseInt',
  'decodeURI', 'decodeURIComponent', 'encodeURI', 'encodeURIComponent', 'escape', 'unescape',
  'AggregateError', 'Array', 'ArrayBuffer', 'Atomics', 'BigInt', 'BigInt64Array', 'BigUint64Array', 'Boolean', 'DataView', 'Date',
  'Error', 'EvalError', 'FinalizationRegistry', 'Float16Array', 'Float32Array', 'Float64Array', 'Function', 'Int8Array', 'Int16Array',
  'Int32Array', 'Intl', 'Iterator', 'JSON', 'Map', 'Math', 'Number', 'Object', 'Promise', 'Proxy', 'RangeError', 'ReferenceError',
  'Reflect', 'RegExp', 'Set', 'SharedArrayBuffer', 'String', 'Symbol', 'SyntaxError', 'TypeError', 'URIError', 'Uint8Array',
  'Uint8ClampedArray', 'Uint16Array', 'Uint32Array', 'WeakMap', 'WeakRef', 'WeakSet', 'AsyncDisposableStack', 'DisposableStack', 'SuppressedError',
];

/** Leaves `target` with the language, the kept names and `ours`. */
export function installGlobals(target: object, ours: Readonly<Record<string, unknown>>): void {
  const stays = new Set([...KEPT, ...LANGUAGE]);
  // What Node loads on first use is loaded now, while its way of loading is still there.
  for (const name of KEPT) Reflect.set(target, name, Reflect.get(target, name));
  for (const name of Reflect.ownKeys(target)) {
    if (typeof name === 'string' && stays.has(name)) continue;
    if (name !== Symbol.toStringTag) Reflect.deleteProperty(target, name);
  }
  for (const [name, value] of Object.entries(ours)) {
    Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false });
  }
}
