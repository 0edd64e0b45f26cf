/** Where what belongs to a person, and to no workspace, is kept: the granted copy of Node, and what is known of Nodes. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Whose files these are. */
export interface Owner {
  readonly home: string;
  readonly uid: number;
  readonly gid: number;
  /** Folders of the person's own choice count only for who runs this: sudo leaves root's. */
  readonly isSelf: boolean;
}

/** Who runs this, or, under sudo, who ran sudo: what root makes for that person is theirs. */
export function owner(environment: NodeJS.ProcessEnv = process.env): Owner {
  const { homedir, uid, gid } = os.userInfo();
  const self = { home: environment['HOME'] || homedir, uid, gid, isSelf: true };
  const sudoUid = Number(environment['SUDO_UID'] ?? NaN);
  if (uid !== 0 || !Number.isInteger(sudoUid) || sudoUid <= 0) return self;
  const [, , , group = '', , home = ''] = passwdEntry(sudoUid).split(':');
  return home === '' ? self : { home, uid: sudoUid, gid: Number(group), isSelf: false };
}

/** The line of `getent passwd`, also for accounts that are not in the file; empty: unknown. */
function passwdEntry(uid: number): string {
  try {
    return execFileSync('getent', ['passwd', String(uid)], { encoding: 'utf8', timeout: 5_000, stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    try {
      return fs.readFileSync('/etc/passwd', 'utf8').split('\n').find((line) => line.split(':')[2] === String(uid)) ?? '';
    } catch {
      return '';
    }
  }
}

type Kind = 'data' | 'cache' | 'state';

const XDG: Readonly<Record<Kind, { readonly variable: string; readonly folder: string }>> = {
  data: { variable: 'XDG_DATA_HOME', folder: '.local/share' },
  cache: { variable: 'XDG_CACHE_HOME', folder: '.cache' },
  state: { variable: 'XDG_STATE_HOME', folder: '.local/state' },
};

/** The folder for files of a kind, by the system's custom. It need not exist. */
export function folderFor(kind: Kind, whose: Owner = owner(), environment: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform): string {
  if (platform === 'win32') return path.join(environment['LOCALAPPDATA'] ?? path.join(whose.home, 'AppData', 'Local'), 'riftnet', kind);
  if (platform === 'darwin') return path.join(whose.home, 'Library', kind === 'cache' ? 'Caches' : 'Application Support', 'riftnet');
  const { variable, folder } = XDG[kind];
  const chosen = whose.isSelf ? environment[variable] : undefined;
  // XDG: a relative path is to be ignored.
  return path.join(chosen !== undefined && path.isAbsolute(chosen) ? chosen : path.join(whose.home, folder), 'riftnet');
}

/** The copy of Node that `riftnet doctor --fix` makes, and that may be granted the right to capture. */
export function grantedCopy(whose: Owner = owner()): string {
  return path.join(folderFor('data', whose), 'node');
}
