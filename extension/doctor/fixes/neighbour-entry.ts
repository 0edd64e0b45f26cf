/**
 * The computer's kernel cannot hear the stack's ARP, nor be heard by it: they send from one interface. A permanent
 * entry sends what the kernel has for the stack to the router, which sends it back.
 */
import { NO_ADDRESS } from './kernel-rules';
import type { FixPlan, Run } from './fix';

export interface NeighbourOptions {
  readonly platform: NodeJS.Platform;
  readonly interfaceName: string;
  /** The stack's own addresses there, dotted. */
  readonly addresses: readonly string[];
  /** The router of the computer's default route there; null: it has none. */
  readonly router: string | null;
  readonly run: Run;
}

interface Entry {
  readonly mac: string | null;
  readonly permanent: boolean;
}

const ELSEWHERE: FixPlan = { kind: 'none', status: 'not-applicable', summary: 'only made on Linux; docs/network-setup.md has the command for other systems' };

/** What the kernel knows of a neighbour; null: nothing. */
export function neighbour(address: string, interfaceName: string, run: Run): Entry | null {
  const { status, stdout } = run(['ip', '-j', 'neigh', 'show', address, 'dev', interfaceName]);
  if (status !== 0) return null;
  try {
    const entries: unknown = JSON.parse(stdout || '[]');
    const [first] = Array.isArray(entries) ? entries : [];
    if (typeof first !== 'object' || first === null) return null;
    const mac = 'lladdr' in first && typeof first.lladdr === 'string' ? first.lladdr : null;
    return { mac, permanent: 'state' in first && Array.isArray(first.state) && first.state.includes('PERMANENT') };
  } catch {
    return null;
  }
}

/** Has the kernel ask for the router's MAC address, where it does not know it. */
function routerMac(router: string, interfaceName: string, run: Run): string | null {
  const known = neighbour(router, interfaceName, run)?.mac ?? null;
  if (known !== null) return known;
  run(['ping', '-c', '1', '-W', '2', router]);
  return neighbour(router, interfaceName, run)?.mac ?? null;
}

export function planNeighbour({ platform, interfaceName, addresses, router, run }: NeighbourOptions): FixPlan {
  if (platform !== 'linux') return ELSEWHERE;
  if (addresses.length === 0) return NO_ADDRESS;
  if (router === null) return { kind: 'none', status: 'failed', summary: `this computer has no router on ${interfaceName}: the way through it, localhost 'router', needs one` };
  const mac = routerMac(router, interfaceName, run);
  if (mac === null) return { kind: 'none', status: 'failed', summary: `the router ${router} does not say its MAC address on ${interfaceName}: is it switched on?` };
  const isDone = addresses.every((address) => {
    const entry = neighbour(address, interfaceName, run);
    return entry?.permanent === true && entry.mac === mac;
  });
  const commands = addresses.map((address) => ['ip', 'neigh', 'replace', address, 'lladdr', mac, 'dev', interfaceName, 'nud', 'permanent']);
  const summary = `the kernel sends what is for ${addresses.join(', ')} to the router ${router} (${mac}), until the computer is started again`;
  return { kind: 'work', work: { commands, isDone, summary } };
}

export function planNeighbourRemoval({ platform, interfaceName, addresses, run }: Omit<NeighbourOptions, 'router'>): FixPlan {
  if (platform !== 'linux') return ELSEWHERE;
  const there = addresses.filter((address) => neighbour(address, interfaceName, run)?.permanent === true);
  if (there.length === 0) return { kind: 'none', status: 'unchanged', summary: `there is no permanent entry for ${addresses.join(', ') || 'an address of the stack'} on ${interfaceName}` };
  const commands = there.map((address) => ['ip', 'neigh', 'del', address, 'dev', interfaceName]);
  return { kind: 'work', work: { commands, isDone: false, summary: `the permanent entry for ${there.join(', ')} is gone` } };
}
