import * as vscode from 'vscode';
import { COMMANDS } from './contributions';
import { DisposableStore } from './emitter';
import type { Explanation } from './explain';
import { t } from './l10n';
import { openSettingAction, showDetails, showInformation } from './messages';
import type { Disposable } from './emitter';
import type { RunCommands } from './run-commands';
import type { RunController } from './run-controller';
import type { RunModel } from './run-model';
import { showScript } from './script-documents';
import type { SocketTree, TreeTarget } from './socket-tree';
import { NO_FILTER } from './tree-filter';
import type { TreeFilter } from './tree-filter';
import { explanationRows, socketAddress } from './tree-nodes';

/** What can be done to a node of the Sockets view; each takes the node's id. */
export function registerTreeCommands(tree: SocketTree, model: RunModel, controller: RunController, runCommands: RunCommands): Disposable {
  const store = new DisposableStore();
  const register = (id: string, handler: (node: unknown) => unknown): void => void store.add(vscode.commands.registerCommand(id, handler));

  register(COMMANDS.stopRun, (node) => {
    const target = tree.target(node);
    if (target) controller.stop(target.run.id);
  });
  register(COMMANDS.runAgain, (node) => {
    const target = tree.target(node);
    return target ? runCommands.run(vscode.Uri.parse(target.run.key, true)) : null;
  });
  register(COMMANDS.revealScript, (node) => {
    const target = tree.target(node);
    return target && showScript(target.run);
  });
  register(COMMANDS.closeSocket, (node) => {
    const target = tree.target(node);
    if (target?.kind === 'socket') controller.closeSocket(target.run.id, target.socket.id);
  });
  register(COMMANDS.copyAddress, async (node) => {
    const target = tree.target(node);
    if (target?.kind === 'socket') await vscode.env.clipboard.writeText(socketAddress(target.socket));
    else if (target?.kind === 'fetch') await vscode.env.clipboard.writeText(target.fetch.url);
  });
  register(COMMANDS.explain, async (node) => {
    const target = tree.target(node) ?? (await pickFailed(tree, model));
    const failed = target?.kind === 'reason' ? tree.target(target.parent) : target;
    const why = failed && tree.explanation(failed);
    if (why) explainInWindow(why);
  });
  register(COMMANDS.filterSockets, () => chooseFilter(tree));
  register(COMMANDS.clearFilter, () => (tree.filter = NO_FILTER));
  register(COMMANDS.clearEnded, () => model.clearEnded());
  return store;
}

function explainInWindow(why: Explanation): void {
  const detail = explanationRows(why).map(([name, value]) => `${name}: ${value}`).join('\n\n');
  showDetails(why.title, detail, ...(why.setting === null ? [] : [openSettingAction(why.setting)]));
}

/** From the palette there is no node: what failed last is offered first. */
async function pickFailed(tree: SocketTree, model: RunModel): Promise<TreeTarget | undefined> {
  const items: (vscode.QuickPickItem & { target: TreeTarget })[] = [];
  for (const run of model.runs) {
    for (const socket of run.sockets.values()) add({ kind: 'socket', run, socket }, `${socket.host}:${socket.port}`);
    for (const fetch of run.fetches.values()) add({ kind: 'fetch', run, fetch }, `${fetch.method} ${fetch.url}`);
  }
  if (items.length === 0) {
    showInformation(t('No socket and no fetch has failed.'));
    return undefined;
  }
  if (items.length === 1) return items[0]?.target;
  const picked = await vscode.window.showQuickPick(items.reverse(), { placeHolder: t('Which failure shall be explained?'), matchOnDescription: true });
  return picked?.target;

  function add(target: TreeTarget, label: string): void {
    const why = tree.explanation(target);
    if (why) items.push({ label, description: target.run.title, detail: why.title, target });
  }
}

/** Which nodes to show: a choice, and then a text for whoever wants one. */
async function chooseFilter(tree: SocketTree): Promise<void> {
  const { filter } = tree;
  const item = (label: string, show: TreeFilter['show'] | 'text'): vscode.QuickPickItem & { show: TreeFilter['show'] | 'text' } => ({ label, show, picked: show === filter.show });
  const items = [item(t('Everything'), 'all'), item(t('Only what is open'), 'open'), item(t('Only what failed'), 'failed'), item(t('What holds a text …'), 'text')];
  const picked = await vscode.window.showQuickPick(items, { placeHolder: t('What shall the Sockets view show?') });
  if (!picked) return;
  if (picked.show !== 'text') {
    tree.filter = { show: picked.show, text: picked.show === 'all' ? '' : filter.text };
    return;
  }
  const text = await vscode.window.showInputBox({ prompt: t('Part of a host, an address, a URL or the name of a script'), value: filter.text });
  if (text !== undefined) tree.filter = { ...filter, text: text.trim() };
}
