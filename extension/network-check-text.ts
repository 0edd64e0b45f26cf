/** The doctor's report as a Markdown document. Its own sentences are the doctor's, in English, as in the log. */
import { t } from './l10n';
import type { Check, CheckStatus, InterfaceReport, Report } from './network-report';

/** Before a command's line, by which its lens finds it. */
export const COMMAND_INDENT = '    ';

const MARKS: Readonly<Record<CheckStatus, string>> = { ok: '✔', warning: '⚠', failed: '✖', skipped: '–' };

export function checkTitle({ status, title, summary }: Check): string {
  return `${MARKS[status]} ${title}: ${summary}`;
}

export function reportText(report: Report): string {
  const { ok, checks, interfaces, version, platform, arch } = report;
  return [
    `# ${t('Riftnet: network setup')}`,
    '',
    ok ? t('Scripts can have a network of their own here: set "riftnet.link" to "pcap".') : t('Scripts run over the embedded gateway here, which needs nothing of this. What a network of their own lacks is marked with {0}.', MARKS.failed),
    '',
    ...checks.flatMap(checkLines),
    `## ${t('Interfaces')}`,
    '',
    ...interfaces.map(interfaceLine),
    '',
    t('Riftnet {0} on {1} {2}', version, platform, arch),
    '',
  ].join('\n');
}

/** Every command of the report, each once. */
export function reportCommands({ checks }: Report): string[] {
  return [...new Set(checks.flatMap(({ commands }) => commands))];
}

function checkLines(check: Check): string[] {
  const { status, details, next, commands } = check;
  const shown = status === 'ok' || status === 'skipped' ? [] : details;
  return [
    `## ${checkTitle(check)}`,
    '',
    ...shown.map((detail) => `- ${detail}`),
    ...(shown.length > 0 ? [''] : []),
    ...next.map((sentence) => `→ ${sentence}`),
    ...(next.length > 0 ? [''] : []),
    ...commands.map((command) => `${COMMAND_INDENT}${command}`),
    ...(commands.length > 0 ? [''] : []),
  ];
}

function interfaceLine({ name, addresses, mac, mtu, up, loopback, wireless, obstacle, recommended }: InterfaceReport): string {
  const facts = [
    addresses.join(' ') || t('no IPv4 address'), mac ?? t('no MAC address'), ...(mtu === null ? [] : [t('MTU {0}', mtu)]), up ? t('up') : t('down'),
    ...(loopback ? [t('loopback')] : []), ...(wireless ? ['Wi-Fi'] : []), ...(recommended ? [t('recommended')] : []),
    // Those two are said already.
    ...(obstacle === null || !up || loopback ? [] : [obstacle]),
  ];
  return `- ${name}: ${facts.join(', ')}`;
}
