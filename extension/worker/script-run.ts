/** One run of a script: its process, its network, its limits, and what it comes to. */
import type { ScriptNode } from '../node/script-node';
import type { HostMessage, OutputLevel, RunOutcome, ScriptError, WorkerMessage } from '../protocol';
import type { Activity } from './activity';
import { withInlineMap, type BundleResult } from './loader';
import type { MemoryWatch } from './memory';
import type { LogLevel } from './link/link';
import type { Network } from './network';
import { encodeLoad, Op } from './script/wire';
import { ScriptNetwork } from './script-network';
import { LineLimiter, OutputReader } from './script-output';
import { ranOutOfHeap, ScriptProcess, type ProcessEnd } from './script-process';

export type RunRequest = Extract<HostMessage, { type: 'run' }>;

/** After a script's end its sockets have this long to send what is queued and to close. */
export const LINGER_MS = 10_000;
/** A script's process may take this long to start and to take its program. */
const START_TIMEOUT_MS = 60_000;

/** Takes a script's output as it comes: pieces of lines in UTF-8, valid during the call. */
export type RawOutput = (level: OutputLevel, piece: Buffer, last: boolean) => void;

export interface RunContext {
  readonly network: Network;
  readonly activity: Activity;
  readonly memory: MemoryWatch;
  readonly bundles: string;
  /** What the script runs in, and the words before it that take this process's own rights away. */
  readonly node: ScriptNode;
  readonly prefix: readonly string[];
  /** PEM of authorities that fetch trusts beside Node's own. */
  readonly extraCaCertificates: () => string;
  readonly emit: (message: WorkerMessage) => void;
  readonly log: (level: LogLevel, message: string) => void;
  /** Takes the output instead of `output` messages, without the limit on its rate. */
  readonly rawOutput: RawOutput | null;
  /** The run has been told to have ended. */
  readonly onEnded: (run: ScriptRun) => void;
  /** Nothing of the run is left, its connections included. */
  readonly onGone: (run: ScriptRun) => void;
}

export class ScriptRun {
  readonly runId: string;
  private readonly process: ScriptProcess;
  private readonly scriptNetwork: ScriptNetwork | null = null;
  private readonly output: OutputReader | null = null;
  private readonly lines: LineLimiter;
  /** Until the script runs: the limit on its start; then the run's own. */
  private timeout: NodeJS.Timeout | null = null;
  /** Why the run is being ended by us, once it is. */
  private cause: RunOutcome | null = null;
  /** What the script itself said of its end. */
  private said: RunOutcome | null = null;
  private linger: NodeJS.Timeout | null = null;
  private processEnd: ProcessEnd | null = null;
  private ended = false;
  private gone = false;

