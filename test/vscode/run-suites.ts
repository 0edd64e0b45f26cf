import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'node:util';
import Mocha from 'mocha';

/** A suite that hangs must not hold up the run: what a test waits for has shorter limits of its own. */
const TEST_TIMEOUT_MS = 60_000;

/**
 * Runs the suites of one kind of window; rejects if a test failed, which becomes the launcher's exit code.
 * The suites that act as a person (`person-*`) need a browser to act in, and are left out of a desktop run.
 */
export async function runSuites(isWanted: (name: string) => boolean): Promise<void> {
  const hasBrowser = process.env['RIFTNET_TEST_BROWSER'] !== undefined;
  // The launcher finds the suites' lines among the window's own by this mark.
  if (hasBrowser) Mocha.reporters.Base.consoleLog = (...words: unknown[]) => console.log(format(...words).replace(/^/gm, 'riftnet-suite|'));
  const mocha = new Mocha({ timeout: TEST_TIMEOUT_MS, color: false, reporter: 'spec' });
  // Set by the launcher from its own argument: the tests whose names hold it.
  const wanted = process.env['RIFTNET_TEST_GREP'];
  if (wanted) mocha.fgrep(wanted);
  for (const name of readdirSync(__dirname).sort()) {
    if (name.endsWith('.suite.js') && isWanted(name) && (hasBrowser || !name.startsWith('person-'))) mocha.addFile(join(__dirname, name));
  }
  const failures = await new Promise<number>((resolve) => mocha.run(resolve));
  if (failures > 0) throw new Error(`${failures} tests failed`);
}
