/** Moves the generated columns of a source map's mappings (ECMA-426) for text inserted into the program. */

export interface Insertion {
  /** 0-based line and column in the program as it was. */
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

/** @param insertions in order of position */
export function shiftColumns(mappings: string, insertions: readonly Insertion[]): string {
  const lines = mappings.split(';');
  const byLine = new Map<number, Insertion[]>();
  for (const insertion of insertions) byLine.set(insertion.line, [...(byLine.get(insertion.line) ?? []), insertion]);
  for (const [line, onLine] of byLine) {
    const text = lines[line];
    if (text !== undefined && text !== '') lines[line] = shiftLine(text, onLine);
  }
  return lines.join(';');
}

/** The generated column is the first field of a segment, and counts from the segment before it on the line. */
function shiftLine(line: string, insertions: readonly Insertion[]): string {
  let column = 0;
  let shifted = 0;
  return line
    .split(',')
    .map((segment) => {
      const { value, length } = decodeVlq(segment);
      column += value;
      let moved = column;
      for (const insertion of insertions) if (insertion.column <= column) moved += insertion.length;
      const delta = moved - shifted;
      shifted = moved;
      return encodeVlq(delta) + segment.slice(length);
    })
    .join(',');
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The first number of `text`, five bits a digit, least significant first, the sign in the lowest bit. */
function decodeVlq(text: string): { readonly value: number; readonly length: number } {
  let value = 0;
  let shift = 0;
  let length = 0;
  for (const char of text) {
    const digit = DIGITS.indexOf(char);
    length++;
    value |= (digit & 31) << shift;
    shift += 5;
    if ((digit & 32) === 0) break;
  }
  return { value: value & 1 ? -(value >>> 1) : value >>> 1, length };
}

function encodeVlq(value: number): string {
  let rest = value < 0 ? (-value << 1) | 1 : value << 1;
  let out = '';
  do {
    const digit = rest & 31;
    rest >>>= 5;
    out += DIGITS[rest > 0 ? digit | 32 : digit] ?? '';
  } while (rest > 0);
  return out;
}