  constructor(
    private readonly request: RunRequest,
    private readonly context: RunContext,
    /** Begun once the process starts, which takes longer than all else. */
    private readonly bundle: () => Promise<BundleResult>,
  ) {
    const { limits, runId } = request;
    this.runId = runId;
    this.lines = new LineLimiter(limits.outputBytesPerSecond, () => performance.now(), (level, text) => context.emit({ type: 'output', runId, level, text }));
    const onDebuggable = request.debug === true ? (url: string) => context.emit({ type: 'debuggable', runId, url }) : null;
    this.process = new ScriptProcess({ bundles: context.bundles, memoryMb: limits.memoryMb, node: context.node, prefix: context.prefix, onDebuggable }, (end) => this.processEnded(end));
    const { pid, pipe, reports } = this.process;
    if (pid === null || pipe === null || reports === null) return;
    this.scriptNetwork = new ScriptNetwork({
      runId,
      pipe,
      network: context.network,
      soon: (run) => process.nextTick(run),
      activity: context.activity,
      onRunning: () => {
        this.startTimeout();
        context.emit({ type: 'running', runId });
      },
      onEnd: (error) => this.scriptEnded(error),
      onViolation: (reason) => this.end({ kind: 'crashed', message: `The script's process sent ${reason}; it was ended. This is an error of Riftnet: please report it` }),
      // At the terminal the log, which says the same, goes to the same place.
      onWait: (waitsFor) => {
        if (context.rawOutput === null) context.emit({ type: 'output', runId, level: 'info', text: waitsFor });
      },
      onLost: (message) => context.log('warn', `Closed with data queued, which are lost: ${message}`),
      onIdle: () => this.settle(),
    });
    this.output = new OutputReader(reports, {
      output: (level, piece, last) => (context.rawOutput ?? this.limited)(level, piece, last),
      error: (error) => (error.kind === 'handler' ? this.handlerFailed(error) : this.scriptFailed(error)),
      broken: (reason) => this.end({ kind: 'crashed', message: `The script's process sent ${reason}; it was ended. This is an error of Riftnet: please report it` }),
    });
    context.memory.add({
      pid,
      limitMb: limits.memoryMb,
      onLimit: (usedMb) => this.end({ kind: 'limit', message: this.memoryMessage(`used ${usedMb} MiB of memory`) }),
    });
    this.timeout = setTimeout(() => {
      const what = onDebuggable === null ? "The script's process did not start" : "No debugger attached to the script's process";
      this.end({ kind: 'crashed', message: `${what} within ${START_TIMEOUT_MS / 1000} s; the computer may be overloaded: run the script again` });
    }, START_TIMEOUT_MS);
    context.emit({ type: 'started', runId, pid });
    void this.bundleAndLoad();
  }

  /** Ends the run at once, whatever the script is doing. */
  stop(): void {
    this.end({ kind: 'stopped' });
  }

  closeSocket(socketId: number): void {
    this.scriptNetwork?.closeSocket(socketId);
  }

  /** While paused, a script that prints is held up. */
  setOutputPaused(paused: boolean): void {
    this.output?.setPaused(paused);
  }

  /** Ends everything now: the process, and what is left of its connections. */
  destroy(): void {
    this.stop();
    this.scriptNetwork?.closeAll('abort');
    this.settle();
  }

  private readonly limited = (level: OutputLevel, piece: Buffer, last: boolean): void => this.lines.add(level, piece, last);

  private async bundleAndLoad(): Promise<void> {
    try {
      // The bundler's process may be ended by what ends this run too, as Ctrl-C does, and before the run hears of it: it gets a second one.
      this.load(await this.bundle().catch((error: unknown) => (this.cause === null ? this.bundle() : Promise.reject(error))));
    } catch (error) {
      this.end({ kind: 'crashed', message: `The script could not be bundled: ${error instanceof Error ? error.message : String(error)}` });
    }
  }

  private load(result: BundleResult): void {
    if (this.cause !== null) return;
    if ('error' in result) return this.end({ kind: 'error', error: result.error });
    const { programName, sourceMap, sourceRoot } = result.bundle;
    const { file, tickRate, limits, debug = false } = this.request;
    const program = debug ? withInlineMap(result.bundle) : result.bundle.program;
    this.process.guard();
    const writer = this.scriptNetwork?.writer;
    writer?.message(Op.load, 0, encodeLoad({ file, sourceRoot, programName, tickRate, memoryMb: limits.memoryMb, extraCaCertificates: this.context.extraCaCertificates(), debug }, program, sourceMap));
    writer?.flush();
  }

  private startTimeout(): void {
    // Nobody can say how long a person looks at a breakpoint.
    const seconds = this.request.debug === true ? null : this.request.timeoutSeconds;
    if (this.timeout !== null) clearTimeout(this.timeout);
    this.timeout = seconds === null ? null : setTimeout(() => this.end({ kind: 'timeout', seconds }), seconds * 1000);
  }

  /** The script is over; its process hands over what its sockets have queued, and exits. */
  private scriptEnded(error: ScriptError | null): void {
    if (this.said !== null) return;
    this.said = error === null ? { kind: 'finished' } : { kind: 'error', error };
    this.startLinger();
  }

