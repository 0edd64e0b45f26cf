/** The import rules of the project, as data and functions over parsed sources. */
import type { Import, SourceFile } from './imports';

export interface Violation {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
}

/** A part of the stack: a folder of stack/, or a file directly in it without its extension. */
type Part = string;

interface Allowance {
  /** Parts that may be imported freely. */
  readonly values: readonly Part[];
  /** Parts of which only types may be imported. */
  readonly types: readonly Part[];
  /** Packages, and `node:` for the built-ins. */
  readonly packages: readonly string[];
}

const PURE = ['wire', 'storage', 'errors'];

/** What each part of the stack may import besides itself. A part that is not named here may not exist. */
const STACK: Readonly<Record<Part, Allowance>> = {
  errors: { values: [], types: [], packages: [] },
  config: { values: [], types: [], packages: [] },
  observer: { values: [], types: [], packages: [] },
  // These two are where time and randomness enter.
  clock: { values: [], types: [], packages: ['node:'] },
  random: { values: [], types: [], packages: ['node:'] },
  egress: { values: [], types: ['wire'], packages: [] },
  // The codec of DNS messages is a library's, so wire/dns.ts is the one impure file here.
  wire: { values: ['storage', 'errors'], types: [], packages: ['dns-packet'] },
  storage: { values: ['wire', 'errors'], types: [], packages: [] },
  tcp: { values: [...PURE, 'config', 'egress'], types: ['random', 'observer'], packages: [] },
  socket: { values: [...PURE, 'config', 'egress'], types: ['random', 'observer'], packages: [] },
  iface: { values: [...PURE, 'tcp', 'socket', 'config', 'egress'], types: ['random', 'observer', 'link'], packages: [] },
  link: { values: ['wire', 'errors'], types: ['clock', 'random', 'observer', 'config'], packages: ['node:', 'cap', 'koffi'] },
  stack: { values: [...PURE, 'tcp', 'socket', 'iface', 'config', 'egress', 'observer', 'random'], types: ['link', 'clock'], packages: [] },
  'run-stack': { values: [], types: ['stack', 'clock'], packages: [] },
  gateway: {
    values: [...PURE, 'tcp', 'socket', 'iface', 'link', 'stack', 'run-stack', 'config', 'egress', 'observer', 'clock', 'random'],
    types: [],
    packages: ['node:'],
  },
};

/**
 * Values that may be imported where only types of their file may. A keyed hash is a pure function of the
 * randomness it is given, not a source of it.
 */
const PURE_VALUES: Readonly<Record<Part, readonly string[]>> = { random: ['KeyedHash'] };

/** The only files that may import a package of that name. */
const SOLE_IMPORTERS: Readonly<Record<string, string>> = {
  cap: 'stack/link/cap.ts',
  koffi: 'stack/link/native.ts',
  'dns-packet': 'stack/wire/dns.ts',
};

/** The parts whose classes only stack.ts and gateway/ make instances of. */
const CONSTRUCTED_BY_ROOT = ['tcp', 'socket', 'iface', 'link', 'gateway', 'stack'];

const BARREL = 'stack/index.ts';

function partOf(path: string): Part | null {
  if (!path.startsWith('stack/')) return null;
  const [, first = '', ...rest] = path.split('/');
  return rest.length > 0 ? first : first.replace(/\.ts$/, '');
}

/** Who may hold a stack: the runtime, and what looks into why it cannot have a real network. */
const STACK_USERS = ['extension/worker/', 'extension/doctor/'];

/** What the window, the terminal, the worker and the doctor have in common: the messages, the doctor's report, how options and addresses are written, and the choice of Node. */
function isShared(path: string): boolean {
  return ['extension/protocol.ts', 'extension/network-report.ts', 'extension/address-setting.ts', 'extension/option-values.ts'].includes(path) || path.startsWith('extension/node/');
}

/** The terminal command hosts the runtime in its own process. */
function isTerminal(path: string): boolean {
  return /^extension\/cli(-[a-z-]+)?\.ts$/.test(path);
}

function isVsCodeSide(path: string): boolean {
  return path.startsWith('extension/') && !STACK_USERS.some((folder) => path.startsWith(folder)) && !isShared(path) && !isTerminal(path);
}

/** Every broken rule of the sources, in the order of the files. */
export function checkRules(files: readonly SourceFile[]): Violation[] {
  const found: Violation[] = [];
  for (const file of files) {
    for (const item of file.imports) {
      for (const rule of brokenBy(file, item)) found.push({ file: file.path, line: item.line, rule });
    }
    if (file.reExports && !file.path.startsWith('test/') && file.path !== BARREL) {
      found.push({ file: file.path, line: 1, rule: `only ${BARREL} may re-export` });
    }
    found.push(...constructionsIn(file));
  }
  return [...found, ...cycles(files)];
}

