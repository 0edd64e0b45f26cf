import * as vscode from 'vscode';
import { COMMANDS, CONTEXT_KEYS, VIEWS } from './contributions';
import { DisposableStore } from './emitter';
import { explainFetch, explainSocket } from './explain';
import type { Explanation } from './explain';
import { escapeMarkdown } from './format';
import { t } from './l10n';
import type { FetchReport, SocketReport } from './protocol';
import { RefreshThrottle } from './refresh-throttle';
import { isFetchPending, isSocketInUse } from './run-model';
import type { Run, RunChange, RunModel } from './run-model';
import { waitsFor } from './run-wait';
import type { Scheduler } from './scheduler';
import { TransferRates } from './transfer-rates';
import type { Rate } from './transfer-rates';
import { describeFilter, isFiltering, NO_FILTER, passesFetch, passesRun, passesSocket } from './tree-filter';
import type { TreeFilter } from './tree-filter';
import { explanationRows, fetchDetails, fetchNodeId, fetchView, reasonNodeId, reasonView, runDetails, runNodeId, runView, socketDetails, socketNodeId, socketView } from './tree-nodes';
import type { NodeDetails, NodeView } from './tree-nodes';
import type { WorkerSupervisor } from './worker-supervisor';

/** What a node stands for, as the model has it now. */
export type TreeTarget =
  | { readonly kind: 'run'; readonly run: Run }
  | { readonly kind: 'socket'; readonly run: Run; readonly socket: SocketReport }
  | { readonly kind: 'fetch'; readonly run: Run; readonly fetch: FetchReport }
  /** A line of why the parent failed. */
  | { readonly kind: 'reason'; readonly run: Run; readonly parent: string; readonly index: number; readonly row: NodeDetails[number] };

export interface SocketTreeOptions {
  readonly model: RunModel;
  readonly supervisor: WorkerSupervisor;
  readonly scheduler: Scheduler;
  /** The setting of that name, as it is now. */
  readonly hostAddress: () => string;
}

/** Counters are shown anew this often: a tooltip comes half a second after the mouse, and not if the node is refreshed meanwhile. */
const COUNTERS_INTERVAL_MS = 2_000;
/** While a tooltip is read its node rests. */
const TOOLTIP_MS = 5_000;

/** Stands for the whole tree among the ids to refresh; no node has it. */
const ROOT = '';

/**
 * The Sockets view: scripts, and below them their sockets and fetches, and below those that failed why. Its
 * elements are the nodes' ids, which stay valid whatever is refreshed; what a node shows is read from the model
 * when VS Code asks. Nothing is refreshed while the view is hidden.
 */
export class SocketTree implements vscode.TreeDataProvider<string>, vscode.Disposable {
  readonly #store = new DisposableStore();
  readonly #options: SocketTreeOptions;
  readonly #changed = new vscode.EventEmitter<string[] | undefined>();
  readonly #throttle: RefreshThrottle;
  /** For what only counts: VS Code takes a node's tooltip away when the node is refreshed. */
  readonly #counters: RefreshThrottle;
  readonly #rates: TransferRates;
  readonly #view: vscode.TreeView<string>;
  #filter = NO_FILTER;
  #badge = 0;
  /** Something has changed while the view was hidden. */
  #missed = false;
  #refreshes = 0;
  readonly onDidChangeTreeData = this.#changed.event;

