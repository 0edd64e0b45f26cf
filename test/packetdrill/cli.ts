/** The command: files and folders in, one line for each script out, and a total. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ScriptOption } from './syntax/ast';
import { MAX_FILE_BYTES } from './syntax/limits';
import { formatOutcome, type ScriptOutcome } from './run-script';
import { Supervisor } from './supervised';

const USAGE = `Usage: npm run packetdrill -- [--OPTION=VALUE…] FILE.pkt|FOLDER…
Runs scripts in packetdrill's notation against the TCP of this stack, on a virtual clock. Folders are searched for *.pkt.
Options are those of a script's own option lines, such as --tolerance_usecs=10000, and come before them.
The exit code is 0 if no script failed, 1 if one did, 2 if the command line is wrong.`;

/** Folders within folders: a loop of links must end. */
const MAX_FOLDERS = 16;

/** @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  const scriptOptions: ScriptOption[] = [];
  const paths: string[] = [];
  for (const arg of args) {
    const option = /^--([a-zA-Z0-9_]+)(?:=(.*))?$/s.exec(arg);
    if (option) scriptOptions.push({ line: 1, name: option[1] ?? '', value: option[2] ?? null });
    else if (arg.startsWith('-')) return usage(`Unknown option ${arg}`);
    else paths.push(arg);
  }
  if (paths.length === 0) return usage('No script is named.');
  const supervisor = new Supervisor();
  const totals = { pass: 0, fail: 0, unsupported: 0 };
  for (const path of paths) {
    for (const outcome of await runPath(supervisor, path, scriptOptions)) {
      const { result } = await outcome();
      totals[result]++;
    }
  }
  await supervisor.close();
  console.log(`${totals.pass} passed, ${totals.fail} failed, ${totals.unsupported} unsupported`);
  return totals.fail > 0 ? 1 : 0;
}

function usage(problem: string): number {
  console.error(`${problem}\n${USAGE}`);
  return 2;
}

type Run = () => Promise<ScriptOutcome>;

async function runPath(supervisor: Supervisor, path: string, scriptOptions: readonly ScriptOption[]): Promise<Run[]> {
  const found = scriptsAt(path);
  if (typeof found === 'string') return [() => Promise.resolve(tell({ result: 'fail', path, line: 0, expected: 'a script', seen: found }))];
  return found.map((file) => async () => tell(await runFile(supervisor, file, scriptOptions)));
}

async function runFile(supervisor: Supervisor, file: { shown: string; absolute: string }, scriptOptions: readonly ScriptOption[]): Promise<ScriptOutcome> {
  const path = file.shown;
  let text: string;
  try {
    const { size } = statSync(file.absolute);
    if (size > MAX_FILE_BYTES) return { result: 'fail', path, line: 1, expected: `at most ${MAX_FILE_BYTES} bytes`, seen: `${size}` };
    text = readFileSync(file.absolute, 'utf8');
  } catch (error) {
    return { result: 'fail', path, line: 0, expected: 'a script', seen: reason(error) };
  }
  const { outcome, ignored } = await supervisor.run({ path, text, scriptOptions });
  for (const { line, command } of ignored) console.error(`${path}:${line}: no effect here: ${command}`);
  return outcome;
}

function tell(outcome: ScriptOutcome): ScriptOutcome {
  console.log(formatOutcome(outcome));
  return outcome;
}

/** npm changes to the package's folder and tells where it was called. */
function absolute(path: string): string {
  const called = resolve(process.env['INIT_CWD'] ?? '.', path);
  return exists(called) ? called : resolve(path);
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** The file itself, or all *.pkt in the folder, in order; or why there is none. */
function scriptsAt(path: string): { shown: string; absolute: string }[] | string {
  const start = absolute(path);
  try {
    if (statSync(start).isFile()) return [{ shown: path, absolute: start }];
    if (!statSync(start).isDirectory()) return 'neither a file nor a folder';
    const found: { shown: string; absolute: string }[] = [];
    const visit = (shown: string, folder: string, depth: number): void => {
      for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
        if (entry.isDirectory() && depth < MAX_FOLDERS) visit(join(shown, entry.name), join(folder, entry.name), depth + 1);
        else if (entry.isFile() && entry.name.endsWith('.pkt')) found.push({ shown: join(shown, entry.name), absolute: join(folder, entry.name) });
      }
    };
    visit(path, start, 0);
    return found.length > 0 ? found : 'a folder without *.pkt';
  } catch (error) {
    return reason(error);
  }
}

function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT') return 'no such file or folder';
  return error instanceof Error ? error.message : String(error);
}
