import * as vscode from 'vscode';
import { OUTPUT_LANGUAGE } from './contributions';
import type { RunModel } from './run-model';
import { documentUri } from './script-documents';
import { findLocations } from './script-locations';

/** Makes `at fn (/abs/file.ts:9:9)` in the output clickable, also outside the workspace, where VS Code's own links end. */
export class OutputLinks implements vscode.DocumentLinkProvider {
  readonly #model: RunModel;

  constructor(model: RunModel) {
    this.#model = model;
  }

  static register(model: RunModel): vscode.Disposable {
    return vscode.languages.registerDocumentLinkProvider({ language: OUTPUT_LANGUAGE }, new OutputLinks(model));
  }

  provideDocumentLinks(document: vscode.TextDocument): vscode.DocumentLink[] {
    return findLocations(document.getText()).map(({ file, line, column, start, end }) => {
      const range = new vscode.Range(document.positionAt(start), document.positionAt(end));
      return new vscode.DocumentLink(range, documentUri(this.#model, file).with({ fragment: `${line},${column}` }));
    });
  }
}
