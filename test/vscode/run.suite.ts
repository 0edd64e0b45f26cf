import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import * as vscode from 'vscode';
import type { RiftnetApi } from '../../extension/api';
import { nodes, openScript, printed, runOf, runToEnd, serveHttp, until, withExtension } from './support';

describe('Run Script', () => {
  let api: RiftnetApi;
  withExtension((active) => (api = active));

  it('runs a script that fetches from a server, and shows output and fetch', async () => {
    const server = await serveHttp((request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' }).end(`hello from ${request.url ?? ''}`);
    });
    const document = await openScript('fetch.ts', `const response = await fetch('http://localhost:${server.port}/page');\nprint(response.status, response.text());\n`);
    const run = await runToEnd(api, document);
    assert.deepEqual(run.outcome, { kind: 'finished' });
    assert.deepEqual(printed(api, 'fetch.ts'), ['200 hello from /page']);
    const node = await until(api, 'the fetch in the tree', () => nodes(api.tree).find(({ label, description }) => label === `GET localhost:${server.port}/page` && description.startsWith('200')));
    assert.match(node.description, /^200 OK · 16 B · [\d.]+ m?s$/);
    assert.equal(node.contextValue, 'riftnet.fetch.ended');
    assert.equal(api.tree[0]?.label, 'fetch.ts');
    assert.match(api.tree[0].description, /^finished · /);
    const line = await until(api, "the fetch's line", () => api.output.find((entry) => entry.includes('[fetch.ts] ⇄ fetch GET')));
    assert.match(line, /\[fetch\.ts\] ⇄ fetch GET http:\/\/localhost:\d+\/page 200 OK, 16 B in [\d.]+ m?s$/);
    await server.close();
  });

  it('shows a fetch while it is under way', async () => {
    let answer = (): void => undefined;
    let asked = (): void => undefined;
    const arrived = new Promise<void>((resolve) => (asked = resolve));
    const server = await serveHttp((_request, response) => {
      answer = () => response.end('late');
      asked();
    });
    const document = await openScript('pending.ts', `const response = await fetch('http://localhost:${server.port}/slow');\nprint(response.text());\n`);
    await vscode.commands.executeCommand('riftnet.runScript');
    const pending = await until(api, 'the pending fetch', () => nodes(api.tree).find(({ contextValue }) => contextValue === 'riftnet.fetch.pending'));
    assert.equal(pending.label, `GET localhost:${server.port}/slow`);
    await until(api, 'an open socket', () => nodes(api.tree).some(({ description }) => /\b1 open$/.test(description)));
    await arrived;
    answer();
    await until(api, 'the end', () => runOf(api, document)?.phase === 'ended');
    await until(api, 'the finished fetch', () => nodes(api.tree).some(({ id, description }) => id === pending.id && description.startsWith('200 OK · 4 B')));
    await server.close();
  });

  it('shows a socket live: status, then counters, then its close', async () => {
    const server = createServer((peer) => peer.on('data', (data) => peer.end(`echo ${data.toString()}`)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const document = await openScript(
      'socket.ts',
      `const socket = Network.Connect('localhost', ${port});
while (socket.status === 'connecting') await Event.OnTick;
socket.write('ping');
while (socket.status === 'connected') {
  const data = socket.read();
  if (data) print(data.toString());
  await Event.OnTick;
}
print(socket.status);
`,
    );
    const run = await runToEnd(api, document);
    assert.deepEqual(run.outcome, { kind: 'finished' });
    assert.deepEqual(printed(api, 'socket.ts'), ['echo ping', 'fin']);
    const node = await until(api, 'the closed socket', () => nodes(api.tree).find(({ contextValue }) => contextValue === 'riftnet.socket.closed'));
    assert.equal(node.label, `localhost:${port}`);
    assert.match(node.description, /^fin · ↓ 9 B ↑ 4 B · /);
    await until(api, "the socket's lines", () => api.output.some((entry) => / ● socket \d+ localhost:\d+ closed, 9 B read, 4 B written$/.test(entry)));
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });

  it('says which port refused a connection', async () => {
    // A port that was free a moment ago, and is again.
    const server = await serveHttp(() => undefined);
    await server.close();
    const document = await openScript('refused-port.ts', `const socket = Network.Connect('localhost', ${server.port});\nwhile (socket.status === 'connecting') await Event.OnTick;\nprint(socket.status, socket.error?.code);\n`);
    const { outcome } = await runToEnd(api, document);
    assert.deepEqual([outcome, printed(api, 'refused-port.ts')], [{ kind: 'finished' }, ['error ECONNREFUSED']], api.output.slice(-10).join('\n'));
    await until(api, "the socket's line", () => api.output.some((entry) => new RegExp(`● socket \\d+ localhost:${server.port} error ECONNREFUSED: `).test(entry)));
  });

  it('runs the buffer as it stands, not the file', async () => {
    const document = await openScript('unsaved.ts', `print('from the file');\n`);
    const edit = new vscode.WorkspaceEdit();
    edit.replace(document.uri, new vscode.Range(0, 0, 1, 0), `print('from the buffer');\n`);
    assert.ok(await vscode.workspace.applyEdit(edit));
    assert.ok(document.isDirty);
    await runToEnd(api, document);
    assert.deepEqual(printed(api, 'unsaved.ts'), ['from the buffer']);
    await document.save();
  });

  it('runs an untitled document', async () => {
    const document = await vscode.workspace.openTextDocument({ language: 'typescript', content: `const text: string = 'untitled';\nprint(text);\n` });
    await vscode.window.showTextDocument(document);
    const run = await runToEnd(api, document);
    assert.deepEqual(run.outcome, { kind: 'finished' });
    assert.deepEqual(printed(api, run.title), ['untitled']);
    assert.match(run.title, /^Untitled-\d+\.ts$/);
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
  });

  it('imports beside the script, and shows several scripts at once', async () => {
    await openScript('lib/answer.ts', 'export const answer: number = 42;\n');
    const first = await openScript('first.ts', `import { answer } from './lib/answer';\nprint(answer);\nawait Event.OnTick;\nEvent.OnTick.on(() => {});\n`);
    await vscode.commands.executeCommand('riftnet.runScript');
    const second = await openScript('second.ts', `print('second');\nEvent.OnTick.on(() => {});\n`);
    await vscode.commands.executeCommand('riftnet.runScript');
    await until(api, 'both scripts to print', () => printed(api, 'first.ts').includes('42') && printed(api, 'second.ts').includes('second'));
    assert.equal(runOf(api, first)?.phase, 'running');
    assert.equal(runOf(api, second)?.phase, 'running');
    assert.match(api.statusBarText, /2 scripts, 30 Hz/);
    await vscode.commands.executeCommand('riftnet.stopScript', first.uri);
    await until(api, 'the first to end', () => runOf(api, first)?.phase === 'ended');
    assert.equal(runOf(api, second)?.phase, 'running');
  });
});
