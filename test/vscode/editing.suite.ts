import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { activate, openScript } from './support';

describe('writing a script', () => {
  afterEach(() => vscode.commands.executeCommand('workbench.action.closeAllEditors'));

  for (const file of ['snippets.ts', 'snippets.js']) {
    it(`completes our snippets in ${file}`, async () => {
      await activate();
      const document = await openScript(file, 'net\n');
      const root = vscode.extensions.getExtension('riftnet.riftnet')?.extensionPath ?? '';
      const snippets: unknown = JSON.parse(readFileSync(join(root, 'snippets', 'riftnet.json'), 'utf8'));
      const prefixes = Object.values(snippets as Record<string, { prefix: string }>).map(({ prefix }) => prefix);
      assert.ok(prefixes.length >= 4);
      const completions = await vscode.commands.executeCommand<vscode.CompletionList>('vscode.executeCompletionItemProvider', document.uri, new vscode.Position(0, 3));
      const offered = completions.items.filter(({ kind }) => kind === vscode.CompletionItemKind.Snippet).map(({ label }) => (typeof label === 'string' ? label : label.label));
      assert.deepEqual(prefixes.filter((prefix) => !offered.includes(prefix)), []);
    });
  }
});
