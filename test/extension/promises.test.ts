import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';

const TABLES = 'test/vscode/README.md';

describe('The tables of what people find in VS Code', () => {
  const rows = readFileSync(TABLES, 'utf8').split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| what |'));

  it('have a test or a step of the walk for each row', () => {
    assert.ok(rows.length > 30, `${rows.length} rows`);
    for (const row of rows) assert.match(row, /^\| [^|]+ \| `[\w.-]+` [^|]+ \|$/, row);
  });

  it('name tests that are there', () => {
    const missing: string[] = [];
    for (const row of rows) {
      for (const [, file = '', title = ''] of row.matchAll(/`([\w.-]+)` ([^;|]+?)(?=;| \|)/g)) {
        const path = [`test/vscode/${file}`, `test/extension/${file}`].find((candidate) => existsSync(candidate));
        const titles = path === undefined ? [] : [...readFileSync(path, 'utf8').matchAll(/\bit\((['"`])(.*?)\1, /g)].map(([, , text = '']) => text);
        if (!titles.some((text) => text.includes(title))) missing.push(`${file}: ${title}`);
      }
    }
    assert.deepEqual(missing, []);
  });
});
