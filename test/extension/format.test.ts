import assert from 'node:assert/strict';
import { escapeMarkdown, formatBytes, formatDuration, formatTime, shorten } from '../../extension/format';

describe('formatting for people', () => {
  it('gives bytes in the largest unit that fits', () => {
    const cases: [number, string][] = [
      [0, '0 B'], [999, '999 B'], [1023, '1023 B'], [1024, '1.0 KiB'], [1229, '1.2 KiB'], [100 * 1024, '100 KiB'],
      [1024 * 1024 - 1, '1.0 MiB'], [1024 * 1024, '1.0 MiB'], [100 * 1024 * 1024, '100 MiB'], [5 * 1024 ** 3, '5.0 GiB'], [2 * 1024 ** 4, '2.0 TiB'], [5000 * 1024 ** 4, '5000 TiB'],
    ];
    for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text);
  });

  it('gives durations with the digits that matter', () => {
    const cases: [number, string][] = [
      [-5, '0.0 ms'], [0, '0.0 ms'], [0.44, '0.4 ms'], [9.96, '10 ms'], [12.4, '12 ms'], [999.4, '999 ms'], [999.6, '1.00 s'], [1234, '1.23 s'], [59_990, '59.99 s'], [59_996, '1 min 0 s'], [125_000, '2 min 5 s'],
    ];
    for (const [ms, text] of cases) assert.equal(formatDuration(ms), text);
  });

  it('gives the local time of day to the millisecond', () => {
    assert.equal(formatTime(new Date(2026, 0, 2, 3, 4, 5, 6).getTime()), '03:04:05.006');
  });

  it('escapes everything that Markdown would take for its own', () => {
    assert.equal(escapeMarkdown('a *b* [c](http://d) <e> `f`\ng'), 'a \\*b\\* \\[c\\]\\(http\\:\\/\\/d\\) \\<e\\> \\`f\\`  \ng');
  });

  it('shortens to one line', () => {
    assert.equal(shorten('a\n  b\tc', 10), 'a b c');
    assert.equal(shorten('0123456789', 10), '0123456789');
    assert.equal(shorten('0123456789x', 10), '012345678…');
  });
});
