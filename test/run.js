'use strict';
/*
 * The one command that CI runs: `npm test`, or some phases of it: `npm test -- unit lint`. It installs
 * what is missing, builds, and runs each phase in process groups of its own under a time limit, so that
 * nothing is left running whatever happens. The last line is `N passed, N failed` over all tests.
 */
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { root } = require('../esbuild.js');
const { PhaseOutput } = require('./phase-output.js');

/** The interop tests wait more than they work: more of their files run at once than a small machine has processors. */
const INTEROP_JOBS = 6;
/** Files that take longest. They begin first, so that none of them is left alone at the end. */
const LONG_INTEROP = ['link-pcap', 'doctor', 'fetch-pcap', 'localhost', 'link-bad-input'].map((name) => `test/interop/${name}.test.ts`);

/** What the phases run. `programs` come from Debian; `tests`: mocha runs in it and must report tests. */
const PHASES = [
  { name: 'build', minutes: 12, commands: [['esbuild.js']] },
  { name: 'check', minutes: 5, commands: ['.', 'examples', 'test/interop/scripts'].map((project) => ['node_modules/typescript/bin/tsc', '--noEmit', '-p', project]) },
  { name: 'lint', beside: 'check', minutes: 5, commands: [['node_modules/eslint/bin/eslint.js', '.']] },
  { name: 'unit', minutes: 15, tests: true, commands: [['test/unit.js']] },
  { name: 'sim', minutes: 15, tests: true, commands: [['test/sim/run.js', '--table', '--seeds', '1000']] },
  // In virtual time, on one core, as the simulator.
  { name: 'fuzz', beside: 'sim', minutes: 15, tests: true, commands: [['test/fuzz/run.js', '--seconds', process.env.CI ? '300' : '20', '--seed', '1']] },
  { name: 'interop', minutes: 20, tests: true, programs: ['nginx', 'apache2', 'tshark', 'ip', 'ethtool', 'ping', 'udhcpd', 'dnsmasq', 'avahi-daemon', 'curl', 'nft', 'setcap', 'redis-server', 'dovecot', 'pcap-config', 'g++', 'make', 'python3'], commands: [['test/interop/ensure-cap.js'], ['test/unit.js', ...LONG_INTEROP, 'test/interop', '--', '--exit', '--reporter-option', 'style=spec', '--parallel', '--jobs', String(INTEROP_JOBS)]] },
  { name: 'vscode', minutes: 20, tests: true, programs: ['chromium'], commands: [['test/vscode/launch.js']] },
];

const INSTALL_MINUTES = 10;
/** How long a phase's last processes may take to be gone after the phase. */
const GRACE_MS = 5_000;

/** The process groups that run now, to be ended when this process is told to stop. */
const current = new Set();

function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false; // No member is left.
  }
}

/** Asks the group to end, so that a launcher can end what it started in other groups; then ends it. */
function stopGroup(pid) {
  signalGroup(pid, 'SIGTERM');
  setTimeout(() => signalGroup(pid, 'SIGKILL'), GRACE_MS);
}

/** Ends what is left of the group. @returns whether something had to be ended */
async function endGroup(pid) {
  const deadline = Date.now() + GRACE_MS;
  while (signalGroup(pid, 0)) {
    if (Date.now() > deadline) {
      signalGroup(pid, 'SIGKILL');
      return true;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

/**
 * Runs `node WORDS…` in a process group of its own.
 * @returns why it failed, or null; and what was read from its output
 */
async function runNode(words, minutes, totalsFile, echo) {
  const child = spawn(process.execPath, words, {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, RIFTNET_TEST_TOTALS: totalsFile, ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}) },
  });
  if (child.pid) current.add(child.pid);
  const output = new PhaseOutput();
  child.stdout.on('data', (chunk) => {
    echo(chunk);
    output.add(chunk);
  });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    if (child.pid) stopGroup(child.pid);
  }, minutes * 60_000);
  const ended = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code, signal) => resolve(code === 0 ? null : signal ? `ended by ${signal}` : `exit code ${code}`));
  });
  clearTimeout(timer);
  const leftOver = child.pid ? await endGroup(child.pid) : false;
  current.delete(child.pid);
  if (timedOut) return { failure: `not done after ${minutes} minutes`, output };
  return { failure: ended ?? (leftOver ? 'left processes running, which were ended' : null), output };
}

