import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createOnigScanner, createOnigString, loadWASM } from 'vscode-oniguruma';
import { INITIAL, parseRawGrammar, Registry } from 'vscode-textmate';
import type { IGrammar } from 'vscode-textmate';
import { changeLine, printLine } from '../../extension/output-lines';
import { RunModel } from '../../extension/run-model';
import { fetchReport, socketReport } from './support';

/** The tokens of some lines: text, and the last of its scopes. */
type Token = readonly [text: string, scope: string];

/** A string as TypeScript's own grammar scopes it: enough for what is injected into strings. */
const STRINGS = JSON.stringify({
  scopeName: 'source.ts',
  patterns: [
    { begin: '//', end: '$', name: 'comment.line.ts' },
    { begin: "'", end: "'", name: 'string.quoted.single.ts' },
    { begin: '`', end: '`', name: 'string.template.ts' },
  ],
});

async function loadGrammar(scopeName: string, file: string, injections: readonly string[] = []): Promise<IGrammar> {
  const registry = new Registry({
    onigLib: Promise.resolve({ createOnigScanner, createOnigString }),
    loadGrammar: (scope) => {
      if (scope === 'source.ts') return Promise.resolve(parseRawGrammar(STRINGS, 'strings.json'));
      return Promise.resolve(parseRawGrammar(readFileSync(file, 'utf8'), file));
    },
    getInjections: () => [...injections],
  });
  const grammar = await registry.loadGrammar(scopeName);
  assert.ok(grammar);
  return grammar;
}

function tokenize(grammar: IGrammar, text: string): Token[] {
  let state = INITIAL;
  const tokens: Token[] = [];
  for (const line of text.split('\n')) {
    const result = grammar.tokenizeLine(line, state);
    state = result.ruleStack;
    for (const { startIndex, endIndex, scopes } of result.tokens) tokens.push([line.slice(startIndex, endIndex), scopes.at(-1) ?? '']);
  }
  return tokens;
}

before(async () => {
  const wasm = readFileSync(join(dirname(require.resolve('vscode-oniguruma')), 'onig.wasm'));
  await loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength));
});

