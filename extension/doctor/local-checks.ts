/** What can be told without the network: libpcap, its bindings, the permission, an interface. */
import { isUsable } from '../node/probe-result';
import { libraryAdvice, permissionAdvice, type PermissionSituation } from './advice';
import type { Check, InterfaceReport, NodeReport } from '../network-report';

type Outcome = Pick<Check, 'status' | 'summary'> & Partial<Pick<Check, 'details' | 'next' | 'commands'>>;

/** A check that took no time, with nothing to say but its outcome. */
export function check(id: Check['id'], title: string, outcome: Outcome): Check {
  return { id, title, details: [], next: [], commands: [], ms: 0, ...outcome };
}

export function libraryCheck(nodes: readonly NodeReport[], platform: NodeJS.Platform): Check {
  const library = nodes.find(({ probe }) => probe?.library)?.probe?.library;
  const title = 'libpcap';
  if (library) return check('libpcap', title, { status: 'ok', summary: [library.version ?? 'libpcap', library.path].filter((part) => part !== null).join(', ') });
  return check('libpcap', title, { status: 'failed', summary: 'no Node could load it', details: bindingLines(nodes), ...libraryAdvice(platform) });
}

export function bindingsCheck(nodes: readonly NodeReport[]): Check {
  const title = 'a binding to it';
  const loading = nodes.flatMap(({ path, probe }) => {
    const names = (probe?.bindings ?? []).filter(({ loads }) => loads).map(({ name }) => name);
    return names.length === 0 || probe === null ? [] : [`${names.join(' and ')} in ${path} (${probe.version})`];
  });
  const details = bindingLines(nodes);
  if (loading.length === 0) {
    return check('bindings', title, { status: 'failed', summary: 'neither cap nor koffi can be loaded', details, next: ['Install the packages again: npm install, in the folder of Riftnet.'] });
  }
  const unsound = nodes.flatMap(({ probe }) => (probe?.bindings ?? []).filter(({ loads, words }) => loads && words !== null).map(({ words }) => words ?? ''));
  if (unsound.length > 0) return check('bindings', title, { status: 'warning', summary: loading.join('; '), details, next: [...new Set(unsound)] });
  return check('bindings', title, { status: 'ok', summary: loading.join('; '), details });
}

/** Of each Node, what does not load. */
function bindingLines(nodes: readonly NodeReport[]): string[] {
  return nodes.flatMap(({ path, probe, obstacle }) => {
    if (probe === null) return [`${path}: ${obstacle ?? 'could not be asked'}`];
    return probe.bindings.filter(({ loads }) => !loads).map(({ name, words }) => `${path} (${probe.version}): ${name}: ${words ?? 'does not load'}`);
  });
}

/** The Node that the worker runs in, or null: none may capture. */
export function capturingNode(nodes: readonly NodeReport[]): NodeReport | null {
  return nodes.find(({ probe }) => probe !== null && isUsable({ result: probe })) ?? null;
}

/** @param named the Node that was to be looked at first; null: none was named */
export function permissionCheck(nodes: readonly NodeReport[], named: string | null, situation: PermissionSituation): Check {
  const title = 'the permission to capture';
  const details = nodes.map(({ path, from, obstacle }) => `${path} (${from}): ${obstacle ?? 'may capture'}`);
  const capturing = capturingNode(nodes);
  if (capturing !== null) {
    const summary = `the worker runs in ${capturing.path}, which may capture; scripts never do`;
    const refused = nodes.find(({ path, obstacle }) => path === named && obstacle !== null);
    if (refused === undefined) return check('permission', title, { status: 'ok', summary, details });
    const next = [`${refused.path}, which was named, is not used: ${refused.obstacle ?? ''}. Name another (--node PATH, setting riftnet.nodePath), or none.`];
    return check('permission', title, { status: 'warning', summary, details, next });
  }
  return check('permission', title, { status: 'failed', summary: 'no Node here may capture: the embedded gateway is used', details, ...permissionAdvice(situation) });
}

/** @param wanted the name that was given; null: the recommended one */
export function interfaceCheck(interfaces: readonly InterfaceReport[], wanted: string | null): Check {
  const title = 'an interface';
  const found = wanted === null ? interfaces.find(({ recommended }) => recommended) : interfaces.find(({ name }) => name === wanted);
  const others = interfaces.map(({ name, obstacle }) => obstacle ?? name).join(', ') || 'none';
  if (!found) {
    const summary = wanted === null ? `none that the stack can be a host on: ${others}` : `there is no interface ${JSON.stringify(wanted)}: there are ${others}`;
    return check('interface', title, { status: 'failed', summary, next: ['Join a network by cable or Wi-Fi, or name an interface: --interface NAME (setting riftnet.interface). "riftnet interfaces" lists them.'] });
  }
  if (found.obstacle !== null) return check('interface', title, { status: 'failed', summary: found.obstacle, next: ['Another one: --interface NAME (setting riftnet.interface). "riftnet interfaces" lists them.'] });
  const words = [found.name, ...found.addresses, ...(found.wireless ? ['Wi-Fi'] : []), ...(wanted === null ? ['the recommended one'] : [])];
  return check('interface', title, { status: 'ok', summary: words.join(', ') });
}
