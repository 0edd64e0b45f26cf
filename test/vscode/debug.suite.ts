import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { RiftnetApi } from '../../extension/api';
import { isAlive, openScript, printed, runOf, until, untilEvent, withExtension } from './support';

const SCRIPT = `let answer = 6;
answer *= 7;
print('answer', answer);
let seen = 0;
Event.OnTick.on(function count() {
  seen++;
  print('tick', seen);
  if (seen === 2) Event.OnTick.off(count);
});
`;

/** A frame of the JavaScript debugger, as far as it is looked at. */
interface Frame {
  readonly id: number;
  readonly line: number;
  readonly name: string;
  readonly presentationHint?: string;
  readonly source?: { readonly path?: string };
}

describe('Debug Script', () => {
  let api: RiftnetApi;
  /** Sessions that have begun and not ended, by their ids. `activeDebugSession` can go on naming one that has ended. */
  const living = new Set<string>();
  const watches = [vscode.debug.onDidStartDebugSession(({ id }) => living.add(id)), vscode.debug.onDidTerminateDebugSession(({ id }) => living.delete(id))];
  after(() => watches.forEach((watch) => void watch.dispose()));
  afterEach(async () => {
    vscode.debug.removeBreakpoints([...vscode.debug.breakpoints]);
    await vscode.debug.stopDebugging();
  });
  withExtension((active) => (api = active));

  it('stops at the first line and in a handler of the TypeScript, reads variables, goes on, and ends as the script does', async () => {
    const document = await openScript('debugged.ts', SCRIPT);
    breakAt(document, 0, 6);
    await vscode.commands.executeCommand('riftnet.debugScript');
    const first = await pausedAt(document, 1);
    assert.deepEqual(printed(api, 'debugged.ts'), []);
    await step(first.session, 'next');
    const second = await pausedAt(document, 2);
    assert.equal(await evaluate(second, 'answer'), '6');
    await step(second.session, 'continue');
    const tick = await pausedAt(document, 7);
    assert.equal(await evaluate(tick, 'seen'), '1');
    assert.deepEqual(printed(api, 'debugged.ts'), ['answer 42']);
    await step(tick.session, 'continue');
    const again = await pausedAt(document, 7);
    assert.equal(await evaluate(again, 'seen'), '2');
    await step(again.session, 'continue');
    await until(api, 'the end of the script', () => runOf(api, document)?.phase === 'ended');
    assert.deepEqual(runOf(api, document)?.outcome, { kind: 'finished' });
    assert.deepEqual(printed(api, 'debugged.ts'), ['answer 42', 'tick 1', 'tick 2']);
    await untilEvent('the end of the session', vscode.debug.onDidTerminateDebugSession, () => living.size === 0);
  });

  it('stops the script with the session, and ends the session with the script', async () => {
    const document = await openScript('ended.ts', `print('runs');\nEvent.OnTick.on(() => {\n  print('ticks');\n});\n`);
    breakAt(document, 2);
    for (const end of [() => vscode.debug.stopDebugging(), () => vscode.commands.executeCommand('riftnet.stopScript')]) {
      await vscode.commands.executeCommand('riftnet.debugScript');
      await pausedAt(document, 3);
      const pid = runOf(api, document)?.pid;
      assert.ok(typeof pid === 'number' && isAlive(pid));
      await end();
      await until(api, 'the end of the script', () => runOf(api, document)?.phase === 'ended');
      assert.deepEqual(runOf(api, document)?.outcome, { kind: 'stopped' });
      assert.ok(!isAlive(pid));
      await untilEvent('the end of the session', vscode.debug.onDidTerminateDebugSession, () => living.size === 0);
    }
  });

  it('runs the buffer as it stands, and stops where its lines are', async () => {
    const document = await openScript('dirty.ts', `print('from the file');\n`);
    const edit = new vscode.WorkspaceEdit();
    edit.replace(document.uri, new vscode.Range(0, 0, 1, 0), `let where = 'nowhere';\nwhere = 'the buffer';\nprint('from', where);\n`);
    assert.ok(await vscode.workspace.applyEdit(edit));
    breakAt(document, 2);
    // VS Code saves before it debugs, unless it is told not to.
    const configuration = vscode.workspace.getConfiguration('debug');
    await configuration.update('saveBeforeStart', 'none', vscode.ConfigurationTarget.Workspace);
    await vscode.commands.executeCommand('riftnet.debugScript');
    const paused = await pausedAt(document, 3);
    await configuration.update('saveBeforeStart', undefined, vscode.ConfigurationTarget.Workspace);
    assert.ok(document.isDirty, 'nothing was saved for it');
    assert.equal(await evaluate(paused, 'where'), "'the buffer'");
    await step(paused.session, 'continue');
    await until(api, 'the end of the script', () => runOf(api, document)?.phase === 'ended');
    assert.deepEqual(printed(api, 'dirty.ts'), ['from the buffer']);
    await document.save();
  });

  it("restarts by the debugger's own button, with the text as it is then, and stops by it", async () => {
    const document = await openScript('restarted.ts', `let turn = 'first';\nprint(turn);\nEvent.OnTick.on(() => {});\n`);
    breakAt(document, 1);
    await vscode.commands.executeCommand('riftnet.debugScript');
    const first = await pausedAt(document, 2);
    assert.equal(await evaluate(first, 'turn'), "'first'");
    const before = runOf(api, document);
    assert.ok(before);
    const edit = new vscode.WorkspaceEdit();
    edit.replace(document.uri, new vscode.Range(0, 11, 0, 18), `'second'`);
    assert.ok(await vscode.workspace.applyEdit(edit));
    await vscode.commands.executeCommand('workbench.action.debug.restart');
    await until(api, 'another run', () => runOf(api, document)?.id !== before.id);
    const second = await pausedAt(document, 2);
    assert.equal(await evaluate(second, 'turn'), "'second'");
    assert.deepEqual(before.outcome, { kind: 'stopped' });
    const pid = runOf(api, document)?.pid;
    assert.ok(typeof pid === 'number');
    await vscode.commands.executeCommand('workbench.action.debug.stop');
    await until(api, 'the end of the script', () => runOf(api, document)?.phase === 'ended');
    assert.deepEqual(runOf(api, document)?.outcome, { kind: 'stopped' });
    assert.ok(!isAlive(pid));
    await untilEvent('the end of the session', vscode.debug.onDidTerminateDebugSession, () => living.size === 0);
    await document.save();
  });

  it("shows the script's own variables and callers, and nothing of ours", async () => {
    const document = await openScript('own.ts', `class Counter {\n  static make(): Counter {\n    return new Counter();\n  }\n}\nfunction inner(): string {\n  return 'inside';\n}\nconst made = Counter.make();\nawait null;\nprint(inner(), made);\n`);
    breakAt(document, 6);
    await vscode.commands.executeCommand('riftnet.debugScript');
    const { session, frame } = await pausedAt(document, 7);
    const item = vscode.debug.activeStackItem;
    assert.ok(item);
    const { stackFrames } = (await session.customRequest('stackTrace', { threadId: item.threadId, startFrame: 0, levels: 50 })) as { stackFrames: Frame[] };
    const shown = stackFrames.filter(({ presentationHint }) => presentationHint !== 'deemphasize');
    assert.deepEqual(shown.filter(({ source }) => source?.path?.endsWith('/own.ts')).map(({ name }) => name), ['inner', '<anonymous>']);
    assert.deepEqual(shown.filter(({ presentationHint, source }) => presentationHint !== 'label' && source?.path?.endsWith('/own.ts') !== true), [], 'the rest is folded away');
    assert.ok(!stackFrames.some(({ name }) => /PIPEWRAP/.test(name)), stackFrames.map(({ name }) => name).join());
    const outer = stackFrames[1];
    assert.ok(outer && frame.id !== outer.id);
    const { scopes } = (await session.customRequest('scopes', { frameId: outer.id })) as { scopes: { name: string; variablesReference: number }[] };
    const { variables } = (await session.customRequest('variables', { variablesReference: scopes[0]?.variablesReference })) as { variables: { name: string }[] };
    assert.deepEqual(variables.map(({ name }) => name).sort(), ['Counter', 'inner', 'made', 'this']);
    await step(session, 'continue');
    await until(api, 'the end of the script', () => runOf(api, document)?.phase === 'ended');
  });

  it('is what a launch.json with the type riftnet does', async () => {
    const document = await openScript('launched.ts', `const where = 'launched';\nprint(where);\n`);
    breakAt(document, 1);
    assert.ok(await vscode.debug.startDebugging(vscode.workspace.workspaceFolders?.[0], { type: 'riftnet', request: 'launch', name: 'Mine', program: '${workspaceFolder}/launched.ts' }));
    const paused = await pausedAt(document, 2);
    assert.equal(await evaluate(paused, 'where'), "'launched'");
    await step(paused.session, 'continue');
    await until(api, 'the end of the script', () => runOf(api, document)?.phase === 'ended');
  });

  it('Run Without Debugging runs it, and stops at no line', async () => {
    const document = await openScript('undebugged.ts', `const where = 'undebugged';\nprint(where);\n`);
    breakAt(document, 1);
    const begun: string[] = [];
    const sessions = vscode.debug.onDidStartDebugSession(({ name }) => begun.push(name));
    assert.equal(await vscode.debug.startDebugging(vscode.workspace.workspaceFolders?.[0], { type: 'riftnet', request: 'launch', name: 'Mine', program: '${file}' }, { noDebug: true }), false);
    const run = await until(api, 'the end of the script', () => (runOf(api, document)?.phase === 'ended' ? runOf(api, document) : undefined));
    assert.deepEqual(run.outcome, { kind: 'finished' });
    assert.deepEqual(printed(api, 'undebugged.ts'), ['undebugged']);
    sessions.dispose();
    assert.deepEqual(begun, []);
  });
});

