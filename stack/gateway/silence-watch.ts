/**
 * Finds out which peers outside have fallen silent. The operating system takes what is written and keeps it for a
 * quarter of an hour if nobody acknowledges it, without a word. Linux tells each connection's retransmissions in
 * `/proc/net/tcp`, to everybody; other systems tell nothing, and there the connection ends when the system gives up.
 */
import { readFile } from 'node:fs/promises';
import type { Clock, Timer } from '../clock';

/** What is asked about a connection. */
export interface WatchedConnection {
  readonly localPort: number;
  /** IPv4, as text. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Whether something was sent of which nothing is known yet. */
  readonly awaitsWord: boolean;
  /** When bytes came from the peer last, ms. They need not acknowledge anything, but it was there then. */
  readonly heardAt: number;
  /** The peer had acknowledged everything that was written before `at`, ms. */
  acknowledged(at: number): void;
  /** The peer has acknowledged nothing for the limit. */
  silent(): void;
}

/** @returns the text of `/proc/net/tcp`, null where there is none */
export type ReadTcpTable = () => Promise<string | null>;

export const readTcpTable: ReadTcpTable = () => readFile('/proc/net/tcp', 'latin1').catch(() => null);

export interface SilenceWatchOptions {
  readonly clock: Clock;
  readonly connections: () => Iterable<WatchedConnection>;
  readonly readTable: ReadTcpTable;
  /** How long a peer may acknowledge nothing, ms. */
  readonly limitMs: number;
}

/** What was seen of a silent peer. */
interface Silence {
  /** When it was seen first, or the peer was heard last, ms. */
  readonly since: number;
  /** Sendings in a row without an answer, then. */
  readonly unanswered: number;
}

/** Looks at the system's table, in parts of the limit. */
const LOOKS_IN_LIMIT = 10;

export class SilenceWatch {
  private timer: Timer | null = null;
  private silences = new Map<WatchedConnection, Silence>();
  private closed = false;

  constructor(private readonly options: SilenceWatchOptions) {}

  /** There are connections. Idempotent. */
  start(): void {
    if (this.timer !== null || this.closed) return;
    const { clock, limitMs } = this.options;
    this.timer = clock.at(clock.now() + limitMs / LOOKS_IN_LIMIT, () => void this.look());
  }

  /** There is none any more. */
  stop(): void {
    this.timer?.cancel();
    this.timer = null;
    this.silences.clear();
  }

  close(): void {
    this.closed = true;
    this.stop();
  }

  private async look(): Promise<void> {
    const { connections, readTable } = this.options;
    const waiting = [...connections()].filter(({ awaitsWord }) => awaitsWord);
    if (waiting.length > 0) {
      const askedAt = this.options.clock.now();
      const table = await readTable();
      if (this.closed || this.timer === null) return;
      // No such table: this system tells nothing.
      if (table === null) return this.close();
      this.judge(waiting, table, askedAt);
    } else this.silences.clear();
    this.timer = null;
    this.start();
  }

  private judge(waiting: readonly WatchedConnection[], table: string, askedAt: number): void {
    const { clock, limitMs } = this.options;
    const now = clock.now();
    const seen = readEntries(table, new Set(waiting.map(({ localPort }) => localPort)));
    const silences = new Map<WatchedConnection, Silence>();
    for (const connection of waiting) {
      const entry = seen.get(keyOf(connection.localPort, addressWord(connection.remoteAddress), connection.remotePort));
      // It can have failed meanwhile.
      if (entry === undefined || !connection.awaitsWord) continue;
      if (entry.unacknowledgedBytes === 0) connection.acknowledged(askedAt);
      if (entry.unanswered === 0) continue;
      const before = this.silences.get(connection);
      // Fewer than last time: something was acknowledged in between.
      const goesOn = before !== undefined && entry.unanswered >= before.unanswered;
      const silence = { since: goesOn ? Math.max(before.since, connection.heardAt) : now, unanswered: entry.unanswered };
      if (now - silence.since >= limitMs) connection.silent();
      else silences.set(connection, silence);
    }
    this.silences = silences;
  }
}

interface Entry {
  readonly unacknowledgedBytes: number;
  /** Retransmissions or probes of a closed window in a row that the peer has not answered. */
  readonly unanswered: number;
}

/** As Linux writes an IPv4 address there: the word in network order, read as the machine reads words. */
const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

function addressWord(dotted: string): string {
  const bytes = dotted.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return (LITTLE_ENDIAN ? bytes.reverse() : bytes).join('').toUpperCase();
}

function keyOf(localPort: number, address: string, remotePort: number): string {
  return `${localPort} ${address} ${remotePort}`;
}

/** Linux Documentation/networking/proc_net_tcp.rst: `sl local remote st tx:rx tr:when retrnsmt uid timeout inode …` */
function readEntries(table: string, localPorts: ReadonlySet<number>): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const line of table.split('\n')) {
    const [, local = '', remote = '', , queues = '', timer = '', retransmissions = '', , probes = ''] = line.trim().split(/\s+/);
    const localPort = parseInt(local.slice(9), 16);
    if (!localPorts.has(localPort)) continue;
    // The timer 4 probes a closed window: of its probes, the last is still on its way.
    const unanswered = timer.startsWith('04') ? Number(probes) - 1 : timer.startsWith('01') ? parseInt(retransmissions, 16) : 0;
    entries.set(keyOf(localPort, remote.slice(0, 8), parseInt(remote.slice(9), 16)), { unacknowledgedBytes: parseInt(queues.slice(0, 8), 16), unanswered: Math.max(0, unanswered || 0) });
  }
  return entries;
}
