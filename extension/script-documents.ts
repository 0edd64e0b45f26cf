import * as vscode from 'vscode';
import { COMMANDS } from './contributions';
import { t } from './l10n';
import { showError } from './messages';
import type { SourceLocation } from './protocol';
import type { Run, RunModel } from './run-model';

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
  return openDocument(uri)?.getWordRangeAtPosition(position) ?? new vscode.Range(position, position.translate(0, 1));
}

/** @returns the document; null if it cannot be opened, which has been said then: its file may have been deleted while it ran */
export async function openScript(uri: vscode.Uri): Promise<vscode.TextDocument | null> {
  const document = uri.scheme === 'untitled' ? openDocument(uri) : await vscode.workspace.openTextDocument(uri).then((opened) => opened, () => undefined);
  if (!document) {
    showError(t('{0} cannot be opened: it was deleted, moved or closed without being saved. A script that runs goes on until it is stopped.', uri.scheme === 'file' ? uri.fsPath : uri.path), { title: t('Clear Ended Scripts'), command: COMMANDS.clearEnded });
    return null;
  }
  return document;
}

/** For an untitled document that was closed VS Code would make another of the same name, which is empty. */
function openDocument(uri: vscode.Uri): vscode.TextDocument | undefined {
  return vscode.workspace.textDocuments.find((candidate) => candidate.uri.toString() === uri.toString());
}

/** Shows the script of a run, if it is still there. */
export async function showScript(run: Run): Promise<void> {
  const document = await openScript(vscode.Uri.parse(run.key, true));
  if (document) await vscode.window.showTextDocument(document, { preview: true });
}
