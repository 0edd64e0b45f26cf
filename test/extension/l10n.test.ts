import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { formatMoment, t, translateWith } from '../../extension/l10n';
import { readTexts, windowSources } from './texts';

/** Texts that are the same in every language, and why. */
const SAME_EVERYWHERE: ReadonlySet<string> = new Set([
  // The product's name, alone or after an icon.
  'Riftnet',
  '$(sync~spin) Riftnet: {}{}',
  // What scripts themselves read: a status of theirs, and the state that RFC 9293 names.
  'socket error',
  'fin, {}',
  // A file's name.
  'Untitled',
  // A question to VS Code's list of extensions.
  '@builtin {}',
  // What the extension knows its own file by.
  '// Kept up to date by the Riftnet extension: changes here are lost.\n',
]);

/** The output's own lines are a notation that its grammar reads, the same in every window. */
const NOTATION = 'extension/output-lines.ts';

const read = (file: string): Record<string, string> => JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
const placeholders = (text: string): string[] => [...new Set(text.match(/\{\d+\}/g) ?? [])].sort();
const links = (text: string): string[] => [...text.matchAll(/\((?:command|https?):[^)]*\)|`[^`]+`|\$\([\w~-]+\)/g)].map(([link]) => link).sort();

const texts = windowSources().map((file) => ({ file, ...readTexts(file) }));
const english = new Set(texts.flatMap(({ translated }) => translated.map(({ text }) => text)));
const languages = readdirSync('l10n').map((name) => /^bundle\.l10n\.(.+)\.json$/.exec(name)?.[1]).filter((language) => language !== undefined);

describe('The texts of the window', () => {
  it('all go through the translator', () => {
    const bypassing = texts.flatMap(({ file, bypassing: found }) => (file === NOTATION || file === 'extension/l10n.ts' ? [] : found));
    const unexpected = bypassing.filter(({ file, text }) => !SAME_EVERYWHERE.has(text) && !(file === 'extension/extension.ts' && text.includes('vscode.l10n.t(text, ...values)')));
    assert.deepEqual(unexpected.map(({ file, line, text }) => `${file}:${line} ${text}`), []);
  });

  it('that are messages go through one place, where each has what can be done about it', () => {
    const direct = windowSources().filter((file) => file !== 'extension/messages.ts' && /\.show(?:Error|Warning|Information)Message\b/.test(readFileSync(file, 'utf8')));
    assert.deepEqual(direct, []);
  });

  it('are found: those known to be there, and one that bypasses the translator', () => {
    assert.ok(english.size > 50, `${english.size} texts`);
    assert.ok(english.has('Manage Workspace Trust'));
    assert.ok(texts.find(({ file }) => file === NOTATION)?.bypassing.some(({ text }) => text === '{} finished {}'));
  });

  it('number what is put into them, from 0 on', () => {
    for (const text of english) assert.deepEqual(placeholders(text), placeholders(text).map((_, index) => `{${index}}`), text);
  });

  it('are English without a translation, values in their places', () => {
    assert.equal(t('{1} of {0}', 'two', 1), '1 of two');
    translateWith((text, ...values) => `${text.length} ${values.join()}`, 'de');
    try {
      assert.equal(t('{0} open', 7), '8 7');
      assert.equal(formatMoment(new Date(2026, 10, 24, 18, 23, 35).getTime()), '24.11.2026, 18:23:35');
    } finally {
      translateWith((text, ...values) => text.replace(/\{(\d+)\}/g, (_, index: string) => String(values[Number(index)])));
    }
  });

  it('are there in another language', () => {
    assert.ok(languages.length > 0);
  });

  for (const language of languages) {
    it(`are complete in ${language}, with the same values and links, and nothing left over`, () => {
      for (const [name, from, to] of [
        ['texts', Object.fromEntries([...english].map((text) => [text, text])), read(`l10n/bundle.l10n.${language}.json`)],
        ['package.json', read('package.nls.json'), read(`package.nls.${language}.json`)],
      ] as const) {
        assert.deepEqual(Object.keys(from).filter((key) => !(key in to)), [], `${name}: missing`);
        assert.deepEqual(Object.keys(to).filter((key) => !(key in from)), [], `${name}: left over`);
        for (const [key, text] of Object.entries(to)) {
          assert.ok(text.trim() !== '', key);
          assert.deepEqual(placeholders(text), placeholders(from[key] ?? ''), key);
          assert.deepEqual(links(text), links(from[key] ?? ''), key);
        }
      }
    });
  }
});
