/** Tokens -> a script: options, commands, then events in their order. */
import type { Action, Call, Command, EventTime, Expression, Field, Script, ScriptEvent, ScriptOption } from './ast';
import { tokenize } from './lexer';
import { MAX_DEPTH } from './limits';
import { parsePacket } from './parse-packet';
import { ScriptFailure } from './script-error';
import { TokenStream } from './token-stream';

/** @throws ScriptFailure, UnsupportedConstruct */
export function parseScript(text: string): Script {
  const tokens = new TokenStream(tokenize(text));
  const options: ScriptOption[] = [];
  while (tokens.kindIs('option')) options.push(parseOption(tokens));
  const initCommands = parseCommands(tokens);
  const events: ScriptEvent[] = [];
  while (!tokens.kindIs('end') && !tokens.kindIs('command')) events.push(parseEvent(tokens));
  const cleanupCommands = parseCommands(tokens);
  if (!tokens.kindIs('end')) tokens.fail('the end of the file behind the commands that clean up');
  if (events.length === 0) tokens.fail('an event');
  return { options, initCommands, cleanupCommands, events };
}

function parseOption(tokens: TokenStream): ScriptOption {
  const token = tokens.next();
  const name = token.text.slice(2);
  if (!tokens.is('=')) return { line: token.line, name, value: null };
  let { end } = tokens.next();
  // Values may hold several tokens, as in --define=NAME="value": everything that touches.
  let value = '';
  while (!tokens.kindIs('end') && (value === '' || tokens.peek().start === end)) {
    const part = tokens.next();
    value += part.text;
    end = part.end;
  }
  if (value === '') tokens.fail(`a value for --${name}`);
  return { line: token.line, name, value };
}

function parseCommands(tokens: TokenStream): Command[] {
  const commands: Command[] = [];
  while (tokens.kindIs('command')) {
    const { line, text } = tokens.next();
    commands.push({ line, text });
  }
  return commands;
}

function parseEvent(tokens: TokenStream): ScriptEvent {
  const { line } = tokens.peek();
  const time = parseTime(tokens);
  const action = parseAction(tokens);
  const ranged = time.kind === 'any' || time.kind === 'absolute-range' || time.kind === 'relative-range';
  if (ranged && !(action.type === 'packet' && action.packet.type === 'tcp' && !action.packet.inbound)) {
    throw new ScriptFailure(line, 'one time, as * and ranges are for outbound packets', time.kind === 'any' ? '*' : 'a range');
  }
  return { line, time, action };
}

function parseTime(tokens: TokenStream): EventTime {
  const at = tokens.peek();
  if (tokens.accept('*')) return { kind: 'any' };
  const relative = tokens.accept('+');
  const us = parseSeconds(tokens);
  if (!tokens.accept('~')) return { kind: relative ? 'relative' : 'absolute', us };
  if (relative) tokens.take('+');
  const endUs = parseSeconds(tokens);
  if (endUs < us) tokens.failAt(at, 'a range that goes forward', `${us / 1e6}~${endUs / 1e6}`);
  return { kind: relative ? 'relative-range' : 'absolute-range', us, endUs };
}

/** @returns µs */
function parseSeconds(tokens: TokenStream): number {
  const token = tokens.peek();
  if (token.kind !== 'float' && token.kind !== 'integer') return tokens.fail('a time in seconds');
  tokens.next();
  // More than a century is a slip, and would not be exact.
  if (token.value < 0 || token.value > 4e9) tokens.failAt(token, 'a time from 0 to 4000000000 s', token.text.slice(0, 40));
  return Math.round(token.value * 1e6);
}

function parseAction(tokens: TokenStream): Action {
  const token = tokens.peek();
  if (tokens.is('<') || tokens.is('>')) return { type: 'packet', packet: parsePacket(tokens) };
  switch (token.kind) {
    case 'command':
      return { type: 'command', text: tokens.next().text };
    case 'code':
      return { type: 'code', text: tokens.next().text };
    case 'ellipsis':
    case 'word':
      return { type: 'call', call: parseCall(tokens) };
    default:
      return tokens.fail('a packet, a call, a command or code');
  }
}

