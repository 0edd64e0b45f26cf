/** `riftnet doctor` and `riftnet interfaces`: loaded by the terminal command, and started by the window as a process. */
import path from 'node:path';
import { listInterfaces } from '../../stack';
import { version } from '../../package.json';
import { UsageError } from '../option-values';
import { DOCTOR_USAGE, parseDoctorCommand, type DoctorCommand } from './command';
import { examine } from './examine';
import { applyFixes } from './fixes/apply';
import { reportInterfaces } from './interfaces';
import { renderCheck, renderEnd, renderFix, renderInterfaces } from './render';
import type { Check, ProgressMessage } from '../network-report';
import { ownCommand } from './shell-words';
import { runTrialProcess, type TrialRequest } from './trial';
import { TRIAL_WORD } from './trial-process';

const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** @param args with the command's name @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  let command;
  try {
    command = parseDoctorCommand(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`riftnet: ${error.message}\n`);
    return EXIT.usage;
  }
  if (command.kind === 'help') {
    process.stdout.write(DOCTOR_USAGE);
    return EXIT.ok;
  }
  if (command.kind === 'doctor') return runDoctor(command);
  const interfaces = reportInterfaces(listInterfaces());
  process.stdout.write(command.json ? `${JSON.stringify({ interfaces }, null, 2)}\n` : renderInterfaces(interfaces));
  return EXIT.ok;
}

async function runDoctor(command: DoctorCommand): Promise<number> {
  const { json, verbose } = command;
  const stop = new AbortController();
  let isRead = true;
  process.stdout.on('error', (error) => {
    // Whoever read it is gone, as after `| head`: that need not be said.
    if (isRead && !('code' in error && error.code === 'EPIPE')) process.stderr.write(`riftnet: standard output cannot be written: ${error.message}\n`);
    isRead = false;
    stop.abort();
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => (stop.signal.aborted ? process.exit(EXIT.interrupted) : stop.abort()));
  // The window that started this is gone, or has enough of it.
  process.on('disconnect', () => stop.abort());
  const say = (text: string): void => void (json || !isRead || process.stdout.write(text));
  const bundles = path.dirname(__filename);
  const again = (...words: string[]): string => ownCommand(words, path.join(bundles, 'cli.js'));

  const fixes = applyFixes(command, (line) => say(`running  ${line}\n`));
  for (const fix of fixes) say(renderFix(fix));
  if (fixes.length > 0) say('\n');
  const onCheck = (check: Check): void => {
    say(renderCheck(check, verbose));
    const message: ProgressMessage = { progress: check };
    if (process.connected) process.send?.(message, undefined, undefined, () => {});
  };
  const report = await examine({
    command, version, bundles, bundle: __filename, fixes, onCheck, signal: stop.signal,
    fixCommand: again('doctor', '--fix'),
    rootFixCommand: (...what) => `sudo ${again('doctor', '--fix', ...what)}`,
  });
  if (json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else if (command.fix === null && !stop.signal.aborted) say(renderEnd(report, runOptions(command)));
  if (process.connected) process.disconnect();
  if (!isRead) return EXIT.failed;
  if (stop.signal.aborted) return EXIT.interrupted;
  return report.ok ? EXIT.ok : EXIT.failed;
}

/** What a run is told to do as was tried here; a given address is known to whoever gave it. */
function runOptions({ address, localhost }: DoctorCommand): string {
  return ['--link pcap', ...(address.mode === 'shared' ? ['--address shared'] : []), ...(localhost === 'router' ? ['--localhost router'] : [])].join(' ');
}

if (require.main === module) {
  const [, , word, request] = process.argv;
  // What the trial is to be comes from this very bundle.
  if (word === TRIAL_WORD) void runTrialProcess(JSON.parse(request ?? '{}') as TrialRequest);
  else void main(process.argv.slice(2)).then((code) => (process.exitCode = code));
}
