/** Who a segment belongs to: connections, requests and listeners by their addresses and ports; room and ports for new ones. */
import type { TcpConfig } from '../config';
import { KeyedHash, type Random } from '../random';
import { FlowTable } from '../storage/flow-table';
import type { Listener, Request } from './listener';
import { pickEphemeralPort } from './ports';
import type { Tcb } from './tcb';

/** RFC 6191 §2 and Linux: an outgoing connection may take the place of one that has waited so long, ms. */
const TIME_WAIT_REUSE_MS = 1_000;

export class ConnectionTable {
  readonly connections: FlowTable<Tcb>;
  readonly requests: FlowTable<Request>;
  private readonly listeners: Listener[] = [];
  /** Oldest first. */
  private readonly timeWait = new Set<Tcb>();

  constructor(
    private readonly config: TcpConfig,
    private readonly random: Random,
  ) {
    const hash = new KeyedHash(random);
    const hashFlow = (local: number, remote: number, ports: number): number => hash.hash(local, remote, ports);
    this.connections = new FlowTable<Tcb>(hashFlow);
    this.requests = new FlowTable<Request>(hashFlow);
  }

  add(tcb: Tcb): void {
    this.connections.add(tcb);
  }

  remove(tcb: Tcb): void {
    this.connections.remove(tcb);
    this.timeWait.delete(tcb);
  }

  /** @returns the one that has to go for it, or null */
  addTimeWait(tcb: Tcb): Tcb | null {
    this.timeWait.add(tcb);
    return this.timeWait.size > this.config.maxTimeWait ? this.oldestTimeWait() : null;
  }

  oldestTimeWait(): Tcb | null {
    const [oldest] = this.timeWait;
    return oldest ?? null;
  }

  get isFull(): boolean {
    return this.connections.size >= this.config.maxConnections;
  }

  /** @returns whether it could be added: no other one covers the same port and address. */
  addListener(listener: Listener): boolean {
    const { port, address } = listener;
    if (this.listeners.some((other) => other.port === port && (other.address === address || other.address === null || address === null))) return false;
    this.listeners.push(listener);
    return true;
  }

  removeListener(listener: Listener): void {
    const index = this.listeners.indexOf(listener);
    if (index >= 0) this.listeners.splice(index, 1);
  }

  /** The most particular listener: by port and address, then by port, then any. */
  listenerFor(address: number, port: number): Listener | null {
    let found: Listener | null = null;
    for (const listener of this.listeners) {
      if (listener.address !== null && listener.address !== address) continue;
      if (listener.port === port) {
        if (listener.address !== null) return listener;
        found = listener;
      } else if (listener.port === 'any' && !found) found = listener;
    }
    return found;
  }

  /**
   * A port for a connection out, random among the free ones; when none is free, one that only waits in TIME-WAIT
   * and whose peer tells old from new by timestamps (RFC 6191 §2). @param wanted 0: any @returns null if there is none
   */
  localPort(local: number, remote: number, remotePort: number, wanted: number, now: number): { port: number; replaces: Tcb | null } | null {
    const holder = (port: number): Tcb | null => this.connections.find(local, port, remote, remotePort);
    const usable = (port: number, allowWaiting: boolean): boolean => {
      if (this.listeners.some((listener) => listener.port === port)) return false;
      const tcb = holder(port);
      return tcb === null || (allowWaiting && mayBeReplaced(tcb, now));
    };
    const pick = (allowWaiting: boolean): number | null => {
      if (wanted !== 0) return usable(wanted, allowWaiting) ? wanted : null;
      return pickEphemeralPort(this.random, this.config, (port) => usable(port, allowWaiting));
    };
    const free = pick(false);
    if (free !== null) return { port: free, replaces: null };
    // Scanning every port for one to replace is worth it only if something waits at all.
    const port = this.timeWait.size > 0 ? pick(true) : null;
    return port === null ? null : { port, replaces: holder(port) };
  }
}

function mayBeReplaced(tcb: Tcb, now: number): boolean {
  return tcb.state === 'TIME-WAIT' && tcb.tsEnabled && now - tcb.timeWaitSince > TIME_WAIT_REUSE_MS;
}
