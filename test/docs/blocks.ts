/** The code blocks of a page: scripts, what they print, and what they need. */

export interface Block {
  /** Of the page, 1-based: the first of the code. */
  readonly line: number;
  /** First word after the fence. */
  readonly language: string;
  /** Words of the form `name=value` after it. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
  /** What a block `text` says that comes next, or null. */
  readonly prints: string | null;
}

/** @param text Markdown, or TypeScript whose comments hold it @throws Error for a fence that is not closed */
export function blocksOf(text: string): Block[] {
  const blocks: { line: number; language: string; attributes: Record<string, string>; text: string; prints: string | null }[] = [];
  // A line of a comment begins with an asterisk, which is none of the code.
  const lines = text.split('\n').map((line) => (text.startsWith('/**') ? line.replace(/^ *\* ?(?!\/)/, '') : line));
  for (let at = 0; at < lines.length; at++) {
    const fence = /^```(\w+)((?: \w+=\S+)*) *$/.exec(lines[at] ?? '');
    if (fence === null) continue;
    const end = lines.indexOf('```', at + 1);
    if (end < 0) throw new Error(`the block at line ${at + 1} has no end`);
    const [, language = '', words = ''] = fence;
    const body = lines.slice(at + 1, end).join('\n');
    const before = blocks.at(-1);
    if (language === 'text' && before !== undefined && before.prints === null) before.prints = body;
    else blocks.push({ line: at + 2, language, attributes: Object.fromEntries(words.trim().split(' ').filter(Boolean).map((word) => word.split('=', 2))), text: body, prints: null });
    at = end;
  }
  return blocks;
}

/** Whether lines are as a page says: `…` there stands for anything. */
export function matches(page: string, lines: readonly string[]): boolean {
  const pattern = page.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*');
  return new RegExp(`^${pattern}$`).test(lines.join('\n'));
}
