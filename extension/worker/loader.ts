/** Turns a script and what it imports into one program, and the bundler's errors into the script's lines. */
import { readFile, realpath } from 'node:fs/promises';
import { createRequire, isBuiltin } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Message, OnResolveArgs, Plugin } from 'esbuild';
import type { ScriptError, SourceLocation } from '../protocol';
import { AWAIT_FUNCTION, markAwaits } from './await-marks';
import { openFailure, requireDescriptors } from './descriptors';
import { ABSENT_NAMESPACE } from './script/errors';

export interface Bundle {
  /** An expression: a function that is called with that of `await-marks.ts`, and returns the script as an async function. */
  readonly program: string;
  readonly programName: string;
  /** JSON; its sources are paths, not URLs. */
  readonly sourceMap: string;
  /** What the map's sources are relative to. */
  readonly sourceRoot: string;
}

export type BundleResult = { readonly bundle: Bundle } | { readonly error: ScriptError };

/** Files that may be run. */
export const SCRIPT_EXTENSIONS: readonly string[] = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'];

/** Tried in this order for an import without one. */
const RESOLVED_EXTENSIONS: readonly string[] = ['.tsx', '.ts', '.jsx', '.js', '.css', '.json'];

/** Name of the one-line entry that imports the script. */
const ENTRY = 'riftnet-entry';
/** The helpers at the beginning of a bundle, as far as they are of one line. */
const HELPERS = /^(?:var __\w+ = [^\n]*;\n)+/;
/** How many of the bundler's errors are shown in full. */
const MAX_ERRORS = 5;
/** What the start of the bundler's process takes while it lasts: two pairs of sockets, and a pipe that tells whether it worked; and some to spare. */
const START_DESCRIPTORS = 8;
/** Modules of Node that packages get, because scripts have what is in them as globals. */
const PROVIDED: Readonly<Record<string, string>> = {
  buffer: 'module.exports = { Buffer, atob, btoa, kMaxLength: 2 ** 32, constants: { MAX_LENGTH: 2 ** 32, MAX_STRING_LENGTH: 2 ** 29 - 24 }, INSPECT_MAX_BYTES: 50 };',
};
const PROVIDED_NAMESPACE = 'riftnet-provided';
const ABSENT = 'a module of Node, and not available to Riftnet scripts: they have Network, fetch, Event and Engine instead';

type Esbuild = typeof import('esbuild');

/** Loaded on first use: a worker without scripts needs no bundler. */
let loaded: Esbuild | null = null;

function bundler(): Esbuild {
  // Not import(): that brings up Node's loader for ES modules, which costs more time than the bundler itself.
  const load: (name: string) => Esbuild = createRequire(__filename);
  return (loaded ??= load('esbuild'));
}

/**
 * @param file absolute path of the script
 * @param source the text to take instead of the file's, or null
 */
export async function bundleScript(file: string, source: string | null): Promise<BundleResult> {
  const esbuild = bundler();
  const sourceRoot = path.dirname(file);
  const text = source ?? (await readFile(file).catch((error: Error) => error));
  if (text instanceof Error) return { error: unusable(file, `cannot be read: ${openFailure(text)}`) };
  // As a UTF-16 editor saves it, or no script at all.
  if (text.includes('\0')) return { error: unusable(file, 'is not text in UTF-8: save it so, or give another file') };
  const real = await realpath(file).catch(() => file);
  // It takes for granted that its process can be started: where that fails an error comes that nobody can catch.
  requireDescriptors(START_DESCRIPTORS);
  try {
    const result = await esbuild.build({
      // An entry of its own keeps the script a module like any other, with exports or as CommonJS.
      stdin: { contents: `import ${JSON.stringify(file)};`, resolveDir: sourceRoot, sourcefile: ENTRY },
      absWorkingDir: sourceRoot,
      outfile: path.join(sourceRoot, 'riftnet-program.js'),
      write: false,
      bundle: true,
      format: 'esm',
      // Nearer than Node: what a package has for browsers gets by without Node's modules.
      platform: 'browser',
      resolveExtensions: [...RESOLVED_EXTENSIONS],
      mainFields: ['module', 'browser', 'main'],
      conditions: ['module'],
      target: 'node20',
      // A class that names itself within is renamed for it, which would show wherever it is printed.
      keepNames: true,
      sourcemap: 'external',
      sourcesContent: false,
      legalComments: 'none',
      charset: 'utf8',
      logLevel: 'silent',
      // An import() of a name that is only known at run time becomes a clear error too.
      supported: { 'import-meta': false, 'dynamic-import': false },
      logOverride: { 'empty-import-meta': 'error' },
      // What packages ask for most, and would not find.
      define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
      plugins: [scriptPlugin(file, real === file && source === null ? null : text, path.dirname(real))],
    });
    const code = result.outputFiles.find((output) => output.path.endsWith('.js'))?.text ?? '';
    const map = result.outputFiles.find((output) => output.path.endsWith('.map'))?.text ?? '{}';
    return { bundle: wrap(file, sourceRoot, code, map) };
  } catch (error) {
    const messages = messagesOf(error);
    if (messages === null) {
      // Its process is gone, or of no more use: without this the next bundle would go to it too.
      await stopBundler();
      throw error;
    }
    return { error: syntaxError(messages, sourceRoot, file) };
  }
}

