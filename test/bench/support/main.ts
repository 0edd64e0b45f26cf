/** `npm run bench -- NAME… [--json FILE] [--runs N] [--cpu-prof] [--list]`, once everything is bundled. */
import { fork } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { select, summarise, table, type Benchmark, type Result, type Row } from './harness';

const USAGE = 'npm run bench -- [NAME…] [--json FILE] [--runs N] [--cpu-prof] [--list]';
const LIMIT_MS = 180_000;
const PROFILES = 'test-output/profiles';

/** @param bundles absolute paths of the bundled benchmark files @returns the exit code */
export async function main(bundles: readonly string[], argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { json: { type: 'string' }, runs: { type: 'string', default: '3' }, 'cpu-prof': { type: 'boolean', default: false }, list: { type: 'boolean', default: false } },
  });
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1 || runs > 100) throw new Error(`--runs ${values.runs}: a whole number from 1 to 100 is meant. ${USAGE}`);
  const home = new Map<Benchmark, string>();
  for (const bundle of bundles) for (const benchmark of load(bundle)) home.set(benchmark, bundle);
  const selection = select([...home.keys()], positionals);
  if ('unknown' in selection) throw new Error(`No benchmark is called ${selection.unknown} or begins so. There are: ${[...home.keys()].map(({ name }) => name).join(' ')}`);
  if (values.list) {
    for (const { name, unit, target } of selection.chosen) console.log(`${name} (${unit})${target ? `, target: ${target}` : ''}`);
    return 0;
  }

  const rows: Row[] = [];
  let failed = false;
  for (const benchmark of selection.chosen) {
    const result = await measure(home.get(benchmark) ?? '', benchmark, runs, values['cpu-prof']);
    if (result) rows.push({ benchmark, result });
    else failed = true;
  }
  console.log(`\n${table(rows)}`);
  if (values['cpu-prof']) console.log(`\nProfiles are in ${PROFILES}/: open them in VS Code or Chromium's DevTools.`);
  if (values.json !== undefined) fs.writeFileSync(values.json, `${JSON.stringify(rows.map(({ result }) => result), null, 2)}\n`);
  return failed ? 1 : 0;
}

function load(bundle: string): readonly Benchmark[] {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- bundled a moment ago
  const { benchmarks } = require(bundle) as { benchmarks?: readonly Benchmark[] };
  if (!benchmarks) throw new Error(`${bundle} exports no benchmarks`);
  return benchmarks;
}

/** Both sides in turn, so that a machine that slows down slows both. @returns null if a run failed, which has been told */
async function measure(bundle: string, benchmark: Benchmark, runs: number, profile: boolean): Promise<Result | null> {
  const own: number[] = [];
  const peer: number[] = [];
  for (let i = 0; i < runs; i++) {
    process.stderr.write(`${benchmark.name}: run ${i + 1} of ${runs}\n`);
    const value = await runOnce(bundle, benchmark.name, 'subject', profile);
    if (value === null) return null;
    own.push(value);
    if (!benchmark.against) continue;
    const against = await runOnce(bundle, benchmark.name, 'against', false);
    if (against === null) return null;
    peer.push(against);
  }
  return summarise(benchmark, own, peer);
}

function runOnce(bundle: string, name: string, side: 'subject' | 'against', profile: boolean): Promise<number | null> {
  const execArgv = ['--enable-source-maps', '--expose-gc', ...(profile ? ['--cpu-prof', '--cpu-prof-dir', PROFILES] : [])];
  const child = fork(path.join(__dirname, 'child.js'), [bundle, name, side], { execArgv });
  let value: number | null = null;
  child.on('message', (message: { value?: unknown }) => {
    if (typeof message.value === 'number' && Number.isFinite(message.value)) value = message.value;
  });
  const timer = setTimeout(() => {
    process.stderr.write(`${name} (${side}): not done after ${LIMIT_MS / 1_000} s, ended\n`);
    child.kill('SIGKILL');
  }, LIMIT_MS);
  return new Promise((resolve) => {
    child.on('exit', (code) => {
      clearTimeout(timer);
      if (code !== 0 || value === null) process.stderr.write(`${name} (${side}): failed with exit code ${code}\n`);
      resolve(code === 0 ? value : null);
    });
  });
}
