/**
 * `%{ assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd }%`: assertions, assignments and prints over numbers. An
 * evaluator of its own over a table of names; nothing is ever given to a compiler or an interpreter.
 */
import { MAX_DEPTH } from '../syntax/limits';
import { pythonStatements, UnknownPython, type PythonToken } from './python-lexer';

export { UnknownPython };

/** Numbers, and strings as messages. Truth values are 0 and 1, as they are numbers in Python too. */
type Value = number | string;

/** An assertion that does not hold: its text and the names it speaks of with their values. */
export interface Broken {
  readonly assertion: string;
  readonly values: string;
}

/** What is wrong with the code itself, as Python would raise it. */
export class PythonError extends Error {
  override readonly name = 'PythonError';
}

/**
 * Runs the code.
 * @param lookup the value of a name, or undefined
 * @param variables what earlier blocks assigned; assignments are added
 * @returns the first assertion that does not hold, or null
 * @throws UnknownPython for anything but the statements above, PythonError for what Python would raise
 */
export function runPython(code: string, lookup: (name: string) => number | undefined, variables: Map<string, Value>): Broken | null {
  for (const tokens of pythonStatements(code)) {
    const broken = new Statement(tokens, (name) => variables.get(name) ?? lookup(name), variables).run();
    if (broken) return broken;
  }
  return null;
}

/** Binary operators by how tightly they bind, loosest first. */
const LEVELS: readonly (readonly string[])[] = [['|'], ['^'], ['&'], ['<<', '>>'], ['+', '-'], ['*', '/', '//', '%']];
const COMPARISONS = ['==', '!=', '<', '>', '<=', '>='];

class Statement {
  private position = 0;
  private readonly used = new Map<string, Value>();
  private depth = 0;

  constructor(
    private readonly tokens: readonly PythonToken[],
    private readonly lookup: (name: string) => Value | undefined,
    private readonly variables: Map<string, Value>,
  ) {}

  run(): Broken | null {
    const first = this.peek();
    if (first.kind === 'name' && first.text === 'assert') return this.assertion();
    if (first.kind === 'name' && first.text === 'pass') {
      this.position++;
    } else if (first.kind === 'name' && first.text === 'print') {
      // What it would print is of no use here, but it must be sound.
      this.position++;
      if (!this.isOperator('(')) throw new UnknownPython('print without parentheses');
      this.callArguments();
    } else if (first.kind === 'name' && this.tokens[1]?.text === '=' && this.tokens[1].kind === 'operator') {
      this.position = 2;
      const value = this.expression();
      if (this.variables.size > 1_000) throw new PythonError('MemoryError');
      this.variables.set(first.text, value);
    } else throw new UnknownPython(`statement '${first.text.slice(0, 20)}'`);
    this.expectEnd();
    return null;
  }

  private assertion(): Broken | null {
    this.position++;
    const from = this.position;
    const holds = truth(this.expression());
    const assertion = this.tokens.slice(from, this.position).map((token) => (token.kind === 'string' ? `'${token.text}'` : token.text)).join(' ');
    const values = [...this.used].map(([name, value]) => `${name} = ${value}`).join(', ');
    if (this.isOperator(',')) {
      this.position++;
      this.expression();
    }
    this.expectEnd();
    return holds ? null : { assertion, values };
  }

  private peek(): PythonToken {
    return this.tokens[this.position] ?? { kind: 'end', text: 'the end of the statement', value: NaN };
  }

  private isOperator(text: string): boolean {
    const token = this.peek();
    return token.kind === 'operator' && token.text === text;
  }

  private isWord(text: string): boolean {
    const token = this.peek();
    return token.kind === 'name' && token.text === text;
  }

  private take(text: string): void {
    if (!this.isOperator(text)) throw new PythonError(`SyntaxError: '${text}' expected, '${this.peek().text.slice(0, 20)}' seen`);
    this.position++;
  }

  private expectEnd(): void {
    if (this.peek().kind !== 'end') throw new PythonError(`SyntaxError at '${this.peek().text.slice(0, 20)}'`);
  }

  private nested<T>(parse: () => T): T {
    if (++this.depth > MAX_DEPTH) throw new PythonError('SyntaxError: too many nested expressions');
    const value = parse();
    this.depth--;
    return value;
  }

  private expression(): Value {
    return this.nested(() => this.or());
  }

  // `or` and `and` give one of their operands, as in Python. Both sides are read, for there is nothing to spare.
  private or(): Value {
    let value = this.and();
    while (this.isWord('or')) {
      this.position++;
      const right = this.and();
      value = truth(value) ? value : right;
    }
    return value;
  }

  private and(): Value {
    let value = this.not();
    while (this.isWord('and')) {
      this.position++;
      const right = this.not();
      value = truth(value) ? right : value;
    }
    return value;
  }

  private not(): Value {
    if (!this.isWord('not')) return this.comparison();
    this.position++;
    return this.nested(() => (truth(this.not()) ? 0 : 1));
  }

  /** Chains hold if every link does: `9 <= x <= 11`. */
  private comparison(): Value {
    let left = this.binary(0);
    let result: Value | null = null;
    while (this.peek().kind === 'operator' && COMPARISONS.includes(this.peek().text)) {
      const { text } = this.peek();
      this.position++;
      const right = this.binary(0);
      const holds = compare(text, left, right) ? 1 : 0;
      result = result === null ? holds : result && holds;
      left = right;
    }
    return result ?? left;
  }

