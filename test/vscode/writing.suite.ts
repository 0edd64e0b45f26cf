import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { RiftnetApi } from '../../extension/api';
import { openScript, printed, runToEnd, untilEvent, withExtension } from './support';

function freshFolder(name: string): vscode.Uri {
  const root = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '';
  const folder = join(root, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return vscode.Uri.file(folder);
}

const setUp = (folder: vscode.Uri): Thenable<boolean> => vscode.commands.executeCommand<boolean>('riftnet.setUpFolder', folder);
async function completionsAt(document: vscode.TextDocument, position: vscode.Position): Promise<string[]> {
  const { items } = await vscode.commands.executeCommand<vscode.CompletionList>('vscode.executeCompletionItemProvider', document.uri, position);
  return items.map(({ label }) => (typeof label === 'string' ? label : label.label));
}

const read = (folder: vscode.Uri, name: string): string => readFileSync(join(folder.fsPath, name), 'utf8');

describe('a folder that is set up for scripts', function () {
  this.timeout(120_000);
  let api: RiftnetApi;
  withExtension((active) => (api = active));

  it('has the declarations, a tsconfig.json and an example, which runs', async () => {
    const folder = freshFolder('set-up');
    assert.equal(await setUp(folder), true);
    for (const name of ['tsconfig.json', 'hello.ts', '.riftnet/riftnet.d.ts']) assert.ok(existsSync(join(folder.fsPath, name)), name);
    const document = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder, 'hello.ts'));
    await vscode.window.showTextDocument(document);
    assert.deepEqual((await runToEnd(api, document)).outcome, { kind: 'finished' });
    assert.deepEqual(printed(api, 'hello.ts'), ['Hello from Riftnet']);
  });

  it('has the names of scripts completed, explained, and checked', async () => {
    const folder = freshFolder('names');
    await setUp(folder);
    const document = await openScript('names/names.ts', `const response = await fetch('http://localhost/');\nprint(response.timings);\nEvent.\n`);
    // TypeScript takes its time to start; what it says of the file tells that it has.
    const errors = await untilEvent('the one error', vscode.languages.onDidChangeDiagnostics, () => {
      const found = vscode.languages.getDiagnostics(document.uri);
      return found.length > 0 && found;
    }, 60_000);
    assert.deepEqual(errors.map(({ message, range }) => [range.start.line >= 2, /expected/.test(message)]), [[true, true]], 'only the unfinished line is wrong: fetch, top-level await and print are known');
    // It answers at first from what it knows without the folder's configuration.
    const deadline = Date.now() + 60_000;
    let labels = await completionsAt(document, new vscode.Position(2, 6));
    while (!labels.includes('OnTick') && Date.now() < deadline) labels = await completionsAt(document, new vscode.Position(2, 6));
    assert.ok(labels.includes('OnTick') && labels.includes('OnRender'), labels.slice(0, 20).join());
    assert.ok(!labels.includes('composedPath'), "no member of the browser's Event");
    const hovers = await vscode.commands.executeCommand<vscode.Hover[]>('vscode.executeHoverProvider', document.uri, new vscode.Position(0, 25));
    const words = hovers.flatMap(({ contents }) => contents.map((content) => (typeof content === 'string' ? content : content.value))).join('\n');
    assert.match(words, /fetch\(uri: string/);
    assert.match(words, /never rejects|-1/, 'with its documentation');
  });

  it('keeps what was there, and a second time changes nothing', async () => {
    const folder = freshFolder('kept');
    writeFileSync(join(folder.fsPath, 'tsconfig.json'), '{\n  // mine\n  "compilerOptions": { "strict": false }\n}\n');
    writeFileSync(join(folder.fsPath, 'hello.ts'), 'mine');
    assert.equal(await setUp(folder), true);
    const once = read(folder, 'tsconfig.json');
    assert.match(once, /\/\/ mine/);
    assert.match(once, /"strict": false/);
    assert.match(once, /"ES2023"/);
    assert.equal(read(folder, 'hello.ts'), 'mine');
    assert.equal(await setUp(folder), true);
    assert.equal(read(folder, 'tsconfig.json'), once);
  });

  it('is left as it is if its tsconfig.json cannot be read', async () => {
    const folder = freshFolder('broken');
    writeFileSync(join(folder.fsPath, 'tsconfig.json'), '{ "compilerOptions": ');
    assert.equal(await setUp(folder), false);
    assert.equal(read(folder, 'tsconfig.json'), '{ "compilerOptions": ');
    assert.equal(existsSync(join(folder.fsPath, '.riftnet')), false);
  });

  it('has its declarations renewed when a script in it is opened, if they are ours', async () => {
    const folder = freshFolder('renewed');
    await setUp(folder);
    const file = join(folder.fsPath, '.riftnet', 'riftnet.d.ts');
    const current = readFileSync(file, 'utf8');
    writeFileSync(file, `${current.split('\n')[0]}\ndeclare const old: number;\n`);
    const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(folder, '**/*.d.ts'));
    try {
      const renewed = untilEvent('the renewal', watcher.onDidChange, () => readFileSync(file, 'utf8') === current);
      await openScript('renewed/a.ts', `print('a');\n`);
      await renewed;
    } finally {
      watcher.dispose();
    }
  });
});

describe('New Script', () => {
  withExtension();

  it('makes a script from a template, opens it, and overwrites nothing', async () => {
    const folder = freshFolder('made');
    const make = (template: string, name: string) => vscode.commands.executeCommand<vscode.Uri | null>('riftnet.newScript', folder, template, name);
    const made = await make('empty', 'first');
    assert.equal(made?.fsPath, join(folder.fsPath, 'first.ts'));
    assert.equal(vscode.window.activeTextEditor?.document.uri.fsPath, made?.fsPath);
    writeFileSync(made?.fsPath ?? '', 'changed');
    assert.equal(await make('empty', 'first.ts'), null);
    assert.equal(readFileSync(made?.fsPath ?? '', 'utf8'), 'changed');
    const loop = await make('ticks', 'loop.ts');
    assert.match(readFileSync(loop?.fsPath ?? '', 'utf8'), /Event\.OnTick\.on/);
  });

  it('has documentation to go with it', async () => {
    await vscode.commands.executeCommand('riftnet.openApiDocs');
    const labels = (): string[] => vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs.map(({ label }) => label));
    await untilEvent('its tab', vscode.window.tabGroups.onDidChangeTabs, () => labels().some((label) => /scripts\.md/.test(label)));
  });
});
