/** The report in words, for a terminal. */
import type { Check, CheckId, CheckStatus, FixReport, InterfaceReport, Report } from '../network-report';

const MARKS: Readonly<Record<CheckStatus, string>> = { ok: 'ok     ', warning: 'warning', failed: 'FAILED ', skipped: 'skipped' };
const INDENT = '         ';
/** The link `auto` goes without the interface only where one of these fails. */
const TO_AN_ADDRESS: readonly CheckId[] = ['libpcap', 'bindings', 'permission', 'interface', 'capture', 'dhcp'];

export function renderCheck({ title, status, summary, details, next, commands, ms }: Check, verbose: boolean): string {
  const time = ms >= 100 ? ` (${(ms / 1_000).toFixed(1)} s)` : '';
  const lines = [`${MARKS[status]}  ${title}: ${summary}${time}`];
  if (verbose || status === 'failed' || status === 'warning') for (const detail of details) lines.push(`${INDENT}· ${detail}`);
  for (const sentence of next) lines.push(`${INDENT}→ ${sentence}`);
  for (const command of commands) lines.push(`${INDENT}$ ${command}`);
  return lines.map((line) => `${line}\n`).join('');
}

export function renderInterfaces(interfaces: readonly InterfaceReport[]): string {
  const rows = interfaces.map(({ name, addresses, mac, mtu, up, loopback, wireless, obstacle, recommended }) => [
    recommended ? '*' : ' ',
    name,
    addresses.join(' ') || '-',
    mac ?? '-',
    mtu === null ? '-' : String(mtu),
    up ? 'up' : 'down',
    [loopback ? 'loopback' : '', wireless ? 'Wi-Fi' : '', recommended ? 'recommended' : '', obstacle !== null && up && !loopback ? obstacle : ''].filter(Boolean).join(', '),
  ]);
  const table = [['', 'name', 'addresses', 'MAC address', 'MTU', 'state', ''], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  return table.map((row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()}\n`).join('');
}

const FIX_WORDS: Readonly<Record<FixReport['status'], string>> = {
  done: 'done   ', unchanged: 'as it is', 'needs-root': 'NEEDS ROOT', failed: 'FAILED ', 'not-applicable': 'not here',
};

export function renderFix({ title, status, summary, commands }: FixReport): string {
  const lines = [`${FIX_WORDS[status]}  ${title}: ${summary}`, ...commands.map((command) => `${INDENT}$ ${command}`)];
  return lines.map((line) => `${line}\n`).join('');
}

/** @param options how a run is told to do what was tried */
export function renderEnd({ ok, checks }: Pick<Report, 'ok' | 'checks'>, options = '--link pcap'): string {
  if (ok) return `\nThe stack can be a host of its own on this network: ${options}.\n`;
  const failed = checks.filter(({ status }) => status === 'failed');
  const meanwhile = failed.some(({ id }) => TO_AN_ADDRESS.includes(id))
    ? 'Until it is mended, scripts run over the embedded gateway.'
    : 'Scripts that are a host on this network meet the same; with --link gateway they use the network as this computer does.';
  return `\nWhat failed: ${failed.map(({ title }) => title).join('; ')}. ${meanwhile}\n`;
}
