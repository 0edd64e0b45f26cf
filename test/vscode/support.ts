import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import Mocha from 'mocha';
import * as vscode from 'vscode';
import type { RiftnetApi, TreeNode } from '../../extension/api';
import type { Run } from '../../extension/run-model';
import { browser } from './browser';

/** Longer than anything here takes on a busy machine; what is waited for is always named on failure. */
const WAIT_MS = 20_000;

const EXTENSION = 'riftnet.riftnet';

export async function activate(): Promise<RiftnetApi> {
  const extension = vscode.extensions.getExtension<RiftnetApi>(EXTENSION);
  if (!extension) throw new Error(`extension ${EXTENSION} is not installed`);
  return extension.activate();
}

/**
 * What a suite begins with, and what it leaves: the extension active, and after each test nothing that runs. A test
 * that failed leaves a picture of the window, where there is one.
 */
export function withExtension(give: (api: RiftnetApi) => void = () => {}): void {
  let api: RiftnetApi;
  before(async () => {
    api = await activate();
    give(api);
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await browser.picture(`failed ${this.currentTest.title.slice(0, 40)}`);
    await stopEverything(api);
  });
}

/** Waits until the condition gives something other than undefined and false; looked at after each change. */
export async function until<T>(api: RiftnetApi, what: string, condition: () => T | undefined | false, waitMs = WAIT_MS): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const done = (): void => {
      clearTimeout(timer);
      subscription.dispose();
    };
    const look = (): void => {
      const value = condition();
      if (value === undefined || value === false) return;
      done();
      resolve(value);
    };
    const timer = setTimeout(() => {
      done();
      reject(new Error(`waited ${waitMs / 1000} s for ${what}\ntree: ${JSON.stringify(api.tree, null, 1).slice(0, 10_000)}\noutput:\n${api.output.slice(-20).join('\n')}`));
    }, waitMs);
    const subscription = api.onDidChange(look);
    look();
  });
}

/** Waits for something VS Code itself announces. */
export async function untilEvent<T>(what: string, event: vscode.Event<unknown>, condition: () => T | undefined | false, waitMs = WAIT_MS): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const look = (): void => {
      const value = condition();
      if (value === undefined || value === false) return;
      clearTimeout(timer);
      subscription.dispose();
      resolve(value);
    };
    const timer = setTimeout(() => {
      subscription.dispose();
      reject(new Error(`waited ${waitMs / 1000} s for ${what}`));
    }, waitMs);
    const subscription = event(look);
    look();
  });
}

/** Writes a script into the folder that is open, and shows it. */
export async function openScript(name: string, text: string): Promise<vscode.TextDocument> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  if (folder === undefined) throw new Error('no folder is open');
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  const document = await vscode.workspace.openTextDocument(vscode.Uri.file(file));
  await vscode.window.showTextDocument(document);
  return document;
}

/** The latest run of a document. */
export function runOf(api: RiftnetApi, document: vscode.TextDocument): Run | undefined {
  return api.runs.findLast((run) => run.key === document.uri.toString());
}

/** Runs the active document through the command, as the palette does, and waits for its end. */
export async function runToEnd(api: RiftnetApi, document: vscode.TextDocument): Promise<Run> {
  const before = runOf(api, document)?.id;
  await vscode.commands.executeCommand('riftnet.runScript');
  return until(api, `the end of ${document.fileName}`, () => {
    const run = runOf(api, document);
    return run && run.id !== before && run.phase === 'ended' ? run : undefined;
  });
}

/** What a run printed, without times and titles. */
export function printed(api: RiftnetApi, title: string): string[] {
  const lines: string[] = [];
  for (const entry of api.output) {
    const match = /^\d\d:\d\d:\d\d\.\d{3} \[(.*?)\] (.*)$/s.exec(entry);
    if (match?.[1] === title && match[2] !== undefined && !/^[▸●⇄✖■] /.test(match[2])) lines.push(match[2]);
  }
  return lines;
}

/** All nodes of the Sockets view, depth first. */
export function nodes(tree: readonly TreeNode[]): TreeNode[] {
  return tree.flatMap((node) => [node, ...nodes(node.children)]);
}

/** Whether a process still runs. One that has ended and that nobody has collected yet (a zombie) does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return process.platform !== 'linux' || !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

export interface TestServer {
  readonly port: number;
  close(): Promise<void>;
}

/** An HTTP server of the test's own on 127.0.0.1, for scripts that fetch from `localhost`. */
export async function serveHttp(listener: RequestListener): Promise<TestServer> {
  const server = createServer(listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    port: address.port,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Ends what a test left running, so that the next begins with nothing. */
export async function stopEverything(api: RiftnetApi): Promise<void> {
  await vscode.commands.executeCommand('riftnet.stopAllScripts');
  await until(api, 'all scripts to end', () => api.runs.every((run) => run.phase === 'ended'));
  await vscode.commands.executeCommand('riftnet.clearEnded');
  await vscode.commands.executeCommand('workbench.action.closeAllEditors');
}

/** A figure beside the tests' names: the launcher passes on what the reporter says, and nothing else. */
export function report(text: string): void {
  Mocha.reporters.Base.consoleLog(`      ${text}`);
}
