/** Which Node the worker runs in: the first that loads a binding to libpcap and may capture. */
import { existsSync } from 'node:fs';
import { captureObstacle } from './permission';
import { grantedCopy } from './places';
import { ProbeCache, probeKey } from './probe-cache';
import { probeNode } from './probe-node';
import { isUsable, unusableReason, type NodeProbe, type Probe } from './probe-result';

export interface NodeCandidate {
  readonly path: string;
  /** Whose it is, for a person: `the setting riftnet.nodePath`. */
  readonly from: string;
}

export interface ChosenNode {
  /** The Node to start the worker with; null: none may capture, so the host's own, and the gateway. */
  readonly capturing: NodeProbe | null;
  /** Why each Node before it, or every one, was not taken: for the log. */
  readonly reasons: readonly string[];
}

export interface NodeChoiceOptions {
  /** Folder of the built bundles. */
  readonly bundles: string;
  /** The setting; null: not set. */
  readonly nodePath: string | null;
  readonly ownPath?: string;
  readonly copyPath?: string | null;
  /** Why this process may not capture, or null: then its own Node is asked too. */
  readonly ownObstacle?: string | null;
  readonly probe?: (node: string) => Promise<Probe>;
  readonly cache?: Pick<ProbeCache, 'get' | 'set'>;
}

/** In the order they are tried, without those that are not there. */
export function nodeCandidates(nodePath: string | null, ownPath = process.execPath, copyPath = grantedCopy()): NodeCandidate[] {
  const candidates = [
    ...(nodePath === null ? [] : [{ path: nodePath, from: 'the setting riftnet.nodePath' }]),
    ...(copyPath !== null && existsSync(copyPath) ? [{ path: copyPath, from: 'the copy that riftnet doctor made' }] : []),
    { path: ownPath, from: 'the Node that runs this' },
  ];
  return candidates.filter((candidate, i) => candidates.findIndex(({ path }) => path === candidate.path) === i);
}

/** Asks one Node, or remembers what it said. */
export async function probeCached(node: string, bundles: string, cache: Pick<ProbeCache, 'get' | 'set'>, probe = (path: string) => probeNode(path, bundles)): Promise<Probe> {
  const key = probeKey(node, bundles);
  const known = key === null ? null : cache.get(key);
  if (known !== null) return { result: known };
  const found = await probe(node);
  if (key !== null) cache.set(key, found);
  return found;
}

export async function chooseNode(options: NodeChoiceOptions): Promise<ChosenNode> {
  const { bundles, nodePath, ownPath = process.execPath, cache = new ProbeCache() } = options;
  const ownObstacle = options.ownObstacle === undefined ? captureObstacle() : options.ownObstacle;
  const reasons: string[] = [];
  for (const { path, from } of nodeCandidates(nodePath, ownPath, options.copyPath)) {
    // Another process of the same program may do no more than this one: it need not be started to be told so.
    if (path === ownPath && ownObstacle !== null) {
      reasons.push(`${from} (${path}): it may not capture: ${ownObstacle}`);
      continue;
    }
    const probe = await probeCached(path, bundles, cache, options.probe);
    if (isUsable(probe)) return { capturing: { path, probe }, reasons };
    reasons.push(`${from} (${path}): ${unusableReason(probe) ?? 'unknown'}`);
  }
  return { capturing: null, reasons };
}
