/** What the option lines of a script, or of the command line, set. */
import { parseIpv4 } from '../../stack/wire/address';
import type { ScriptOption } from './syntax/ast';
import { ScriptFailure, UnsupportedConstruct } from './syntax/script-error';

export interface Settings {
  /** How far an event may be from its time, µs. packetdrill's own default. */
  readonly toleranceUs: number;
  /** The same as a share of the time since the event before; the greater one counts. The virtual clock is exact, so none by default. */
  readonly tolerancePercent: number;
  readonly bindPort: number;
  readonly connectPort: number;
  readonly localAddress: number;
  readonly remoteAddress: number;
  readonly mtu: number;
  /** µs of one tick of the stack's timestamp clock; 0: its values are not checked, as in packetdrill. */
  readonly timestampTickUs: number;
  /** Whether a packet of the script is exactly one segment, never several in a row. */
  readonly strictSegments: boolean;
  /** The stack's first initial sequence number, or null for any: ours, for tests of wrapping. */
  readonly localIsn: number | null;
  /** The stack's first timestamp, or null for any: ours too. Not together with `localIsn`: both follow from the clock. */
  readonly localTimestamp: number | null;
}

/** packetdrill's addresses (192.168/16 and RFC 5737's TEST-NET-1) and ports. */
export const DEFAULT_SETTINGS: Settings = {
  toleranceUs: 4_000,
  tolerancePercent: 0,
  bindPort: 8080,
  connectPort: 8080,
  localAddress: 0xc0a8_0001,
  remoteAddress: 0xc000_0201,
  mtu: 1500,
  timestampTickUs: 0,
  strictSegments: false,
  localIsn: null,
  localTimestamp: null,
};

/** Options about how packetdrill itself runs, which change nothing here. */
const IGNORED = ['gateway_ip', 'netmask_ip', 'speed', 'init_scripts', 'code_command', 'code_format', 'code_sockopt', 'tcp_ts_ecr_scaled', 'send_omit_free', 'verbose', 'debug', 'mss'];

/** @throws ScriptFailure for a bad value, UnsupportedConstruct for an option without a meaning here */
export function applyOptions(base: Settings, options: readonly ScriptOption[]): Settings {
  return options.reduce(applyOption, base);
}

function applyOption(settings: Settings, option: ScriptOption): Settings {
  const { line, name, value } = option;
  const number = (least: number, most: number): number => {
    const parsed = Number(value ?? NaN);
    if (!Number.isInteger(parsed) || parsed < least || parsed > most) throw new ScriptFailure(line, `--${name} from ${least} to ${most}`, String(value));
    return parsed;
  };
  switch (name) {
    case 'ip_version':
      // Sockets of IPv6 with IPv4 on the wire: calls say nothing of addresses mostly.
      if (value !== 'ipv4' && value !== 'ipv4-mapped-ipv6') throw new UnsupportedConstruct(line, `--ip_version=${value}`);
      return settings;
    case 'tolerance_usecs':
      return { ...settings, toleranceUs: number(0, 1e9) };
    case 'tolerance_percent':
      return { ...settings, tolerancePercent: percent(line, value) };
    case 'bind_port':
      return { ...settings, bindPort: number(1, 0xffff) };
    case 'connect_port':
      return { ...settings, connectPort: number(1, 0xffff) };
    case 'local_ip':
      return { ...settings, localAddress: address(line, name, value) };
    case 'remote_ip':
      return { ...settings, remoteAddress: address(line, name, value) };
    case 'mtu':
      return { ...settings, mtu: number(68, 65_535) };
    case 'tcp_ts_tick_usecs':
      return { ...settings, timestampTickUs: number(0, 1e6) };
    case 'strict_segments':
      return { ...settings, strictSegments: true };
    case 'local_isn':
      return { ...settings, localIsn: number(0, 0xffff_ffff), localTimestamp: null };
    case 'local_timestamp':
      return { ...settings, localTimestamp: number(0, 0xffff_ffff), localIsn: null };
    default:
      if (IGNORED.includes(name)) return settings;
      throw new UnsupportedConstruct(line, `--${name.slice(0, 40)}`);
  }
}

function percent(line: number, value: string | null): number {
  const parsed = Number(value ?? NaN);
  if (!(parsed >= 0 && parsed <= 100)) throw new ScriptFailure(line, '--tolerance_percent from 0 to 100', String(value));
  return parsed;
}

function address(line: number, name: string, value: string | null): number {
  // packetdrill allows a prefix length behind the remote address.
  const parsed = parseIpv4((value ?? '').replace(/\/\d+$/, ''));
  if (parsed === null) throw new ScriptFailure(line, `an IPv4 address for --${name}`, String(value));
  return parsed;
}
