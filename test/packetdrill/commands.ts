/** Shell commands in backticks. None is ever run: settings of the kernel's TCP become the stack's, the rest is reported. */
import { resolveConfig, type TcpConfig } from '../../stack/config';

export interface CommandEffect {
  readonly config: Partial<TcpConfig>;
  /** What had no effect. */
  readonly ignored: readonly string[];
}

type Mapping = (values: readonly number[], text: string) => Partial<TcpConfig> | null;

/** A setting that is on or off. */
function toggle(field: { [K in keyof TcpConfig]: TcpConfig[K] extends boolean ? K : never }[keyof TcpConfig]): Mapping {
  return ([value]) => (value === undefined ? null : { [field]: value !== 0 });
}

const ECN_MODES: readonly TcpConfig['ecn'][] = ['off', 'on', 'passive'];

/** Linux's sysctls under net.ipv4 by the setting that they amount to. */
const SYSCTLS: ReadonlyMap<string, Mapping> = new Map<string, Mapping>([
  // Three sizes: least, at first, and the most that auto-tuning may take. The window scale follows from the last.
  ['tcp_rmem', ([, first, most]) => (first === undefined || most === undefined ? null : { initialBufferBytes: Math.min(first, most), receiveBufferBytes: most })],
  ['tcp_wmem', ([, , most]) => (most === undefined ? null : { sendBufferBytes: most })],
  ['tcp_syn_retries', ([retries]) => (retries === undefined ? null : { connectTimeoutMs: (2 ** (retries + 1) - 1) * 1_000 })],
  // Linux counts the retries of a connection whose RTO is the least one.
  ['tcp_retries2', ([retries]) => (retries === undefined ? null : { userTimeoutMs: (2 ** (Math.min(retries, 9) + 1) - 1) * 200 + Math.max(0, retries - 9) * 120_000 })],
  ['tcp_fin_timeout', ([seconds]) => (seconds === undefined ? null : { finWait2TimeoutMs: seconds * 1_000 })],
  ['tcp_max_tw_buckets', ([count]) => (count === undefined ? null : { maxTimeWait: count })],
  ['tcp_invalid_ratelimit', ([ms]) => (ms === undefined ? null : { invalidAnswerMs: ms })],
  ['tcp_rto_min_us', ([us]) => (us === undefined ? null : { minRtoMs: us / 1_000 })],
  ['tcp_rto_max_ms', ([ms]) => (ms === undefined ? null : { maxRtoMs: ms })],
  ['tcp_sack', toggle('sack')],
  ['tcp_slow_start_after_idle', toggle('idleRestart')],
  ['tcp_timestamps', toggle('timestamps')],
  ['tcp_window_scaling', toggle('windowScaling')],
  ['tcp_frto', toggle('frto')],
  ['tcp_moderate_rcvbuf', toggle('autoTuning')],
  ['tcp_mtu_probing', toggle('blackHoleDetection')],
  // A set of bits, of which the first is RACK.
  ['tcp_recovery', ([bits]) => (bits === undefined ? null : { rack: (bits & 1) !== 0 })],
  // 0: no tail loss probes; 3 and 4: with them.
  ['tcp_early_retrans', toggle('tlp')],
  ['tcp_congestion_control', (_, text) => (text === 'cubic' || text === 'reno' ? { congestion: text } : null)],
  ['tcp_ecn', ([mode]) => (ECN_MODES[mode ?? NaN] === undefined ? null : { ecn: ECN_MODES[mode ?? NaN] ?? 'off' })],
  ['ip_local_port_range', ([first, last]) => (first === undefined || last === undefined ? null : { ephemeralFirst: first, ephemeralLast: last })],
]);

/** What packetdrill's own scripts begin with, so far as it is not the runner's default anyway: a receive buffer of 15 MiB, thus a window scale of 8. */
const DEFAULTS_SCRIPT = 'defaults.sh';
const DEFAULTS: Partial<TcpConfig> = { receiveBufferBytes: 15 << 20, ecn: 'off' };

/** `net.ipv4.tcp_x=1`, `net/ipv4/tcp_x="1 2 3"`, `/proc/sys/net/ipv4/tcp_x=1`, with or without a program before them. */
const ASSIGNMENT = /^(?:\/proc\/sys\/)?net[./]ipv4[./](\w+)=(.*)$/s;

/** @param text the whole text between the backticks: any number of commands, one a line or parted by `;` or `&&` */
export function interpretCommand(text: string): CommandEffect {
  let config: Partial<TcpConfig> = {};
  const ignored: string[] = [];
  for (const command of text.split(/\n|;|&&/)) {
    const words = splitWords(command.replace(/(^|\s)#.*$/, ''));
    if (words.length === 0) continue;
    const program = (words[0] ?? '').replace(/^.*\//, '');
    const assignments = words.filter((word) => ASSIGNMENT.test(word));
    const other = program === DEFAULTS_SCRIPT ? DEFAULTS : interpretRouting(words);
    if (other) {
      config = { ...config, ...other };
      continue;
    }
    if (assignments.length === 0 || !(program === 'sysctl' || program.startsWith('set_sysctls'))) {
      ignored.push(words.join(' '));
      continue;
    }
    for (const assignment of assignments) {
      const effect = interpretSysctl(assignment);
      if (effect) config = { ...config, ...effect };
      else ignored.push(assignment);
    }
  }
  return { config, ignored };
}

function interpretSysctl(assignment: string): Partial<TcpConfig> | null {
  const [, name = '', text = ''] = ASSIGNMENT.exec(assignment) ?? [];
  const values = text.trim().split(/\s+/).map(Number);
  const areNumbers = values.every((value) => Number.isSafeInteger(value) && value >= 0);
  const config = SYSCTLS.get(name)?.(areNumbers ? values : [], text.trim()) ?? null;
  return config && isInRange(config) ? config : null;
}

function isInRange(tcp: Partial<TcpConfig>): boolean {
  try {
    resolveConfig({ tcp });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** What scripts set by other programs: the queue that paces, and the initial window of a route. */
function interpretRouting(words: readonly string[]): Partial<TcpConfig> | null {
  const [program, object] = words;
  // Linux's TCP is paced by the fq queue; the queues without pacing are named pfifo and the like.
  if (program === 'tc' && object === 'qdisc' && words.includes('fq')) return { pacing: true };
  if (program !== 'ip' || object !== 'route') return null;
  const segments = Number(words[words.indexOf('initcwnd') + 1]);
  return words.includes('initcwnd') && Number.isInteger(segments) && segments > 0 ? { initialWindowSegments: segments } : null;
}

/** Words as a shell parts them, without expansions. */
function splitWords(command: string): string[] {
  const words: string[] = [];
  for (const [word] of command.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)) words.push(word.replace(/["']/g, ''));
  return words;
}
