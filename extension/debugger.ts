import { basename } from 'node:path';
import * as vscode from 'vscode';
import { COMMANDS, DEBUG_TYPE } from './contributions';
import { DisposableStore } from './emitter';
import type { Disposable } from './emitter';
import { t } from './l10n';
import { saveAsAction, showError } from './messages';
import type { WorkerMessage } from './protocol';
import type { RunCommands } from './run-commands';
import type { RunController } from './run-controller';
import type { RunModel } from './run-model';
import type { WorkerSupervisor } from './worker-supervisor';

/** VS Code's own JavaScript debugger, and the type of its sessions. */
const JS_DEBUG = 'ms-vscode.js-debug';
const JS_DEBUG_TYPE = 'pwa-node';
/** In a session's configuration: which run it belongs to. */
const RUN_KEY = '__riftnetRun';

export interface DebuggerParts {
  readonly model: RunModel;
  readonly controller: RunController;
  readonly supervisor: WorkerSupervisor;
  readonly runCommands: RunCommands;
}

/**
 * Debug Script, and F5 on a script: runs it in a process that waits for a debugger, and attaches VS Code's own to it.
 * Either ends with the other.
 */
export class ScriptDebugger implements vscode.DebugConfigurationProvider, vscode.DebugAdapterTrackerFactory, Disposable {
  readonly #store = new DisposableStore();
  readonly #parts: DebuggerParts;
  /** Runs that were started to be debugged, by their ids, and how to start the like again. */
  readonly #debugged = new Map<string, () => Promise<unknown>>();

  constructor(parts: DebuggerParts) {
    this.#parts = parts;
    this.#store.add(vscode.commands.registerCommand(COMMANDS.debugScript, (uri: unknown) => this.#debug(uri)));
    this.#store.add(vscode.debug.registerDebugConfigurationProvider(DEBUG_TYPE, this));
    this.#store.add(vscode.debug.registerDebugAdapterTrackerFactory(JS_DEBUG_TYPE, this));
    this.#store.add(parts.supervisor.onMessage((message) => this.#mirror(message)));
    this.#store.add(parts.model.onDidChange(({ kind, run }) => (kind === 'removed' || run.phase === 'ended') && this.#debugged.delete(run.id)));
  }

  /** What launch.json gets, and what F5 takes without one. */
  provideDebugConfigurations(): vscode.DebugConfiguration[] {
    return [{ type: DEBUG_TYPE, request: 'launch', name: t('Riftnet: debug this script'), program: '${file}' }];
  }

  /**
   * Starts the run, and gives the configuration of a session that attaches to it.
   * @returns undefined if there is no session: nothing was started, and why not has been said; or it runs without debugging
   */
  async resolveDebugConfiguration(folder: vscode.WorkspaceFolder | undefined, configuration: vscode.DebugConfiguration, token?: vscode.CancellationToken): Promise<vscode.DebugConfiguration | undefined> {
    const program: unknown = configuration['program'];
    const uri = typeof program === 'string' ? programUri(program, folder) : vscode.window.activeTextEditor?.document.uri;
    if (configuration['noDebug'] === true) {
      await this.#parts.runCommands.run(uri);
      return undefined;
    }
    if (vscode.extensions.getExtension(JS_DEBUG) === undefined) {
      showError(t("Debugging a script takes VS Code's JavaScript debugger ({0}), which is switched off: enable it among the built-in extensions.", JS_DEBUG), { title: t('Show Extension'), command: 'workbench.extensions.search', arguments: [`@builtin ${JS_DEBUG}`] });
      return undefined;
    }
    if (uri?.scheme === 'untitled') {
      showError(t('Breakpoints belong to files: save {0} first, then debug it.', uri.path), saveAsAction());
      return undefined;
    }
    const runId = await this.#parts.runCommands.run(uri, { whenRunning: 'restart', debug: true });
    if (runId === null) return undefined;
    this.#debugged.set(runId, async () => vscode.debug.startDebugging(folder, { ...configuration, type: DEBUG_TYPE, request: 'launch', name: configuration.name, program: uri?.fsPath }));
    const url = await this.#debuggable(runId, token);
    if (url === null) return undefined;
    const title = this.#parts.model.get(runId)?.title ?? basename(uri?.path ?? '');
    return { ...attachTo(url), name: configuration.name || t('Riftnet: {0}', title), [RUN_KEY]: runId };
  }

