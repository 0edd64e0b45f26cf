/**
 * Numbers from 0 up, each held by one live process: a lock file tells by whom. What a process that was killed has
 * left is taken over.
 */
import fs from 'node:fs';
import path from 'node:path';

/** More instances at once than anybody runs on one interface. */
const MAX_SLOTS = 64;
/** A takeover is a few system calls long: one that is older was cut short. */
const TAKEOVER_MS = 10_000;

export interface Slot {
  readonly number: number;
  /** Idempotent. */
  release(): void;
}

/**
 * Holds the lowest number below `count` that nobody holds. @param prefix of the lock files' names
 * @returns null if the folder cannot be used, or all are held
 */
export function acquireSlot(folder: string, prefix: string, count = MAX_SLOTS): Slot | null {
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (let number = 0; number < count; number++) {
      const file = path.join(folder, `${prefix}-${number}.lock`);
      if (!create(file) && !takeOver(file)) continue;
      let held = true;
      return {
        number,
        release: () => {
          if (held) remove(file);
          held = false;
        },
      };
    }
  } catch {
    // A folder that cannot be made or written: the caller does without.
  }
  return null;
}

/** A pid names another process once its own has ended: on Linux the time it was started tells them apart. */
function startOf(pid: number): string {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in parentheses may contain anything; the 22nd field is the 20th after it (proc_pid_stat(5)).
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function owner(pid: number): string {
  return `${pid} ${startOf(pid)}`.trim();
}

/** @returns whether the file was not there */
function create(file: string): boolean {
  try {
    fs.writeFileSync(file, owner(process.pid), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Several may find the same dead owner: one of them goes in, and looks again. */
function takeOver(file: string): boolean {
  if (!isStale(file)) return false;
  const guard = `${file}.takeover`;
  if (!create(guard)) {
    if (ageMs(guard) > TAKEOVER_MS) remove(guard);
    return false;
  }
  try {
    if (!isStale(file)) return false;
    // Not written over: in a folder of all accounts it may be a link to something else.
    remove(file);
    return create(file);
  } finally {
    remove(guard);
  }
}

function isStale(file: string): boolean {
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch {
    // Gone, or another account's: either way not to be taken from here.
    return false;
  }
  const pid = Number(/^(\d+)/.exec(text)?.[1]);
  // The file is there before its text: an empty one is somebody's who is about to write.
  if (!(pid > 0)) return ageMs(file) > TAKEOVER_MS;
  if (!isRunning(pid)) return true;
  const started = startOf(pid);
  return started !== '' && text.includes(' ') && text.trim() !== `${pid} ${started}`;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function ageMs(file: string): number {
  try {
    return Date.now() - fs.statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}

function remove(file: string): void {
  try {
    fs.unlinkSync(file);
  } catch {
    // Somebody has cleaned up the folder.
  }
}
