import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { RiftnetApi } from '../../extension/api';
import { browser } from './browser';
import { activate, openScript, printed, runOf, serveHttp, stopEverything, until, untilEvent } from './support';
import type { TestServer } from './support';

const ROW = '.pane-body .monaco-list-row';
const FAILED = `${ROW}:has-text("localhost:1"):has-text("ECONNREFUSED")`;
const THEMES = { light: 'Default Light Modern', dark: 'Default Dark Modern', 'high-contrast': 'Default High Contrast' } as const;

/** The window as it looks at work, in each kind of theme: the pictures are for eyes. */
describe('a person who looks', function () {
  this.timeout(120_000);
  let api: RiftnetApi;
  let server: TestServer;
  let document: vscode.TextDocument;

  before(async () => {
    api = await activate();
    server = await serveHttp((request, response) => {
      if (request.url === '/stream') return void setInterval(() => response.write('x'.repeat(20_000)), 50).unref();
      response.writeHead(request.url === '/missing' ? 404 : 200, { 'content-type': 'application/json' }).end('{"name":"rift"}');
    });
    const folder = join(vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '', 'looks');
    mkdirSync(folder, { recursive: true });
    await vscode.commands.executeCommand('riftnet.setUpFolder', vscode.Uri.file(folder));
    document = await openScript(
      'looks/looks.ts',
      `// Asks a server for several things, and shows what comes of it.
const base = 'http://localhost:${server.port}';
const item = await fetch(base + '/item');
print(item.status, item.json<{ name: string }>().name);
await fetch(base + '/missing');
await fetch('http://127.0.0.1:${server.port}/');
const refused = Network.Connect('localhost', 1);
while (refused.status === 'connecting') await Event.OnTick;
console.warn('refused:', refused.error?.code);
const stream = Network.Connect('localhost', ${server.port});
while (stream.status === 'connecting') await Event.OnTick;
stream.write('GET /stream HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n');
Event.OnTick.on(() => void stream.read());
print('streaming');
`,
    );
    await vscode.commands.executeCommand('notifications.clearAll');
    await vscode.commands.executeCommand('riftnet.sockets.focus');
    await vscode.window.showTextDocument(document);
    await vscode.commands.executeCommand('riftnet.runScript');
    await until(api, 'the stream', () => printed(api, 'looks.ts').includes('streaming'));
  });

  after(async () => {
    await vscode.commands.executeCommand('riftnet.clearFilter');
    await vscode.workspace.getConfiguration().update('workbench.colorTheme', undefined, vscode.ConfigurationTarget.Workspace);
    await stopEverything(api);
    await server.close();
  });

  it('sees the rate of a socket, and opens what failed to read why', async () => {
    await until(api, 'a rate', () => api.tree[0]?.children.some(({ description }) => /connected .* ↓ [\d.]+ KiB\/s/.test(description)));
    await browser.click(`${FAILED} .monaco-tl-twistie.collapsible.collapsed`);
    await browser.waitFor(`${ROW} >> text=Came back:`);
    const rows = (await browser.texts(ROW)).join('\n');
    for (const word of ['Sent:', 'Came back:', 'Means:', 'Try:']) assert.ok(rows.includes(word), word);
  });

  for (const [name, theme] of Object.entries(THEMES)) {
    it(`sees it in the theme ${theme}`, async () => {
      const kind = vscode.window.activeColorTheme.kind;
      await vscode.workspace.getConfiguration().update('workbench.colorTheme', theme, vscode.ConfigurationTarget.Workspace);
      const wanted = { light: vscode.ColorThemeKind.Light, dark: vscode.ColorThemeKind.Dark, 'high-contrast': vscode.ColorThemeKind.HighContrast }[name];
      if (kind !== wanted) await untilEvent(`the theme ${theme}`, vscode.window.onDidChangeActiveColorTheme, () => vscode.window.activeColorTheme.kind === wanted);
      await browser.hoverUntil(`${ROW}:has-text("localhost:${server.port}"):has-text("connected")`, '.workbench-hover >> text=Retransmissions');
      await browser.screenshot(`looks-${name}`);
    });
  }

  it('filters for what failed, reads so above the tree, and clears the filter there', async () => {
    api.filter = { show: 'failed', text: '' };
    await browser.waitFor('text=Shown: only what failed');
    await browser.waitGone(`${ROW} >> text=200 OK`);
    await browser.screenshot('looks-filtered');
    await browser.click('.action-label[aria-label="Clear Filter of Sockets"]');
    await browser.waitFor(`${ROW} >> text=200 OK`);
    assert.deepEqual(api.filter, { show: 'all', text: '' });
  });

  it('closes the stream at its line', async () => {
    const stream = `${ROW}:has-text("localhost:${server.port}"):has-text("connected")`;
    await browser.hover(stream);
    await browser.click(`${stream} .action-label[aria-label="Close Socket"]`);
    await until(api, 'the close', () => [...(runOf(api, document)?.sockets.values() ?? [])].at(-1)?.closedAt !== null);
  });

  it('reads why something failed while it rests on it', async () => {
    await browser.hoverUntil(FAILED, '.workbench-hover >> text=Came back');
    await browser.screenshot('looks-explained');
    await browser.hoverUntil(`${ROW}:has-text("Try:")`, '.workbench-hover >> text=listen on');
  });
});