  private binary(level: number): Value {
    const operators = LEVELS[level];
    if (!operators) return this.unary();
    let left = this.binary(level + 1);
    while (this.peek().kind === 'operator' && operators.includes(this.peek().text)) {
      const { text } = this.peek();
      this.position++;
      const right = this.binary(level + 1);
      left = text === '%' && typeof left === 'string' ? left : arithmetic(text, number(left), number(right));
    }
    return left;
  }

  private unary(): Value {
    for (const sign of ['-', '+', '~']) {
      if (!this.isOperator(sign)) continue;
      this.position++;
      const value = this.nested(() => number(this.unary()));
      return sign === '-' ? -value : sign === '~' ? -value - 1 : value;
    }
    const base = this.primary();
    if (!this.isOperator('**')) return base;
    this.position++;
    return number(base) ** this.nested(() => number(this.unary()));
  }

  private primary(): Value {
    const token = this.peek();
    this.position++;
    if (token.kind === 'number') return token.value;
    if (token.kind === 'string') return this.string(token.text);
    if (token.kind === 'operator' && token.text === '(') return this.parenthesis();
    if (token.kind === 'name') return this.isOperator('(') ? this.call(token.text) : this.name(token.text);
    throw new PythonError(`SyntaxError at '${token.text.slice(0, 20)}'`);
  }

  private string(first: string): string {
    let text = first;
    for (let token = this.peek(); token.kind === 'string'; token = this.peek()) {
      text += token.text;
      this.position++;
    }
    return text;
  }

  /** A tuple only appears as what a message is formatted with: its first item stands for it. */
  private parenthesis(): Value {
    const value = this.expression();
    while (this.isOperator(',')) {
      this.position++;
      if (!this.isOperator(')')) this.expression();
    }
    this.take(')');
    return value;
  }

  private name(name: string): Value {
    if (name === 'True') return 1;
    if (name === 'False' || name === 'None') return 0;
    const value = this.lookup(name);
    if (value === undefined) throw new UnknownPython(`name ${name.slice(0, 60)}`);
    if (!/^[A-Z]/.test(name)) this.used.set(name, value);
    return value;
  }

  private callArguments(): Value[] {
    this.take('(');
    const values: Value[] = [];
    while (!this.isOperator(')')) {
      values.push(this.expression());
      if (!this.isOperator(')')) this.take(',');
    }
    this.take(')');
    return values;
  }

  private call(name: string): Value {
    const known = FUNCTIONS.get(name);
    if (!known) throw new UnknownPython(`function ${name.slice(0, 40)}()`);
    const values = this.callArguments();
    if (values.length === 0) throw new PythonError(`TypeError: ${name}() without an argument`);
    return known(values);
  }
}

const FUNCTIONS: ReadonlyMap<string, (values: readonly Value[]) => Value> = new Map<string, (values: readonly Value[]) => Value>([
  ['abs', ([value = 0]) => Math.abs(number(value))],
  ['int', ([value = 0]) => Math.trunc(number(value))],
  ['float', ([value = 0]) => number(value)],
  ['bool', ([value = 0]) => (truth(value) ? 1 : 0)],
  ['round', ([value = 0]) => Math.round(number(value))],
  ['min', (values) => Math.min(...values.map(number))],
  ['max', (values) => Math.max(...values.map(number))],
  ['str', ([value = '']) => String(value)],
  ['hex', ([value = 0]) => `0x${number(value).toString(16)}`],
]);

function truth(value: Value): boolean {
  return typeof value === 'number' ? value !== 0 : value !== '';
}

function number(value: Value): number {
  if (typeof value === 'number') return value;
  throw new PythonError('TypeError: a string where a number is needed');
}

function compare(operator: string, left: Value, right: Value): boolean {
  switch (operator) {
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return number(left) < number(right);
    case '>':
      return number(left) > number(right);
    case '<=':
      return number(left) <= number(right);
    default:
      return number(left) >= number(right);
  }
}

function arithmetic(operator: string, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      if (right === 0) throw new PythonError('ZeroDivisionError');
      return left / right;
    case '//':
      if (right === 0) throw new PythonError('ZeroDivisionError');
      return Math.floor(left / right);
    case '%':
      if (right === 0) throw new PythonError('ZeroDivisionError');
      return left - right * Math.floor(left / right);
    default:
      return bitwise(operator, left, right);
  }
}

/** tcp_info has 64-bit fields, and JavaScript's own bit operators cut to 32. */
function bitwise(operator: string, left: number, right: number): number {
  if (!Number.isSafeInteger(left) || !Number.isSafeInteger(right)) throw new PythonError(`TypeError: ${operator} of something else than whole numbers`);
  const [a, b] = [BigInt(left), BigInt(right)];
  switch (operator) {
    case '&':
      return Number(a & b);
    case '|':
      return Number(a | b);
    case '^':
      return Number(a ^ b);
    default:
      if (right < 0 || right > 64) throw new PythonError('ValueError: a shift beyond 0 to 64');
      return Number(operator === '<<' ? a << b : a >> b);
  }
}