function readTotals(file) {
  const totals = { passed: 0, failed: 0, skipped: 0, seen: false };
  if (!fs.existsSync(file)) return totals;
  for (const line of fs.readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
    const one = JSON.parse(line);
    totals.seen = true;
    for (const key of ['passed', 'failed', 'skipped']) totals[key] += one[key];
  }
  return totals;
}

async function runPhase(phase, folder, echo) {
  const started = performance.now();
  const totalsFile = path.join(folder, `${phase.name}.jsonl`);
  const result = { name: phase.name, failure: null, excerpt: [], passed: 0, failed: 0, skipped: 0, seconds: 0 };
  const commands = [...phase.commands];
  if (phase.programs) commands.unshift(['test/debian-packages.js', ...phase.programs]);
  for (const words of commands) {
    const minutes = words[0] === 'test/debian-packages.js' ? INSTALL_MINUTES : phase.minutes;
    const { failure, output } = await runNode(words, minutes, totalsFile, echo);
    const written = readTotals(totalsFile);
    Object.assign(result, pick(written.seen ? written : output.counted));
    if (failure) {
      result.failure = `node ${words.join(' ')}: ${failure}`;
      result.excerpt = output.excerpt();
      break;
    }
  }
  if (phase.tests && !result.failure && result.passed + result.failed === 0) result.failure = 'ran no test';
  if (process.env.CI && result.skipped > 0) result.failure ??= `${result.skipped} skipped, which CI does not allow`;
  // A phase that fails without a failed test (a type error, a hang) still counts as one failure.
  if (result.failure && result.failed === 0) result.failed = 1;
  result.seconds = (performance.now() - started) / 1_000;
  return result;
}

/** Phases that run at the same time: one after another but for those that are `beside` the one before. */
function steps(phases) {
  const all = [];
  for (const phase of phases) {
    const last = all.at(-1);
    if (phase.beside !== undefined && last?.[0].name === phase.beside) last.push(phase);
    else all.push([phase]);
  }
  return all;
}

/** Runs phases at the same time. What the second and later ones print is shown when they have ended. */
async function runStep([first, ...others], folder) {
  const later = others.map(async (phase) => {
    const chunks = [];
    return { phase, chunks, result: await runPhase(phase, folder, (chunk) => chunks.push(chunk)) };
  });
  console.log(`\n=== ${first.name}`);
  const results = [await runPhase(first, folder, (chunk) => process.stdout.write(chunk))];
  for (const { phase, chunks, result } of await Promise.all(later)) {
    console.log(`\n=== ${phase.name}`);
    for (const chunk of chunks) process.stdout.write(chunk);
    results.push(result);
  }
  return results;
}

function pick({ passed, failed, skipped }) {
  return { passed, failed, skipped };
}

function summarise(results) {
  for (const { name, excerpt } of results) if (excerpt.length > 0) console.log(`\n=== why ${name} failed\n${excerpt.join('\n')}`);
  console.log('\nphase      result   seconds   passed   failed');
  for (const { name, failure, failed, passed, seconds } of results) {
    const row = [name.padEnd(10), (failed ? 'FAILED' : 'ok').padEnd(6), seconds.toFixed(1).padStart(9), String(passed).padStart(8), String(failed).padStart(8)];
    console.log(row.join(' ') + (failure ? `   ${failure}` : ''));
  }
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  const skipped = sum('skipped');
  console.log(`\n${sum('passed')} passed, ${sum('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  return sum('failed') === 0;
}

async function main(names) {
  const unknown = names.filter((name) => !PHASES.some((phase) => phase.name === name));
  if (unknown.length > 0) {
    console.error(`No phase is called ${unknown.join(', ')}. Phases: ${PHASES.map(({ name }) => name).join(' ')}`);
    return false;
  }
  // The build also installs the dependencies, which every phase needs.
  const chosen = PHASES.filter(({ name }) => names.length === 0 || name === 'build' || names.includes(name));
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-test-'));
  const results = [];
  try {
    for (const step of steps(chosen)) {
      const ended = await runStep(step, folder);
      results.push(...ended);
      if (ended.some(({ name, failed }) => name === 'build' && failed)) break;
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  return summarise(results);
}

for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]]) {
  process.on(signal, () => {
    const groups = [...current];
    groups.forEach(stopGroup);
    void Promise.all(groups.map(endGroup)).then(() => process.exit(code));
  });
}

main(process.argv.slice(2)).then(
  (passed) => process.exit(passed ? 0 : 1),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