describe('the grammar of the output', () => {
  let grammar: IGrammar;
  before(async () => {
    grammar = await loadGrammar('text.riftnet-output', 'syntaxes/riftnet-output.tmLanguage.json');
  });

  const NOW = new Date(2026, 0, 2, 3, 4, 5, 6).getTime();
  const run = new RunModel().add({ id: 'run-1', key: 'file:///ws/a.ts', file: '/ws/a b.ts', title: 'a.ts', tickRate: 30, startedAt: NOW });
  /** Coloured parts of one of our lines, without its head. */
  const coloured = (line: string | null): Token[] => {
    assert.ok(line !== null);
    const tokens = tokenize(grammar, line);
    assert.deepEqual(tokens.slice(0, 3), [['03:04:05.006', 'comment.line.time.riftnet-output'], [' ', 'text.riftnet-output'], ['[a.ts]', 'entity.name.section.script.riftnet-output']]);
    return tokens.slice(3).filter(([, scope]) => scope !== 'text.riftnet-output').map(([text, scope]) => [text, scope.replace('.riftnet-output', '')]);
  };

  it('reads what a script prints as plain text, but for its level', () => {
    assert.deepEqual(coloured(printLine(NOW, 'a.ts', 'print', 'GET 200 error: plain')), []);
    assert.deepEqual(coloured(printLine(NOW, 'a.ts', 'warn', 'careful')), [['warn:', 'entity.name.function.warning']]);
    assert.deepEqual(coloured(printLine(NOW, 'a.ts', 'error', 'bad')), [['error:', 'invalid.error']]);
  });

  it('reads fetches: method, URL, and a status by its kind', () => {
    const fetchLine = (fields: Parameters<typeof fetchReport>[0]) => coloured(changeLine({ kind: 'fetch', run, fetch: fetchReport(fields), previous: null }, NOW));
    const head: Token[] = [['⇄ fetch', 'keyword.control.fetch'], ['GET', 'keyword.other.method'], ['http://example.test/', 'string.unquoted.url']];
    assert.deepEqual(fetchLine({ status: 200, statusMessage: 'OK', durationMs: 5 }), [...head, ['200 OK', 'variable.other.constant.status']]);
    assert.deepEqual(fetchLine({ status: 404, statusMessage: 'Not Found', durationMs: 5 }), [...head, ['404 Not Found', 'entity.name.function.warning']]);
    assert.deepEqual(fetchLine({ status: -1, durationMs: 5, error: { code: 'ENOTFOUND', message: 'no such name' } }), [...head, ['error ENOTFOUND: no such name', 'invalid.error']]);
  });

  it('reads sockets: address, and status by its kind', () => {
    const socketLine = (fields: Parameters<typeof socketReport>[0]) => coloured(changeLine({ kind: 'socket', run, socket: socketReport(fields), previous: null }, NOW)).slice(2);
    assert.deepEqual(socketLine({}), [['connecting', 'comment.line.status']]);
    assert.deepEqual(socketLine({ status: 'connected', remoteAddress: '192.0.2.1' }), [['connected', 'variable.other.constant.status'], ['192.0.2.1', 'string.unquoted.address']]);
    assert.deepEqual(socketLine({ status: 'fin' }), [['closed', 'comment.line.status']]);
    assert.deepEqual(socketLine({ status: 'error', error: { code: 'ECONNREFUSED', message: 'refused' } }), [['error ECONNREFUSED: refused', 'invalid.error']]);
  });

  it('reads errors with their frames', () => {
    const error = { kind: 'throw', message: 'Error: no', stack: 'Error: no\n    at fn (/ws/a b.ts:3:9)\n    at /ws/a.ts:10:1', location: null } as const;
    assert.deepEqual(coloured(changeLine({ kind: 'error', run, error }, NOW)), [
      ['✖ Error: no', 'invalid.error'],
      ['at', 'comment.line.frame'], ['fn', 'entity.name.function'], ['/ws/a b.ts', 'string.unquoted.path'], ['3', 'string.unquoted.line'], ['9', 'string.unquoted.column'],
      ['at', 'comment.line.frame'], ['/ws/a.ts', 'string.unquoted.path'], ['10', 'string.unquoted.line'], ['1', 'string.unquoted.column'],
    ]);
  });

  it("reads a run's beginning and end", () => {
    assert.deepEqual(coloured(changeLine({ kind: 'added', run }, NOW)), [['▸ running', 'keyword.control.run'], ['/ws/a b.ts', 'string.unquoted.path']]);
  });
});

describe('the grammar of HTTP in strings', () => {
  let grammar: IGrammar;
  before(async () => {
    grammar = await loadGrammar('source.ts', 'syntaxes/http-in-strings.tmLanguage.json', ['riftnet.http-in-strings']);
  });

  const http = (text: string): Token[] => tokenize(grammar, text).filter(([, scope]) => scope.endsWith('.http') && !scope.startsWith('punctuation'));

  it('reads a request line and headers in a quoted string', () => {
    assert.deepEqual(http("s.write('GET /index.html?a=1 HTTP/1.1\\r\\nHost: example.test\\r\\n')"), [
      ['GET', 'keyword.control.method.http'], ['/index.html?a=1', 'constant.other.path.http'], ['HTTP', 'keyword.other.protocol.http'], ['1.1', 'constant.numeric.version.http'],
      ['Host', 'entity.name.tag.header.http'],
    ]);
  });

  it('reads each line of a template', () => {
    assert.deepEqual(http('`POST /${name} HTTP/1.1\nContent-Type: text/plain\n`').map(([text]) => text), ['POST', '/${name}', 'HTTP', '1.1', 'Content-Type']);
  });

  it('leaves prose, code and comments alone', () => {
    assert.deepEqual(http("'GET the host: now'; // GET / HTTP/1.1\nGET / HTTP"), []);
    assert.deepEqual(http("'Note: this is prose'"), []);
  });
});