  /** Told within the limit on output: a handler can fail as often as a line can be printed. */
  private handlerFailed(error: ScriptError): void {
    const { runId } = this;
    if (this.lines.admit(error.stack.length + 1)) this.context.emit({ type: 'script-error', runId, error });
  }

  /** It has ended with an error, which is told at once: its sockets may take their time to close. */
  private scriptFailed(error: ScriptError): void {
    this.scriptEnded(error);
    if (this.cause === null && this.said !== null) this.tellEnd(this.said);
  }

  private end(cause: RunOutcome): void {
    if (this.cause !== null) return;
    this.cause = cause;
    this.process.kill();
    if (this.processEnd === null) return;
    // Only its connections were left, and there is no more time for them.
    this.scriptNetwork?.closeAll('abort');
    this.settle();
  }

  private processEnded(end: ProcessEnd): void {
    this.processEnd = end;
    if (this.process.pid !== null) this.context.memory.remove(this.process.pid);
    const outcome = this.outcome(end);
    // A process that failed may have held back more than it sent: a reset says so, an orderly close would not.
    this.scriptNetwork?.closeAll(outcome.kind === 'limit' || outcome.kind === 'crashed' ? 'abort' : 'close');
    this.startLinger();
    // What a person stopped is over at once; its connections close behind the scene.
    if (this.cause !== null) this.tellEnd(this.cause);
    this.settle();
  }

  private outcome(end: ProcessEnd): RunOutcome {
    if (this.cause !== null) return this.cause;
    if (this.said !== null) return this.said;
    if (ranOutOfHeap(end)) return { kind: 'limit', message: this.memoryMessage('ran out of memory for its objects') };
    return { kind: 'crashed', message: crashMessage(end, this.process.pid, this.context.node.path) };
  }

  private memoryMessage(what: string): string {
    // Only the terminal takes the output as it comes.
    const knob = this.context.rawOutput === null ? 'the setting riftnet.memoryLimit' : 'the option --memory';
    return `The script ${what}; its memory limit is ${this.request.limits.memoryMb} MiB. Let it hold less at once, or raise the limit (${knob})`;
  }

  private startLinger(): void {
    this.linger ??= setTimeout(() => this.lingerOver(), LINGER_MS);
  }

  private lingerOver(): void {
    const left = this.scriptNetwork?.open ?? [];
    if (left.length > 0) {
      const names = left.slice(0, 5).map((connection) => connection.name).join(', ');
      const more = left.length > 5 ? ` and ${left.length - 5} more` : '';
      this.context.log('warn', `Reset after the script's end: ${names}${more} did not close within ${LINGER_MS / 1000} s`);
    }
    this.process.kill();
    this.scriptNetwork?.closeAll('abort');
    this.settle();
  }

  /** Whether everything is over; then it is told. */
  private settle(): void {
    if (this.gone || this.processEnd === null) return;
    if ((this.scriptNetwork?.open.length ?? 0) > 0) return;
    this.gone = true;
    if (this.linger !== null) clearTimeout(this.linger);
    this.tellEnd(this.outcome(this.processEnd));
    this.context.onGone(this);
  }

  private tellEnd(outcome: RunOutcome): void {
    if (this.ended) return;
    this.ended = true;
    if (this.timeout !== null) clearTimeout(this.timeout);
    this.lines.flush();
    this.context.activity.flush();
    this.context.emit({ type: 'ended', runId: this.runId, outcome });
    this.context.onEnded(this);
  }
}

function crashMessage({ code, signal, errorOutput, spawnError }: ProcessEnd, pid: number | null, node: string): string {
  if (spawnError !== null) return `The script's process could not be started (${node}): ${spawnError}`;
  const how = signal === null ? `with exit code ${code ?? 'unknown'}` : `by signal ${signal}`;
  const words = errorOutput.trim().split('\n').slice(0, 12).join('\n');
  return `The script's process ${pid ?? ''} was ended ${how}, and not by its worker; run the script again${words === '' ? '' : `\n${words}`}`;
}
