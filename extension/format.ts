import { t } from './l10n';

/** Numbers and times as people read them. The same words in the tree, the output and the status bar. */

const BYTE_UNITS = ['KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `0 B`, `999 B`, `1.2 KiB`, `34 MiB`: three digits at most after the unit changes. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  let value = bytes;
  let unit: string = 'B';
  for (const next of BYTE_UNITS) {
    // 1023.95 would print as 1024.0.
    if (value < 1023.95) break;
    value /= 1024;
    unit = next;
  }
  return `${value < 99.95 ? value.toFixed(1) : value.toFixed(0)} ${unit}`;
}

/** `0.4 ms`, `12 ms`, `1.23 s`, `2 min 5 s`. */
export function formatDuration(ms: number): string {
  if (ms < 9.95) return `${Math.max(0, ms).toFixed(1)} ms`;
  if (ms < 999.5) return `${ms.toFixed(0)} ms`;
  if (ms < 59_995) return `${(ms / 1000).toFixed(2)} s`;
  const seconds = Math.round(ms / 1000);
  return t('{0} min {1} s', Math.floor(seconds / 60), seconds % 60);
}

const pad = (value: number, width: number): string => String(value).padStart(width, '0');

/** Local time of day, `HH:MM:SS.mmm`, as the output's lines begin. @param time ms since 1970 */
export function formatTime(time: number): string {
  const date = new Date(time);
  return `${pad(date.getHours(), 2)}:${pad(date.getMinutes(), 2)}:${pad(date.getSeconds(), 2)}.${pad(date.getMilliseconds(), 3)}`;
}

/** Text as it stands, in Markdown. VS Code's own `appendText` also makes every space one that no line breaks at. */
export function escapeMarkdown(text: string): string {
  return text.replace(/[!-/:-@[-`{-~]/g, '\\$&').replace(/\r?\n/g, '  \n');
}

/** At most `length` characters (at least 2), the end marked with an ellipsis; line breaks become spaces. */
export function shorten(text: string, length: number): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}
