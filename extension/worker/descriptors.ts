/** What this process may have open is limited (ulimit -n), and one that runs many scripts can come up against it. */
import fs from 'node:fs';
import os from 'node:os';

/** @returns why something could not be opened or started; where the limit is why, with the next step */
export function openFailure(error: Error): string {
  if (!('code' in error) || (error.code !== 'EMFILE' && error.code !== 'ENFILE')) return error.message;
  return `as many files and sockets are open as may be (${error.code}): end other scripts, or raise the limit (ulimit -n)`;
}

/** @throws Error in plain words if not so many more can be opened now */
export function requireDescriptors(count: number): void {
  const opened: number[] = [];
  try {
    while (opened.length < count) opened.push(fs.openSync(os.devNull, 'r'));
  } catch (error) {
    throw error instanceof Error ? new Error(openFailure(error), { cause: error }) : error;
  } finally {
    for (const descriptor of opened) fs.closeSync(descriptor);
  }
}
