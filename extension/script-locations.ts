import type { SourceLocation } from './protocol';

/** A source location in a text, and where in the text it stands. */
export interface LocatedText extends SourceLocation {
  /** Offsets of `file:line:column`, the end exclusive. */
  readonly start: number;
  readonly end: number;
}

/** Only so much of a long output is searched, its end: links far up are seldom followed. */
export const SEARCHED_CHARACTERS = 1_000_000;

// An absolute path, POSIX or Windows, of a script or what it imports. In parentheses it may hold spaces.
const FRAME = /(?<=\()(?<inside>(?:\/|[A-Za-z]:[\\/])[^()\n:]+):(?<line1>\d+):(?<column1>\d+)(?=\))|(?<=^|\s)(?<bare>(?:\/|[A-Za-z]:[\\/])[^\s():]+):(?<line2>\d+):(?<column2>\d+)/gm;

/** Finds `/abs/file.ts:9:9`, as in `at fn (/abs/file.ts:9:9)`, in the end of a text. */
export function findLocations(text: string): LocatedText[] {
  const offset = Math.max(0, text.length - SEARCHED_CHARACTERS);
  const found: LocatedText[] = [];
  for (const match of text.slice(offset).matchAll(FRAME)) {
    const groups = match.groups ?? {};
    const file = groups['inside'] ?? groups['bare'];
    const line = Number(groups['line1'] ?? groups['line2']);
    const column = Number(groups['column1'] ?? groups['column2']);
    if (file === undefined || line < 1 || column < 1) continue;
    const start = offset + match.index;
    found.push({ file, line, column, start, end: start + match[0].length });
  }
  return found;
}
