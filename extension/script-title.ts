import { basename, dirname, extname } from 'node:path';

/**
 * The shortest name that tells a script from the others that run: its file name, with its folder if another
 * script has the same, and a number if the same script runs more than once.
 */
export function uniqueTitle(file: string, others: Iterable<{ readonly file: string; readonly title: string }>): string {
  const taken = new Set<string>();
  let sameName = false;
  for (const other of others) {
    taken.add(other.title);
    if (other.file !== file && basename(other.file) === basename(file)) sameName = true;
  }
  const title = sameName ? `${basename(dirname(file))}/${basename(file)}` : basename(file);
  let unique = title;
  for (let number = 2; taken.has(unique); number++) unique = `${title} #${number}`;
  return unique;
}

/** The file that "New Script" makes, from the name a person typed: without spaces around it, and with an ending that scripts have. */
export function newScriptFile(typed: string): string {
  const name = typed.trim();
  return /\.[cm]?[jt]s$/.test(name) ? name : `${name}.ts`;
}

/**
 * The path a document without a file is run as: relative imports are resolved from there, and errors name it.
 * @param name as the editor shows it, `Untitled-1`
 * @param folder absolute
 */
export function untitledPath(name: string, languageId: string, folder: string): string {
  const extension = languageId === 'javascript' ? '.js' : '.ts';
  const safe = name.replace(/[^\w.-]+/g, '-') || 'Untitled';
  const separator = folder.includes('\\') && !folder.includes('/') ? '\\' : '/';
  return `${folder.replace(/[\\/]$/, '')}${separator}${['.ts', '.js'].includes(extname(safe)) ? safe : safe + extension}`;
}
