import * as vscode from 'vscode';
import { DisposableStore } from './emitter';
import type { ScriptError } from './protocol';
import type { RunModel } from './run-model';
import { documentUri, errorRange } from './script-documents';

/** More errors of one script are in the output only: a handler may throw at every tick. */
const MAX_PROBLEMS_PER_SCRIPT = 50;

interface Problem {
  readonly uri: vscode.Uri;
  readonly diagnostic: vscode.Diagnostic;
}

/** Script errors in Problems, at the line of the source; those of a script are cleared when it runs again, or leaves the Sockets view. */
export class ScriptProblems implements vscode.Disposable {
  readonly #store = new DisposableStore();
  readonly #collection: vscode.DiagnosticCollection;
  readonly #model: RunModel;
  /** By the script that failed: an error may stand in a file that several scripts import. */
  readonly #problems = new Map<string, Problem[]>();

  constructor(model: RunModel) {
    this.#model = model;
    this.#collection = this.#store.add(vscode.languages.createDiagnosticCollection('riftnet'));
    this.#store.add(
      model.onDidChange((change) => {
        if (change.kind === 'added') this.#clear(change.run.key);
        // A script that is deleted, and whose run is cleared away, is never run again.
        else if (change.kind === 'removed' && !model.runs.some(({ key }) => key === change.run.key)) this.#clear(change.run.key);
        else if (change.kind === 'error') this.#add(change.run.key, change.error);
        else if (change.kind === 'phase' && change.run.outcome?.kind === 'error') this.#add(change.run.key, change.run.outcome.error);
      }),
    );
    // An untitled document that was closed cannot be run again, which is what would clear its problems.
    this.#store.add(
      vscode.workspace.onDidCloseTextDocument((document) => {
        if (document.isUntitled) this.#clear(document.uri.toString());
      }),
    );
  }

  dispose(): void {
    this.#store.dispose();
  }

  #add(key: string, error: ScriptError): void {
    if (!error.location) return;
    const problems = this.#problems.get(key) ?? [];
    const uri = documentUri(this.#model, error.location.file);
    const range = errorRange(uri, error.location);
    const known = problems.some(({ uri: other, diagnostic }) => other.toString() === uri.toString() && diagnostic.range.isEqual(range) && diagnostic.message === error.message);
    if (known || problems.length >= MAX_PROBLEMS_PER_SCRIPT) return;
    const diagnostic = new vscode.Diagnostic(range, error.message, vscode.DiagnosticSeverity.Error);
    diagnostic.source = 'riftnet';
    diagnostic.code = error.kind;
    problems.push({ uri, diagnostic });
    this.#problems.set(key, problems);
    this.#show(uri);
  }

  #clear(key: string): void {
    const problems = this.#problems.get(key) ?? [];
    this.#problems.delete(key);
    for (const { uri } of problems) this.#show(uri);
  }

  #show(uri: vscode.Uri): void {
    const here: vscode.Diagnostic[] = [];
    for (const problems of this.#problems.values()) for (const problem of problems) if (problem.uri.toString() === uri.toString()) here.push(problem.diagnostic);
    this.#collection.set(uri, here);
  }
}
