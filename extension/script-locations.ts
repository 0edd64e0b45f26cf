import type { SourceLocation } from './protocol';

/** A source location in a text, and where in the text it stands. */
export interface LocatedText extends SourceLocation {
  /** Offsets of `file:line:column`, the end exclusive. */
  readonly start: number;
  readonly end: number;
}

/** Only so much of a long output is searched, its end: links far up are seldom followed. */
export const SEARCHED_CHARACTERS = 1_000_000;

/** A line of a stack; a longer one holds no path that a system has. */
const STACK_LINE = /^ {4}at (.{1,5000})$/gm;
const STACK_PLACE = /:(?<line>\d+):(?<column>\d+)(?<close>\)?)$/;

// Elsewhere: an absolute path, POSIX or Windows, of a script or what it imports. In parentheses it may hold spaces.
const FRAME = /(?<=\()(?<inside>(?:\/|[A-Za-z]:[\\/])[^()\n:]+):(?<line1>\d+):(?<column1>\d+)(?=\))|(?<=^|\s)(?<bare>(?:\/|[A-Za-z]:[\\/])[^\s():]+):(?<line2>\d+):(?<column2>\d+)/gm;

/** Finds `/abs/file.ts:9:9`, as in `at fn (/abs/file.ts:9:9)`, in the end of a text. */
export function findLocations(text: string): LocatedText[] {
  const offset = Math.max(0, text.length - SEARCHED_CHARACTERS);
  const searched = text.slice(offset);
  const found: LocatedText[] = [];
  const add = (file: string, line: number, column: number, start: number, end: number): void => {
    if (line >= 1 && column >= 1) found.push({ file, line, column, start: offset + start, end: offset + end });
  };
  // A stack line that is understood as a whole is not searched again.
  const rest = searched.replace(STACK_LINE, (line: string, body: string, index: number) => {
    const place = stackPlace(body);
    if (place === null) return line;
    const start = index + line.length - body.length;
    add(body.slice(place.start, place.fileEnd), place.line, place.column, start + place.start, start + place.end);
    return ' '.repeat(line.length);
  });
  for (const match of rest.matchAll(FRAME)) {
    const groups = match.groups ?? {};
    const file = groups['inside'] ?? groups['bare'];
    if (file !== undefined) add(file, Number(groups['line1'] ?? groups['line2']), Number(groups['column1'] ?? groups['column2']), match.index, match.index + match[0].length);
  }
  return found.sort((a, b) => a.start - b.start);
}

/**
 * Where a stack line names its place, `fn (PATH:9:9)` or `PATH:9:9`. All between the first parenthesis before a path
 * and the numbers at the end is the path: it may hold spaces and parentheses, as in `C:\Program Files (x86)`.
 */
function stackPlace(body: string): { readonly start: number; readonly fileEnd: number; readonly end: number; readonly line: number; readonly column: number } | null {
  const end = STACK_PLACE.exec(body);
  if (!end) return null;
  const closed = end.groups?.['close'] === ')';
  const begin = (closed ? / \((?=\/|[A-Za-z]:[\\/])/ : /^(?:async )?(?=\/|[A-Za-z]:[\\/])/).exec(body);
  if (!begin) return null;
  return { start: begin.index + begin[0].length, fileEnd: end.index, end: body.length - (closed ? 1 : 0), line: Number(end.groups?.['line']), column: Number(end.groups?.['column']) };
}
