/** A cursor over tokens, with the failures that parsers need. */
import type { Token, TokenKind } from './lexer';
import { ScriptFailure, UnsupportedConstruct } from './script-error';

export class TokenStream {
  private position = 0;

  /** @param tokens with an `end` token at the end */
  constructor(private readonly tokens: readonly Token[]) {}

  /** The token `ahead` of the cursor; the end of the file for ever after the last. */
  peek(ahead = 0): Token {
    const token = this.tokens[Math.min(this.position + ahead, this.tokens.length - 1)];
    if (!token) throw new ScriptFailure(1, 'a script', 'nothing');
    return token;
  }

  next(): Token {
    const token = this.peek();
    if (token.kind !== 'end') this.position++;
    return token;
  }

  get line(): number {
    return this.peek().line;
  }

  is(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.text === text && (token.kind === 'symbol' || token.kind === 'word');
  }

  kindIs(kind: TokenKind, ahead = 0): boolean {
    return this.peek(ahead).kind === kind;
  }

  /** Takes the token if it reads so. */
  accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.next();
    return true;
  }

  take(text: string, what = `'${text}'`): Token {
    return this.is(text) ? this.next() : this.fail(what);
  }

  takeKind(kind: TokenKind, what: string): Token {
    return this.kindIs(kind) ? this.next() : this.fail(what);
  }

  /** A whole number, decimal or hexadecimal, from `least` to `most`. */
  takeInteger(what: string, least = 0, most = 0xffff_ffff): number {
    const token = this.peek();
    if (token.kind !== 'integer' && token.kind !== 'hex') return this.fail(what);
    this.next();
    if (token.value < least || token.value > most) this.failAt(token, `${what} from ${least} to ${most}`, token.text);
    return token.value;
  }

  fail(expected: string): never {
    const token = this.peek();
    return this.failAt(token, expected, token.kind === 'end' ? token.text : `'${token.text.slice(0, 40)}'`);
  }

  failAt(token: Token, expected: string, seen: string): never {
    throw new ScriptFailure(token.line, expected, seen);
  }

  unsupported(construct: string): never {
    throw new UnsupportedConstruct(this.line, construct);
  }
}
