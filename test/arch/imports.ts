/**
 * Reads what every source file imports, with the TypeScript compiler's own parser. Nothing is executed
 * and nothing is type-checked, so the whole tree takes well under a second.
 */
import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

export interface Import {
  /** As written. */
  readonly specifier: string;
  /** Path of the file it means, relative to the root; null for a package or a Node built-in. */
  readonly target: string | null;
  /** Erased by the compiler: `import type`, `export type`, or only `type` specifiers. */
  readonly typeOnly: boolean;
  /** Names of the values imported, if it names them one by one; null if it takes the module whole. */
  readonly names: readonly string[] | null;
  /** 1-based. */
  readonly line: number;
}

export interface SourceFile {
  /** Relative to the root, with `/`. */
  readonly path: string;
  readonly imports: readonly Import[];
  /** Whether it passes on another module's exports. */
  readonly reExports: boolean;
  /** Imported classes it makes instances of: where each comes from, and its name. */
  readonly constructions: readonly { readonly name: string; readonly target: string; readonly line: number }[];
}

/** Parses one file. `exists` tells whether a path relative to the root is a file: the disk, or a test's own tree. */
export function parseSource(file: string, text: string, exists: (path: string) => boolean): SourceFile {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS);
  const imports: Import[] = [];
  const constructions: SourceFile['constructions'][number][] = [];
  const values = new Map<string, string>();
  let reExports = false;

  const lineOf = (node: ts.Node): number => source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
  const add = (specifier: ts.Node | undefined, typeOnly: boolean, names: readonly string[] | null = null): string | null => {
    if (!specifier || !ts.isStringLiteralLike(specifier)) return null;
    const target = resolve(file, specifier.text, exists);
    imports.push({ specifier: specifier.text, target, typeOnly, names, line: lineOf(specifier) });
    return target;
  };

  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      const names = importedValues(node.importClause);
      const target = add(node.moduleSpecifier, isErased(node.importClause), names);
      if (target !== null) for (const name of names ?? []) values.set(name, target);
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
      reExports = true;
      add(node.moduleSpecifier, node.isTypeOnly);
    } else if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference)) {
      add(node.moduleReference.expression, node.isTypeOnly);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal, true);
    } else if (ts.isCallExpression(node) && isModuleCall(node.expression)) {
      add(node.arguments[0], false);
    } else if (ts.isNewExpression(node) && ts.isIdentifier(node.expression)) {
      const target = values.get(node.expression.text);
      if (target !== undefined) constructions.push({ name: node.expression.text, target, line: lineOf(node) });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return { path: file, imports, reExports, constructions };
}

/** Every .ts file at or below the given folders, parsed. */
export function readSources(root: string, folders: readonly string[]): SourceFile[] {
  const files: string[] = [];
  const walk = (relative: string): void => {
    for (const entry of fs.readdirSync(path.join(root, relative), { withFileTypes: true })) {
      const child = `${relative}/${entry.name}`;
      if (entry.isDirectory()) walk(child);
      else if (entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts')) files.push(child);
    }
  };
  for (const folder of folders) if (fs.existsSync(path.join(root, folder))) walk(folder);
  const exists = (relative: string): boolean => fs.statSync(path.join(root, relative), { throwIfNoEntry: false })?.isFile() ?? false;
  return files.sort().map((file) => parseSource(file, fs.readFileSync(path.join(root, file), 'utf8'), exists));
}

function isErased(clause: ts.ImportClause | undefined): boolean {
  // `import './x'` runs the module: an import of a value in all but name.
  if (!clause) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const bindings = clause.namedBindings;
  return !clause.name && bindings !== undefined && ts.isNamedImports(bindings) && bindings.elements.length > 0 && bindings.elements.every((element) => element.isTypeOnly);
}

/** Local names of the values that an import brings; null for the module whole, as `import * as x`. */
function importedValues(clause: ts.ImportClause | undefined): string[] | null {
  if (!clause || isErased(clause)) return [];
  const names = clause.name ? [clause.name.text] : [];
  const bindings = clause.namedBindings;
  if (bindings && !ts.isNamedImports(bindings)) return null;
  for (const element of bindings?.elements ?? []) if (!element.isTypeOnly) names.push(element.name.text);
  return names;
}

/** `import(…)`, `require(…)` and `require.resolve(…)`. */
function isModuleCall(callee: ts.Expression): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true;
  if (ts.isIdentifier(callee)) return callee.text === 'require';
  return ts.isPropertyAccessExpression(callee) && callee.getText() === 'require.resolve';
}

function resolve(from: string, specifier: string, exists: (path: string) => boolean): string | null {
  if (!specifier.startsWith('.')) return null;
  const base = path.posix.join(path.posix.dirname(from), specifier);
  for (const candidate of [`${base}.ts`, base, `${base}/index.ts`, base.replace(/\.js$/, '.ts')]) if (exists(candidate)) return candidate;
  // A file that is not there (yet): named as it would be, so that the rules still hold for it.
  return `${base}.ts`;
}
