import { isIpv4, parseAddress, SERVER_PATTERN } from './address-setting';
import { t } from './l10n';
import type { AddressSetting, LinkMode, PcapSettings, WorkerSettings } from './protocol';
import type { RunSettings } from './run-controller';

/** What a person typed into settings.json: anything. */
export type RawSettings = (key: string) => unknown;

/** Why a setting was not taken as it stands: names it, its value, and what is used instead. @param key below `riftnet.` */
export type SettingProblem = (message: string, key: string) => void;

/** Bounds of the number settings; package.json states the same, which a test holds. Units as there. */
export const NUMBER_SETTINGS = {
  /** Hz. */
  tickRate: { minimum: 1, maximum: 1000, default: 30 },
  /** MiB of RSS. */
  memoryLimit: { minimum: 64, maximum: 65_536, default: 512 },
  /** KiB a second. */
  outputLimit: { minimum: 1, maximum: 1_048_576, default: 1024 },
  /** MiB; 0: none. */
  captureMemory: { minimum: 0, maximum: 1024, default: 16 },
  /** Seconds; 0: none. */
  timeout: { minimum: 0, maximum: 86_400, default: 0 },
} as const;

const LINKS: readonly LinkMode[] = ['auto', 'gateway', 'pcap'];
const BINDINGS: readonly PcapSettings['binding'][] = ['auto', 'cap', 'libpcap'];
const LOCALHOST_MODES: readonly PcapSettings['localhost'][] = ['relay', 'router'];
const SERVER = new RegExp(SERVER_PATTERN);

/** VS Code warns about a value out of range, and hands it over all the same. */
function numberSetting(raw: RawSettings, problem: SettingProblem, key: keyof typeof NUMBER_SETTINGS): number {
  const value = raw(key);
  const { minimum, maximum, default: fallback } = NUMBER_SETTINGS[key];
  if (typeof value === 'number' && value >= minimum && value <= maximum) return value;
  if (value !== undefined) problem(t('Setting riftnet.{0} is {1}; it must be a number from {2} to {3}. {4} is used.', key, JSON.stringify(value), minimum, maximum, fallback), key);
  return fallback;
}

function textSetting(raw: RawSettings, problem: SettingProblem, key: string, isValid: (text: string) => boolean, wanted: string): string | null {
  const value = raw(key);
  if (value === undefined || value === null || value === '') return null;
  if (typeof value === 'string' && isValid(value)) return value;
  problem(t('Setting riftnet.{0} is {1}; it must be {2}. It is left out.', key, JSON.stringify(value), wanted), key);
  return null;
}

/** As in package.json. */
export const PATH_PATTERN = '^(?:/|[A-Za-z]:[\\\\/])';

function isAbsolutePath(text: string): boolean {
  return new RegExp(PATH_PATTERN).test(text);
}

function pathsSetting(raw: RawSettings, problem: SettingProblem, key: string): string[] {
  const value = raw(key);
  const paths: string[] = [];
  for (const path of Array.isArray(value) ? value : []) {
    if (typeof path === 'string' && isAbsolutePath(path)) paths.push(path);
    else problem(t('Setting riftnet.{0} holds {1}; it must be {2}. It is left out.', key, JSON.stringify(path), t('an absolute path')), key);
  }
  return paths;
}

function choiceSetting<T extends string>(raw: RawSettings, problem: SettingProblem, key: string, choices: readonly T[], fallback: T): T {
  const value = raw(key);
  const known = choices.find((choice) => choice === value);
  if (known === undefined && value !== undefined) problem(t('Setting riftnet.{0} is {1}; it must be one of {2}. {3} is used.', key, JSON.stringify(value), choices.join(', '), fallback), key);
  return known ?? fallback;
}

function addressSetting(raw: RawSettings, problem: SettingProblem): AddressSetting {
  const text = textSetting(raw, problem, 'address', (given) => parseAddress(given) !== null, t('dhcp, shared, or an IPv4 address with the length of its network, such as {0}', '192.0.2.7/24')) ?? 'dhcp';
  const address = parseAddress(text) ?? { mode: 'dhcp' };
  const gateway = textSetting(raw, problem, 'gateway', isIpv4, t('an IPv4 address, such as {0}', '192.0.2.1'));
  return address.mode === 'dhcp' ? address : { ...address, gateway };
}

/** What a run is started with. */
export function runSettings(raw: RawSettings, problem: SettingProblem): RunSettings {
  const timeout = numberSetting(raw, problem, 'timeout');
  return {
    tickRate: numberSetting(raw, problem, 'tickRate'),
    limits: {
      memoryMb: Math.round(numberSetting(raw, problem, 'memoryLimit')),
      outputBytesPerSecond: Math.round(numberSetting(raw, problem, 'outputLimit') * 1024),
    },
    timeoutSeconds: timeout === 0 ? null : timeout,
    whenRunning: raw('whenRunning') === 'parallel' ? 'parallel' : 'restart',
  };
}

/** What a worker is started with. */
export function workerSettings(raw: RawSettings, problem: SettingProblem): WorkerSettings {
  const servers = raw('dns');
  const dns: string[] = [];
  for (const server of Array.isArray(servers) ? servers : []) {
    if (typeof server === 'string' && SERVER.test(server)) dns.push(server);
    else problem(t('Setting riftnet.{0} holds {1}; it must be {2}. It is left out.', 'dns', JSON.stringify(server), t('an IPv4 address, such as {0}', '192.0.2.53, 192.0.2.53:5353')), 'dns');
  }
  return {
    link: choiceSetting(raw, problem, 'link', LINKS, 'auto'),
    hostAddress: textSetting(raw, problem, 'hostAddress', isIpv4, t('an IPv4 address, such as {0}', '192.0.2.7')),
    dns,
    extraCaCertificates: pathsSetting(raw, problem, 'extraCaCertificates'),
    captureFile: textSetting(raw, problem, 'captureFile', isAbsolutePath, t('an absolute path')),
    pcap: {
      interface: textSetting(raw, problem, 'interface', () => true, t('the name of a network interface')),
      binding: choiceSetting(raw, problem, 'captureBinding', BINDINGS, 'auto'),
      address: addressSetting(raw, problem),
      localhost: choiceSetting(raw, problem, 'localhost', LOCALHOST_MODES, 'relay'),
    },
    recentFrameBytes: Math.round(numberSetting(raw, problem, 'captureMemory') * 1024 * 1024),
  };
}

/** The Node to try first for the worker; null: none is set. */
export function nodePathSetting(raw: RawSettings, problem: SettingProblem): string | null {
  return textSetting(raw, problem, 'nodePath', isAbsolutePath, t('the absolute path of a Node, such as {0}', '/usr/bin/node'));
}
