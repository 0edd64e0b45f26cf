/** The declarations for scripts, riftnet.d.ts: what they let through, what they refuse, and what they say. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { TSDocParser } from '@microsoft/tsdoc';
import ts from 'typescript';
import { RuntimeBench } from '../extension/worker/runtime-bench';
import { COMPILERS, compile, majorOf } from './compile';

const CASES = path.resolve('test/types/cases');
const DECLARATIONS = path.resolve('riftnet.d.ts');
const DIRECTIVE = /^\s*\/\/ @ts-expect-error (TS\d+): \S/;

const source = ts.createSourceFile(DECLARATIONS, fs.readFileSync(DECLARATIONS, 'utf8'), ts.ScriptTarget.ES2023, true);

describe('The declarations for scripts', function () {
  // A compiler takes two seconds, and longer beside other work.
  this.timeout(120_000);

  it('are tested with two majors of TypeScript, one after the other', () => {
    const [current = 0, previous = 0] = COMPILERS.map(majorOf);
    assert.equal(current, previous + 1);
  });

  for (const compiler of COMPILERS) {
    describe(`under TypeScript ${majorOf(compiler)}`, () => {
      it('let the good uses through, and refuse each of the bad ones', async () => {
        assert.deepEqual(await compile(compiler, CASES), []);
      });

      it('refuse each for the reason that stands beside it', async () => {
        fs.mkdirSync('test-output', { recursive: true });
        const folder = fs.mkdtempSync(path.resolve('test-output', 'types-'));
        try {
          const lines = fs.readFileSync(path.join(CASES, 'bad.ts'), 'utf8').split('\n');
          fs.writeFileSync(path.join(folder, 'bad.ts'), lines.map((line) => line.replace('@ts-expect-error', 'expected:')).join('\n'));
          const config: { compilerOptions: object } = JSON.parse(fs.readFileSync(path.join(CASES, 'tsconfig.json'), 'utf8'));
          fs.writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ ...config, include: ['bad.ts', DECLARATIONS] }));
          const expected = lines.flatMap((line, index) => {
            const code = DIRECTIVE.exec(line)?.[1];
            return code === undefined ? [] : [`${index + 2} ${code}: ${lines[index + 1]}`];
          });
          assert.ok(expected.length > 60, `only ${expected.length} bad uses`);
          const found = await compile(compiler, folder);
          assert.deepEqual(found.map(({ line, code }) => `${line} ${code}: ${lines[line - 1]}`), expected);
        } finally {
          fs.rmSync(folder, { recursive: true });
        }
      });

      it('hold for the examples', async () => {
        assert.deepEqual(await compile(compiler, path.resolve('examples')), []);
      });
    });
  }

  it('name each bad use\'s code', () => {
    const lines = fs.readFileSync(path.join(CASES, 'bad.ts'), 'utf8').split('\n');
    assert.deepEqual(lines.filter((line) => line.trim().startsWith('// @ts-') && !DIRECTIVE.test(line)), []);
  });

  it('document every name and every member, in the syntax of TSDoc', () => {
    const parser = new TSDocParser();
    const faults: string[] = [];
    for (const { node, name } of documentable()) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
      const fault = (text: string) => faults.push(`riftnet.d.ts:${line + 1} ${name}: ${text}`);
      const comment = ts.getLeadingCommentRanges(source.text, node.getFullStart())?.findLast(({ pos }) => source.text.startsWith('/**', pos));
      if (comment === undefined) {
        fault('has no documentation');
        continue;
      }
      const parsed = parser.parseString(source.text.slice(comment.pos, comment.end));
      for (const message of parsed.log.messages) fault(message.text);
      if (!parsed.docComment.summarySection.nodes.some((part) => part.kind === 'Paragraph')) fault('has no summary');
      const parameters = 'parameters' in node ? parametersOf(node) : [];
      for (const block of parsed.docComment.params.blocks) if (!parameters.includes(block.parameterName)) fault(`documents ${block.parameterName}, which it does not have`);
    }
    assert.deepEqual(faults, []);
  });

  it('say what a call throws: a function that takes a callback or a range', () => {
    const text = (name: string) => documentable().filter((entry) => entry.name === name).map(({ node }) => source.text.slice(node.getFullStart(), node.getStart(source)));
    for (const name of ['Network.Connect', 'Socket.write', 'Socket.read', 'Event.on', 'Engine.Delay', 'Engine.Timer', 'setTimeout', 'Response.json', 'URL.new']) {
      assert.ok(text(name).length > 0, `${name} is declared`);
      assert.ok(text(name).some((comment) => comment.includes('@throws')), `${name} says what it throws`);
    }
  });

  it('declare what a script finds when it runs, and nothing else', async () => {
    const bench = await RuntimeBench.start();
    try {
      const names = source.statements.flatMap((statement) => (ts.isVariableStatement(statement) ? statement.declarationList.declarations.map(({ name }) => name.getText(source)) : ts.isFunctionDeclaration(statement) ? [statement.name?.text ?? ''] : []));
      const { output, outcome } = await bench.run(`
        const declared = ${JSON.stringify([...new Set(names)])};
        print(declared.filter((name) => !(name in globalThis)));
        // The language's own are TypeScript's to declare.
        const language = new Set(${JSON.stringify(languageNames())});
        print(Object.getOwnPropertyNames(globalThis).filter((name) => !declared.includes(name) && !language.has(name)).sort());
        const members = ${JSON.stringify(prototypeMembers())};
        print(members.filter(([name, member]) => !(member in globalThis[name].prototype)));
        const statics = ${JSON.stringify(staticMembers())};
        print(statics.filter(([name, member]) => !(member in globalThis[name])));
        const socket = Network.Connect('localhost', 1);
        print(${JSON.stringify(membersOf('Socket'))}.filter((member) => !(member in socket)));
        const response = await fetch('');
        print(${JSON.stringify(membersOf('Response'))}.filter((member) => !(member in response)), ${JSON.stringify(membersOf('FetchTimings'))}.filter((member) => !(member in response.timings)));
        print(${JSON.stringify(membersOf('Event'))}.filter((member) => !(member in Event.OnTick)));`);
      assert.deepEqual(outcome, { kind: 'finished' });
      // WebAssembly works, and is left to those who have its types.
      assert.deepEqual(output, ['[]', "[ 'WebAssembly' ]", '[]', '[]', '[]', '[] []', '[]']);
    } finally {
      await bench.stop();
    }
  });
});

interface Documented {
  readonly node: ts.Node;
  readonly name: string;
}

/** Every declaration of the file, and every member of one, by a name such as `Socket.read`. */
function documentable(): Documented[] {
  const found: Documented[] = [];
  for (const statement of source.statements) {
    if (ts.isInterfaceDeclaration(statement)) {
      found.push({ node: statement, name: statement.name.text }, ...members(statement.members, statement.name.text));
    } else if (ts.isTypeAliasDeclaration(statement) || ts.isFunctionDeclaration(statement)) {
      found.push({ node: statement, name: statement.name?.text ?? '' });
    } else if (ts.isVariableStatement(statement)) {
      for (const { name, type } of statement.declarationList.declarations) {
        found.push({ node: statement, name: name.getText(source) });
        if (type && ts.isTypeLiteralNode(type)) found.push(...members(type.members, name.getText(source)));
      }
    } else {
      assert.fail(`riftnet.d.ts has a ${ts.SyntaxKind[statement.kind]}`);
    }
  }
  return found;
}

