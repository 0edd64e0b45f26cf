import type { LinkReport } from './protocol';
import type { Run } from './run-model';
import type { TreeFilter } from './tree-filter';
import type { WorkerState } from './worker-supervisor';

/** A node of the Sockets view as it is shown. */
export interface TreeNode {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  readonly contextValue: string;
  readonly children: readonly TreeNode[];
}

/** What the extension's `activate` returns: for tests and other extensions to read. */
export interface RiftnetApi {
  /** Rises when something here changes its meaning or goes. */
  readonly apiVersion: 1;
  /** How long `activate` took. */
  readonly activationMs: number;
  /** Running scripts, and those that have ended and are still shown. */
  readonly runs: readonly Run[];
  /** Fires when a run, a socket or a fetch changes, when something is printed, and when the worker's state changes. */
  onDidChange(listener: () => void): { dispose(): void };
  /** The Sockets view, read as VS Code reads it. */
  readonly tree: readonly TreeNode[];
  /** What the Sockets view leaves out. */
  filter: TreeFilter;
  /** How often the Sockets view has asked VS Code to read it anew. */
  readonly refreshes: number;
  /** What people were told in messages lately, the latest last. */
  readonly said: readonly string[];
  /** The latest entries of the output channel; an entry may have several lines. */
  readonly output: readonly string[];
  readonly worker: {
    readonly state: WorkerState['kind'];
    readonly pid: number | null;
    readonly link: LinkReport | null;
    /** Automatic restarts since the window opened. */
    readonly restarts: number;
  };
  readonly statusBarText: string;
}
