/** Script text -> tokens, by packetdrill's lexical rules: the longest match wins, the earlier rule at a tie. */
import { ScriptFailure } from './script-error';

export type TokenKind =
  | 'word' | 'integer' | 'hex' | 'float' | 'address' | 'string' | 'command' | 'code' | 'option' | 'ellipsis' | 'symbol' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** As written; of quoted tokens what is between the quotes. */
  readonly text: string;
  /** Of numbers; NaN of other tokens. */
  readonly value: number;
  readonly line: number;
  /** Offset behind the token: whether two tokens touch. */
  readonly start: number;
  readonly end: number;
}

const RULES: readonly (readonly [TokenKind, RegExp])[] = [
  ['ellipsis', /\.\.\./y],
  ['option', /--[a-zA-Z0-9_]+/y],
  ['address', /\d+\.\d+\.\d+\.\d+/y],
  ['float', /-?\d*\.\d+/y],
  ['integer', /-?\d+/y],
  ['hex', /0x[0-9a-fA-F]+/y],
  ['word', /[a-zA-Z0-9_]+/y],
];

/** Tokens that run to a closing mark: opening mark, closing mark, kind (null: a comment), whether `\` takes the next character in. */
const QUOTED: readonly (readonly [string, string, TokenKind | null, boolean])[] = [
  ['//', '\n', null, false],
  ['#', '\n', null, false],
  ['/*', '*/', null, false],
  ['%{', '}%', 'code', false],
  ['"', '"', 'string', true],
  ['`', '`', 'command', true],
];

/** @throws ScriptFailure where a quote or comment has no end. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (char === '\n') line++;
    if (char <= ' ') {
      at++;
      continue;
    }
    const quoted = QUOTED.find(([open]) => text.startsWith(open, at));
    if (quoted) {
      const [open, close, kind, escapes] = quoted;
      const from = at + open.length;
      const to = closing(text, from, close, escapes);
      if (to < 0 && close !== '\n') throw new ScriptFailure(line, `${close} to end what ${open} begins`, 'the end of the file');
      const inside = text.slice(from, to < 0 ? text.length : to);
      // A comment's end of line is left to be counted above.
      const end = to < 0 ? text.length : to + (close === '\n' ? 0 : close.length);
      if (kind) tokens.push({ kind, text: inside, value: NaN, line, start: at, end });
      line += count(inside, '\n');
      at = end;
      continue;
    }
    const token = longest(text, at, line);
    tokens.push(token);
    at = token.end;
  }
  tokens.push({ kind: 'end', text: 'the end of the file', value: NaN, line, start: text.length, end: text.length });
  return tokens;
}

function longest(text: string, at: number, line: number): Token {
  let kind: TokenKind = 'symbol';
  let word = text.charAt(at);
  let isRule = false;
  for (const [candidate, rule] of RULES) {
    rule.lastIndex = at;
    const match = rule.exec(text)?.[0];
    if (match === undefined || (isRule && match.length <= word.length)) continue;
    kind = candidate;
    word = match;
    isRule = true;
  }
  const value = kind === 'integer' || kind === 'float' || kind === 'hex' ? Number(word) : NaN;
  return { kind, text: word, value, line, start: at, end: at + word.length };
}

function closing(text: string, from: number, close: string, escapes: boolean): number {
  if (!escapes) return text.indexOf(close, from);
  for (let at = from; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '\\') at++;
    else if (char === close) return at;
  }
  return -1;
}

function count(text: string, char: string): number {
  let found = 0;
  for (let at = text.indexOf(char); at >= 0; at = text.indexOf(char, at + 1)) found++;
  return found;
}
