import type { FetchReport, LinkReport, SocketReport } from '../../extension/protocol';
import type { Scheduler } from '../../extension/scheduler';

/** Time that stands still until a test moves it. */
export class FakeScheduler implements Scheduler {
  #now = 1_000_000;
  readonly #tasks = new Set<{ readonly at: number; readonly task: () => void }>();

  now(): number {
    return this.#now;
  }

  after(ms: number, task: () => void): { dispose(): void } {
    const entry = { at: this.#now + ms, task };
    this.#tasks.add(entry);
    return { dispose: () => void this.#tasks.delete(entry) };
  }

  /** Timers that are armed. */
  get pending(): number {
    return this.#tasks.size;
  }

  /** Moves on, and runs what falls due, in order. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const due = [...this.#tasks].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#tasks.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.task();
    }
    this.#now = until;
  }
}

export const LINK: LinkReport = { kind: 'gateway', reason: 'The embedded gateway is used.', address: '10.0.2.15', gateway: '10.0.2.2', dns: ['10.0.2.3'] };

export function socketReport(fields: Partial<SocketReport> = {}): SocketReport {
  return {
    runId: 'run-1', id: 1, host: 'example.test', port: 80, status: 'connecting', tcpState: null, remoteAddress: null, localPort: null,
    bytesRead: 0, bytesWritten: 0, bufferedAmount: 0, srttMs: null, retransmissions: 0, error: null, openedAt: 1_000_000, closedAt: null, fetchId: null,
    ...fields,
  };
}

export function fetchReport(fields: Partial<FetchReport> = {}): FetchReport {
  return {
    runId: 'run-1', id: 1, method: 'GET', url: 'http://example.test/', status: null, statusMessage: null, sentBytes: 0, requestBytes: null, bodyBytes: 0, expectedBytes: null,
    startedAt: 1_000_000, durationMs: null, error: null,
    ...fields,
  };
}

/** Lets the promises that are settled already run their continuations; no time passes. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}