function parseCall(tokens: TokenStream): Call {
  let endUs: number | null = null;
  if (tokens.kindIs('ellipsis')) {
    tokens.next();
    endUs = parseSeconds(tokens);
  }
  const name = tokens.takeKind('word', 'the name of a call').text;
  tokens.take('(', `'(' behind ${name.slice(0, 40)}`);
  const args = parseList(tokens, ')', 0);
  tokens.take('=', "'=' and a result");
  const result = parseExpression(tokens, 0);
  let errno: string | null = null;
  // Only an error's name can stand between a result and the next event's time.
  if (tokens.kindIs('word') && /^E[A-Z0-9]+$/.test(tokens.peek().text)) errno = tokens.next().text;
  skipNote(tokens);
  return { name, args, result, errno, endUs };
}

/** `(Operation now in progress)`, `(flags O_RDWR|O_NONBLOCK)`. */
function skipNote(tokens: TokenStream): void {
  if (!tokens.is('(')) return;
  let depth = 0;
  do {
    if (tokens.kindIs('end')) tokens.fail("')' behind a note");
    const token = tokens.next();
    if (token.text === '(') depth++;
    else if (token.text === ')') depth--;
  } while (depth > 0);
}

/** Expressions up to `close`, which is taken too. */
function parseList(tokens: TokenStream, close: string, depth: number): Expression[] {
  const items: Expression[] = [];
  if (tokens.accept(close)) return items;
  do items.push(parseExpression(tokens, depth + 1));
  while (tokens.accept(','));
  tokens.take(close, `',' or '${close}'`);
  return items;
}

function parseExpression(tokens: TokenStream, depth: number): Expression {
  if (depth > MAX_DEPTH) tokens.fail(`at most ${MAX_DEPTH} brackets within each other`);
  const first = parseTerm(tokens, depth);
  if (!tokens.is('|')) return first;
  const terms = [first];
  while (tokens.accept('|')) terms.push(parseTerm(tokens, depth));
  return { type: 'or', terms };
}

function parseTerm(tokens: TokenStream, depth: number): Expression {
  const token = tokens.peek();
  switch (token.kind) {
    case 'ellipsis':
      tokens.next();
      return { type: 'ellipsis' };
    case 'integer':
    case 'hex':
      return { type: 'number', value: tokens.next().value };
    case 'string':
      return parseString(tokens);
    case 'word':
      tokens.next();
      if (tokens.accept('(')) return { type: 'apply', name: token.text, items: parseList(tokens, ')', depth) };
      return { type: 'word', name: token.text };
    default:
      if (tokens.accept('[')) return { type: 'list', items: parseList(tokens, ']', depth) };
      if (tokens.accept('{')) return { type: 'struct', fields: parseFields(tokens, depth) };
      return tokens.fail('an expression');
  }
}

/** Adjacent strings are one; an ellipsis behind a string shortens it for the reader. */
function parseString(tokens: TokenStream): Expression {
  let text = '';
  while (tokens.kindIs('string')) text += unescape(tokens.next().text);
  if (tokens.kindIs('ellipsis')) tokens.next();
  return { type: 'string', text };
}

function unescape(text: string): string {
  const named: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '0': '\0' };
  return text.replace(/\\(x[0-9a-fA-F]{2}|[^])/g, (_, escaped: string) =>
    escaped.length === 3 ? String.fromCharCode(parseInt(escaped.slice(1), 16)) : (named[escaped] ?? escaped));
}

/** `name = value`, `name(size) = value` or a value alone, up to `}`. */
function parseFields(tokens: TokenStream, depth: number): Field[] {
  const fields: Field[] = [];
  if (tokens.accept('}')) return fields;
  do fields.push(parseField(tokens, depth));
  while (tokens.accept(','));
  tokens.take('}', "',' or '}'");
  return fields;
}

function parseField(tokens: TokenStream, depth: number): Field {
  let name = '';
  if (tokens.kindIs('word') && tokens.is('=', 1)) {
    name = tokens.next().text;
    tokens.next();
  } else if (tokens.kindIs('word') && tokens.is('(', 1) && tokens.is(')', 3) && tokens.is('=', 4)) {
    name = tokens.next().text;
    for (let skip = 0; skip < 4; skip++) tokens.next();
  }
  return { name, value: parseExpression(tokens, depth + 1) };
}
