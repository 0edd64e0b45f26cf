/** The terminal command's arguments: what may be given, and what is said of what may not. */
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { readCaFile } from './worker/ca-certificates';
import { BINDINGS, checkAddress, checkChoice, checkNotEmpty, checkOwnAddress, checkServers, LOCALHOST_MODES, readOptions, UsageError } from './option-values';
import type { LinkMode, WorkerSettings } from './protocol';
import { SCRIPT_EXTENSIONS } from './worker/loader';

export const USAGE = `Usage: riftnet run SCRIPT [OPTION]...
       riftnet doctor, riftnet interfaces: see riftnet doctor --help
Runs a JavaScript or TypeScript file over a TCP/IP stack of its own.

  --link auto|gateway|pcap how the stack reaches the network (default auto)
  --tick-rate HZ           ticks per second, 1 to 1000 (default 30)
  --timeout SECONDS        end the script after this time (default: none)
  --memory MB              MiB of memory that the script may use, 64 to 65536 (default 512)
  --interface NAME         with --link pcap: the interface (default: the one that fits best)
  --address dhcp|shared|A.B.C.D/LEN  with --link pcap: the stack's address there: leased, this
                           computer's, or a given one (default dhcp)
  --gateway A.B.C.D        with a given or shared address: the router
  --capture-binding auto|cap|libpcap  with --link pcap: what captures (default auto)
  --localhost relay|router with --link pcap: how localhost is reached (default relay)
  --host-address A.B.C.D   what localhost is relayed to (default: this computer's primary address)
  --dns A.B.C.D[:PORT]     name server instead of the system's; several: repeat it, or separate by commas
  --ca FILE                trust the authorities in this PEM file too, for https:; several: repeat it
  --capture FILE.pcapng    write every frame to this file, for Wireshark
  --stats                  at the end write the counters to stderr, as one line of JSON
  --help, --version

stdout carries only what the script prints (print, console.log, info, debug); console.warn and
console.error, errors and messages go to stderr.

Exit code: 0 the script finished; 1 it threw, was ended by a limit, or a handler of it threw;
2 wrong usage, or it could not be set up; 124 timed out; 130 interrupted.
`;

export interface RunCommand {
  readonly kind: 'run';
  /** Absolute. */
  readonly file: string;
  readonly settings: WorkerSettings;
  readonly tickRate: number;
  readonly timeoutSeconds: number | null;
  /** What the script's process may use, MiB. */
  readonly memoryMb: number;
  readonly stats: boolean;
}

export type Command = RunCommand | { readonly kind: 'help' } | { readonly kind: 'version' };

const LINKS: readonly LinkMode[] = ['auto', 'gateway', 'pcap'];
/** The options that say how the stack is a host on an interface. */
const HOST_OPTIONS = ['interface', 'address', 'gateway', 'capture-binding', 'localhost'] as const;

/** MiB: as the setting `riftnet.memoryLimit` has it, which a test holds. */
export const MEMORY_MB = { minimum: 64, maximum: 65_536, default: 512 } as const;
const MAX_TIMEOUT_SECONDS = 2_000_000;

/** @throws UsageError */
export function parseCommand(args: readonly string[]): Command {
  const { values, positionals } = parse(args);
  if (values.help) return { kind: 'help' };
  if (values.version) return { kind: 'version' };
  const [command, script, ...rest] = positionals;
  if (command === undefined) throw new UsageError(`no command given\n${USAGE}`);
  if (command !== 'run') throw new UsageError(`there is no command '${command}': there are run, doctor and interfaces`);
  if (script === undefined) throw new UsageError(`no script given\n${USAGE}`);
  if (rest.length > 0) throw new UsageError(`only one script can be run at once; '${rest.join(' ')}' is too much`);
  const needless = values.link === 'gateway' ? HOST_OPTIONS.find((option) => values[option] !== undefined) : undefined;
  if (needless !== undefined) throw new UsageError(`--${needless} is for --link pcap: the gateway has no use for it`);
  return {
    kind: 'run',
    file: checkFile(script),
    settings: {
      link: checkChoice('--link', values.link, LINKS) ?? 'auto',
      hostAddress: checkAddress('--host-address', values['host-address']),
      dns: checkServers(values.dns ?? []),
      captureFile: values.capture === undefined ? null : path.resolve(checkNotEmpty('--capture', values.capture)),
      recentFrameBytes: 0,
      extraCaCertificates: (values.ca ?? []).map(checkCaFile),
      pcap: {
        interface: values.interface === undefined ? null : checkNotEmpty('--interface', values.interface),
        binding: checkChoice('--capture-binding', values['capture-binding'], BINDINGS) ?? 'auto',
        address: checkOwnAddress(values.address, checkAddress('--gateway', values.gateway)),
        localhost: checkChoice('--localhost', values.localhost, LOCALHOST_MODES) ?? 'relay',
      },
    },
    tickRate: checkNumber('--tick-rate', values['tick-rate'], 1, 1_000) ?? 30,
    timeoutSeconds: checkNumber('--timeout', values.timeout, 0.001, MAX_TIMEOUT_SECONDS),
    memoryMb: Math.round(checkNumber('--memory', values.memory, MEMORY_MB.minimum, MEMORY_MB.maximum) ?? MEMORY_MB.default),
    stats: values.stats ?? false,
  };
}

function parse(args: readonly string[]) {
  return readOptions(args, {
    link: { type: 'string' },
    interface: { type: 'string' },
    address: { type: 'string' },
    gateway: { type: 'string' },
    'capture-binding': { type: 'string' },
    localhost: { type: 'string' },
    'tick-rate': { type: 'string' },
    timeout: { type: 'string' },
    memory: { type: 'string' },
    'host-address': { type: 'string' },
    dns: { type: 'string', multiple: true },
    ca: { type: 'string', multiple: true },
    capture: { type: 'string' },
    stats: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
    version: { type: 'boolean' },
  }, 'riftnet --help');
}

function checkFile(script: string): string {
  const file = path.resolve(script);
  let isFile: boolean;
  try {
    isFile = statSync(file).isFile();
    accessSync(file, constants.R_OK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    throw new UsageError(code === 'ENOENT' ? `there is no file ${file}` : `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isFile) throw new UsageError(`${file} is not a file: give the script itself`);
  if (!SCRIPT_EXTENSIONS.includes(path.extname(file))) throw new UsageError(`${file} is no script: its name must end in ${SCRIPT_EXTENSIONS.join(', ')}`);
  return file;
}

function checkCaFile(given: string): string {
  const file = path.resolve(checkNotEmpty('--ca', given));
  try {
    readCaFile(file);
  } catch (error) {
    throw new UsageError(`--ca: ${error instanceof Error ? error.message : String(error)}`);
  }
  return file;
}

function checkNumber(option: string, text: string | undefined, min: number, max: number): number | null {
  if (text === undefined) return null;
  const value = text.trim() === '' ? NaN : Number(text);
  if (!(value >= min && value <= max)) throw new UsageError(`${option} must be a number from ${min} to ${max}, not '${text}'`);
  return value;
}
