import { join } from 'node:path';
import * as vscode from 'vscode';
import type { RiftnetApi, TreeNode } from './api';
import { registerCaptureCommands } from './capture-commands';
import { CaptureRequests } from './capture-requests';
import { ScriptCodeLenses } from './code-lenses';
import { keepContextKeys } from './context-keys';
import { COMMANDS, CONFIGURATION_SECTION } from './contributions';
import { ScriptDebugger } from './debugger';
import { DisposableStore, Emitter } from './emitter';
import { t, translateWith } from './l10n';
import { openSettingAction, saidLately, showError, showLogAction, showWarning } from './messages';
import { NetworkCheck } from './network-check';
import { registerWritingCommands } from './new-script';
import { OutputLinks } from './output-links';
import { RunCommands } from './run-commands';
import { RunController } from './run-controller';
import { RunModel } from './run-model';
import { RunProgress } from './run-progress';
import { systemScheduler } from './scheduler';
import { ScriptOutput } from './script-output';
import { ScriptPlaces } from './script-places';
import { ScriptProblems } from './script-problems';
import { affectsWorker, readHostAddress, readNodePath, readWorkerSettings } from './settings';
import { FolderSetUp } from './set-up-folder';
import type { SettingProblem } from './settings-values';
import { SocketTree } from './socket-tree';
import { StatusBar } from './status-bar';
import { registerTreeCommands } from './tree-commands';
import { launchWorker } from './worker-launch';
import { WorkerSupervisor } from './worker-supervisor';

/** Set while the extension is active: VS Code waits for what `deactivate` returns, and not for a subscription. */
let closeWorker: (() => Promise<void>) | null = null;

export function activate(context: vscode.ExtensionContext): RiftnetApi {
  const begun = performance.now();
  translateWith((text, ...values) => vscode.l10n.t(text, ...values), vscode.env.language);
  const log = vscode.window.createOutputChannel(t('Riftnet Log'), { log: true });
  const told = new Set<string>();
  const problem: SettingProblem = (message, key) => {
    log.warn(message);
    // Settings are read at every run: what is wrong with them is said once, until they change.
    if (!told.has(message)) showWarning(message, openSettingAction(key));
    told.add(message);
  };
  // VS Code lets go of the channel at once, and a closed one throws; the worker is waited for, and speaks until its end.
  let logClosed = false;
  const say = (level: 'info' | 'warn' | 'error' | 'debug', message: string): void => {
    if (!logClosed) log[level](message);
  };
  const bundles = join(context.extensionPath, 'dist');
  const model = new RunModel();
  const supervisor = new WorkerSupervisor({
    launch: (events) => launchWorker({ bundles, nodePath: readNodePath(problem), wantsCapture: readWorkerSettings(() => {}).link !== 'gateway', log: say }, events),
    settings: () => readWorkerSettings(problem),
    scheduler: systemScheduler,
    log: say,
    killProcess,
  });
  closeWorker = () => supervisor.dispose();
  const controller = new RunController({ supervisor, model, scheduler: systemScheduler });
  const output = new ScriptOutput(model);
  const tree = new SocketTree({ model, supervisor, scheduler: systemScheduler, hostAddress: readHostAddress });
  const captures = new CaptureRequests(supervisor, systemScheduler);
  const places = new ScriptPlaces(systemScheduler);
  const statusBar = new StatusBar(model, supervisor, places);
  const runCommands = new RunCommands(model, controller, problem);
  const changed = new Emitter<void>();

  const store = new DisposableStore();
  context.subscriptions.push(store);
  // Last added, first let go of.
  store.add({ dispose: () => (logClosed = true) });
  for (const part of [log, model, output, controller, captures, tree, places, statusBar, runCommands, changed]) store.add(part);
  store.add(new ScriptProblems(model));
  store.add(OutputLinks.register(model));
  store.add(keepContextKeys(model, places));
  store.add(new ScriptCodeLenses(model, places));
  store.add(new ScriptDebugger({ model, controller, supervisor, runCommands }));
  store.add(new RunProgress(model, controller, supervisor, systemScheduler));
  store.add(new FolderSetUp(context, places));
  store.add(registerWritingCommands(context));
  store.add(registerCaptureCommands(tree, captures));
  store.add(new NetworkCheck(bundles, problem));
  store.add(registerTreeCommands(tree, model, controller, runCommands));
  store.add(vscode.commands.registerCommand(COMMANDS.showOutput, () => output.show()));
  store.add(vscode.commands.registerCommand(COMMANDS.showLog, () => log.show(true)));
  store.add(vscode.commands.registerCommand(COMMANDS.restartWorker, () => supervisor.close()));
  store.add(supervisor.onDidDie(({ reason, restarting }) => reportDeath(reason, restarting)));
  store.add(
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(CONFIGURATION_SECTION)) told.clear();
      if (affectsWorker(event) && controller.settingsChanged()) log.info('Network settings have changed: they apply once the running scripts have ended.');
    }),
  );
  store.add(
    supervisor.onMessage((message) => {
      if (message.type === 'output') output.print(message.runId, message.level, message.text);
      changed.fire();
    }),
  );
  store.add(model.onDidChange(() => changed.fire()));
  store.add(supervisor.onDidChangeState(() => changed.fire()));

  const activationMs = performance.now() - begun;
  log.debug(`Activated in ${activationMs.toFixed(1)} ms`);

  return {
    apiVersion: 1,
    activationMs,
    onDidChange: (listener) => changed.event(listener),
    get runs() {
      return model.runs;
    },
    get tree() {
      return tree.getChildren().map((id) => treeNode(tree, id));
    },
    get filter() {
      return tree.filter;
    },
    set filter(filter) {
      tree.filter = filter;
    },
    get refreshes() {
      return tree.refreshes;
    },
    get said() {
      return saidLately();
    },
    get output() {
      return output.entries;
    },
    get worker() {
      const { state, restarts } = supervisor;
      return { state: state.kind, pid: state.kind === 'ready' ? state.pid : null, link: state.kind === 'ready' ? state.link : null, restarts };
    },
    get statusBarText() {
      return statusBar.text;
    },
  };
}

/** Scripts end with their window. */
export async function deactivate(): Promise<void> {
  await closeWorker?.();
  closeWorker = null;
}

function reportDeath(reason: string, restarting: boolean): void {
  const next = restarting ? t('It is being restarted; run your scripts again.') : t('Run a script to start it again.');
  showError(`${reason} ${next}`, showLogAction());
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function treeNode(tree: SocketTree, id: string): TreeNode {
  const item = tree.getTreeItem(id);
  return {
    id,
    label: typeof item.label === 'string' ? item.label : '',
    description: typeof item.description === 'string' ? item.description : '',
    contextValue: item.contextValue ?? '',
    children: tree.getChildren(id).map((child) => treeNode(tree, child)),
  };
}
