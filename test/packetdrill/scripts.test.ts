/** The project's own scripts: each passes, and fails on a stack without the rule that it is about. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MutantBuilder } from './mutation/mutants';
import { RULES } from './mutation/table';
import { formatOutcome, runScript, type ScriptOutcome } from './run-script';
import { Supervisor } from './supervised';

const FOLDER = 'test/packetdrill/scripts';
const EXTENSION = '.pkt';

const NAMES = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith(EXTENSION))
  .map((name) => name.replaceAll('\\', '/').slice(0, -EXTENSION.length))
  .sort();

function textOf(name: string): string {
  return readFileSync(join(FOLDER, name + EXTENSION), 'utf8');
}

/** A failure that the script itself has noticed, and not one of a stack that no longer runs. */
function assertNoticed(name: string, outcome: ScriptOutcome): void {
  const told = formatOutcome(outcome);
  assert.match(told, /^FAIL /, `${name} does not notice: ${told}`);
  assert.doesNotMatch(told, /error of the runner|it threw|the runner's end|the stack or the runner loops/, told);
}

describe('packetdrill: the scripts', () => {
  for (const name of NAMES) {
    it(`${name} passes`, () => assert.equal(formatOutcome(runScript(textOf(name), name)), `PASS ${name}`));
  }

  it('cite what they follow', () => {
    for (const name of NAMES) assert.match(textOf(name), /RFC \d+/, name);
  });

  it('each have a rule without which they fail', () => {
    const proven = new Set(RULES.flatMap(({ scripts }) => scripts));
    assert.deepEqual(NAMES.filter((name) => !proven.has(name)), []);
    assert.deepEqual([...proven].filter((name) => !NAMES.includes(name)), []);
  });
});

describe('packetdrill: a script fails without', function () {
  // Each has a bundle and a thread of its own.
  this.timeout(60_000);
  const builder = new MutantBuilder(process.cwd());

  after(() => builder.close());

  for (const { rule, without, scripts } of RULES) {
    it(rule, async () => {
      const supervisor = new Supervisor(await builder.build('config' in without ? null : without));
      try {
        assert.notEqual(scripts.length, 0);
        for (const name of scripts) {
          const { outcome } = await supervisor.run({ path: name, text: textOf(name), scriptOptions: [], mutation: 'config' in without ? without.config : {} });
          assertNoticed(name, outcome);
        }
      } finally {
        await supervisor.close();
      }
    });
  }
});

describe('packetdrill: the mutation table', () => {
  const builder = new MutantBuilder(process.cwd());

  after(() => builder.close());

  it('says so when the source has moved on', async () => {
    const find = 'no line of the stack reads like this';
    await assert.rejects(builder.build({ file: 'tcp/rack.ts', find, replace: '' }), /stack\/tcp\/rack\.ts has this text 0 times.*reads like this/);
    await assert.rejects(builder.build({ file: 'tcp/rack.ts', find: 'const', replace: '' }), /has this text \d+ times, not once/);
    await assert.rejects(builder.build({ file: 'gateway/gateway.ts', find: 'export class Gateway', replace: 'class Gateway' }), /does not use stack\/gateway\/gateway\.ts/);
  });

  it('names every rule once', () => {
    assert.equal(new Set(RULES.map(({ rule }) => rule)).size, RULES.length);
  });
});