function members(nodes: readonly ts.TypeElement[], of: string): Documented[] {
  return nodes.map((node) => ({ node, name: `${of}.${node.name?.getText(source) ?? 'new'}` }));
}

function parametersOf(node: ts.Node): string[] {
  return ts.isFunctionLike(node) ? node.parameters.map(({ name }) => name.getText(source)) : [];
}

/** Names of an interface's members, symbols aside. */
function membersOf(name: string): string[] {
  const declared = source.statements.filter(ts.isInterfaceDeclaration).filter((statement) => statement.name.text === name);
  return [...new Set(declared.flatMap((statement) => statement.members).flatMap((member) => (member.name && ts.isIdentifier(member.name) ? [member.name.text] : [])))];
}

/** Pairs of a class of the global scope and a member of its instances. */
function prototypeMembers(): [string, string][] {
  return ['Buffer', 'TextEncoder', 'TextDecoder', 'DOMException', 'URL', 'URLSearchParams', 'AbortSignal', 'AbortController'].flatMap((name) => membersOf(name).map((member): [string, string] => [name, member]));
}

/** Pairs of an object of the global scope and a member of it. */
function staticMembers(): [string, string][] {
  return source.statements.filter(ts.isVariableStatement).flatMap(({ declarationList }) =>
    declarationList.declarations.flatMap(({ name, type }) =>
      type && ts.isTypeLiteralNode(type) ? type.members.flatMap((member): [string, string][] => (member.name && ts.isIdentifier(member.name) ? [[name.getText(source), member.name.text]] : [])) : [],
    ),
  );
}

/** What the language puts into the global scope: an empty context of this Node has nothing else. */
function languageNames(): string[] {
  const { createContext, runInContext }: typeof import('node:vm') = process.getBuiltinModule('node:vm');
  const names: unknown = JSON.parse(String(runInContext('JSON.stringify(Object.getOwnPropertyNames(globalThis))', createContext({}))));
  assert.ok(Array.isArray(names));
  return names.map(String).filter((name) => name !== 'WebAssembly' && name !== 'console');
}