/** Ends the bundler's own process. The next bundle starts another. */
export async function stopBundler(): Promise<void> {
  await loaded?.stop();
}

function wrap(file: string, sourceRoot: string, code: string, map: string): Bundle {
  const parsed: { mappings: string; sources: readonly string[] } = JSON.parse(map);
  // The bundler's helpers go outside of the script's own function, where a debugger would list them among its variables.
  const helpers = HELPERS.exec(code)?.[0] ?? '';
  const marked = markAwaits(`\n${helpers.replace(/[^\n]/g, '')}${code.slice(helpers.length)}`, `;${parsed.mappings}`);
  return {
    // The line break before the end: the code may end in a comment.
    program: `((${AWAIT_FUNCTION}) => { "use strict"; ${helpers.replaceAll('\n', ' ')}return async () => {${marked.program}\n}; })`,
    programName: `riftnet:${file}`,
    // The bundler writes them as URLs, with other than ASCII, `#` and `%` escaped; here they are paths.
    sourceMap: JSON.stringify({ ...parsed, sources: parsed.sources.map(decodeURIComponent), mappings: marked.mappings }),
    sourceRoot,
  };
}

/** The program for a debugger, which finds the script's files by the map at its end: they are named absolutely. */
export function withInlineMap({ program, sourceMap, sourceRoot }: Bundle): string {
  const map: { sources: readonly string[] } = JSON.parse(sourceMap);
  const sources = map.sources.map((source) => pathToFileURL(path.resolve(sourceRoot, source)).href);
  return `${program}\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(JSON.stringify({ ...map, sources })).toString('base64')}`;
}

/**
 * @param source text of the script, or null: the bundler reads it
 * @param resolveDir what the script's relative imports are relative to: as for Node, a link's target counts
 */
function scriptPlugin(file: string, source: string | Uint8Array | null, resolveDir: string): Plugin {
  const pluginData = { riftnet: true };
  // The bundler names it by the folder it resolves in.
  const entry = path.join(path.dirname(file), ENTRY);
  return {
    name: 'riftnet',
    setup(build) {
      build.onResolve({ filter: /.*/ }, async (args: OnResolveArgs) => {
        if (args.pluginData === pluginData) return null;
        // Run for its effects, whatever a package.json around it says of them.
        if (args.importer === entry) return { path: file, sideEffects: true };
        if (/^(https?|file|data):/.test(args.path)) {
          return { errors: [{ text: `"${args.path}" cannot be imported: only files, by a relative path, and packages from node_modules can` }] };
        }
        if (!isBuiltin(args.path)) return null;
        // A package may have the name of a builtin module (events, buffer, punycode): installed, it is meant.
        if (!args.path.startsWith('node:')) {
          const { importer, resolveDir, kind, namespace } = args;
          const found = await build.resolve(args.path, { importer, resolveDir, kind, namespace, pluginData });
          // Switched off by a package's `browser` map: the bundler puts an empty module there.
          if (found.errors.length === 0 && !path.isAbsolute(found.path)) return null;
          if (found.errors.length === 0) return { path: found.path, sideEffects: found.sideEffects };
        }
        // A package may try for a module and do without, or ask for it in a function that is never called.
        const isPackage = args.importer.includes(`${path.sep}node_modules${path.sep}`);
        const name = args.path.replace(/^node:/, '').replace(/\/$/, '');
        if (isPackage && Object.hasOwn(PROVIDED, name)) return { path: name, namespace: PROVIDED_NAMESPACE };
        if (isPackage && (args.kind === 'require-call' || args.kind === 'dynamic-import')) return { path: args.path, namespace: ABSENT_NAMESPACE };
        const what = `"${args.path}" is ${ABSENT}`;
        return { errors: [{ text: args.kind === 'require-call' ? `${what}, and nothing for require to load` : what }] };
      });
      build.onLoad({ filter: /.*/, namespace: ABSENT_NAMESPACE }, (args) => ({
        contents: `throw Object.assign(new Error(${JSON.stringify(`"${args.path}" is ${ABSENT}`)}), { code: 'MODULE_NOT_FOUND' });`,
      }));
      build.onLoad({ filter: /.*/, namespace: PROVIDED_NAMESPACE }, (args) => ({ contents: PROVIDED[args.path] ?? '' }));
      if (source === null) return;
      build.onLoad({ filter: /.*/ }, (args) => {
        if (args.path !== file) return null;
        return { contents: source, loader: /\.[cm]?ts$/.test(file) ? 'ts' : 'js', resolveDir };
      });
    },
  };
}

