/** Assertions in code blocks: a small part of Python, and nothing beyond it. */
import assert from 'node:assert/strict';
import { PythonError, runPython, UnknownPython } from './python/run-python';

const VALUES: Readonly<Record<string, number>> = { tcpi_snd_cwnd: 10, tcpi_rtt: 100_000, tcpi_options: 5, TCP_X: 1, big: 2 ** 40 };
const lookup = (name: string): number | undefined => (Object.hasOwn(VALUES, name) ? VALUES[name] : undefined);

/** Whether the assertion holds. */
function holds(expression: string): boolean {
  return runPython(`assert ${expression}`, lookup, new Map()) === null;
}

describe('packetdrill: code', () => {
  it('computes as Python does', () => {
    const truths = [
      'tcpi_snd_cwnd == 10', '9 <= tcpi_snd_cwnd < 11', 'not 10 < tcpi_snd_cwnd', 'tcpi_snd_cwnd == 3 or tcpi_rtt > 0 and 1',
      '2 + 3 * 4 == 14', '(2 + 3) * 4 == 20', '-2 ** 2 == -4', '7 // 2 == 3 and -7 // 2 == -4', '-7 % 3 == 2', '7 / 2 == 3.5', '2 ** 3 ** 2 == 512',
      '(tcpi_options & 4) != 0', '1 << 4 | 1 == 17', '6 ^ 3 == 5', '~0 == -1', 'big >> 38 == 4', '0x10 == 16', '1e3 == 1000',
      'abs(tcpi_rtt - 99000) < 2000', 'min(3, 1, 2) == 1 and max(3, 1) == 3', 'int(3.9) == 3', 'True and not False', "'a' == f'a'", "1, f'{tcpi_snd_cwnd}'",
    ];
    for (const expression of truths) assert.ok(holds(expression), expression);
    for (const expression of ['tcpi_snd_cwnd == 9', '1 < 2 < 2', 'not 1', '0', "''", 'False']) assert.ok(!holds(expression), expression);
  });

  it('tells a broken assertion with the values it is about', () => {
    assert.deepEqual(runPython('assert tcpi_snd_cwnd == TCP_X, "cwnd is %d" % tcpi_snd_cwnd', lookup, new Map()), {
      assertion: 'tcpi_snd_cwnd == TCP_X', values: 'tcpi_snd_cwnd = 10',
    });
  });

  it('runs statements in turn, over lines and semicolons, with comments', () => {
    const variables = new Map<string, number | string>();
    assert.equal(runPython('old = tcpi_snd_cwnd # ten\nprint(old, "x"); pass', lookup, variables), null);
    assert.equal(runPython('assert old == 10 and (old\n + 1 == 11)', lookup, variables), null);
    assert.equal(runPython('assert old == 10; assert old == 11', lookup, variables)?.assertion, 'old == 11');
  });

  it('understands nothing else, and runs none of it', () => {
    for (const code of ['import os', '__import__("os")', 'assert foo(1)', 'assert tcpi_unknown == 1', 'assert constructor', 'x.y = 1', 'assert $', 'for i in x: pass', 'assert lambda: 1', 'assert toString()']) {
      assert.throws(() => runPython(code, lookup, new Map()), UnknownPython, code);
    }
  });

  it('raises where Python would', () => {
    for (const code of ['assert 1 / 0', 'assert (1', 'assert 1 +', 'assert "a" < 1', 'assert 1 << 1000', `assert ${'('.repeat(200)}`, `assert ${'not '.repeat(200)}1`, `assert ${'-'.repeat(200)}1`]) {
      assert.throws(() => runPython(code, lookup, new Map()), PythonError, code);
    }
  });
});
