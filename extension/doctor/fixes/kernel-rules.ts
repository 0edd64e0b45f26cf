/** What keeps the computer's own kernel out of the stack's connections: nftables, one table for each purpose. */
import type { FixPlan, Run } from './fix';

interface Range {
  readonly first: number;
  readonly last: number;
}

/** The stack's ports of the address that it shares. No interface is named: the worker looks on the loopback whether the table is there. */
export const SHARED_TABLE = 'riftnet_shared';
/** The stack's own address, where its frames carry the computer's MAC address. */
export const OWN_TABLE = 'riftnet_own';

function tableCommand(table: string, rules: readonly string[]): string[] {
  const name = `inet ${table}`;
  // One transaction: it is there whole whether it was there before or not. Raw: before connections are tracked.
  const statements = [
    `add table ${name}`, `delete table ${name}`, `add table ${name}`,
    `add chain ${name} prerouting { type filter hook prerouting priority -300; policy accept; }`,
    ...rules.map((rule) => `add rule ${name} prerouting ${rule}`),
  ];
  return ['nft', statements.join('; ')];
}

function removal(table: string): string[] {
  return ['nft', `add table inet ${table}; delete table inet ${table}`];
}

/** @returns the table's rules as nft prints them; null: it is not there, or this account may not look */
function present(table: string, run: Run): string[] | null {
  const { status, stdout } = run(['nft', 'list', 'table', 'inet', table]);
  if (status !== 0) return null;
  return stdout.split('\n').map((line) => line.trim()).filter((line) => line.endsWith(' drop'));
}

function same(table: string, rules: readonly string[], run: Run): boolean {
  const found = present(table, run);
  return found !== null && found.length === rules.length && found.every((rule, i) => rule === rules[i]);
}

const ELSEWHERE: FixPlan = { kind: 'none', status: 'not-applicable', summary: 'only Linux has nftables; docs/network-setup.md says what to do on other systems' };

/** @param ports null: the system leaves none, which `words` explains */
export function planShared(platform: NodeJS.Platform, ports: Range | { readonly words: string }, run: Run): FixPlan {
  if (platform !== 'linux') return ELSEWHERE;
  if ('words' in ports) return { kind: 'none', status: 'failed', summary: ports.words };
  const range = `${ports.first}-${ports.last}`;
  const rules = [`tcp dport ${range} drop`, `udp dport ${range} drop`];
  const summary = `the kernel leaves the ports ${range} to the stack, until the computer is started again`;
  return { kind: 'work', work: { commands: [tableCommand(SHARED_TABLE, rules)], isDone: same(SHARED_TABLE, rules, run), summary } };
}

/** @param addresses the stack's own, dotted @param forwards whether the computer forwards packets */
export function planForwarding(platform: NodeJS.Platform, addresses: readonly string[], forwards: boolean, run: Run): FixPlan {
  if (platform !== 'linux') return ELSEWHERE;
  if (!forwards) return { kind: 'none', status: 'not-applicable', summary: 'this computer forwards no packets (net.ipv4.ip_forward is 0), so it does not answer for the stack' };
  if (addresses.length === 0) return NO_ADDRESS;
  const rules = [addresses.length === 1 ? `ip daddr ${addresses[0] ?? ''} drop` : `ip daddr { ${[...addresses].sort(byNumber).join(', ')} } drop`];
  const summary = `the kernel leaves packets to ${addresses.join(', ')} alone, until the computer is started again`;
  return { kind: 'work', work: { commands: [tableCommand(OWN_TABLE, rules)], isDone: same(OWN_TABLE, rules, run), summary } };
}

function byNumber(a: string, b: string): number {
  const key = (text: string): number => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return key(a) - key(b);
}

export const NO_ADDRESS: FixPlan = { kind: 'none', status: 'failed', summary: 'the stack\'s own address is not known: it has none leased on this interface. Run "riftnet doctor" once as the account that runs the scripts, or name the address: --address A.B.C.D' };

/** Takes a table away again. */
export function planTableRemoval(platform: NodeJS.Platform, table: string, run: Run, isRoot: boolean): FixPlan {
  if (platform !== 'linux') return ELSEWHERE;
  // Only root can look; what cannot be looked at may be there.
  if (isRoot && present(table, run) === null) {
    const { status, words } = run(['nft', 'list', 'tables']);
    return status === 0 ? { kind: 'none', status: 'unchanged', summary: `there is no table ${table}` } : { kind: 'none', status: 'unchanged', summary: `no table can be there: ${words}` };
  }
  const summary = isRoot ? `the table ${table} is gone` : `the table ${table} is gone, if it was there, which only root can see`;
  return { kind: 'work', work: { commands: [removal(table)], isDone: false, summary } };
}
