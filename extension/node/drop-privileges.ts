/** Starts a program without what this process may do: capabilities neither pass on, nor are gained from its file. */
import fs from 'node:fs';
import path from 'node:path';
import { ownStatus, type ProcessStatus } from './permission';

/** How a program is to be started. */
export interface Dropped {
  /** Words to put before the program's. */
  readonly prefix: readonly string[];
  /** What the person should know, or null. */
  readonly warning: string | null;
}

const NOTHING: Dropped = { prefix: [], warning: null };

/** Linux: bit of CAP_SETPCAP, without which the bounding set stays as it is (capabilities(7)). */
const CAP_SETPCAP = 8n;
/** Where util-linux puts it, on systems that keep the two apart and on those that do not. */
const SETPRIV_PLACES = ['/usr/bin/setpriv', '/bin/setpriv'];

/** @returns the path of util-linux's setpriv, or null. BusyBox's knows fewer options; to try it would cost a start of each run. */
export function findSetpriv(places = SETPRIV_PLACES): string | null {
  for (const place of places) {
    try {
      if (path.basename(fs.realpathSync(place)) === 'setpriv') return place;
    } catch {
      // Not there: the next may be.
    }
  }
  return null;
}

/**
 * @param program absolute path of what will be started
 * @param own absolute path of the program that runs now
 */
export function dropPrivileges(program: string, own = process.execPath, status: ProcessStatus | null = ownStatus(), uid = process.getuid?.() ?? -1, find = findSetpriv): Dropped {
  if (status === null || (status.permitted === 0n && status.ambient === 0n)) return NOTHING;
  const setpriv = find();
  // Root gets whatever the bounding set leaves; emptying that takes a capability of its own.
  const canDrop = uid !== 0 || ((status.effective >> CAP_SETPCAP) & 1n) === 1n;
  if (setpriv !== null && canDrop) {
    const base = [setpriv, '--no-new-privs', '--inh-caps=-all', '--ambient-caps=-all'];
    return { prefix: [...base, ...(uid === 0 ? ['--bounding-set=-all'] : []), '--'], warning: null };
  }
  // A file without capabilities gives none to a process of an ordinary user, unless some are ambient.
  if (uid !== 0 && status.ambient === 0n && program !== own) return NOTHING;
  const why = uid === 0 ? 'you are root' : 'this Node has capabilities';
  return { prefix: [], warning: `Scripts run with the rights of this process (${why}), because the program setpriv (util-linux) is missing or cannot take them away: run as an ordinary user, with riftnet doctor's copy of Node` };
}