/** @param lines 0-based */
function breakAt(document: vscode.TextDocument, ...lines: number[]): void {
  vscode.debug.addBreakpoints(lines.map((line) => new vscode.SourceBreakpoint(new vscode.Location(document.uri, new vscode.Position(line, 0)))));
}

interface Paused {
  readonly session: vscode.DebugSession;
  readonly frame: Frame;
}

/** Waits until a session is paused at a line (1-based) of a document. */
async function pausedAt(document: vscode.TextDocument, line: number): Promise<Paused> {
  const deadline = Date.now() + 30_000;
  return new Promise((resolve, reject) => {
    let looking = false;
    let last = 'no session';
    const timer = setInterval(() => {
      if (looking) return;
      looking = true;
      void topFrame().then((paused) => {
        looking = false;
        last = paused ? `${paused.frame.source?.path}:${paused.frame.line}` : 'nothing paused';
        if (paused?.frame.line === line && paused.frame.source?.path?.endsWith(document.uri.path) === true) finish(() => resolve(paused));
        else if (Date.now() > deadline) finish(() => reject(new Error(`waited for a pause at line ${line}; last: ${last}`)));
      });
    }, 50);
    const finish = (then: () => void): void => {
      clearInterval(timer);
      then();
    };
  });
}

async function topFrame(): Promise<Paused | null> {
  const session = vscode.debug.activeDebugSession;
  const item = vscode.debug.activeStackItem;
  if (!session || !(item instanceof vscode.DebugStackFrame)) return null;
  try {
    const { stackFrames } = (await session.customRequest('stackTrace', { threadId: item.threadId, startFrame: 0, levels: 1 })) as { stackFrames: Frame[] };
    const [frame] = stackFrames;
    return frame ? { session, frame } : null;
  } catch {
    return null; // It runs again, or has ended.
  }
}

async function step(session: vscode.DebugSession, command: 'next' | 'continue'): Promise<void> {
  const item = vscode.debug.activeStackItem;
  assert.ok(item);
  await session.customRequest(command, { threadId: item.threadId });
}

async function evaluate({ session, frame }: Paused, expression: string): Promise<string> {
  const { result } = (await session.customRequest('evaluate', { expression, frameId: frame.id, context: 'watch' })) as { result: string };
  return result;
}
