/**
 * Marks each top-level await of a bundled program, so that a script which waits for ever can be told the
 * line it waits at: `await x` becomes `await __riftnetAwait(line, column, x)`, a function that notes the
 * position and returns x. Done on the bundle, where all modules have become one; the source map's columns
 * are moved along, so that stacks and debuggers stay right.
 */
import { parse } from 'acorn';
import { shiftColumns, type Insertion } from './source-map-columns';

export const AWAIT_FUNCTION = '__riftnetAwait';
/** A larger bundle is not parsed for it: the line of a stuck await is not worth the time. */
const MAX_PROGRAM_LENGTH = 4 << 20;

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

interface Edit {
  readonly offset: number;
  /** Offset of the await that the inserted text names; null: a closing parenthesis. */
  readonly awaitAt: number | null;
  /** Whether it is a statement of its own: the end of a loop's body, where the next round is awaited. */
  readonly statement: boolean;
}

/** @returns the program and the mappings of its source map, both unchanged if there is nothing to mark */
export function markAwaits(program: string, mappings: string): { readonly program: string; readonly mappings: string } {
  if (program.length > MAX_PROGRAM_LENGTH || !/\bawait\b/.test(program)) return { program, mappings };
  const edits = findAwaits(program);
  if (edits.length === 0) return { program, mappings };
  const lines = lineStarts(program);
  const insertions: Insertion[] = [];
  /** What the insertions so far have added to the line they are on. */
  const added = new Map<number, number>();
  /** Where each await has come to be, by its offset. */
  const places = new Map<number, string>();
  let out = '';
  let copied = 0;
  for (const edit of edits) {
    const line = lineOf(lines, edit.offset);
    const text = textOf(edit, lines, added, places);
    out += program.slice(copied, edit.offset) + text;
    copied = edit.offset;
    insertions.push({ line, column: edit.offset - (lines[line] ?? 0), length: text.length });
    added.set(line, (added.get(line) ?? 0) + text.length);
  }
  return { program: out + program.slice(copied), mappings: shiftColumns(mappings, insertions) };
}

function textOf(edit: Edit, lines: readonly number[], added: ReadonlyMap<number, number>, places: Map<number, string>): string {
  if (edit.awaitAt === null) return ')';
  let place = places.get(edit.awaitAt);
  if (place === undefined) {
    const line = lineOf(lines, edit.awaitAt);
    // The position in the marked program, 1-based as in stack traces. Nothing is inserted between an
    // `await` and its operand, so what its line has gained so far lies before it.
    const column = edit.awaitAt - (lines[line] ?? 0) + (added.get(line) ?? 0);
    place = `${line + 1},${column + 1}`;
    places.set(edit.awaitAt, place);
  }
  return edit.statement ? `;${AWAIT_FUNCTION}(${place});` : `${AWAIT_FUNCTION}(${place},`;
}

function findAwaits(program: string): Edit[] {
  const edits: Edit[] = [];
  const wrap = (operand: Node, awaitAt: number) => {
    edits.push({ offset: operand.start, awaitAt, statement: false }, { offset: operand.end, awaitAt: null, statement: false });
  };
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(visit);
    // An inner function's awaits are not the top level's.
    if (!isNode(value) || /Function/.test(value.type)) return;
    if (value.type === 'AwaitExpression' && 'argument' in value && isNode(value.argument)) wrap(value.argument, value.start);
    if (value.type === 'ForOfStatement' && 'await' in value && value.await === true && 'right' in value && isNode(value.right)) {
      wrap(value.right, value.start);
      if ('body' in value && isNode(value.body) && value.body.type === 'BlockStatement') {
        edits.push({ offset: value.body.end - 1, awaitAt: value.start, statement: true });
      }
    }
    for (const part of Object.values(value)) visit(part);
  };
  try {
    visit(parse(program, { ecmaVersion: 'latest', sourceType: 'module', preserveParens: true }));
  } catch {
    // A syntax that V8 knows and the parser does not: the program runs, a stuck await goes without its line.
    return [];
  }
  return edits.sort((a, b) => a.offset - b.offset);
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string' && 'start' in value && 'end' in value;
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** The line, 0-based, that an offset is on. */
function lineOf(starts: readonly number[], offset: number): number {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
