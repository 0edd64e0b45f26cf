import type { LinkMode, WorkerSettings } from './protocol';
import type { RunSettings } from './run-controller';

/** What a person typed into settings.json: anything. */
export type RawSettings = (key: string) => unknown;

/** Why a setting was not taken as it stands: names it, its value, and what is used instead. */
export type SettingProblem = (message: string) => void;

/** Bounds of the number settings; package.json states the same, which a test holds. Units as there. */
export const NUMBER_SETTINGS = {
  /** Hz. */
  tickRate: { minimum: 1, maximum: 1000, default: 30 },
  /** MiB of RSS. */
  memoryLimit: { minimum: 64, maximum: 65_536, default: 512 },
  /** KiB a second. */
  outputLimit: { minimum: 1, maximum: 1_048_576, default: 1024 },
  /** Seconds; 0: none. */
  timeout: { minimum: 0, maximum: 86_400, default: 0 },
} as const;

const LINKS: readonly LinkMode[] = ['auto', 'gateway'];
const OCTET = '(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)';
/** As in package.json. */
export const ADDRESS_PATTERN = `^${OCTET}(?:\\.${OCTET}){3}$`;
export const SERVER_PATTERN = `^${OCTET}(?:\\.${OCTET}){3}(?::\\d{1,5})?$`;
const ADDRESS = new RegExp(ADDRESS_PATTERN);
const SERVER = new RegExp(SERVER_PATTERN);

/** VS Code warns about a value out of range, and hands it over all the same. */
function numberSetting(raw: RawSettings, problem: SettingProblem, key: keyof typeof NUMBER_SETTINGS): number {
  const value = raw(key);
  const { minimum, maximum, default: fallback } = NUMBER_SETTINGS[key];
  if (typeof value === 'number' && value >= minimum && value <= maximum) return value;
  if (value !== undefined) problem(`Setting riftnet.${key} is ${JSON.stringify(value)}; it must be a number from ${minimum} to ${maximum}. ${fallback} is used.`);
  return fallback;
}

function textSetting(raw: RawSettings, problem: SettingProblem, key: string, isValid: (text: string) => boolean, wanted: string): string | null {
  const value = raw(key);
  if (value === undefined || value === null || value === '') return null;
  if (typeof value === 'string' && isValid(value)) return value;
  problem(`Setting riftnet.${key} is ${JSON.stringify(value)}; it must be ${wanted}. It is left out.`);
  return null;
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
  const link = raw('link');
  const known = LINKS.find((mode) => mode === link);
  if (known === undefined && link !== undefined) problem(`Setting riftnet.link is ${JSON.stringify(link)}; it must be one of ${LINKS.join(', ')}. auto is used.`);
  const servers = raw('dns');
  const dns: string[] = [];
  for (const server of Array.isArray(servers) ? servers : []) {
    if (typeof server === 'string' && SERVER.test(server)) dns.push(server);
    else problem(`Setting riftnet.dns holds ${JSON.stringify(server)}; it must be an IPv4 address, such as 192.0.2.53 or 192.0.2.53:5353. It is left out.`);
  }
  return {
    link: known ?? 'auto',
    hostAddress: textSetting(raw, problem, 'hostAddress', (text) => ADDRESS.test(text), 'an IPv4 address, such as 192.0.2.7'),
    dns,
    captureFile: textSetting(raw, problem, 'captureFile', (text) => /^(?:\/|[A-Za-z]:[\\/])/.test(text), 'an absolute path'),
  };
}
