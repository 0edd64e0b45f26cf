import assert from 'node:assert/strict';
import { readTexts, windowSources } from './texts';
describe('x', () => { it('y', () => {
  for (const f of windowSources()) for (const b of readTexts(f).bypassing) console.log(b.file, b.line, JSON.stringify(b.text));
  assert.ok(true);
});});
