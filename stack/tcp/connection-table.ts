/** Who a segment belongs to: connections, requests and listeners by their addresses and ports; room and ports for new ones. */
import type { TcpConfig } from '../config';
import { KeyedHash, type Random } from '../random';
import { FlowTable } from '../storage/flow-table';
import type { Listener, Request } from './listener';
import { EphemeralPorts } from './ports';
import type { Tcb } from './tcb';

/** Random ports tried before the table is taken for nearly full. */
const RANDOM_TRIES = 32;
/** Connections in TIME-WAIT looked at for one to replace, oldest first. */
const WAITING_TRIES = 256;
/** RFC 6191 §2 and Linux: an outgoing connection may take the place of one that has waited so long, ms. */
const TIME_WAIT_REUSE_MS = 1_000;

export class ConnectionTable {
  readonly connections: FlowTable<Tcb>;
  readonly requests: FlowTable<Request>;
  private readonly listeners: Listener[] = [];
  /** Oldest first. */
  private readonly timeWait = new Set<Tcb>();
  private readonly ephemeral: EphemeralPorts;

  constructor(
    private readonly config: TcpConfig,
    random: Random,
  ) {
    this.ephemeral = new EphemeralPorts(random, config);
    const hash = new KeyedHash(random);
    const hashFlow = (local: number, remote: number, ports: number): number => hash.hash(local, remote, ports);
    this.connections = new FlowTable<Tcb>(hashFlow);
    this.requests = new FlowTable<Request>(hashFlow);
  }

  add(tcb: Tcb): void {
    this.connections.add(tcb);
    this.ephemeral.take(tcb);
  }

  remove(tcb: Tcb): void {
    if (this.connections.remove(tcb)) this.ephemeral.release(tcb);
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

  /** As many connections out may go to one destination. */
  get ephemeralPorts(): number {
    return this.ephemeral.count;
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
   * A port for a connection out, random among the free ones; when hardly one is free, one that only waits in
   * TIME-WAIT and whose peer tells old from new by timestamps (RFC 6191 §2): many short connections to one
   * server use up all ports, and looking through them for each would cost more than the connection.
   * @param wanted 0: any @returns null if there is none
   */
  localPort(local: number, remote: number, remotePort: number, wanted: number, now: number): { port: number; replaces: Tcb | null } | null {
    const { ephemeral } = this;
    const holder = (port: number): Tcb | null => this.connections.find(local, port, remote, remotePort);
    const isFree = (port: number): boolean => !this.isListening(port) && holder(port) === null;
    if (wanted !== 0) {
      if (isFree(wanted)) return { port: wanted, replaces: null };
      const waiting = holder(wanted);
      return waiting && mayBeReplaced(waiting, now) ? { port: wanted, replaces: waiting } : null;
    }
    const taken = ephemeral.takenBy(local, remote, remotePort);
    const anyFree = taken + this.listenedOn(holder) < ephemeral.count;
    for (let i = 0; anyFree && i < RANDOM_TRIES; i++) {
      const port = ephemeral.any();
      if (isFree(port)) return { port, replaces: null };
    }
    const waiting = this.oldestReplaceable(local, remote, remotePort, now);
    if (waiting) return { port: waiting.localPort, replaces: waiting };
    const port = anyFree ? ephemeral.search(isFree) : null;
    return port === null ? null : { port, replaces: null };
  }

  /** How many ephemeral ports are listened on and not held by a connection, which counts already. */
  private listenedOn(holder: (port: number) => Tcb | null): number {
    const ports = new Set<number>();
    for (const { port } of this.listeners) if (port !== 'any' && this.ephemeral.includes(port) && holder(port) === null) ports.add(port);
    return ports.size;
  }

  private isListening(port: number): boolean {
    return this.listeners.some((listener) => listener.port === port);
  }

  private oldestReplaceable(local: number, remote: number, remotePort: number, now: number): Tcb | null {
    let tries = WAITING_TRIES;
    for (const tcb of this.timeWait) {
      if (tries-- === 0) return null;
      const sameTuple = tcb.localAddress === local && tcb.remoteAddress === remote && tcb.remotePort === remotePort;
      if (sameTuple && mayBeReplaced(tcb, now) && !this.isListening(tcb.localPort)) return tcb;
    }
    return null;
  }
}

function mayBeReplaced(tcb: Tcb, now: number): boolean {
  return tcb.state === 'TIME-WAIT' && tcb.tsEnabled && now - tcb.timeWaitSince > TIME_WAIT_REUSE_MS;
}
