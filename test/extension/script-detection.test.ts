import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { isScriptText } from '../../extension/script-detection';

const is = (text: string, name = 'a.ts'): boolean => isScriptText(name, text);

describe('Whether a text is a script of ours', () => {
  it('is told by the globals that only scripts have', () => {
    for (const text of [
      "const socket = Network.Connect('localhost', 80);",
      'while (true) await Event.OnTick;',
      'Event\n  .OnRender.on(() => {});',
      'Engine.Delay(() => {}, 5);',
      "print('hello');",
      "import { x } from './lib';\nprint(x);",
    ]) assert.ok(is(text), text);
  });

  it('is not told by names in comments, strings, members, or of the same spelling', () => {
    for (const text of [
      '// Network.Connect\nconst a = 1;',
      '/* print(1)\n Event.OnTick */ export {};',
      "const text = 'await Event.OnTick';",
      'const text = `Engine.Timer(${1})`;',
      'my.Network.Connect(1);',
      'window.print(1);',
      'print();',
      'function print(x: number) {}\nprint(1);',
      "import { print } from './printer';\nprint(1);",
      "import { a as print, b } from 'x'; print(1);",
      'const engine = { Time: 1 }; engine.Time;',
      'await fetch("http://example.test/");',
      '',
    ]) assert.equal(is(text), false, text);
  });

  it('is denied by what only other programs import', () => {
    for (const text of ["import fs from 'node:fs';\nprint(1);", "const vscode = require('vscode');\nEngine.Time();", "import * as net from 'net';\nNetwork.Connect('a', 1);"]) assert.equal(is(text), false, text);
  });

  it('is denied to declarations', () => {
    assert.equal(is('Event.OnTick;', 'riftnet.d.ts'), false);
    assert.equal(is('Event.OnTick;', 'x.d.mts'), false);
  });

  it('holds for every example, and for none of our own sources that are not examples', () => {
    const examples = readdirSync('examples').filter((name) => name.endsWith('.ts'));
    assert.ok(examples.length >= 4);
    const imported = new Set(examples.flatMap((name) => [...readFileSync(`examples/${name}`, 'utf8').matchAll(/from '\.\/([\w-]+)'/g)].map((match) => `${match[1]}.ts`)));
    for (const name of examples) if (!imported.has(name)) assert.ok(is(readFileSync(`examples/${name}`, 'utf8'), name), name);
    for (const name of readdirSync('extension').filter((file) => file.endsWith('.ts'))) assert.equal(is(readFileSync(`extension/${name}`, 'utf8'), name), false, name);
  });

  it('takes no long over a long text', () => {
    const text = `${"const text = 'x'; /* y */\n".repeat(40_000)}print(1);`;
    const start = performance.now();
    assert.equal(is(text), false, 'only the beginning is read');
    assert.ok(performance.now() - start < 10_000);
  });
});
