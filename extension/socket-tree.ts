import * as vscode from 'vscode';
import { COMMANDS, VIEWS } from './contributions';
import { DisposableStore } from './emitter';
import { t } from './l10n';
import type { FetchReport, SocketReport } from './protocol';
import { RefreshThrottle } from './refresh-throttle';
import { isSocketInUse } from './run-model';
import type { Run, RunChange, RunModel } from './run-model';
import type { Scheduler } from './scheduler';
import { fetchDetails, fetchNodeId, fetchView, runDetails, runNodeId, runView, socketDetails, socketNodeId, socketView } from './tree-nodes';
import type { NodeDetails, NodeView } from './tree-nodes';

/** What a node stands for, as the model has it now. */
export type TreeTarget =
  | { readonly kind: 'run'; readonly run: Run }
  | { readonly kind: 'socket'; readonly run: Run; readonly socket: SocketReport }
  | { readonly kind: 'fetch'; readonly run: Run; readonly fetch: FetchReport };

/** Stands for the whole tree among the ids to refresh; no node has it. */
const ROOT = '';

/**
 * The Sockets view: scripts, and below them their sockets and fetches. Its elements are the nodes' ids, which
 * stay valid whatever is refreshed; what a node shows is read from the model when VS Code asks.
 */
export class SocketTree implements vscode.TreeDataProvider<string>, vscode.Disposable {
  readonly #store = new DisposableStore();
  readonly #model: RunModel;
  readonly #changed = new vscode.EventEmitter<string[] | undefined>();
  readonly #throttle: RefreshThrottle;
  readonly #view: vscode.TreeView<string>;
  readonly onDidChangeTreeData = this.#changed.event;

  constructor(model: RunModel, scheduler: Scheduler) {
    this.#model = model;
    this.#store.add(this.#changed);
    this.#throttle = this.#store.add(new RefreshThrottle(scheduler, (ids) => this.#refresh(ids)));
    this.#store.add(model.onDidChange((change) => this.#note(change)));
    this.#view = this.#store.add(vscode.window.createTreeView(VIEWS.sockets, { treeDataProvider: this, showCollapseAll: true }));
  }

  getChildren(id?: string): string[] {
    if (id === undefined) return this.#model.runs.map((run) => runNodeId(run.id));
    const target = this.target(id);
    if (target?.kind !== 'run') return [];
    const { run } = target;
    const children = [
      ...[...run.sockets.values()].map((socket) => ({ id: socketNodeId(run.id, socket.id), time: socket.openedAt })),
      ...[...run.fetches.values()].map((fetch) => ({ id: fetchNodeId(run.id, fetch.id), time: fetch.startedAt })),
    ];
    return children.sort((a, b) => a.time - b.time).map((child) => child.id);
  }

  getParent(id: string): string | undefined {
    const target = this.target(id);
    return target && target.kind !== 'run' ? runNodeId(target.run.id) : undefined;
  }

  getTreeItem(id: string): vscode.TreeItem {
    const target = this.target(id);
    // Gone since VS Code read its parent's children; the refresh that removes it is on its way.
    if (!target) return new vscode.TreeItem('');
    if (target.kind === 'run') {
      const { run } = target;
      // One that may still open sockets is expanded before it has: VS Code expands no node that had no children.
      const bare = run.phase === 'ended' && run.sockets.size + run.fetches.size === 0;
      const item = treeItem(runView(run), bare ? vscode.TreeItemCollapsibleState.None : vscode.TreeItemCollapsibleState.Expanded);
      item.command = { command: COMMANDS.revealScript, title: t('Open Script'), arguments: [id] };
      return item;
    }
    return treeItem(target.kind === 'socket' ? socketView(target.socket) : fetchView(target.fetch), vscode.TreeItemCollapsibleState.None);
  }

  /** Tooltips are made when the mouse rests on a node, not ten times a second. */
  resolveTreeItem(item: vscode.TreeItem, id: string): vscode.TreeItem {
    const target = this.target(id);
    if (target?.kind === 'run') item.tooltip = tooltip(runDetails(target.run));
    else if (target?.kind === 'socket') item.tooltip = tooltip(socketDetails(target.socket));
    else if (target?.kind === 'fetch') item.tooltip = tooltip(fetchDetails(target.fetch));
    return item;
  }

  /** What an id stands for; undefined if it is gone, or is none of ours. */
  target(id: unknown): TreeTarget | undefined {
    if (typeof id !== 'string') return undefined;
    const [root, runId, kind, number] = id.split('/');
    if (root !== 'run' || runId === undefined) return undefined;
    const run = this.#model.get(runId);
    if (!run) return undefined;
    if (kind === undefined) return { kind: 'run', run };
    const socket = kind === 'socket' ? run.sockets.get(Number(number)) : undefined;
    if (socket) return { kind: 'socket', run, socket };
    const fetch = kind === 'fetch' ? run.fetches.get(Number(number)) : undefined;
    return fetch && { kind: 'fetch', run, fetch };
  }

  dispose(): void {
    this.#store.dispose();
  }

  #note(change: RunChange): void {
    const runId = runNodeId(change.run.id);
    switch (change.kind) {
      case 'added':
      case 'removed':
        return this.#throttle.add(ROOT);
      case 'socket':
        if (change.previous) this.#throttle.add(socketNodeId(change.run.id, change.socket.id));
        // The script's own line counts its open sockets.
        if (!change.previous || isSocketInUse(change.previous) !== isSocketInUse(change.socket)) this.#throttle.add(runId);
        return;
      case 'fetch':
        return this.#throttle.add(change.previous ? fetchNodeId(change.run.id, change.fetch.id) : runId);
      case 'phase':
      case 'forgotten':
        return this.#throttle.add(runId);
      case 'error':
        return;
    }
  }

  #refresh(ids: ReadonlySet<string>): void {
    const open = this.#model.openSockets;
    this.#view.badge = open === 0 ? undefined : { value: open, tooltip: open === 1 ? t('1 open socket') : t('{0} open sockets', open) };
    if (ids.has(ROOT)) return this.#changed.fire(undefined);
    // A script that is refreshed takes its children along; what is gone is taken along by its parent.
    const needed = [...ids].filter((id) => this.target(id) && !ids.has(this.getParent(id) ?? ROOT));
    if (needed.length > 0) this.#changed.fire(needed);
  }
}

function treeItem(view: NodeView, state: vscode.TreeItemCollapsibleState): vscode.TreeItem {
  const item = new vscode.TreeItem(view.label, state);
  item.id = view.id;
  item.description = view.description;
  item.iconPath = view.color === null ? new vscode.ThemeIcon(view.icon) : new vscode.ThemeIcon(view.icon, new vscode.ThemeColor(view.color));
  item.contextValue = view.contextValue;
  item.accessibilityInformation = { label: view.spoken };
  return item;
}

/** Values come from the network and are shown as text, never as Markdown. */
function tooltip(details: NodeDetails): vscode.MarkdownString {
  const markdown = new vscode.MarkdownString();
  for (const [name, value] of details) markdown.appendMarkdown(`**${name}:** `).appendText(value).appendMarkdown('  \n');
  return markdown;
}
