/** Reports of sockets and fetches: only what changed, at most ten times a second. */
import type { FetchReport, WorkerMessage } from '../protocol';
import type { Connection } from './connection';

const INTERVAL_MS = 100;

export class Activity {
  private readonly connections = new Set<Connection>();
  private readonly fetches = new Map<string, FetchReport>();
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly emit: (message: WorkerMessage) => void) {}

  connection(connection: Connection): void {
    this.connections.add(connection);
    this.arm();
  }

  fetch(report: FetchReport): void {
    this.fetches.set(`${report.runId} ${report.id}`, report);
    this.arm();
  }

  /** Reports now what has not been reported yet. */
  flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    if (this.connections.size === 0 && this.fetches.size === 0) return;
    const message: WorkerMessage = {
      type: 'activity',
      sockets: Array.from(this.connections, (connection) => connection.report()),
      fetches: [...this.fetches.values()],
    };
    this.connections.clear();
    this.fetches.clear();
    this.emit(message);
  }

  private arm(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.flush();
    }, INTERVAL_MS);
    this.timer.unref();
  }
}
