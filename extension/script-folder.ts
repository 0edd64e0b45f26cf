import { applyEdits, modify, parse, printParseErrorCode } from 'jsonc-parser';
import type { ParseError } from 'jsonc-parser';
import { SCRIPT_FOLDER } from './contributions';
import { t } from './l10n';

/** What the extension keeps in a folder of scripts; the rest is the user's. */
export const DECLARATION_FILE = `${SCRIPT_FOLDER}/riftnet.d.ts`;
export const TSCONFIG_FILE = 'tsconfig.json';
export const EXAMPLE_FILE = 'hello.ts';

const HEADER = '// Kept up to date by the Riftnet extension: changes here are lost.\n';

/**
 * What the editor must know of scripts: no names of browsers or of Node, which win over ours; each file a module
 * of its own, with top-level await; imports without extensions, as the bundler resolves them.
 */
const COMPILER_OPTIONS = {
  target: 'ES2023',
  lib: ['ES2023'],
  types: [],
  module: 'ESNext',
  moduleResolution: 'bundler',
  moduleDetection: 'force',
  allowJs: true,
  resolveJsonModule: true,
  strict: true,
  noEmit: true,
} as const;

/** Without these the names of scripts are wrong or unknown; the others are a matter of taste. */
const NEEDED: readonly (keyof typeof COMPILER_OPTIONS)[] = ['lib', 'types', 'moduleDetection'];

const INCLUDE = ['**/*.ts', '**/*.js'];
const FORMATTING = { formattingOptions: { insertSpaces: true, tabSize: 2, eol: '\n' } };

export type TsconfigPlan =
  /** `text` is null if there is nothing to add. */
  | { readonly kind: 'merged'; readonly text: string | null; readonly conflicts: readonly string[] }
  | { readonly kind: 'unreadable'; readonly message: string };

/** The declarations as they are written into a folder. */
export function declarationText(declarations: string): string {
  return HEADER + declarations;
}

/** Whether a declaration file is one that the extension wrote: only that is ever replaced. */
export function isOurDeclaration(text: string): boolean {
  return text.startsWith(HEADER);
}

/**
 * Adds to a tsconfig.json what scripts need. What is there stays as it stands, comments included; what is there
 * and says otherwise is named.
 * @param existing null: there is none
 */
export function planTsconfig(existing: string | null): TsconfigPlan {
  if (existing === null || existing.trim() === '') {
    return { kind: 'merged', text: `${JSON.stringify({ compilerOptions: COMPILER_OPTIONS, include: [...INCLUDE, DECLARATION_FILE] }, null, 2)}\n`, conflicts: [] };
  }
  const errors: ParseError[] = [];
  const parsed: unknown = parse(existing, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error) return { kind: 'unreadable', message: t('line {0}: {1}', existing.slice(0, error.offset).split('\n').length, printParseErrorCode(error.error)) };
  if (!isRecord(parsed)) return { kind: 'unreadable', message: t('it holds no object') };
  const conflicts: string[] = [];
  let text = existing;
  const set = (path: (string | number)[], value: unknown, isArrayInsertion = false): void => {
    text = applyEdits(text, modify(text, path, value, { ...FORMATTING, isArrayInsertion }));
  };
  const options = isRecord(parsed['compilerOptions']) ? parsed['compilerOptions'] : {};
  for (const [key, value] of Object.entries(COMPILER_OPTIONS)) {
    if (!(key in options)) set(['compilerOptions', key], value);
  }
  for (const key of NEEDED) if (key in options && !means(options[key], COMPILER_OPTIONS[key])) conflicts.push(`${key}: ${JSON.stringify(COMPILER_OPTIONS[key])}`);
  const { include, files } = parsed;
  if (Array.isArray(include)) {
    if (!include.some(coversDeclaration)) set(['include', include.length], DECLARATION_FILE, true);
  } else if (Array.isArray(files)) {
    if (!files.some(coversDeclaration)) set(['files', files.length], DECLARATION_FILE, true);
  } else {
    // A folder that begins with a dot is in no pattern unless it is named.
    set(['include'], [...INCLUDE, DECLARATION_FILE]);
  }
  return { kind: 'merged', text: text === existing ? null : text, conflicts };
}

/** Names of browsers in `lib`, or any in `types`, hide ours. */
function means(value: unknown, wanted: unknown): boolean {
  if (!Array.isArray(wanted)) return typeof value === 'string' && typeof wanted === 'string' && value.toLowerCase() === wanted.toLowerCase();
  if (!Array.isArray(value)) return false;
  return wanted.length === 0 ? value.length === 0 : value.every((entry) => typeof entry === 'string' && !/^(?:dom|webworker|scripthost)/i.test(entry));
}

const coversDeclaration = (pattern: unknown): boolean => typeof pattern === 'string' && pattern.replace(/^\.\//, '').startsWith(`${SCRIPT_FOLDER}/`);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
