/** The snippets, as they stand when someone accepts every proposal, in both languages they are offered in. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { compile, COMPILERS, majorOf } from './compile';

interface Snippet {
  readonly prefix: string;
  readonly body: readonly string[];
}

/** The text with its tab stops filled by what they propose; `$0` and stops without a proposal are empty. */
function expand({ body }: Snippet): string {
  const text = body.join('\n');
  const proposals = new Map<string, string>();
  for (const [, stop = '', proposal = ''] of text.matchAll(/\$\{(\d+):([^}]*)\}/g)) proposals.set(stop, proposal);
  return text
    .replace(/\$\{(\d+):([^}]*)\}/g, (_, stop: string) => proposals.get(stop) ?? '')
    .replace(/\$\{\d+\|([^,|]*)[^}]*\|\}/g, '$1')
    .replace(/\$(\d+)/g, (_, stop: string) => proposals.get(stop) ?? '');
}

describe('The snippets', function () {
  this.timeout(120_000);
  const snippets: Record<string, Snippet> = JSON.parse(fs.readFileSync('snippets/riftnet.json', 'utf8'));

  for (const compiler of COMPILERS) {
    for (const language of ['ts', 'js']) {
      it(`compile as .${language} under TypeScript ${majorOf(compiler)}`, async () => {
        fs.mkdirSync('test-output', { recursive: true });
        const folder = fs.mkdtempSync(path.resolve('test-output', 'snippets-'));
        try {
          for (const snippet of Object.values(snippets)) fs.writeFileSync(path.join(folder, `${snippet.prefix}.${language}`), expand(snippet));
          const config: { compilerOptions: object } = JSON.parse(fs.readFileSync('test/types/cases/tsconfig.json', 'utf8'));
          fs.writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...config.compilerOptions, checkJs: true }, include: [`*.${language}`, path.resolve('riftnet.d.ts')] }));
          assert.deepEqual(await compile(compiler, folder), []);
        } finally {
          fs.rmSync(folder, { recursive: true });
        }
      });
    }
  }

  it('leave nothing of their notation', () => {
    for (const snippet of Object.values(snippets)) assert.doesNotMatch(expand(snippet), /\$\{?\d/, snippet.prefix);
  });
});
