import assert from 'node:assert/strict';
import { ESLint } from 'eslint';

describe('Lint', function () {
  // The first call loads the type checker.
  this.timeout(60_000);
  const eslint = new ESLint({
    cwd: process.cwd(),
    // Else the parser, where CI is set, reads each file from the disk once, whatever text it is given.
    overrideConfig: { files: ['**/*.ts'], languageOptions: { parserOptions: { disallowAutomaticSingleRunInference: true } } },
  });

  /** Rule names reported for `text` as if it stood in `filePath`, a file of the project. */
  async function reported(filePath: string, text: string): Promise<(string | null)[]> {
    const [result] = await eslint.lintText(text, { filePath });
    return (result?.messages ?? []).map((message) => message.ruleId);
  }

  const stackOnly: readonly (readonly [text: string, rule: string])[] = [
    ['export const now = (): number => Date.now();', 'no-restricted-globals'],
    ['export const now = (): number => performance.now();', 'no-restricted-globals'],
    ['setTimeout(() => {}, 1);', 'no-restricted-globals'],
    ['setInterval(() => {}, 1);', 'no-restricted-globals'],
    ['setImmediate(() => {});', 'no-restricted-globals'],
    ['export const roll = (): number => Math.random();', 'no-restricted-properties'],
    ['console.log(1);', 'no-restricted-globals'],
    ['export const pid = process.pid;', 'no-restricted-globals'],
    ["import { hostname } from 'node:os'; export const name = hostname();", 'no-restricted-imports'],
    ["import { hostname } from 'os'; export const name = hostname();", 'no-restricted-imports'],
  ];
  for (const [text, rule] of stackOnly) {
    it(`refuses in the stack: ${text}`, async () => {
      assert.deepEqual(await reported('stack/config.ts', text), [rule]);
      assert.ok(!(await reported('stack/clock.ts', text)).includes(rule), 'the clock, of all files, may ask the system');
    });
  }

  it('lets the stack import its own files, whatever their names', async () => {
    assert.deepEqual(await reported('stack/config.ts', "import { DNS_PORT } from './wire/dns'; export const port = DNS_PORT;"), []);
  });

  it('refuses `any` and non-null assertions in product code', async () => {
    assert.deepEqual(await reported('stack/config.ts', 'export const x: any = 1;'), ['@typescript-eslint/no-explicit-any']);
    assert.deepEqual(await reported('stack/config.ts', 'export const f = (x: string | null): string => x!;'), ['@typescript-eslint/no-non-null-assertion']);
    assert.deepEqual(await reported('stack/config.ts', 'export const f = (x: string): number => x as unknown as number;'), ['no-restricted-syntax']);
  });

  it('refuses focused and skipped tests', async () => {
    for (const text of ["it.only('x', () => {});", "describe.skip('x', () => {});", "xit('x', () => {});", "it('x', function () { this.skip(); });"]) {
      assert.deepEqual(await reported('test/stack/clock.test.ts', text), ['no-restricted-syntax'], text);
    }
  });

  it('refuses a forgotten promise', async () => {
    assert.deepEqual(await reported('stack/config.ts', 'async function f(): Promise<void> {} f();'), ['@typescript-eslint/no-floating-promises']);
  });

  it('refuses product files of more than 400 lines', async () => {
    assert.deepEqual(await reported('stack/config.ts', 'export {};\n'.repeat(401)), ['max-lines']);
    assert.deepEqual(await reported('stack/config.ts', 'export {};\n'.repeat(400)), []);
  });
});