  createDebugAdapterTracker(session: vscode.DebugSession): vscode.DebugAdapterTracker | undefined {
    const runId = runOf(session);
    if (runId === null) return undefined;
    // The debugger says when the script's process has ended. Whoever ends the session before ends the script.
    let over = false;
    return {
      onDidSendMessage: (message: unknown) => {
        if (isProtocolMessage(message, 'event', ['terminated', 'exited'])) over = true;
      },
      onWillReceiveMessage: (message: unknown) => {
        if (!over && isProtocolMessage(message, 'command', ['disconnect', 'terminate'])) this.#parts.controller.stop(runId);
        if (isProtocolMessage(message, 'command', ['restart'])) void this.#restart(session, runId);
      },
    };
  }

  dispose(): void {
    this.#store.dispose();
  }

  /** What the debugger would attach to anew is a process: a script begins anew in another, with its text as it is then. */
  async #restart(session: vscode.DebugSession, runId: string): Promise<void> {
    const again = this.#debugged.get(runId);
    await vscode.debug.stopDebugging(rootOf(session));
    await again?.();
  }

  async #debug(given: unknown): Promise<void> {
    const uri = given instanceof vscode.Uri ? given : vscode.window.activeTextEditor?.document.uri;
    const folder = uri && vscode.workspace.getWorkspaceFolder(uri);
    const name = t('Riftnet: {0}', basename(uri?.path ?? ''));
    await vscode.debug.startDebugging(folder, { type: DEBUG_TYPE, request: 'launch', name, ...(uri?.scheme === 'file' ? { program: uri.fsPath } : {}) });
  }

  /** Where the run waits for a debugger; null if it ended before, or nobody wants it any more. */
  #debuggable(runId: string, token: vscode.CancellationToken | undefined): Promise<string | null> {
    const { model, controller, supervisor } = this.#parts;
    return new Promise((resolve) => {
      const store = new DisposableStore();
      const done = (url: string | null): void => {
        store.dispose();
        resolve(url);
      };
      const look = (): void => {
        const run = model.get(runId);
        if (run === undefined || run.phase === 'ended') done(null);
      };
      store.add(supervisor.onMessage((message) => message.type === 'debuggable' && message.runId === runId && done(message.url)));
      store.add(model.onDidChange(look));
      if (token) {
        store.add(
          token.onCancellationRequested(() => {
            controller.stop(runId);
            done(null);
          }),
        );
      }
      look();
    });
  }

  /** Whoever debugs looks at the debug console. */
  #mirror(message: WorkerMessage): void {
    if (message.type === 'output' && this.#debugged.has(message.runId)) vscode.debug.activeDebugConsole.appendLine(message.text);
  }
}

/** The options of VS Code's JavaScript debugger for a script's process. */
function attachTo(url: string): { readonly type: string; readonly request: string } & Record<string, unknown> {
  return {
    type: JS_DEBUG_TYPE,
    request: 'attach',
    websocketAddress: url,
    continueOnAttach: true,
    // The first pass over a breakpoint would be missed without: the map comes with the program.
    pauseForSourceMap: true,
    // The program is no file: neither is its map to be looked for in a folder, nor to be left alone outside of one.
    resolveSourceMapLocations: null,
    outFiles: [],
    // What runs is the text in the editor, which the file may not have yet.
    enableContentValidation: false,
    // A script's process has no others.
    autoAttachChildProcesses: false,
    attachExistingChildren: false,
    skipFiles: ['<node_internals>/**', '**/dist/script.js', '**/dist/script-main.js', '**/dist/script-http.js'],
    smartStep: true,
  };
}

/** `program` of a launch.json: an absolute path, or one with the variables that name the script. */
function programUri(program: string, folder: vscode.WorkspaceFolder | undefined): vscode.Uri | undefined {
  const active = vscode.window.activeTextEditor?.document.uri;
  if (program === '${file}') return active;
  const root = folder ?? vscode.workspace.workspaceFolders?.[0];
  const path = program.replaceAll('${workspaceFolder}', () => root?.uri.fsPath ?? '').replaceAll('${file}', () => active?.fsPath ?? '');
  return vscode.Uri.file(path);
}

function rootOf(session: vscode.DebugSession): vscode.DebugSession {
  return session.parentSession ? rootOf(session.parentSession) : session;
}

/** The run that a session, or one of those it belongs to, debugs. */
function runOf(session: vscode.DebugSession): string | null {
  for (let each: vscode.DebugSession | undefined = session; each; each = each.parentSession) {
    const runId: unknown = each.configuration[RUN_KEY];
    if (typeof runId === 'string') return runId;
  }
  return null;
}

function isProtocolMessage(message: unknown, key: 'event' | 'command', names: readonly string[]): boolean {
  if (typeof message !== 'object' || message === null) return false;
  const name: unknown = Reflect.get(message, key);
  return typeof name === 'string' && names.includes(name);
}