function brokenBy(file: SourceFile, item: Import): string[] {
  const broken: string[] = [];
  const { path } = file;
  const { specifier, target } = item;
  const product = path.startsWith('stack/') || path.startsWith('extension/');

  if (product && (target ?? '').startsWith('test/')) broken.push(`nothing imports test/ (${specifier})`);
  if (product && path.startsWith('stack/')) broken.push(...brokenInStack(path, item));
  if (path.startsWith('extension/')) broken.push(...brokenInExtension(path, item));
  if (target === null) {
    const importer = SOLE_IMPORTERS[packageOf(specifier)];
    if (product && importer !== undefined && importer !== path) broken.push(`only ${importer} may import ${specifier}`);
    if (product && specifier === 'vscode' && !isVsCodeSide(path)) broken.push('vscode is imported only in extension/, outside the worker, the terminal and the protocol');
  }
  return broken;
}

function brokenInStack(path: string, item: Import): string[] {
  const { specifier, target, typeOnly } = item;
  const part = partOf(path);
  if (part === null || part === 'index') return target !== null && partOf(target) === null ? [`stack/ imports nothing above it (${specifier})`] : [];
  const allowance = STACK[part];
  if (!allowance) return [`stack/${part} has no import rule: give it one before it grows`];
  if (target === null) {
    const wanted = isBuiltin(specifier) ? 'node:' : packageOf(specifier);
    return allowance.packages.includes(wanted) ? [] : [`stack/${part} may not import the package ${specifier}`];
  }
  const to = partOf(target);
  if (to === null) return [`stack/ imports nothing above it (${specifier})`];
  if (to === part || allowance.values.includes(to)) return [];
  if (!allowance.types.includes(to)) return [`stack/${part} may not import stack/${to}`];
  const pure = item.names !== null && item.names.every((name) => PURE_VALUES[to]?.includes(name));
  return typeOnly || pure ? [] : [`stack/${part} may import only types from stack/${to}`];
}

function brokenInExtension(path: string, item: Import): string[] {
  const { specifier, target } = item;
  if (target === null) return path === 'extension/protocol.ts' ? [`the protocol imports nothing (${specifier})`] : [];
  if (path === 'extension/protocol.ts') return [`the protocol imports nothing (${specifier})`];
  if (target.startsWith('stack/')) {
    if (!STACK_USERS.some((folder) => path.startsWith(folder))) return [`only extension/worker/ and extension/doctor/ may import the stack (${specifier})`];
    if (path.startsWith('extension/worker/script/')) return [`a script's process has no stack (${specifier})`];
    if (target !== BARREL) return [`everyone outside stack/ imports ${BARREL} (${specifier})`];
  }
  if ((isVsCodeSide(path) || isShared(path)) && STACK_USERS.some((folder) => target.startsWith(folder))) return [`the VS Code side talks to the worker by protocol only (${specifier})`];
  if (path.startsWith('extension/') && !isVsCodeSide(path) && isVsCodeSide(target)) return [`only the VS Code side imports its parts (${specifier})`];
  if (target === 'extension/cli.ts' || target === 'extension/extension.ts') return [`an entry is imported by nobody (${specifier})`];
  return [];
}

function constructionsIn(file: SourceFile): Violation[] {
  const part = partOf(file.path);
  if (part === null || part === 'stack' || part === 'gateway') return [];
  return file.constructions.flatMap(({ name, target, line }) => {
    const to = partOf(target);
    const foreign = to !== null && to !== part && CONSTRUCTED_BY_ROOT.includes(to);
    return foreign ? [{ file: file.path, line, rule: `only stack.ts and gateway/ construct parts (new ${name})` }] : [];
  });
}

/**
 * Groups of files that import each other, types included: a cycle of types is as hard to read and to
 * take apart as one of values. Found as strongly connected components (Tarjan 1972).
 */
function cycles(files: readonly SourceFile[]): Violation[] {
  const graph = new Map(files.map((file) => [file.path, file.imports.flatMap((item) => (item.target === null ? [] : [item.target]))]));
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: Violation[] = [];

  const visit = (node: string): number => {
    let lowest = index.size;
    index.set(node, lowest);
    const own = lowest;
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!graph.has(next)) continue;
      if (!index.has(next)) lowest = Math.min(lowest, visit(next));
      else if (stack.includes(next)) lowest = Math.min(lowest, low.get(next) ?? index.get(next) ?? lowest);
    }
    low.set(node, lowest);
    if (lowest !== own) return lowest;
    const members = stack.splice(stack.indexOf(node));
    if (members.length > 1 || (graph.get(node) ?? []).includes(node)) {
      found.push({ file: node, line: 1, rule: `import cycle: ${members.join(' -> ')}` });
    }
    return lowest;
  };
  for (const file of files) if (!index.has(file.path)) visit(file.path);
  return found;
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || BUILTINS.has(packageOf(specifier));
}

/** `@scope/name/sub` -> `@scope/name`, `name/sub` -> `name`. */
function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

const BUILTINS = new Set([
  'assert', 'async_hooks', 'buffer', 'child_process', 'cluster', 'crypto', 'dgram', 'dns', 'events', 'fs', 'http', 'http2', 'https', 'inspector',
  'module', 'net', 'os', 'path', 'perf_hooks', 'process', 'querystring', 'readline', 'stream', 'string_decoder', 'timers', 'tls', 'tty', 'url', 'util',
  'v8', 'vm', 'worker_threads', 'zlib',
]);
