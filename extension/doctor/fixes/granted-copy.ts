/** The copy of Node that only the worker uses, so that the right to capture is nobody else's. */
import fs from 'node:fs';
import path from 'node:path';
import { grantedCopy, makeFolder, NO_FOLDER, owner, type Owner } from '../../node/places';
import { grantCommand } from '../advice';
import type { FixPlan, Run } from './fix';

export interface CopyOptions {
  readonly platform: NodeJS.Platform;
  /** The Node to copy; null: none was found. */
  readonly source: string | null;
  readonly run: Run;
  readonly whose?: Owner;
}

/** @returns a Node that can be copied: not Electron, which is Node only among its own files */
export function findSource(nodePath: string | null, own = process.execPath, electron = process.versions['electron'] !== undefined, searchPath = process.env['PATH'] ?? ''): string | null {
  const candidates = [...(electron ? [] : [own]), ...(nodePath === null ? [] : [nodePath]), ...searchPath.split(path.delimiter).filter(path.isAbsolute).map((folder) => path.join(folder, 'node'))];
  return candidates.find((candidate) => isProgram(candidate)) ?? null;
}

function isProgram(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Makes the copy, or makes it anew where the source is another by now, and plans its grant. Needs no root. */
export function planCopy({ platform, source, run, whose = owner() }: CopyOptions): FixPlan {
  if (platform !== 'linux') return { kind: 'none', status: 'not-applicable', summary: 'only Linux grants the right to capture to a file; "riftnet doctor" says what this system needs' };
  if (whose.uid === 0 && whose.isSelf) return { kind: 'none', status: 'not-applicable', summary: 'root may capture with any Node; run this as the account that runs the scripts' };
  const copy = grantedCopy(whose);
  if (copy === null) return { kind: 'none', status: 'failed', summary: NO_FOLDER };
  if (source === null) return { kind: 'none', status: 'failed', summary: 'there is no Node to copy: install Node 20.19 or later, or name one by the setting riftnet.nodePath' };
  try {
    if (source !== copy && !isCopyOf(copy, source)) makeCopy(copy, source, whose);
  } catch (error) {
    return { kind: 'none', status: 'failed', summary: `${source} could not be copied to ${copy}: ${error instanceof Error ? error.message : String(error)}. Let this account write there, or name another folder by the variable XDG_DATA_HOME` };
  }
  const granted = run(['getcap', copy]).stdout.includes('cap_net_raw');
  return { kind: 'work', work: { commands: [grantCommand(copy)], isDone: granted, summary: `${copy}, a copy of ${source}, may capture` } };
}

/** Removes the copy, and with it what was granted. Needs no root. */
export function planRemoval({ whose = owner() }: Pick<CopyOptions, 'whose'>): FixPlan {
  const copy = grantedCopy(whose);
  if (copy === null || !fs.existsSync(copy)) return { kind: 'none', status: 'unchanged', summary: `there is no ${copy ?? 'copy of Node'}` };
  try {
    fs.rmSync(copy);
  } catch (error) {
    return { kind: 'none', status: 'failed', summary: `${copy} could not be removed: ${error instanceof Error ? error.message : String(error)}. Remove it as the account that owns its folder` };
  }
  return { kind: 'none', status: 'done', summary: `${copy} is removed` };
}

/** By size and contents' time, which the copy takes over: reading 100 MB twice tells no more. */
function isCopyOf(copy: string, source: string): boolean {
  const [a, b] = [fs.statSync(copy, { throwIfNoEntry: false }), fs.statSync(source)];
  return a !== undefined && a.size === b.size && Math.trunc(a.mtimeMs / 1_000) === Math.trunc(b.mtimeMs / 1_000);
}

/** Under another name first: a copy is there whole, or not at all. A capability goes with the file that had it. */
function makeCopy(copy: string, source: string, whose: Owner): void {
  makeFolder(path.dirname(copy), whose);
  const fresh = `${copy}.${process.pid}`;
  try {
    fs.copyFileSync(fs.realpathSync(source), fresh, fs.constants.COPYFILE_FICLONE);
    // Nobody else may start it.
    fs.chmodSync(fresh, 0o700);
    const { atime, mtime } = fs.statSync(source);
    fs.utimesSync(fresh, atime, mtime);
    if (!whose.isSelf) fs.chownSync(fresh, whose.uid, whose.gid);
    fs.renameSync(fresh, copy);
  } finally {
    fs.rmSync(fresh, { force: true });
  }
}
