/** Errors in terms of the script's own files: stacks through the source map, and what is reported about them. */
import { SourceMap } from 'node:module';
import path from 'node:path';
import { inspect } from 'node:util';
import type { ScriptError, SourceLocation } from '../../protocol';

/** In it are the modules that stand for those of Node in packages: they throw, and their own lines tell nothing. */
export const ABSENT_NAMESPACE = 'riftnet-absent';

/** Names that scripts used to Node will try, and what there is instead. */
const ABSENT: Readonly<Record<string, string>> = {
  process: 'scripts have no process: use print, Engine and Network',
  require: 'scripts have no require: use import',
  module: 'scripts are modules: use export',
  exports: 'scripts are modules: use export',
  __dirname: 'scripts have no file system',
  __filename: 'scripts have no file system',
  XMLHttpRequest: 'use fetch',
  WebSocket: 'use Network.Connect',
  window: 'scripts run outside a browser: use globalThis',
  document: 'scripts run outside a browser',
};

/** What is told of an error, UTF-16 units: a message can be a whole body, or bytes. */
const MAX_MESSAGE_UNITS = 2_000;
const MAX_STACK_UNITS = 12_000;

export interface MapperOptions {
  /** Name of the program in V8's frames. */
  readonly programName: string;
  /** Folder that the map's sources are relative to. */
  readonly sourceRoot: string;
  /** The program itself, for the names that the bundler gave. */
  readonly program: string;
  /** The source map's JSON; parsed when the first error asks for it. */
  readonly sourceMap: string;
}

export class ErrorMapper {
  private map: SourceMap | null | undefined;
  private readonly locations = new WeakMap<Error, SourceLocation>();

  constructor(private readonly options: MapperOptions) {}

  /** From now on `error.stack` shows the script's files, without the frames of Node and of the runtime. */
  install(): void {
    Error.prepareStackTrace = (error, frames) => this.prepare(error, frames);
  }

  /** Where a position in the program comes from. Lines and columns 1-based. */
  locate(line: number, column: number): SourceLocation | null {
    this.map ??= this.parse();
    const entry = this.map?.findEntry(line - 1, column - 1);
    if (!entry || !('originalSource' in entry) || entry.originalSource === undefined) return null;
    if (entry.originalSource.startsWith(`${ABSENT_NAMESPACE}:`)) return null;
    return {
      file: path.resolve(this.options.sourceRoot, entry.originalSource),
      line: entry.originalLine + 1,
      column: entry.originalColumn + 1,
    };
  }

  /** What is told about something that was thrown. Never throws, whatever was. */
  describe(kind: ScriptError['kind'], thrown: unknown): ScriptError {
    const error = asError(thrown);
    if (error === null) {
      const message = cut(`Uncaught ${safely(() => inspect(thrown, { depth: 2 }), 'value')}`, MAX_MESSAGE_UNITS);
      return { kind, message, stack: message, location: null };
    }
    const heading = safely(() => Error.prototype.toString.call(error), 'Error');
    const stack = safely(() => inspect(error), heading);
    const hint = hintFor(heading);
    // The heading is cut, not the lines below it: those lead to the place.
    const short = `${cut(heading, MAX_MESSAGE_UNITS)}${hint}`;
    return {
      kind,
      message: `${cut(firstLine(heading), MAX_MESSAGE_UNITS)}${hint}`,
      stack: cut(stack.replace(heading, () => short), MAX_STACK_UNITS),
      location: this.locations.get(error) ?? null,
    };
  }

  /** The error of a top-level await that nothing can settle. @param line of the program, 1-based; 0: not known */
  stuck(line: number, column: number): ScriptError {
    const location = line === 0 ? null : this.locate(line, column);
    const message = 'Error: the script waits for a promise that nothing can settle any more';
    const at = location === null ? '' : `\n    at ${location.file}:${location.line}:${location.column}`;
    return { kind: 'stuck', message, stack: message + at, location };
  }

  private prepare(error: Error, frames: readonly NodeJS.CallSite[]): string {
    const lines = [safely(() => Error.prototype.toString.call(error), 'Error')];
    for (const frame of frames) {
      const shown = this.frame(frame);
      if (shown === null) continue;
      lines.push(`    at ${shown.text}`);
      if (shown.location !== null && !this.locations.has(error)) this.locations.set(error, shown.location);
    }
    return lines.join('\n');
  }

  private frame(frame: NodeJS.CallSite): { text: string; location: SourceLocation | null } | null {
    const file = frame.getFileName();
    if (file !== this.options.programName) {
      // Builtins of the language (`Array.map`) and eval tell something; Node and the runtime do not.
      return file === null || file === undefined ? { text: String(frame), location: null } : null;
    }
    const [line, column] = [frame.getLineNumber() ?? 1, frame.getColumnNumber() ?? 1];
    const location = this.locate(line, column);
    if (location === null) return null;
    const text = this.ownNames(String(frame)).replace(`${file}:${line}:${column}`, () => `${location.file}:${location.line}:${location.column}`);
    return { text, location };
  }

  /** The bundler renames a class that names itself within, `var Name = class _Name`: a stack shows it as it was written. */
  private ownNames(text: string): string {
    return text.replace(/^((?:async |new )?)_([\w$]+)(?=[. (])/, (all, before: string, name: string) => {
      return this.options.program.includes(`var ${name} = class _${name} `) ? `${before}${name}` : all;
    });
  }

  private parse(): SourceMap | null {
    try {
      return new SourceMap(JSON.parse(this.options.sourceMap));
    } catch {
      return null;
    }
  }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}

function hintFor(heading: string): string {
  if (/^Error: Dynamic require of .* is not supported$/.test(heading)) {
    return " (what a script imports is put together before it runs: write the path itself, as in import('./module'))";
  }
  const name = /^ReferenceError: (\w+) is not defined$/.exec(heading)?.[1];
  const hint = name !== undefined && Object.hasOwn(ABSENT, name) ? ABSENT[name] : undefined;
  return hint === undefined ? '' : ` (${hint})`;
}

/** A proxy may throw when it is asked what it is: then it is no error. */
function asError(thrown: unknown): Error | null {
  try {
    return thrown instanceof Error ? thrown : null;
  } catch {
    return null;
  }
}

function cut(text: string, units: number): string {
  return text.length > units ? `${text.slice(0, units)}…` : text;
}

/** The script's own getters and proxies may throw while an error is shown. */
function safely(show: () => string, otherwise: string): string {
  try {
    return show();
  } catch {
    return otherwise;
  }
}
