/** Commands as lists of words, and as a person types them. */

/** @returns the words as a POSIX shell reads them */
export function shellWords(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}

/** For Windows' own shell: only paths and plain words occur. */
function windowsWords(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./\\-]+$/.test(word) ? word : `"${word}"`)).join(' ');
}

/**
 * How a person runs this command again.
 * @param cli absolute path of the built command @param started path by which the running process was started
 */
export function ownCommand(args: readonly string[], cli: string, started = process.argv[1] ?? '', node = process.execPath, platform = process.platform, electron = process.versions['electron'] !== undefined): string {
  if (/(^|[\\/])riftnet$/.test(started)) return shellWords(['riftnet', ...args]);
  if (platform === 'win32') return `${electron ? 'set ELECTRON_RUN_AS_NODE=1 && ' : ''}${windowsWords([node, cli, ...args])}`;
  return shellWords([...(electron ? ['env', 'ELECTRON_RUN_AS_NODE=1'] : []), node, cli, ...args]);
}
