/** The arguments of `riftnet doctor` and `riftnet interfaces`. */
import { isIPv4 } from 'node:net';
import { BINDINGS, checkAddress, checkChoice, checkNotEmpty, checkOwnAddress, checkServers, LOCALHOST_MODES, readOptions, UsageError } from '../option-values';
import type { AddressSetting, PcapSettings } from '../protocol';
import { FIX_IDS, type FixId } from './fixes/fix';

export const DOCTOR_USAGE = `Usage: riftnet doctor [OPTION]...
       riftnet doctor --fix [WHAT]... [--undo]
       riftnet interfaces [--json]
Finds out whether scripts can have a network of their own (--link pcap), and what is missing: libpcap, the
permission to capture, an interface; then DHCP, the router, a name and a connection are tried on it.

  --interface NAME         the interface to look at (default: the recommended one)
  --address dhcp|shared|A.B.C.D/LEN  the stack's address: leased, this computer's, or a given one (default dhcp)
  --gateway A.B.C.D        with a given or shared address: the router
  --dns A.B.C.D[:PORT]     a name server instead of those that DHCP names; several: repeat it, or separate by commas
  --capture-binding auto|cap|libpcap  what captures (default auto)
  --localhost relay|router router: the way to this computer by the router is tried too (default relay)
  --target HOST[:PORT]     what is connected to at the end (default example.com:80)
  --node PATH              a Node to look at first, as the setting riftnet.nodePath
  --verbose                what was sent and seen also where all is well
  --json                   the report as JSON on stdout, nothing else there
  --fix [WHAT]...          mend: capture (the default), shared, router, forwarding; what needs root is run by root, and
                           told to others
  --undo                   with --fix: take back what it did, without WHAT all of it

Exit code: 0 all is well; 1 something failed, or waits for root; 2 wrong usage; 130 interrupted.
`;

export interface DoctorCommand {
  readonly kind: 'doctor';
  readonly interface: string | null;
  /** As a run would have it; with `fix` the length of a given one may be missing, which is 32 then. */
  readonly address: AddressSetting;
  readonly dns: readonly string[];
  readonly binding: PcapSettings['binding'];
  readonly localhost: PcapSettings['localhost'];
  readonly target: { readonly host: string; readonly port: number };
  readonly nodePath: string | null;
  readonly verbose: boolean;
  readonly json: boolean;
  /** null: only look. */
  readonly fix: { readonly what: readonly FixId[]; readonly undo: boolean } | null;
}

export type Command = DoctorCommand | { readonly kind: 'interfaces'; readonly json: boolean } | { readonly kind: 'help' };

const HELP = 'riftnet doctor --help';

/** @param args with the command's name @throws UsageError */
export function parseDoctorCommand(args: readonly string[]): Command {
  const { values, positionals } = parse(args);
  const [name, ...rest] = positionals;
  if (values.help) return { kind: 'help' };
  if (name === 'interfaces') {
    const option = Object.keys(values).find((one) => one !== 'json');
    const other = option === undefined ? rest[0] : `--${option}`;
    if (other !== undefined) throw new UsageError(`riftnet interfaces takes only --json, not '${other}'`);
    return { kind: 'interfaces', json: values.json ?? false };
  }
  const fix = readFix(values.fix ?? false, values.undo ?? false, rest);
  // A fix is about the address alone.
  const address = fix !== null && values.address !== undefined && isIPv4(values.address) ? `${values.address}/32` : values.address;
  return {
    kind: 'doctor', fix,
    interface: readWord('--interface', values.interface),
    address: checkOwnAddress(address, checkAddress('--gateway', values.gateway)),
    dns: checkServers(values.dns ?? []),
    binding: checkChoice('--capture-binding', values['capture-binding'], BINDINGS) ?? 'auto',
    localhost: checkChoice('--localhost', values.localhost, LOCALHOST_MODES) ?? 'relay',
    target: readTarget(values.target ?? 'example.com:80'),
    nodePath: readWord('--node', values.node),
    verbose: values.verbose ?? false,
    json: values.json ?? false,
  };
}

function parse(args: readonly string[]) {
  return readOptions(args, {
    interface: { type: 'string' },
    address: { type: 'string' },
    gateway: { type: 'string' },
    dns: { type: 'string', multiple: true },
    localhost: { type: 'string' },
    target: { type: 'string' },
    'capture-binding': { type: 'string' },
    node: { type: 'string' },
    verbose: { type: 'boolean' },
    json: { type: 'boolean' },
    fix: { type: 'boolean' },
    undo: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  }, HELP);
}

function readFix(fix: boolean, undo: boolean, names: readonly string[]): DoctorCommand['fix'] {
  const [first] = names;
  if (!fix) {
    if (first !== undefined) throw new UsageError(`'${first}' is too much: riftnet doctor takes options, and names only with --fix`);
    if (undo) throw new UsageError('--undo goes with --fix, which it takes back');
    return null;
  }
  const what = names.map((name) => {
    const id = FIX_IDS.find((one) => one === name);
    if (id === undefined) throw new UsageError(`--fix knows ${FIX_IDS.join(', ')}, not '${name}'`);
    return id;
  });
  return { undo, what: what.length > 0 ? [...new Set(what)] : undo ? FIX_IDS : ['capture'] };
}

function readWord(option: string, text: string | undefined): string | null {
  return text === undefined ? null : checkNotEmpty(option, text);
}

function readTarget(text: string): DoctorCommand['target'] {
  const [host = '', port = '80', more] = text.split(':');
  const value = /^\d{1,5}$/.test(port) ? Number(port) : 0;
  if (!/^[\w.-]+$/.test(host) || value < 1 || value > 65_535 || more !== undefined) throw new UsageError(`--target must be HOST or HOST:PORT, such as example.com:443, not '${text}'`);
  return { host, port: value };
}
