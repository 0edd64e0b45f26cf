/**
 * A Node of another ABI than the one the tests run on: for it no build of `cap` loads. It comes from npm, where each
 * binary is a package, and is kept in the user's cache by version: it is 180 MB, and no dependency of the project.
 */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

/** Node 22 has the ABI 127, Node 20 has 115. */
const VERSION = process.versions.modules === '127' ? '20.20.2' : '22.23.3';
const STEP_TIMEOUT_MS = 5 * 60_000;

const run = promisify(execFile);

/** @returns the program @throws Error that says which step failed */
export async function otherNode(): Promise<string> {
  const name = `node-${process.platform}-${process.arch}`;
  const cache = path.join(process.env['XDG_CACHE_HOME'] || path.join(os.homedir(), '.cache'), 'riftnet');
  const folder = path.join(cache, `${name}-${VERSION}`);
  const program = (where: string): string => path.join(where, 'node_modules', name, 'bin', 'node');
  if (fs.existsSync(program(folder))) return program(folder);
  fs.mkdirSync(cache, { recursive: true });
  // Beside its place and moved there when complete: an interrupted run leaves nothing half-done.
  const building = fs.mkdtempSync(path.join(cache, `${name}-`));
  try {
    fs.writeFileSync(path.join(building, 'package.json'), '{ "private": true }\n');
    await run('npm', ['install', `${name}@${VERSION}`, '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: building, timeout: STEP_TIMEOUT_MS });
    await run(program(building), ['--version'], { timeout: STEP_TIMEOUT_MS });
    if (!fs.existsSync(folder)) fs.renameSync(building, folder);
  } catch (error) {
    throw new Error(`Node ${VERSION} could not be installed from npm (${name}) into ${folder}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    fs.rmSync(building, { recursive: true, force: true });
  }
  return program(folder);
}
