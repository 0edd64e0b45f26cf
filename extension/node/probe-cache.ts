/**
 * Remembers Nodes that could capture, so that a start need not ask again. Only a yes is kept: what stood against it
 * (a library, a permission) can be mended without the Node's file changing.
 */
import { mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { folderFor } from './places';
import { ownStatus } from './permission';
import { isUsable, parseProbe, type Probe, type ProbeResult } from './probe-result';

/** Oldest first; more than a few Nodes nobody has. */
const MAX_ENTRIES = 8;

/**
 * Changes whenever the answer could become a no: the file itself (granting, taking away and overwriting all move
 * its ctime), who asks with which capabilities, and where the bindings are loaded from.
 * @returns null if there is no such file
 */
export function probeKey(node: string, bundles: string): string | null {
  try {
    const file = realpathSync(node);
    const { ino, size, ctimeMs } = statSync(file);
    const status = ownStatus();
    const rights = status === null ? '' : [status.permitted, status.ambient, status.bounding, status.noNewPrivileges].join(',');
    return [file, ino, size, ctimeMs, process.getuid?.() ?? '', rights, realpathSync(bundles), statSync(path.join(bundles, 'probe.js')).mtimeMs].join('|');
  } catch {
    return null;
  }
}

export class ProbeCache {
  private readonly file: string | null;

  /** @param folder null: there is none, and nothing is remembered */
  constructor(folder = folderFor('cache')) {
    this.file = folder === null ? null : path.join(folder, 'nodes.json');
  }

  get(key: string): ProbeResult | null {
    const found = this.read().find(([known]) => known === key)?.[1];
    const result = parseProbe(found);
    return result !== null && isUsable({ result }) ? result : null;
  }

  set(key: string, probe: Probe): void {
    if (this.file === null || !isUsable(probe)) return;
    const entries = [...this.read().filter(([known]) => known !== key), [key, probe.result]].slice(-MAX_ENTRIES);
    try {
      mkdirSync(path.dirname(this.file), { recursive: true, mode: 0o700 });
      writeFileSync(this.file, JSON.stringify(entries), { mode: 0o600 });
    } catch {
      // Without a place for it, it is asked again next time.
    }
  }

  private read(): (readonly [string, unknown])[] {
    if (this.file === null) return [];
    try {
      const value: unknown = JSON.parse(readFileSync(this.file, 'utf8'));
      return Array.isArray(value) ? value.filter(isEntry) : [];
    } catch {
      return [];
    }
  }
}

function isEntry(value: unknown): value is readonly [string, unknown] {
  return Array.isArray(value) && typeof value[0] === 'string';
}
