/** Starts a program without what this process may do: capabilities neither pass on, nor are gained from its file. */
import { spawnSync } from 'node:child_process';
import { ownStatus, type ProcessStatus } from './permission';

/** How a program is to be started. */
export interface Dropped {
  /** Words to put before the program's. */
  readonly prefix: readonly string[];
  /** What the person should know, or null. */
  readonly warning: string | null;
}

const NOTHING: Dropped = { prefix: [], warning: null };

/** @returns whether a command ends well: whether this machine's setpriv knows its options, and may do what they say */
function works(words: readonly string[]): boolean {
  const [command = '', ...args] = words;
  return spawnSync(command, args, { stdio: 'ignore', timeout: 5_000, env: {} }).status === 0;
}

/**
 * @param program absolute path of what will be started
 * @param own absolute path of the program that runs now
 */
export function dropPrivileges(program: string, own = process.execPath, status: ProcessStatus | null = ownStatus(), uid = process.getuid?.() ?? -1, attempt = works): Dropped {
  if (status === null || (status.permitted === 0n && status.ambient === 0n)) return NOTHING;
  const base = ['setpriv', '--no-new-privs', '--inh-caps=-all', '--ambient-caps=-all'];
  // Root gets whatever the bounding set leaves; emptying that takes root itself.
  const prefix = uid === 0 ? [...base, '--bounding-set=-all'] : base;
  if (attempt([...prefix, '--', '/bin/true'])) return { prefix: [...prefix, '--'], warning: null };
  // A file without capabilities gives none to a process of an ordinary user, unless some are ambient.
  if (uid !== 0 && status.ambient === 0n && program !== own) return NOTHING;
  const why = uid === 0 ? 'you are root' : 'this Node has capabilities';
  return { prefix: [], warning: `Scripts run with the rights of this process (${why}), because the program setpriv (util-linux) is missing or cannot take them away: run as an ordinary user, with riftnet doctor's copy of Node` };
}
