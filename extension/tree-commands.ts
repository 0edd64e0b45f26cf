import * as vscode from 'vscode';
import { COMMANDS } from './contributions';
import { DisposableStore } from './emitter';
import type { Disposable } from './emitter';
import type { RunCommands } from './run-commands';
import type { RunController } from './run-controller';
import type { RunModel } from './run-model';
import type { SocketTree } from './socket-tree';
import { socketAddress } from './tree-nodes';

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
    return target && vscode.window.showTextDocument(vscode.Uri.parse(target.run.key, true), { preview: true });
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
  register(COMMANDS.clearEnded, () => model.clearEnded());
  return store;
}
