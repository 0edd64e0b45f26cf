/** Arguments and expected results of calls -> numbers, addresses, byte counts. */
import { parseIpv4 } from '../../../stack/wire/address';
import type { Expression } from '../syntax/ast';
import { CONSTANTS } from './names';
import { ScriptFailure, UnsupportedConstruct } from '../syntax/script-error';

export const ELLIPSIS: Expression = { type: 'ellipsis' };

export function isEllipsis(expression: Expression): boolean {
  return expression.type === 'ellipsis' || (expression.type === 'word' && expression.name === 'NULL');
}

/** @throws UnsupportedConstruct for a word without a number here, ScriptFailure for what is none */
export function numberOf(expression: Expression, line: number): number {
  switch (expression.type) {
    case 'number':
      return expression.value;
    case 'word': {
      const value = CONSTANTS.get(expression.name);
      if (value === undefined) throw new UnsupportedConstruct(line, expression.name.slice(0, 60));
      return value;
    }
    case 'or': {
      let value = 0;
      for (const term of expression.terms) value |= numberOf(term, line);
      return value;
    }
    case 'apply':
      // Byte orders are the wire's business: a port is a number here.
      if (['htons', 'htonl', 'ntohs', 'ntohl'].includes(expression.name)) return numberOf(expression.items[0] ?? ELLIPSIS, line);
      throw new UnsupportedConstruct(line, `${expression.name.slice(0, 40)}()`);
    case 'list':
      // `[1]`, as the notation has values behind pointers.
      if (expression.items.length === 1) return numberOf(expression.items[0] ?? ELLIPSIS, line);
      throw new ScriptFailure(line, 'a number', `a list of ${expression.items.length}`);
    default:
      throw new ScriptFailure(line, 'a number', describe(expression));
  }
}

/** A number, or null for `...`. */
export function optionalNumber(expression: Expression | undefined, line: number): number | null {
  return expression === undefined || isEllipsis(expression) || (expression.type === 'list' && expression.items[0] !== undefined && isEllipsis(expression.items[0]))
    ? null
    : numberOf(expression, line);
}

/** A field of a struct by name. */
export function fieldOf(expression: Expression, name: string): Expression | undefined {
  return expression.type === 'struct' ? expression.fields.find((field) => field.name === name)?.value : undefined;
}

/** `{sa_family = AF_INET, sin_port = htons(8080), sin_addr = inet_addr("192.0.2.1")}`; null for `...`. */
export function socketAddress(expression: Expression | undefined, line: number): { readonly address: number; readonly port: number } | null {
  if (expression === undefined || isEllipsis(expression)) return null;
  const [family, port, host] = ['sa_family', 'sin_port', 'sin_addr'].map((name) => fieldOf(expression, name));
  if (!family || !port || !host) throw new UnsupportedConstruct(line, `socket address ${describe(expression)}`);
  numberOf(family, line);
  return { port: numberOf(port, line) & 0xffff, address: hostAddress(host, line) };
}

function hostAddress(expression: Expression, line: number): number {
  if (expression.type === 'apply' && expression.name === 'inet_addr') {
    const [text] = expression.items;
    const address = text?.type === 'string' ? parseIpv4(text.text) : null;
    if (address === null) throw new ScriptFailure(line, 'an IPv4 address', text ? describe(text) : 'nothing');
    return address;
  }
  if (expression.type === 'word' && expression.name === 'INADDR_ANY') return 0;
  return numberOf(expression, line) >>> 0;
}

/** The buffer of a write: its own text, or null for `...`. */
export function literalBytes(expression: Expression | undefined): Uint8Array | null {
  return expression?.type === 'string' ? Buffer.from(expression.text, 'latin1') : null;
}

/** Bytes in `[{..., 1000}, {..., 500}]`. */
export function vectorBytes(expression: Expression | undefined, line: number): number {
  if (expression?.type !== 'list') throw new UnsupportedConstruct(line, 'buffers that are no list');
  let sum = 0;
  for (const item of expression.items) {
    const length = item.type === 'struct' ? item.fields[1]?.value : undefined;
    if (!length) throw new UnsupportedConstruct(line, `buffer ${describe(item)}`);
    sum += numberOf(length, line);
  }
  return sum;
}

export function describe(expression: Expression): string {
  switch (expression.type) {
    case 'ellipsis':
      return '...';
    case 'number':
      return String(expression.value);
    case 'word':
      return expression.name.slice(0, 60);
    case 'string':
      return JSON.stringify(expression.text.slice(0, 40));
    case 'or':
      return expression.terms.map(describe).join('|');
    case 'list':
      return `[${expression.items.map(describe).join(', ')}]`.slice(0, 80);
    case 'struct':
      return `{${expression.fields.map(({ name, value }) => (name ? `${name}=${describe(value)}` : describe(value))).join(', ')}}`.slice(0, 120);
    case 'apply':
      return `${expression.name.slice(0, 40)}(${expression.items.map(describe).join(', ')})`.slice(0, 80);
  }
}
