import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { RiftnetApi } from '../../extension/api';
import { nodes, openScript, runToEnd, serveHttp, withExtension } from './support';

/** A port that nothing listens on. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('what failed', () => {
  let api: RiftnetApi;
  withExtension((active) => (api = active));

  it('explains itself below its line: what was sent, what came back, what that means, what to try', async () => {
    const port = await closedPort();
    const document = await openScript('refused.ts', `const socket = Network.Connect('localhost', ${port});\nwhile (socket.status === 'connecting') await Event.OnTick;\nawait fetch('http://127.0.0.1:${port}/');\n`);
    await runToEnd(api, document);
    const [socket, fetch] = api.tree[0]?.children ?? [];
    assert.equal(socket?.contextValue, 'riftnet.socket.failed');
    assert.deepEqual(socket.children.map(({ label }) => label), ['Sent:', 'Came back:', 'Means:', 'Try:', 'Try:']);
    assert.match(socket.children[1]?.description ?? '', /RST/);
    await vscode.commands.executeCommand('riftnet.copyAddress', socket.id);
    assert.match(await vscode.env.clipboard.readText(), new RegExp(`^192\\.0\\.2\\.\\d+:${port}$`));
    assert.match(socket.children[3]?.description ?? '', /let it listen on 127\.0\.0\.1/, 'the address that localhost stands for here');
    assert.equal(fetch?.contextValue, 'riftnet.fetch.failed');
    assert.equal(fetch.children[0]?.description, 'Nothing.');
    assert.match(fetch.children[3]?.description ?? '', /'localhost'/);
  });

  it('is what the filter leaves, and everything comes back without it', async () => {
    const server = await serveHttp((request, response) => response.writeHead(request.url === '/good' ? 200 : 500).end());
    const document = await openScript('filter.ts', `await fetch('http://localhost:${server.port}/good');\nawait fetch('http://localhost:${server.port}/bad');\n`);
    await runToEnd(api, document);
    await server.close();
    const labels = (): string[] => nodes(api.tree).filter(({ contextValue }) => contextValue.startsWith('riftnet.fetch')).map(({ label }) => label);
    assert.equal(labels().length, 2);
    api.filter = { show: 'failed', text: '' };
    assert.deepEqual(labels(), [`GET localhost:${server.port}/bad`]);
    api.filter = { show: 'all', text: '/GOOD' };
    assert.deepEqual(labels(), [`GET localhost:${server.port}/good`]);
    await vscode.commands.executeCommand('riftnet.clearFilter');
    assert.equal(labels().length, 2);
  });
});

describe('Save Capture', () => {
  let api: RiftnetApi;
  const file = join(tmpdir(), `riftnet-saved-${process.pid}.pcapng`);
  withExtension((active) => (api = active));
  afterEach(() => rmSync(file, { force: true }));

  it('writes the frames of a socket, of a script, and of everything, after the fact', async () => {
    const server = await serveHttp((_, response) => response.end('answer'));
    const document = await openScript('captured.ts', `await fetch('http://localhost:${server.port}/one');\nconst socket = Network.Connect('localhost', ${server.port});\nwhile (socket.status === 'connecting') await Event.OnTick;\nsocket.close();\n`);
    await runToEnd(api, document);
    await server.close();
    const frames = async (command: string, ...words: unknown[]): Promise<number> => {
      const count = await vscode.commands.executeCommand<number | null>(command, ...words, vscode.Uri.file(file));
      assert.ok(count !== null);
      assert.equal(readFileSync(file).readUInt32LE(0), 0x0a0d_0d0a, 'a pcapng file');
      return count;
    };
    const run = api.tree[0];
    const socket = run?.children.findLast(({ contextValue }) => contextValue.startsWith('riftnet.socket'));
    const ofSocket = await frames('riftnet.saveCaptureOf', socket?.id);
    const ofRun = await frames('riftnet.saveCaptureOf', run?.id);
    const ofAll = await frames('riftnet.saveCapture');
    assert.ok(ofSocket >= 4 && ofRun > ofSocket && ofAll >= ofRun, `${ofSocket} of the socket, ${ofRun} of the script, ${ofAll} in all`);
  });

  it('that cannot be written is told, and nothing is thrown', async () => {
    await runToEnd(api, await openScript('nothing.ts', `print('ran');\n`));
    assert.equal(await vscode.commands.executeCommand('riftnet.saveCapture', vscode.Uri.file('/nonexistent/x.pcapng')), null);
    assert.equal(await vscode.commands.executeCommand('riftnet.saveCapture', vscode.Uri.parse('untitled:x')), null);
  });
});
