/** Where what belongs to a person, and to no workspace, is kept: the granted copy of Node, and what is known of Nodes. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Whose files these are. */
export interface Owner {
  /** null: the account has no entry among the system's, as a container's may have none, and HOME names no folder either. */
  readonly home: string | null;
  readonly uid: number;
  readonly gid: number;
  /** Folders of the person's own choice count only for who runs this: sudo leaves root's. */
  readonly isSelf: boolean;
}

/** Who runs this, or, under sudo, who ran sudo: what root makes for that person is theirs. */
export function owner(environment: NodeJS.ProcessEnv = process.env): Owner {
  const [uid, gid] = [process.geteuid?.() ?? -1, process.getegid?.() ?? -1];
  const self = { home: environment['HOME'] || homeOfAccount(), uid, gid, isSelf: true };
  const sudoUid = Number(environment['SUDO_UID'] ?? NaN);
  if (uid !== 0 || !Number.isInteger(sudoUid) || sudoUid <= 0) return self;
  const [, , , group = '', , home = ''] = passwdEntry(sudoUid).split(':');
  return home === '' ? self : { home, uid: sudoUid, gid: Number(group), isSelf: false };
}

function homeOfAccount(): string | null {
  try {
    return os.userInfo().homedir;
  } catch {
    return null;
  }
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

/** What to do where there is no folder. */
export const NO_FOLDER = 'this account has no home folder (it has no entry among the accounts, and HOME is not set): set HOME to a folder that is its own';

/**
 * The folder for files of a kind, by the system's custom. It need not exist. @returns null if the account has no home:
 * a folder for everybody's temporary files takes its place nowhere, since others could put a program there
 */
export function folderFor(kind: Kind, whose: Owner = owner(), environment: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform): string | null {
  if (platform === 'win32') return within(environment['LOCALAPPDATA'] ?? within(whose.home, 'AppData', 'Local'), 'riftnet', kind);
  if (platform === 'darwin') return within(whose.home, 'Library', kind === 'cache' ? 'Caches' : 'Application Support', 'riftnet');
  const { variable, folder } = XDG[kind];
  const chosen = whose.isSelf ? environment[variable] : undefined;
  // XDG: a relative path is to be ignored.
  return within(chosen !== undefined && path.isAbsolute(chosen) ? chosen : within(whose.home, folder), 'riftnet');
}

/** Makes a folder, and those above it that are missing, for their person alone. */
export function makeFolder(folder: string, { uid, gid, isSelf }: Owner): void {
  const made = fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (isSelf || made === undefined) return;
  for (let at = folder; at.startsWith(made); at = path.dirname(at)) fs.lchownSync(at, uid, gid);
}

function within(folder: string | null, ...names: string[]): string | null {
  return folder === null ? null : path.join(folder, ...names);
}

/** The copy of Node that `riftnet doctor --fix` makes, and that may be granted the right to capture. @returns null if the account has no home */
export function grantedCopy(whose: Owner = owner()): string | null {
  return within(folderFor('data', whose), 'node');
}
