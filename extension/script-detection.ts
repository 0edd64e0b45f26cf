/**
 * Whether a text is one of our scripts. Run is offered loudly (in the editor's title, above the first line) only
 * where it makes sense: most TypeScript in most windows is not for us. Quietly, in menus and the palette, it is
 * there for every file of the language.
 */

/** A longer text is judged by its beginning. */
const SEARCHED_CHARACTERS = 100_000;

/** Comments, strings and templates: names in them say nothing. */
const SILENT = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;

/** Nobody else has these. */
const OURS = /(?<![.\w$])(?:Network\s*\.\s*Connect\b|Event\s*\.\s*On(?:Tick|Render)\b|Engine\s*\.\s*(?:TICK_RATE|Time|GetTickCount|Defer|Delay|Timer|Cancel)\b)/;
/** `print` with something to print, which browsers' own does not take. */
const PRINT = /(?<![.\w$])print\s*\(\s*[^\s)]/;
const OWN_PRINT = /\b(?:function\s*\*?|const|let|var|class|private|public|protected|static|async)\s+print\b|\bprint\s*\([^()]*\)\s*(?::[^{};]+)?\{|\bimport\b[^;]*\bprint\b[^;]*\bfrom\b/;
/** A module of Node's or VS Code's is imported: the file runs somewhere else. */
const FOREIGN = /(?:\bfrom|\brequire\s*\(|\bimport\s*\(?)\s*['"](?:node:[\w/]+|vscode|electron|fs|net|http|https|path|os|child_process)['"]/;

/** @param name the document's file name: a declaration file describes scripts, and is none */
export function isScriptText(name: string, text: string): boolean {
  if (/\.d\.[cm]?ts$/i.test(name)) return false;
  const searched = text.slice(0, SEARCHED_CHARACTERS);
  if (FOREIGN.test(searched)) return false;
  const code = searched.replace(SILENT, '""');
  return OURS.test(code) || (PRINT.test(code) && !OWN_PRINT.test(code));
}
