import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { RiftnetApi } from '../../extension/api';
import { browser } from './browser';
import { openScript, runOf, serveHttp, until, untilEvent, withExtension } from './support';

const ROW = '.pane-body .monaco-list-row';

/** What a person does in the window, with its keys and clicks; needs the launcher that owns a browser. */
describe('a person', () => {
  let api: RiftnetApi;
  withExtension((active) => (api = active));

  it('is told what to do while nothing runs', async () => {
    await vscode.commands.executeCommand('riftnet.sockets.focus');
    await browser.waitFor('.welcome-view-content >> text=Run Script');
    await browser.screenshot('welcome');
  });

  it('runs a script from the palette, watches its sockets and output, and stops it in the tree', async () => {
    const server = await serveHttp((request, response) => {
      // The last one is left pending, for the tree to show.
      if (request.url === '/slow') return;
      response.writeHead(request.url === '/missing' ? 404 : 200, { 'content-type': 'application/json' }).end('{"name":"rift","size":3}');
    });
    const document = await openScript(
      'person.ts',
      `const base = 'http://localhost:${server.port}';
const page = await fetch(base + '/item');
print(page.status, page.json());
await fetch(base + '/missing');
console.warn('a warning');
const socket = Network.Connect('localhost', ${server.port});
while (socket.status === 'connecting') await Event.OnTick;
socket.write('GET /item HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n');
while (!socket.read()) await Event.OnTick;
Event.OnTick.once(() => {
  throw new Error('shown with its line');
});
await fetch(base + '/slow');
`,
    );
    await vscode.commands.executeCommand('riftnet.sockets.focus');
    await vscode.window.showTextDocument(document);
    await browser.press('F1');
    await browser.type('Riftnet: Run Script');
    await browser.press('Enter');
    await until(api, 'the pending fetch', () => api.runs.some((run) => [...run.fetches.values()].some((fetch) => fetch.url.endsWith('/slow'))));
    await browser.waitFor(`${ROW} >> text=person.ts`);
    await browser.waitFor(`${ROW} >> text=GET localhost:${server.port}/slow`);
    await browser.waitFor(`${ROW} >> text=200 OK`);
    await browser.waitFor('.part.panel .view-line >> text=shown with its line');
    const rows = (await browser.texts(ROW)).join('\n');
    assert.match(rows, /404 Not Found/);
    assert.match(rows, new RegExp(`localhost:${server.port}`));
    await browser.hoverUntil(`${ROW}:has-text("localhost:${server.port}"):has-text("connected")`, '.workbench-hover >> text=Retransmissions');
    await browser.screenshot('running');

    const run = `${ROW}:has-text("person.ts")`;
    await browser.hover(run);
    await browser.click(`${run} .action-label[aria-label="Stop"]`);
    await until(api, 'the end', () => runOf(api, document)?.outcome?.kind === 'stopped');
    await browser.waitFor(`${run} >> text=stopped`);
    await browser.screenshot('stopped');
    await server.close();
  });

  it('writes a script from a snippet', async () => {
    const document = await openScript('typed.ts', '');
    await browser.click('.editor-instance .view-lines');
    await browser.type('nettick');
    await browser.waitFor('.suggest-widget.visible >> text=nettick');
    await browser.press('Enter');
    await untilEvent('the snippet in the document', vscode.workspace.onDidChangeTextDocument, () => /^Event\.OnTick\.on\(\(tick\) => \{\n/.test(document.getText()));
    await document.save();
  });
});