  constructor(options: SocketTreeOptions) {
    this.#options = options;
    const { model, supervisor, scheduler } = options;
    this.#store.add(this.#changed);
    this.#throttle = this.#store.add(new RefreshThrottle(scheduler, (ids) => this.#refresh(ids)));
    this.#counters = this.#store.add(new RefreshThrottle(scheduler, (ids) => this.#refresh(ids), COUNTERS_INTERVAL_MS));
    this.#rates = this.#store.add(new TransferRates(model, scheduler));
    this.#store.add(model.onDidChange((change) => this.#note(change)));
    this.#store.add(
      this.#rates.onDidChange((sockets) => {
        // The script's own line has the sum; with it VS Code reads its sockets anew.
        for (const runId of new Set(sockets.map((socket) => socket.runId))) this.#counters.add(runNodeId(runId));
      }),
    );
    this.#store.add(
      supervisor.onDidChangeState(() => {
        for (const run of model.activeRuns) if (run.phase === 'starting') this.#throttle.add(runNodeId(run.id));
      }),
    );
    this.#view = this.#store.add(vscode.window.createTreeView(VIEWS.sockets, { treeDataProvider: this, showCollapseAll: true }));
    this.#store.add(
      this.#view.onDidChangeVisibility(({ visible }) => {
        if (visible && this.#missed) this.#throttle.add(ROOT);
      }),
    );
  }

  get filter(): TreeFilter {
    return this.#filter;
  }

  set filter(filter: TreeFilter) {
    this.#filter = filter;
    this.#view.message = describeFilter(filter);
    void vscode.commands.executeCommand('setContext', CONTEXT_KEYS.filtered, isFiltering(filter));
    this.#throttle.add(ROOT);
  }

  /** How often VS Code was asked to read the tree, or parts of it, anew. */
  get refreshes(): number {
    return this.#refreshes;
  }

  getChildren(id?: string): string[] {
    const { model } = this.#options;
    if (id === undefined) return model.runs.filter((run) => passesRun(this.#filter, run)).map((run) => runNodeId(run.id));
    const target = this.target(id);
    if (!target) return [];
    if (target.kind !== 'run') {
      const why = this.explanation(target);
      return why ? explanationRows(why).map((_, index) => reasonNodeId(id, index)) : [];
    }
    const { run } = target;
    const children: { readonly id: string; readonly time: number }[] = [];
    for (const socket of run.sockets.values()) if (passesSocket(this.#filter, socket)) children.push({ id: socketNodeId(run.id, socket.id), time: socket.openedAt });
    for (const fetch of run.fetches.values()) if (passesFetch(this.#filter, fetch)) children.push({ id: fetchNodeId(run.id, fetch.id), time: fetch.startedAt });
    return children.sort((a, b) => a.time - b.time).map((child) => child.id);
  }

  getParent(id: string): string | undefined {
    const target = this.target(id);
    if (!target || target.kind === 'run') return undefined;
    return target.kind === 'reason' ? target.parent : runNodeId(target.run.id);
  }

  getTreeItem(id: string): vscode.TreeItem {
    const target = this.target(id);
    // Gone since VS Code read its parent's children; the refresh that removes it is on its way.
    if (!target) return new vscode.TreeItem('');
    const { Collapsed, Expanded, None } = vscode.TreeItemCollapsibleState;
    switch (target.kind) {
      case 'run': {
        const { run } = target;
        // One that may still open sockets is expanded before it has: VS Code expands no node that had no children.
        const bare = run.phase === 'ended' && run.sockets.size + run.fetches.size === 0;
        const item = treeItem(runView(run, this.#rateOf(run), waitsFor(run, this.#options.supervisor.state)), bare ? None : Expanded);
        item.command = { command: COMMANDS.revealScript, title: t('Open Script'), arguments: [id] };
        return item;
      }
      case 'socket':
        return treeItem(socketView(target.socket, this.#rates.of(target.socket)), target.socket.error ? Collapsed : None);
      case 'fetch':
        return treeItem(fetchView(target.fetch), target.fetch.error ? Collapsed : None);
      case 'reason':
        return treeItem(reasonView(target.parent, target.index, target.row), None);
    }
  }

  /** Tooltips are made when the mouse rests on a node, not ten times a second. */
  resolveTreeItem(item: vscode.TreeItem, id: string): vscode.TreeItem {
    this.#counters.hold(TOOLTIP_MS);
    const target = this.target(id);
    if (target) item.tooltip = tooltip(this.#details(target));
    return item;
  }

  /** What an id stands for; undefined if it is gone, or is none of ours. */
  target(id: unknown): TreeTarget | undefined {
    if (typeof id !== 'string') return undefined;
    const [root, runId, kind, number, why, index] = id.split('/');
    if (root !== 'run' || runId === undefined) return undefined;
    const run = this.#options.model.get(runId);
    if (!run) return undefined;
    if (kind === undefined) return { kind: 'run', run };
    const socket = kind === 'socket' ? run.sockets.get(Number(number)) : undefined;
    const fetch = kind === 'fetch' ? run.fetches.get(Number(number)) : undefined;
    const target: TreeTarget | undefined = socket ? { kind: 'socket', run, socket } : fetch && { kind: 'fetch', run, fetch };
    if (!target || why === undefined) return target;
    const explanation = this.explanation(target);
    const row = explanation ? explanationRows(explanation)[Number(index)] : undefined;
    return row && { kind: 'reason', run, parent: id.slice(0, id.lastIndexOf('/why/')), index: Number(index), row };
  }

  /** Why it failed; null if it did not. */
  explanation(target: TreeTarget): Explanation | null {
    if (target.kind === 'socket') return explainSocket(target.socket, this.#options.hostAddress());
    if (target.kind !== 'fetch') return null;
    const { fetch, run } = target;
    const sockets = fetch.error === null ? [] : [...run.sockets.values()].filter((socket) => socket.fetchId === fetch.id);
    return explainFetch(fetch, sockets.at(-1) ?? null, this.#options.hostAddress());
  }

  dispose(): void {
    this.#store.dispose();
  }

  #rateOf(run: Run): Rate {
    let [down, up] = [0, 0];
    for (const socket of run.sockets.values()) {
      const rate = this.#rates.of(socket);
      down += rate.down;
      up += rate.up;
    }
    return { down, up };
  }

  #details(target: TreeTarget): NodeDetails {
    const why = this.explanation(target);
    const rows = why ? explanationRows(why) : [];
    switch (target.kind) {
      case 'run':
        return runDetails(target.run);
      case 'socket':
        return [...socketDetails(target.socket, this.#rates.of(target.socket), this.#options.scheduler.now(), openerOf(target)), ...rows];
      case 'fetch':
        return [...fetchDetails(target.fetch), ...rows];
      case 'reason':
        return [target.row];
    }
  }

  #note(change: RunChange): void {
    const runId = runNodeId(change.run.id);
    switch (change.kind) {
      case 'added':
      case 'removed':
        return this.#throttle.add(ROOT);
      case 'socket': {
        const { previous, socket } = change;
        if (isFiltering(this.#filter) && passesSocket(this.#filter, socket) !== (previous !== null && passesSocket(this.#filter, previous))) return this.#throttle.add(ROOT);
        if (!previous) return this.#throttle.add(runId);
        (isSameState(previous, socket) ? this.#counters : this.#throttle).add(socketNodeId(change.run.id, socket.id));
        // The script's own line counts its open sockets.
        if (isSocketInUse(previous) !== isSocketInUse(socket)) this.#throttle.add(runId);
        return;
      }
      case 'fetch': {
        const { previous, fetch } = change;
        if (isFiltering(this.#filter) && passesFetch(this.#filter, fetch) !== (previous !== null && passesFetch(this.#filter, previous))) return this.#throttle.add(ROOT);
        if (!previous) return this.#throttle.add(runId);
        return (previous.status === fetch.status && isFetchPending(fetch) ? this.#counters : this.#throttle).add(fetchNodeId(change.run.id, fetch.id));
      }
      case 'phase':
        return this.#throttle.add(isFiltering(this.#filter) ? ROOT : runId);
      case 'forgotten':
        return this.#throttle.add(runId);
      case 'error':
        return;
    }
  }

  /** @returns how many nodes VS Code reads anew */
  #refresh(ids: ReadonlySet<string>): number {
    const open = this.#options.model.openSockets;
    if (open !== this.#badge) this.#view.badge = open === 0 ? undefined : { value: open, tooltip: open === 1 ? t('1 open socket') : t('{0} open sockets', open) };
    this.#badge = open;
    this.#missed ||= !this.#view.visible;
    if (!this.#view.visible) return 0;
    if (ids.has(ROOT) || this.#missed) {
      this.#missed = false;
      this.#refreshes++;
      this.#changed.fire(undefined);
      return this.getChildren().reduce((nodes, run) => nodes + 1 + this.getChildren(run).length, 0);
    }
    // A script that is refreshed takes its children along; what is gone is taken along by its parent.
    const needed = [...ids].filter((id) => this.target(id) && !ids.has(this.getParent(id) ?? ROOT));
    if (needed.length > 0) {
      this.#refreshes++;
      this.#changed.fire(needed);
    }
    return needed.reduce((nodes, id) => nodes + 1 + this.getChildren(id).length, 0);
  }
}

function openerOf({ run, socket }: TreeTarget & { readonly kind: 'socket' }): FetchReport | null {
  return (socket.fetchId !== null && run.fetches.get(socket.fetchId)) || null;
}

/** Whether nothing but counters has changed. */
function isSameState(a: SocketReport, b: SocketReport): boolean {
  return a.status === b.status && a.tcpState === b.tcpState && a.error?.code === b.error?.code && a.closedAt === b.closedAt && a.remoteAddress === b.remoteAddress;
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
  for (const [name, value] of details) markdown.appendMarkdown(`**${name}:** ${escapeMarkdown(value)}  \n`);
  return markdown;
}