function unusable(file: string, why: string): ScriptError {
  const message = `SyntaxError: ${file} ${why}`;
  return { kind: 'syntax', message, stack: message, location: { file, line: 1, column: 1 } };
}

function messagesOf(error: unknown): readonly Message[] | null {
  if (!(error instanceof Error) || !('errors' in error) || !Array.isArray(error.errors)) return null;
  const messages: Message[] = error.errors;
  return messages.length > 0 ? messages : null;
}

function syntaxError(messages: readonly Message[], root: string, file: string): ScriptError {
  const shown = messages.slice(0, MAX_ERRORS).map((message) => {
    const at = locationOf(message, root);
    const where = at === null ? `\n    at ${file}` : `\n    at ${at.file}:${at.line}:${at.column}\n${excerpt(message, at)}`;
    return `SyntaxError: ${textOf(message, root)}${where}`;
  });
  if (messages.length > MAX_ERRORS) shown.push(`… and ${messages.length - MAX_ERRORS} more`);
  const first = messages[0];
  return {
    kind: 'syntax',
    message: `SyntaxError: ${first ? textOf(first, root) : 'the script cannot be bundled'}`,
    stack: shown.join('\n'),
    location: first ? locationOf(first, root) : null,
  };
}

function textOf(message: Message, root: string): string {
  if (message.id === 'empty-import-meta') return 'import.meta is not available to Riftnet scripts';
  const missing = /^Could not resolve "([^"./][^"]*)"$/.exec(message.text)?.[1];
  if (missing !== undefined) return `${message.text}: no node_modules of the script's folder, or above it, has it; install it with npm`;
  const beside = /^Could not resolve "(\.{0,2}\/[^"]*|\.{1,2})"$/.exec(message.text)?.[1];
  if (beside !== undefined) {
    const wanted = path.resolve(path.dirname(locationOf(message, root)?.file ?? root), beside);
    return `${message.text}: there is no file ${wanted}, nor with ${RESOLVED_EXTENSIONS.join(', ')} at its end, nor an index file in a folder of that name`;
  }
  const native = /^No loader is configured for "\.node" files: (.*)$/.exec(message.text)?.[1];
  if (native !== undefined) return `${native} is a native add-on, which scripts cannot use: take a package that is JavaScript only`;
  // esbuild's advice about `platform` and `external` is for those who call it.
  return message.text;
}

function locationOf(message: Message, root: string): SourceLocation | null {
  const at = message.location;
  if (at === null || at.file === ENTRY || at.file === '') return null;
  // esbuild counts the bytes of UTF-8, editors the units of UTF-16.
  const column = Buffer.from(at.lineText).subarray(0, at.column).toString().length;
  return { file: path.resolve(root, at.file), line: at.line, column: column + 1 };
}

function excerpt(message: Message, at: SourceLocation): string {
  const line = message.location?.lineText ?? '';
  if (line.length > 200) return '';
  const number = String(at.line);
  return `    ${number} | ${line}\n    ${' '.repeat(number.length)} | ${line.slice(0, at.column - 1).replace(/\S/g, ' ')}^`;
}
