/** Which libpcap this process has loaded: Linux shows the files that a process maps. */
import fs from 'node:fs';

/** @param maps the text of `/proc/PID/maps` */
export function findLibpcap(maps: string): string | null {
  return /\s(\/\S*\/libpcap\.so[.\d]*)$/m.exec(maps)?.[1] ?? null;
}

export function loadedLibpcap(): string | null {
  if (process.platform !== 'linux') return null;
  try {
    return findLibpcap(fs.readFileSync('/proc/self/maps', 'utf8'));
  } catch {
    return null;
  }
}
