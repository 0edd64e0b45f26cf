import assert from 'node:assert/strict';
import { lastKnown } from '../../../stack/link/last-known';

describe('What the system was asked', () => {
  it('is what it said last where it cannot answer', () => {
    let said: number | Error = new Error('EMFILE');
    const ask = lastKnown(() => {
      if (said instanceof Error) throw said;
      return said;
    }, 0);
    const answers = [ask()];
    for (said of [1, new Error('EMFILE'), 2]) answers.push(ask());
    assert.deepEqual(answers, [0, 1, 1, 2]);
  });
});
