/** One script from text to outcome: the runner's API. */
import { performance } from 'node:perf_hooks';
import { DEFAULT_CONFIG, type TcpConfig } from '../../stack/config';
import type { Script, ScriptOption } from './syntax/ast';
import { checkSupport } from './check';
import { interpretCommand } from './commands';
import { Host } from './wire/host';
import { Interpreter } from './interpreter';
import { Budget, MAX_FILE_BYTES } from './syntax/limits';
import { parseScript } from './syntax/parser';
import { ScriptFailure, UnsupportedConstruct } from './syntax/script-error';
import { applyOptions, DEFAULT_SETTINGS, type Settings } from './settings';

export type ScriptOutcome =
  | { readonly result: 'pass'; readonly path: string }
  | { readonly result: 'fail'; readonly path: string; readonly line: number; readonly expected: string; readonly seen: string }
  | { readonly result: 'unsupported'; readonly path: string; readonly line: number; readonly construct: string };

export interface RunOptions {
  /** The stack's settings where they differ from those that scripts expect; the script's own come on top. */
  readonly configOverrides?: Partial<TcpConfig>;
  /** Settings that nothing in the script can change: to see it fail with a mechanism switched off. */
  readonly mutation?: Partial<TcpConfig>;
  /** Option lines that come before the script's. */
  readonly scriptOptions?: readonly ScriptOption[];
  /** Told of commands without an effect. */
  readonly onIgnored?: (line: number, command: string) => void;
  /** For tests: the wall clock, ms. */
  readonly wallNow?: () => number;
}

/**
 * Where packetdrill's surroundings differ from our defaults: segments leave in bursts (Linux paces only with
 * the fq queue, which scripts ask for by `tc qdisc`), ECN is agreed to but not offered (tcp_ecn = 2), and
 * timeouts do not make segments smaller (tcp_mtu_probing = 0).
 */
const SCRIPT_CONFIG: Partial<TcpConfig> = { pacing: false, ecn: 'passive', blackHoleDetection: false };

/** The clock of initial sequence numbers ticks every 4 µs (RFC 9293 §3.4.1). */
const ISN_TICK_MS = 0.004;

/**
 * Runs a script in packetdrill's notation against the TCP of this stack, on a virtual clock. Neither throws
 * nor takes longer than the limits in limits.ts, whatever the text.
 * @param path only for the outcome
 */
export function runScript(text: string, path: string, options: RunOptions = {}): ScriptOutcome {
  let line = 1;
  try {
    if (text.length > MAX_FILE_BYTES) throw new ScriptFailure(1, `at most ${MAX_FILE_BYTES} bytes`, `${text.length}`);
    const script = parseScript(text);
    line = script.events[0]?.line ?? 1;
    const settings = applyOptions(applyOptions(DEFAULT_SETTINGS, options.scriptOptions ?? []), script.options);
    checkSupport(script);
    runParsed(script, settings, options, (current) => {
      line = current;
    });
    return { result: 'pass', path };
  } catch (error) {
    if (error instanceof ScriptFailure) return { result: 'fail', path, line: error.line, expected: error.expected, seen: error.seen };
    if (error instanceof UnsupportedConstruct) return { result: 'unsupported', path, line: error.line, construct: error.construct };
    const seen = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { result: 'fail', path, line, expected: 'the script to run', seen: `an error of the runner or the stack: ${seen}` };
  }
}

function runParsed(script: Script, settings: Settings, options: RunOptions, atLine: (line: number) => void): void {
  const budget = new Budget(options.wallNow ?? (() => performance.now()));
  const report = options.onIgnored ?? (() => {});
  let config: TcpConfig = { ...DEFAULT_CONFIG.tcp, ...SCRIPT_CONFIG, ...options.configOverrides };
  for (const command of script.initCommands) {
    const effect = interpretCommand(command.text);
    config = { ...config, ...effect.config };
    for (const ignored of effect.ignored) report(command.line, ignored);
  }
  const runAt = (startMs: number, quiet: boolean): Host => {
    const host = new Host({ config, settings, budget, startMs }, options.mutation ?? {});
    try {
      new Interpreter(host, settings, quiet ? () => {} : report).run(script);
    } catch (error) {
      if (!quiet) throw error;
    } finally {
      atLine(host.line);
    }
    return host;
  };
  runAt(startFor(settings, () => runAt(0, true)), false);
  for (const command of script.cleanupCommands) for (const ignored of interpretCommand(command.text).ignored) report(command.line, ignored);
}

/** When the clock has to start so that the stack's numbers begin where the script says: a first run shows what time 0 gives. */
function startFor({ localIsn: isn, localTimestamp: timestamp }: Settings, atZero: () => Host): number {
  if (isn === null && timestamp === null) return 0;
  const { flows } = atZero();
  if (isn !== null) return ((isn - (flows.find(({ localIsn }) => localIsn !== null)?.localIsn ?? isn)) >>> 0) * ISN_TICK_MS; // RFC 6528 §3
  const wanted = timestamp ?? 0;
  return (wanted - (flows.find(({ localTimestamp }) => localTimestamp !== null)?.localTimestamp ?? wanted)) >>> 0;
}

/** The one line that says how it went. */
export function formatOutcome(outcome: ScriptOutcome): string {
  switch (outcome.result) {
    case 'pass':
      return `PASS ${outcome.path}`;
    case 'fail':
      return oneLine(`FAIL ${outcome.path}:${outcome.line} expected ${outcome.expected}, seen ${outcome.seen}`);
    case 'unsupported':
      return oneLine(`UNSUPPORTED ${outcome.path}:${outcome.line} ${outcome.construct}`);
  }
}

/** Whatever a script holds, it must not look like another line. */
function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is meant
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
}
