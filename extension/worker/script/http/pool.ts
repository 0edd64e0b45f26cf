/**
 * A script's connections to servers, kept for the next request. Both their number and that to one server have
 * bounds; who finds no room waits in turn.
 */
import type { Origin } from './origin';

/** To one server, in use or not. */
const MAX_PER_ORIGIN = 64;
/** In all. */
const MAX_CONNECTIONS = 256;

/** What the pool needs to know of a connection. */
export interface Pooled {
  readonly origin: Origin;
  /** Whether another request can be sent on it. */
  readonly reusable: boolean;
  /** Called when it has closed by itself. */
  onClosed: (() => void) | null;
  destroy(error: Error | null): void;
}

type Waiter<Connection> = (connection: Connection) => void;

/** What there is for one server. */
interface Group<Connection> {
  readonly origin: Origin;
  size: number;
  /** Not in use; the last one was used last. */
  readonly idle: Connection[];
  readonly waiters: Set<Waiter<Connection>>;
}

export interface PoolLimits {
  readonly perOrigin: number;
  readonly total: number;
}

export class ConnectionPool<Connection extends Pooled> {
  private readonly groups = new Map<string, Group<Connection>>();
  /** Those not in use, of all servers: the first has been so for the longest time. */
  private readonly idle = new Set<Connection>();
  private size = 0;

  constructor(
    private readonly connect: (origin: Origin) => Connection,
    private readonly limits: PoolLimits = { perOrigin: MAX_PER_ORIGIN, total: MAX_CONNECTIONS },
  ) {}

  /**
   * Calls `take` with a connection for one request: at once if there is one or room for one.
   * @returns what ends the waiting; without effect once `take` has been called
   */
  acquire(origin: Origin, take: Waiter<Connection>): () => void {
    let group = this.groups.get(origin.key);
    if (group === undefined) {
      group = { origin, size: 0, idle: [], waiters: new Set() };
      this.groups.set(origin.key, group);
    }
    const { waiters } = group;
    waiters.add(take);
    this.serve(group);
    return () => {
      waiters.delete(take);
      this.forget(origin);
    };
  }

  /** The request is over, well or not. */
  release(connection: Connection): void {
    const group = this.groups.get(connection.origin.key);
    if (group === undefined || !connection.reusable) {
      this.discard(connection);
    } else {
      group.idle.push(connection);
      this.idle.add(connection);
      connection.onClosed = () => this.discard(connection);
    }
    if (group !== undefined) this.serve(group);
    for (const other of this.groups.values()) {
      if (this.size >= this.limits.total && this.idle.size === 0) return;
      this.serve(other);
    }
  }

  /** Closes those to one server that are not in use: one of them was stale, and the others are as old. */
  closeIdle({ key }: Origin): void {
    for (const connection of [...(this.groups.get(key)?.idle ?? [])]) this.discard(connection);
  }

  private serve(group: Group<Connection>): void {
    for (const waiter of group.waiters) {
      const connection = this.takeIdle(group) ?? this.open(group);
      if (connection === null) return;
      group.waiters.delete(waiter);
      waiter(connection);
    }
  }

  private takeIdle(group: Group<Connection>): Connection | null {
    const connection = group.idle.pop();
    if (connection === undefined) return null;
    this.idle.delete(connection);
    connection.onClosed = null;
    return connection;
  }

  private open(group: Group<Connection>): Connection | null {
    if (group.size >= this.limits.perOrigin) return null;
    if (this.size >= this.limits.total) {
      const [oldest] = this.idle;
      if (oldest === undefined) return null;
      this.discard(oldest);
    }
    group.size++;
    this.size++;
    return this.connect(group.origin);
  }

  private discard(connection: Connection): void {
    const group = this.groups.get(connection.origin.key);
    if (this.idle.delete(connection)) group?.idle.splice(group.idle.indexOf(connection), 1);
    if (group !== undefined) group.size--;
    this.size--;
    connection.destroy(null);
    this.forget(connection.origin);
  }

  private forget({ key }: Origin): void {
    const group = this.groups.get(key);
    if (group !== undefined && group.size === 0 && group.waiters.size === 0) this.groups.delete(key);
  }
}
