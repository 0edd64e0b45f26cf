import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { RiftnetApi } from '../../extension/api';
import { openScript, runToEnd, until, untilEvent, withExtension } from './support';

const ours = (uri: vscode.Uri): vscode.Diagnostic[] => vscode.languages.getDiagnostics(uri).filter(({ source }) => source === 'riftnet');

async function problemsOf(uri: vscode.Uri): Promise<vscode.Diagnostic[]> {
  return untilEvent(`problems of ${uri.path}`, vscode.languages.onDidChangeDiagnostics, () => (ours(uri).length > 0 ? ours(uri) : undefined));
}

async function replaceAll(document: vscode.TextDocument, text: string): Promise<void> {
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, new vscode.Range(0, 0, document.lineCount, 0), text);
  assert.ok(await vscode.workspace.applyEdit(edit));
}

describe('script errors', () => {
  let api: RiftnetApi;
  withExtension((active) => (api = active));

  it('appear in Problems at their TypeScript line, and go with the next run', async () => {
    const document = await openScript('throws.ts', `interface Unused {\n  name: string;\n}\nfunction fail(text: string): void {\n  throw new TypeError(text);\n}\nfail('no good');\n`);
    const run = await runToEnd(api, document);
    assert.equal(run.outcome?.kind, 'error');
    const [problem, ...more] = await problemsOf(document.uri);
    assert.deepEqual(more, []);
    assert.equal(problem?.range.start.line, 4);
    assert.match(problem.message, /TypeError: no good/);
    assert.equal(problem.severity, vscode.DiagnosticSeverity.Error);

    await replaceAll(document, `print('mended');\n`);
    await runToEnd(api, document);
    await untilEvent('the problem to go', vscode.languages.onDidChangeDiagnostics, () => ours(document.uri).length === 0);
    await document.save();
  });

  it('go with their script where its run is cleared away: it may be deleted', async () => {
    const document = await openScript('cleared.ts', `throw new Error('to be cleared');\n`);
    await runToEnd(api, document);
    await problemsOf(document.uri);
    await vscode.commands.executeCommand('riftnet.clearEnded');
    await untilEvent('the problem to go', vscode.languages.onDidChangeDiagnostics, () => ours(document.uri).length === 0);
  });

  it('of the syntax have their line too', async () => {
    const document = await openScript('syntax.ts', `print('fine');\nconst = 5;\n`);
    const run = await runToEnd(api, document);
    assert.equal(run.outcome?.kind === 'error' && run.outcome.error.kind, 'syntax');
    const [problem] = await problemsOf(document.uri);
    assert.equal(problem?.range.start.line, 1);
  });

  it('in a file that the script imports are shown there', async () => {
    const library = await openScript('lib/breaks.ts', `export function broken(): never {\n  throw new RangeError('from the library');\n}\n`);
    await runToEnd(api, await openScript('imports.ts', `import { broken } from './lib/breaks';\nbroken();\n`));
    const [problem] = await problemsOf(library.uri);
    assert.equal(problem?.range.start.line, 1);
    assert.match(problem.message, /from the library/);
  });

  it('of an untitled document are shown in it', async () => {
    const document = await vscode.workspace.openTextDocument({ language: 'typescript', content: `\n\nthrow new Error('untitled fails');\n` });
    await vscode.window.showTextDocument(document);
    await runToEnd(api, document);
    const [problem] = await problemsOf(document.uri);
    assert.equal(problem?.range.start.line, 2);
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
  });

  it('of a handler do not end the script, and are shown', async () => {
    const document = await openScript('handler.ts', `let calls = 0;\nEvent.OnTick.on(() => {\n  if (++calls === 1) throw new Error('handler fails');\n  if (calls === 3) print('still running');\n});\n`);
    await vscode.commands.executeCommand('riftnet.runScript');
    const [problem] = await problemsOf(document.uri);
    assert.equal(problem?.range.start.line, 2);
    await until(api, 'the script to go on', () => api.output.some((entry) => entry.endsWith('still running')));
  });

  it('are links in the output', async () => {
    const document = await openScript('linked.ts', `function inner(): void {\n  throw new Error('follow me');\n}\ninner();\n`);
    await runToEnd(api, document);
    await vscode.commands.executeCommand('riftnet.showOutput');
    const channel = await untilEvent('the output to be shown', vscode.window.onDidChangeVisibleTextEditors, () => vscode.window.visibleTextEditors.find((editor) => editor.document.languageId === 'riftnet-output')?.document);
    const place = `${document.uri.fsPath}:2:9`;
    await untilEvent('the error in the output', vscode.workspace.onDidChangeTextDocument, () => channel.getText().includes(place));
    const links = await vscode.commands.executeCommand<vscode.DocumentLink[]>('vscode.executeLinkProvider', channel.uri);
    const wanted = document.uri.with({ fragment: '2,9' }).toString();
    const link = links.find(({ target }) => target?.toString() === wanted);
    assert.ok(link, `a link to ${wanted} among ${links.map(({ target }) => target?.toString()).join(', ')}`);
    assert.equal(channel.getText(link.range), place);
  });
});
