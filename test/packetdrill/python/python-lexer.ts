/** Tokens of the small part of Python that assertions use. */

export interface PythonToken {
  readonly kind: 'name' | 'number' | 'string' | 'operator' | 'end';
  readonly text: string;
  readonly value: number;
}

/** What the code says that this evaluator has no notion of. */
export class UnknownPython extends Error {
  override readonly name = 'UnknownPython';
}

const TOKEN = /(?<space>[ \t\r\\]+|#[^\n]*)|(?<break>[\n;])|(?<number>0[xX][0-9a-fA-F]+|\d+\.\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+(?:[eE][+-]?\d+)?)|(?<string>[fFrRbBuU]?(?:"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))|(?<name>[A-Za-z_]\w*)|(?<operator>\*\*|\/\/|<<|>>|<=|>=|==|!=|[-+*/%&|^~<>()[\],=.])/y;

/** The statements of a code block, each a list of tokens with an `end` token. @throws UnknownPython */
export function pythonStatements(code: string): PythonToken[][] {
  const statements: PythonToken[][] = [];
  let current: PythonToken[] = [];
  let depth = 0;
  const flush = (): void => {
    if (current.length > 0) statements.push([...current, { kind: 'end', text: 'the end of the statement', value: NaN }]);
    current = [];
  };
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < code.length) {
    const at = TOKEN.lastIndex;
    const groups = TOKEN.exec(code)?.groups;
    if (!groups) throw new UnknownPython(`'${code.slice(at, at + 20)}'`);
    const { break: lineBreak, number, name, string, operator } = groups;
    if (number !== undefined) current.push({ kind: 'number', text: number, value: Number(number) });
    else if (name !== undefined) current.push({ kind: 'name', text: name, value: NaN });
    else if (string !== undefined) current.push({ kind: 'string', text: string.replace(/^\w/, '').slice(1, -1), value: NaN });
    else if (operator !== undefined) {
      if (operator === '(' || operator === '[') depth++;
      if (operator === ')' || operator === ']') depth = Math.max(0, depth - 1);
      current.push({ kind: 'operator', text: operator, value: NaN });
    } else if (lineBreak === ';' || (lineBreak === '\n' && depth === 0)) flush();
  }
  flush();
  return statements;
}
