import * as vscode from 'vscode';
import type { SourceLocation } from './protocol';
import type { RunModel } from './run-model';

/**
 * The document that a path in a script's error belongs to. For most that is the file; a document that has
 * none is run under a path it only would have, and is found by the run.
 */
export function documentUri(model: RunModel, file: string): vscode.Uri {
  const run = model.runs.find((candidate) => candidate.file === file);
  return run ? vscode.Uri.parse(run.key, true) : vscode.Uri.file(file);
}

/** The range an error is shown at: the word there if the document is open, else one character. */
export function errorRange(uri: vscode.Uri, location: SourceLocation): vscode.Range {
  const position = new vscode.Position(Math.max(0, location.line - 1), Math.max(0, location.column - 1));
  const document = vscode.workspace.textDocuments.find((candidate) => candidate.uri.toString() === uri.toString());
  return document?.getWordRangeAtPosition(position) ?? new vscode.Range(position, position.translate(0, 1));
}
