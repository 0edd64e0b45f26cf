import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const FOLDER = 'test/extension/contract';

/** The titles of the tests in a file: the first argument of each `it(…)` that is a text. */
function titlesIn(file: string): string[] {
  const titles: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'it') {
      const [title] = node.arguments;
      if (title !== undefined && ts.isStringLiteralLike(title)) titles.push(title.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, fs.readFileSync(file, 'utf8'), ts.ScriptTarget.Latest));
  return titles;
}

describe('The contract with script authors', () => {
  const sentences = fs.readFileSync(path.join(FOLDER, 'sentences.txt'), 'utf8').split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const files = fs.readdirSync(FOLDER).filter((name) => name.endsWith('.test.ts') && name !== 'contract.test.ts');
  const titles = files.flatMap((name) => titlesIn(path.join(FOLDER, name)));

  it('has a test for each of its sentences', () => {
    const missing = sentences.filter((sentence) => !titles.includes(sentence));
    assert.deepEqual(missing, []);
    assert.equal(new Set(sentences).size, sentences.length);
    assert.ok(sentences.length >= 45);
  });

  it('has no test here of a sentence that it does not have', () => {
    assert.deepEqual(titles.filter((title) => !sentences.includes(title)), []);
    assert.equal(new Set(titles).size, titles.length);
  });
});
