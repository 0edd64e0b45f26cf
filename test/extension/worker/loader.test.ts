import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse } from 'acorn';
import { markAwaits } from '../../../extension/worker/await-marks';
import { bundleScript, stopBundler, withInlineMap, type Bundle } from '../../../extension/worker/loader';
import { shiftColumns } from '../../../extension/worker/source-map-columns';
import { ErrorMapper } from '../../../extension/worker/script/errors';
import type { ScriptError } from '../../../extension/protocol';

describe('Bundling a script', function () {
  this.timeout(30_000);
  let folder: string;
  before(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-loader-'))));
  after(async () => {
    fs.rmSync(folder, { recursive: true });
    await stopBundler();
  });

  function write(name: string, text: string): string {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
    return file;
  }

  async function bundle(file: string, source: string | null = null): Promise<Bundle> {
    const result = await bundleScript(file, source);
    if ('error' in result) assert.fail(result.error.stack);
    return result.bundle;
  }

  async function failure(file: string): Promise<ScriptError> {
    const result = await bundleScript(file, null);
    if (!('error' in result)) assert.fail('it was bundled');
    return result.error;
  }

  /** What the script prints; the marks of its awaits are recorded. */
  async function run({ program }: Bundle): Promise<{ printed: unknown[]; awaits: [number, number][] }> {
    const printed: unknown[] = [];
    const awaits: [number, number][] = [];
    const script = new Function('print', `return ${program}`)((...values: unknown[]) => printed.push(...values));
    await script((line: number, column: number, value: unknown) => {
      awaits.push([line, column]);
      return value;
    })();
    return { printed, awaits };
  }

  const mapperOf = (made: Bundle) => new ErrorMapper(made);

  it('joins relative imports of TypeScript, JavaScript and JSON, with top-level await', async () => {
    write('lib/typed.ts', 'export const typed: number = await Promise.resolve(1);\n');
    write('plain.js', 'exports.plain = 2;\n');
    write('data.json', '{ "three": 3 }\n');
    const file = write('imports.ts', "import { typed } from './lib/typed';\nimport { plain } from './plain.js';\nimport data from './data.json';\nprint(typed, plain, await Promise.resolve(data.three));\nexport const exported = 1;\n");
    assert.deepEqual((await run(await bundle(file))).printed, [1, 2, 3]);
  });

  it('takes packages from node_modules, also one with the name of a module of Node', async () => {
    write('node_modules/small/package.json', '{ "name": "small", "main": "index.js", "sideEffects": false }');
    write('node_modules/small/index.js', 'module.exports = (process.env.NODE_ENV) + typeof global.Array;\n');
    write('node_modules/events/package.json', '{ "name": "events", "main": "e.js" }');
    write('node_modules/events/e.js', 'exports.mine = true;\n');
    const file = write('packages.ts', "import small from 'small';\nimport { mine } from 'events';\nprint(small, mine);\n");
    assert.deepEqual((await run(await bundle(file))).printed, ['productionfunction', true]);
  });

  it('finds the places in files whose names a URL would escape, in stacks and for a debugger', async () => {
    const other = write('Ordner ü #1 100%20/Größe.ts', 'export function fail(): never {\n  throw new Error("x");\n}\n');
    const file = write('日本.ts', "import { fail } from './Ordner ü #1 100%20/Größe';\nfail();\n");
    const made = await bundle(file);
    const placeOf = (text: string) => {
      const lines = made.program.split('\n');
      const at = lines.findIndex((line) => line.includes(text));
      return mapperOf(made).locate(at + 1, (lines[at] ?? '').indexOf(text) + 1);
    };
    assert.deepEqual([placeOf('throw new'), placeOf('fail();')], [{ file: other, line: 2, column: 3 }, { file, line: 2, column: 1 }]);
    const inline = /base64,(.*)$/.exec(withInlineMap(made))?.[1] ?? '';
    assert.deepEqual(JSON.parse(Buffer.from(inline, 'base64').toString()).sources, [pathToFileURL(other).href, pathToFileURL(file).href]);
  });

  it('lets a package do without modules of Node that it only tries for', async () => {
    write('node_modules/tries/package.json', '{ "name": "tries" }');
    write('node_modules/tries/index.js', "let fs = null;\ntry { fs = require('fs'); } catch (error) { exports.code = error.code; exports.message = error.message; }\nexports.later = () => require('node:crypto');\n");
    write('node_modules/tries/async.mjs', "export const found = await import('node:fs').catch((error) => error.code);\n");
    const file = write('tries.ts', "import { code, message, later } from 'tries';\nimport { found } from 'tries/async.mjs';\nprint(code, found, message);\ntry { later(); } catch (error) { print(error); }\n");
    const made = await bundle(file);
    const { printed } = await run(made);
    assert.deepEqual(printed.slice(0, 2), ['MODULE_NOT_FOUND', 'MODULE_NOT_FOUND']);
    assert.match(String(printed[2]), /^"fs" is a module of Node, and not available/);
    assert.match(String(printed[3]), /"node:crypto" is a module of Node/);
    // What stands for the module is no place to show anybody.
    const at = made.program.split('\n').findIndex((line) => line.includes('throw Object.assign'));
    assert.equal(mapperOf(made).locate(at + 1, 10), null);
  });

  it("follows a package's browser map round what needs Node", async () => {
    write('node_modules/mapped/package.json', '{ "name": "mapped", "browser": { "./node.js": "./browser.js", "fs": false } }');
    write('node_modules/mapped/index.js', "require('fs');\nmodule.exports = require('./node.js');\n");
    write('node_modules/mapped/node.js', "require('net').connect();\n");
    write('node_modules/mapped/browser.js', "module.exports = 'browser';\n");
    assert.deepEqual((await run(await bundle(write('mapped-package.ts', "import where from 'mapped';\nprint(where);\n")))).printed, ['browser']);
  });

  it("resolves a linked script's imports beside the file it leads to, and keeps the link's name in errors", async () => {
    write('real/near.ts', 'export const near = 7;\n');
    const target = write('real/linked.ts', "import { near } from './near';\nprint(near as number);\n");
    const link = path.join(folder, 'link.ts');
    fs.symlinkSync(target, link);
    assert.deepEqual((await run(await bundle(link))).printed, [7]);
    assert.deepEqual((await run(await bundle(link, "import { near } from './near';\nprint(near + 1);\n"))).printed, [8]);
    fs.writeFileSync(target, 'const x = ;\n');
    assert.deepEqual((await failure(link)).location, { file: link, line: 1, column: 11 });
  });

  for (const [name, bytes] of [['UTF-16', Buffer.from('\ufeffprint(1);\n', 'utf16le')], ['a picture', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 1, 27])]] as const) {
    it(`says that ${name} is no script, and shows none of it`, async () => {
      const file = write('bytes.ts', '');
      fs.writeFileSync(file, bytes);
      const error = await failure(file);
      assert.equal(error.stack, `SyntaxError: ${file} is not text in UTF-8: save it so, or give another file`);
    });
  }

  it('says that a native add-on cannot be used', async () => {
    write('addon.node', 'ELF');
    const error = await failure(write('native.ts', "import './addon.node';\n"));
    assert.match(error.message, /addon\.node is a native add-on, which scripts cannot use: take a package that is JavaScript only$/);
  });

  it('starts the bundler anew after its process was ended', async () => {
    const file = write('again.ts', 'print(1);\n');
    await bundle(file);
    const children = fs.readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ');
    const bundler = children.find((pid) => fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--service='));
    assert.ok(bundler !== undefined, `no bundler among ${children.join(', ')}`);
    process.kill(Number(bundler), 'SIGKILL');
    await assert.rejects(bundleScript(file, null));
    assert.deepEqual((await run(await bundle(file))).printed, [1]);
  });

  it('says that a script cannot be read', async () => {
    assert.match((await failure(path.join(folder, 'gone.ts'))).message, /gone\.ts cannot be read: ENOENT/);
  });

  it('explains an import whose name is only known at run time', async () => {
    const made = await bundle(write('computed.ts', "const name = './data.json' + '';\nprint(await import(name));\n"));
    const error = await run(made).then(() => assert.fail('it was imported'), (thrown: unknown) => mapperOf(made).describe('throw', thrown));
    assert.match(error.message, /is not supported \(what a script imports is put together before it runs: write the path itself/);
  });

  it('runs the unsaved text instead of the file, and imports beside it', async () => {
    write('beside.ts', 'export const beside = 5;\n');
    const file = write('unsaved.ts', "print('old');\n");
    assert.deepEqual((await run(await bundle(file, "import { beside } from './beside';\nprint(beside as number);\n"))).printed, [5]);
    assert.deepEqual((await run(await bundle(path.join(folder, 'never-saved.ts'), 'print(1 as number);'))).printed, [1]);
  });

  it('runs a script although a package.json around it claims that files have no effects', async () => {
    write('pure/package.json', '{ "sideEffects": false }');
    assert.deepEqual((await run(await bundle(write('pure/effects.ts', 'print(1);\n')))).printed, [1]);
  });

  for (const [name, text, message, line, column] of [
    ['a syntax error', 'const ok = 1;\nconst äé = ;\n', /^SyntaxError: Unexpected ";"/, 2, 12],
    ['a module of Node', "\nimport fs from 'node:fs';\nprint(fs);\n", /"node:fs" is a module of Node/, 2, 16],
    ['a module of Node without its prefix', "import fs from 'fs';\nprint(fs);\n", /"fs" is a module of Node/, 1, 16],
    ['require of a module of Node', "const fs = require('fs');\nprint(fs);\n", /"fs" is a module of Node, .*, and nothing for require to load/, 1, 20],
    ['import.meta', "print(1);\n  print(import.meta.url);\n", /import\.meta is not available/, 2, 9],
    ['a file that is not there', "import './missing';\n", /Could not resolve "\.\/missing": there is no file \/.*\/missing, nor with \.tsx, \.ts, .*\.json at its end, nor an index file/, 1, 8],
    ['a package that is not there', "import 'no-such-package';\n", /Could not resolve "no-such-package": no node_modules .* install it with npm/, 1, 8],
    ['an import that is not there', "import './missing';\n", /missing/, 1, 8],
    ['an import from the web', "import 'https://example.com/x.js';\n", /only files, by a relative path/, 1, 8],
  ] as const) {
    it(`names the place of ${name}`, async () => {
      const file = write('wrong.ts', text);
      const error = await failure(file);
      assert.equal(error.kind, 'syntax');
      assert.match(error.message, message);
      assert.deepEqual(error.location, { file, line, column });
      assert.ok(error.stack.includes(`at ${file}:${line}:${column}`), error.stack);
    });
  }

  it('maps a position in the program to the file it came from', async () => {
    const other = write('thrower.ts', 'interface Unused {\n  a: 1;\n}\nexport function boom(): never {\n  throw new Error("boom");\n}\n');
    const file = write('mapped.ts', "import { boom } from './thrower';\nawait null; await boom(), print(await null, boom());\n");
    const made = await bundle(file);
    const at = made.program.split('\n').findIndex((line) => line.includes('throw new'));
    const line = made.program.split('\n')[at] ?? '';
    assert.deepEqual(mapperOf(made).locate(at + 1, line.indexOf('throw') + 1), { file: other, line: 5, column: 3 });
    // Behind the marks of three awaits on one line.
    const last = made.program.split('\n').findIndex((text) => text.includes('print('));
    const text = made.program.split('\n')[last] ?? '';
    assert.deepEqual(mapperOf(made).locate(last + 1, text.indexOf('print(') + 1), { file, line: 2, column: 27 });
    assert.deepEqual(mapperOf(made).locate(last + 1, text.lastIndexOf('boom()') + 1), { file, line: 2, column: 45 });
  });

  it("keeps what is ours out of the script's own function, where a debugger would list it", async () => {
    const file = write('named.ts', 'class Named {\n  static make() { return new Named(); }\n}\nexport const made = Named.make();\nawait null;\n');
    const made = await bundle(file);
    const own = made.program.slice(made.program.indexOf('return async () => {'));
    assert.deepEqual(own.match(/\b(?:var|let|const|class|function) \w+/g), ['var Named', 'class _Named', 'var made']);
    const line = own.split('\n').findIndex((text) => text.includes('new _Named')) + 1;
    assert.deepEqual(mapperOf(made).locate(line, (own.split('\n')[line - 1] ?? '').indexOf('new _Named') + 1), { file, line: 2, column: 26 });
  });

  it('marks each top-level await with its own place', async () => {
    const file = write('awaits.ts', 'await null;\nconst f = async () => await null;\nconst x = [await (1, 2), await f()];\nfor await (const y of [3]) {\n  print(x, y);\n}\n');
    const made = await bundle(file);
    const { printed, awaits } = await run(made);
    assert.deepEqual(printed, [[2, null], 3]);
    const places = awaits.map(([line, column]) => mapperOf(made).locate(line, column));
    assert.deepEqual(places.map((place) => place && [place.line, place.column]), [[1, 1], [3, 12], [3, 26], [4, 1], [4, 1]]);
  });
});

describe('Marking awaits', () => {
  it('leaves a program without top-level awaits as it is', () => {
    const program = 'async function f() { await 1; }\nconst g = async () => { for await (const x of y) z(x); };\n';
    assert.deepEqual(markAwaits(program, 'AAAA'), { program, mappings: 'AAAA' });
  });

  it('leaves a program that cannot be parsed as it is', () => {
    assert.deepEqual(markAwaits('await (((', ''), { program: 'await (((', mappings: '' });
  });

  it('keeps a program correct where operands nest, spread over lines or stand in parentheses', () => {
    const { program } = markAwaits('a = await f(await g(\n  1), await (x, y));\nif (b) await await c;\nfor await (const q of await r) ;\n', '');
    parse(program, { ecmaVersion: 'latest', sourceType: 'module' });
    assert.equal(program, 'a = await __riftnetAwait(1,5,f(await __riftnetAwait(1,32,g(\n  1)), await __riftnetAwait(2,8,(x, y))));\nif (b) await __riftnetAwait(3,8,await __riftnetAwait(3,33,c));\nfor await (const q of __riftnetAwait(4,1,await __riftnetAwait(4,42,r))) ;\n');
  });
});

describe('Shifting columns of a source map', () => {
  it('moves what comes at or after an insertion, on its line only', () => {
    // Two lines: segments at columns 0, 4, 9; and at 2.
    assert.equal(shiftColumns('AAAA,IAAI,KAAK;EACA', [{ line: 0, column: 4, length: 3 }]), 'AAAA,OAAI,KAAK;EACA');
    assert.equal(shiftColumns('AAAA,IAAI,KAAK;EACA', [{ line: 0, column: 5, length: 100 }, { line: 1, column: 0, length: 1 }]), 'AAAA,IAAI,yGAAK;GACA');
  });
});
