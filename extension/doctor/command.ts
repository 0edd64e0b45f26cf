/** The arguments of `riftnet doctor` and `riftnet interfaces`. */
import { isIPv4 } from 'node:net';
import { parseArgs } from 'node:util';
import { FIX_IDS, type FixId } from './fixes/fix';

export const DOCTOR_USAGE = `Usage: riftnet doctor [OPTION]...
       riftnet doctor --fix [WHAT]... [--undo]
       riftnet interfaces [--json]
Finds out whether scripts can have a network of their own (--link pcap), and what is missing: libpcap, the
permission to capture, an interface; then DHCP, the router, a name and a connection are tried on it.

  --interface NAME         the interface to look at (default: the recommended one)
  --address A.B.C.D/LEN    an address of the stack's own, instead of one by DHCP
  --gateway A.B.C.D        with --address: the router
  --dns A.B.C.D[:PORT]     a name server instead of those that DHCP names; several: repeat it, or separate by commas
  --capture-binding auto|cap|libpcap  what captures (default auto)
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
  readonly given: { readonly address: string; readonly prefixLength: number; readonly gateway: string | null } | null;
  readonly dns: readonly string[];
  readonly binding: 'auto' | 'cap' | 'libpcap';
  readonly target: { readonly host: string; readonly port: number };
  readonly nodePath: string | null;
  readonly verbose: boolean;
  readonly json: boolean;
  /** null: only look. */
  readonly fix: { readonly what: readonly FixId[]; readonly undo: boolean } | null;
}

export type Command = DoctorCommand | { readonly kind: 'interfaces'; readonly json: boolean } | { readonly kind: 'help' };

export class DoctorUsageError extends Error {
  override readonly name = 'DoctorUsageError';
}

/** @param args with the command's name @throws DoctorUsageError */
export function parseDoctorCommand(args: readonly string[]): Command {
  const { values, positionals } = parse(args);
  const [name, ...rest] = positionals;
  if (values.help) return { kind: 'help' };
  if (name === 'interfaces') {
    const other = Object.keys(values).find((option) => option !== 'json') ?? rest[0];
    if (other !== undefined) throw new DoctorUsageError(`riftnet interfaces takes only --json, not '${other}'`);
    return { kind: 'interfaces', json: values.json ?? false };
  }
  const fix = readFix(values.fix ?? false, values.undo ?? false, rest);
  const given = readGiven(values.address, values.gateway, fix !== null);
  return {
    kind: 'doctor', given, fix,
    interface: readWord('--interface', values.interface),
    dns: (values.dns ?? []).flatMap((text) => text.split(',')).map(readServer),
    binding: readBinding(values['capture-binding'] ?? 'auto'),
    target: readTarget(values.target ?? 'example.com:80'),
    nodePath: readWord('--node', values.node),
    verbose: values.verbose ?? false,
    json: values.json ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        interface: { type: 'string' },
        address: { type: 'string' },
        gateway: { type: 'string' },
        dns: { type: 'string', multiple: true },
        target: { type: 'string' },
        'capture-binding': { type: 'string' },
        node: { type: 'string' },
        verbose: { type: 'boolean' },
        json: { type: 'boolean' },
        fix: { type: 'boolean' },
        undo: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    const message = error instanceof Error ? (error.message.split(/\. To specify|\n/)[0] ?? '') : String(error);
    throw new DoctorUsageError(`${message}; see riftnet doctor --help`);
  }
}

function readFix(fix: boolean, undo: boolean, names: readonly string[]): DoctorCommand['fix'] {
  const [first] = names;
  if (!fix) {
    if (first !== undefined) throw new DoctorUsageError(`'${first}' is too much: riftnet doctor takes options, and names only with --fix`);
    if (undo) throw new DoctorUsageError('--undo goes with --fix, which it takes back');
    return null;
  }
  const what = names.map((name) => {
    const id = FIX_IDS.find((one) => one === name);
    if (id === undefined) throw new DoctorUsageError(`--fix knows ${FIX_IDS.join(', ')}, not '${name}'`);
    return id;
  });
  return { undo, what: what.length > 0 ? [...new Set(what)] : undo ? FIX_IDS : ['capture'] };
}

function readGiven(address: string | undefined, gateway: string | undefined, forFix: boolean): DoctorCommand['given'] {
  if (address === undefined) {
    if (gateway !== undefined) throw new DoctorUsageError('--gateway goes with --address: DHCP names the router itself');
    return null;
  }
  const [ip = '', length, more] = address.split('/');
  // A fix is about the address alone.
  const fits = more === undefined && (length === undefined ? forFix : /^\d{1,2}$/.test(length) && Number(length) <= 32);
  if (!isIPv4(ip) || !fits) throw new DoctorUsageError(`--address must be an IPv4 address with its length, such as 192.0.2.7/24, not '${address}'`);
  return { address: ip, prefixLength: Number(length ?? 32), gateway: gateway === undefined ? null : readAddress('--gateway', gateway) };
}

function readAddress(option: string, text: string): string {
  if (!isIPv4(text)) throw new DoctorUsageError(`${option} must be an IPv4 address such as 192.0.2.1, not '${text}'`);
  return text;
}

function readServer(text: string): string {
  const [address = '', port, more] = text.split(':');
  const portFits = port === undefined || (/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535);
  if (!isIPv4(address) || !portFits || more !== undefined) throw new DoctorUsageError(`--dns must be an IPv4 address such as 192.0.2.1 or 192.0.2.1:53, not '${text}'`);
  return text;
}

function readWord(option: string, text: string | undefined): string | null {
  if (text === '') throw new DoctorUsageError(`${option} needs a value`);
  return text ?? null;
}

function readBinding(text: string): DoctorCommand['binding'] {
  if (text !== 'auto' && text !== 'cap' && text !== 'libpcap') throw new DoctorUsageError(`--capture-binding must be auto, cap or libpcap, not '${text}'`);
  return text;
}

function readTarget(text: string): DoctorCommand['target'] {
  const [host = '', port = '80', more] = text.split(':');
  const value = /^\d{1,5}$/.test(port) ? Number(port) : 0;
  if (!/^[\w.-]+$/.test(host) || value < 1 || value > 65_535 || more !== undefined) throw new DoctorUsageError(`--target must be HOST or HOST:PORT, such as example.com:443, not '${text}'`);
  return { host, port: value };
}
