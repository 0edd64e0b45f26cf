import assert from 'node:assert/strict';
import { findLocations, SEARCHED_CHARACTERS } from '../../extension/script-locations';
import { newScriptFile, uniqueTitle, untitledPath } from '../../extension/script-title';

describe("a script's title", () => {
  it('is its file name, with its folder where two have the same, with a number where one runs twice', () => {
    assert.equal(uniqueTitle('/ws/a.ts', []), 'a.ts');
    assert.equal(uniqueTitle('/ws/two/a.ts', [{ file: '/ws/one/a.ts', title: 'a.ts' }]), 'two/a.ts');
    assert.equal(uniqueTitle('/ws/a.ts', [{ file: '/ws/a.ts', title: 'a.ts' }]), 'a.ts #2');
    assert.equal(uniqueTitle('/ws/a.ts', [{ file: '/ws/a.ts', title: 'a.ts' }, { file: '/ws/a.ts', title: 'a.ts #2' }]), 'a.ts #3');
  });

  it('that is new has the ending of scripts, and no spaces around its name', () => {
    assert.deepEqual(['hello', ' hello.ts ', 'a.mjs', 'my script', 'a.txt'].map(newScriptFile), ['hello.ts', 'hello.ts', 'a.mjs', 'my script.ts', 'a.txt.ts']);
  });

  it('of a document without a file comes from the path it would have', () => {
    assert.equal(untitledPath('Untitled-1', 'typescript', '/ws'), '/ws/Untitled-1.ts');
    assert.equal(untitledPath('Untitled-1', 'javascript', '/ws/'), '/ws/Untitled-1.js');
    assert.equal(untitledPath('Untitled-1', 'typescript', 'C:\\ws'), 'C:\\ws\\Untitled-1.ts');
    assert.equal(untitledPath('new script.ts', 'typescript', '/ws'), '/ws/new-script.ts');
    assert.equal(untitledPath('/', 'typescript', '/ws'), '/ws/-.ts');
  });
});

describe('locations in the output', () => {
  const found = (text: string) => findLocations(text).map(({ file, line, column, start, end }) => [file, line, column, text.slice(start, end)]);

  it('are found in frames, in parentheses and bare', () => {
    assert.deepEqual(found('Error: x\n    at fn (/ws/a.ts:3:9)\n    at /ws/lib/b.ts:10:1'), [
      ['/ws/a.ts', 3, 9, '/ws/a.ts:3:9'],
      ['/ws/lib/b.ts', 10, 1, '/ws/lib/b.ts:10:1'],
    ]);
  });

  it('may have spaces in parentheses, and be those of Windows', () => {
    assert.deepEqual(found('    at fn (/my scripts/a.ts:3:9)'), [['/my scripts/a.ts', 3, 9, '/my scripts/a.ts:3:9']]);
    assert.deepEqual(found('    at fn (C:\\ws\\a.ts:3:9)'), [['C:\\ws\\a.ts', 3, 9, 'C:\\ws\\a.ts:3:9']]);
  });

  it('of a stack may have spaces and parentheses in any form of its lines', () => {
    const places = ['C:\\Program Files (x86)\\ws\\a.ts', '/my (old) scripts/a #1.ts', "/it's mine/a:b.ts", '/ws/a.ts'];
    for (const file of places) {
      for (const [before, after] of [['', ''], ['async ', ''], ['fn (', ')'], ['async Promise.all (', ')'], ['new Thing (', ')'], ['Thing.run [as go] (', ')']] as const) {
        assert.deepEqual(found(`Error: x\n    at ${before}${file}:3:9${after}\nmore /ws/b.ts:1:2`), [[file, 3, 9, `${file}:3:9`], ['/ws/b.ts', 1, 2, '/ws/b.ts:1:2']], `${before}${file}`);
      }
    }
    assert.deepEqual(found('    at Array.map (<anonymous>)\n    at fn (b.ts:1:2)'), []);
  });

  it('are not seen in URLs, times and plain numbers', () => {
    assert.deepEqual(found('12:34:56.789 [a.ts] ⇄ fetch GET http://host:80:90/x 10.0.0.1:80:1 a/b.ts:1:2'), []);
    assert.deepEqual(found('(/ws/a.ts:0:1)'), []);
  });

  it('are looked for in the end of a long output only, and in linear time', () => {
    const text = `${'(/'.repeat(SEARCHED_CHARACTERS / 2)} (/ws/a.ts:1:2)`;
    const started = performance.now();
    assert.deepEqual(found(text), [['/ws/a.ts', 1, 2, '/ws/a.ts:1:2']]);
    const line = `    at ${' (/:1'.repeat(900)}`;
    assert.deepEqual(found(`${`${line}\n`.repeat(SEARCHED_CHARACTERS / line.length)}    at /ws/a.ts:1:2`).at(-1), ['/ws/a.ts', 1, 2, '/ws/a.ts:1:2']);
    assert.ok(performance.now() - started < 10_000);
  });
});
