import { WorkerSupervisor } from '../../extension/worker-supervisor';
import type { WorkerDeath } from '../../extension/worker-supervisor';
import type { WorkerEvents } from '../../extension/worker-process';
import { DEFAULT_WORKER_SETTINGS, PROTOCOL_VERSION } from '../../extension/protocol';
import type { HostMessage, WorkerMessage } from '../../extension/protocol';
import { FakeScheduler, LINK } from './support';

/** A worker's process as the supervisor sees it, driven by the test. */
export class FakeWorker {
  readonly sent: HostMessage[] = [];
  killed = false;

  constructor(
    readonly pid: number,
    readonly events: WorkerEvents,
  ) {}

  send(message: HostMessage): void {
    this.sent.push(message);
  }

  /** SIGKILL: the end is told as a real process's is, after the fact. */
  kill(): void {
    this.killed = true;
    this.exit(null, 'SIGKILL');
  }

  say(message: WorkerMessage): void {
    this.events.message(message);
  }

  ready(version = PROTOCOL_VERSION): void {
    this.say({ type: 'ready', version, pid: this.pid, link: LINK });
  }

  exit(code: number | null, signal: string | null = null): void {
    this.events.end({ code, signal, spawnError: null });
  }

  sentOf<T extends HostMessage['type']>(type: T): Extract<HostMessage, { type: T }>[] {
    return this.sent.filter((message): message is Extract<HostMessage, { type: T }> => message.type === type);
  }
}

/** A supervisor over fake workers and a clock that stands still. @param write where its log goes besides */
export function superviseFakes(write: (line: string) => void = () => {}) {
  const scheduler = new FakeScheduler();
  const workers: FakeWorker[] = [];
  const killedPids: number[] = [];
  const log: string[] = [];
  const deaths: WorkerDeath[] = [];
  const supervisor = new WorkerSupervisor({
    launch: (events) => {
      const worker = new FakeWorker(100 + workers.length, events);
      workers.push(worker);
      return worker;
    },
    settings: () => ({ ...DEFAULT_WORKER_SETTINGS, link: 'gateway', hostAddress: '127.0.0.1' }),
    scheduler,
    log: (level, message) => {
      write(`${level}: ${message}`);
      log.push(`${level}: ${message}`);
    },
    killProcess: (pid) => void killedPids.push(pid),
  });
  supervisor.onDidDie((death) => deaths.push(death));
  /** The latest worker. */
  const worker = (): FakeWorker => {
    const latest = workers.at(-1);
    if (!latest) throw new Error('no worker was started');
    return latest;
  };
  return { supervisor, scheduler, workers, worker, killedPids, log, deaths };
}
