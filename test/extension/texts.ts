/** Finds the texts in the extension's own sources: those given to the translator, and those that bypass it. */
import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';

export interface FoundText {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** A text for people has two words, or is one that begins a sentence or a label: `Fetch failed`, `Close`. */
const FOR_PEOPLE = /[A-Za-zÀ-ÿ]{2,}[,.:;!?…]* +[A-Za-zÀ-ÿ{(]|^[A-Z][a-z]+[.:!?]?$/;

/** Calls whose texts are not for the window: diagnosis in the log stays in English, as VS Code's own does. */
const LOG_CALLS = /(?:^|\.)(?:log|#log|diagnostic|killWorker)$|\blog\.(?:trace|debug|info|warn|error)$/;

/** Sources whose texts a person in VS Code sees. The terminal command speaks English, as the runtime does. */
export function windowSources(): string[] {
  const files = readdirSync('extension').filter((name) => name.endsWith('.ts') && !/^(?:cli(?:-[a-z-]+)?|option-values)\.ts$/.test(name) && name !== 'protocol.ts');
  return files.map((name) => `extension/${name}`);
}

const isTranslator = (call: ts.CallExpression): boolean => /^(?:vscode\.l10n\.)?t$/.test(call.expression.getText());

/** @returns the texts given to `t(…)`, and the texts for people that are not */
export function readTexts(file: string): { readonly translated: FoundText[]; readonly bypassing: FoundText[] } {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2023, true);
  const translated: FoundText[] = [];
  const bypassing: FoundText[] = [];
  const found = (node: ts.Node, text: string): FoundText => ({ file, line: source.getLineAndCharacterOfPosition(node.getStart()).line + 1, text });
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isTypeNode(node)) return;
    if (ts.isCallExpression(node)) {
      if (isTranslator(node)) {
        const [first, ...values] = node.arguments;
        if (first && ts.isStringLiteralLike(first)) translated.push(found(first, first.text));
        else bypassing.push(found(node, `not a literal: ${node.getText()}`));
        values.forEach(visit);
        return;
      }
      if (LOG_CALLS.test(node.expression.getText())) return;
    }
    if (ts.isStringLiteralLike(node) && FOR_PEOPLE.test(node.text) && !isName(node)) bypassing.push(found(node, node.text));
    if (ts.isTemplateExpression(node)) {
      const text = [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join('{}');
      if (FOR_PEOPLE.test(text)) bypassing.push(found(node, text));
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return { translated, bypassing };
}

/** What is compared with, indexed by, or is a key: never shown. */
function isName(node: ts.StringLiteralLike): boolean {
  const { parent } = node;
  if (ts.isPropertyAssignment(parent) && parent.name === node) return true;
  if (ts.isElementAccessExpression(parent) || ts.isCaseClause(parent)) return true;
  return ts.isBinaryExpression(parent) && /^[!=]==$/.test(parent.operatorToken.getText());
}
