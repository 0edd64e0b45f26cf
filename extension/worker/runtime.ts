/**
 * What a worker is, whoever hosts it: one network and the scripts that run on it. `main.ts` binds it to the
 * extension host, `cli.ts` to the terminal.
 */
import path from 'node:path';
import { dropPrivileges } from '../node/drop-privileges';
import { scriptNodeOf, type ScriptNode } from '../node/script-node';
import { PROTOCOL_VERSION, type CaptureSelection, type CaptureSummary, type HostMessage, type LinkReport, type WorkerMessage, type WorkerSettings } from '../protocol';
import { Activity } from './activity';
import { CaCertificates } from './ca-certificates';
import type { LogLevel } from './link/link';
import { bundleScript, stopBundler } from './loader';
import { MemoryWatch } from './memory';
import { Network } from './network';
import { ScriptRun, type RawOutput, type RunRequest } from './script-run';

export interface RuntimeOptions {
  readonly settings: WorkerSettings;
  readonly emit: (message: WorkerMessage) => void;
  /** Takes what scripts print as it comes, instead of `output` messages; then no rate limits it. */
  readonly rawOutput?: RawOutput;
  /** Folder of the built bundles. Default: this one's. */
  readonly bundles?: string;
}

export class Runtime {
  private readonly network: Network;
  private readonly activity: Activity;
  private readonly memory = new MemoryWatch();
  private readonly caCertificates: CaCertificates;
  private readonly runs = new Map<string, ScriptRun>();
  /** Runs whose connections are still closing. */
  private readonly leaving = new Set<ScriptRun>();
  private readonly whenGone: (() => void)[] = [];
  private readonly scriptNode: ScriptNode;
  private readonly scriptPrefix: readonly string[];
  private ready = false;

  /** @throws Error in plain words if the settings cannot be met */
  constructor(private readonly options: RuntimeOptions) {
    // Before anything is open that would keep the process from ending.
    this.scriptNode = scriptNodeOf(process.env);
    const dropped = dropPrivileges(this.scriptNode.path);
    this.scriptPrefix = dropped.prefix;
    this.activity = new Activity(options.emit);
    const { NODE_EXTRA_CA_CERTS: fromEnvironment } = process.env;
    this.caCertificates = new CaCertificates([...(fromEnvironment ? [fromEnvironment] : []), ...(options.settings.extraCaCertificates ?? [])], (message) => this.log('warn', message));
    this.network = new Network({
      settings: options.settings,
      log: (level, message) => this.log(level, message),
      onChange: (link) => {
        if (this.ready) return options.emit({ type: 'link', link });
        if (link.address !== null) this.becomeReady(link);
      },
    });
    if (this.network.waitsForOthers) this.becomeReady(this.network.report());
    else if (!this.ready) options.emit({ type: 'link', link: this.network.report() });
    if (dropped.warning !== null) this.log('warn', dropped.warning);
    if (this.scriptNode.permissionFlag === null) {
      this.log('warn', `The Node ${this.scriptNode.path} has no permission model: scripts run with the rights of your account`);
    }
  }

  /** Takes a message of the host; `configure` and `shutdown` are whoever hosts this. */
  handle(message: HostMessage): void {
    switch (message.type) {
      case 'run':
        return this.run(message);
      case 'stop':
        return this.runs.get(message.runId)?.stop();
      case 'close-socket':
        return this.runs.get(message.runId)?.closeSocket(message.socketId);
      case 'save-capture':
        return this.options.emit({ type: 'capture-saved', requestId: message.requestId, result: this.saveCapture(message.file, message.selection) });
      case 'configure':
      case 'shutdown':
        return;
    }
  }

  /** While paused, scripts that print are held up: for a host whose own output is not taken. */
  setOutputPaused(paused: boolean): void {
    for (const run of [...this.runs.values(), ...this.leaving]) run.setOutputPaused(paused);
  }

  /** All counters as JSON holds them. */
  counters(): object {
    return this.network.counters();
  }

  /**
   * Ends every script and waits for their connections to close in order, at most `graceMs`; then resets
   * what is left and closes the network.
   */
  async close(graceMs: number): Promise<void> {
    for (const run of [...this.runs.values()]) run.stop();
    if (this.runs.size + this.leaving.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, graceMs);
        this.whenGone.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    for (const run of [...this.runs.values(), ...this.leaving]) run.destroy();
    this.activity.flush();
    this.network.close();
    await stopBundler();
  }

  private saveCapture(file: string, selection: CaptureSelection): CaptureSummary | { readonly error: string } {
    const { recentFrames } = this.network;
    if (recentFrames === null) return { error: 'No frames are kept: give them memory (setting riftnet.captureMemory)' };
    try {
      return recentFrames.save(file, selection);
    } catch (error) {
      return { error: `The capture ${file} cannot be written: ${error instanceof Error ? error.message : String(error)}` };
    }
  }

  private becomeReady(link: LinkReport): void {
    this.ready = true;
    this.options.emit({ type: 'ready', version: PROTOCOL_VERSION, pid: process.pid, link });
  }

  private run(request: RunRequest): void {
    if (this.runs.has(request.runId)) {
      this.log('error', `A run ${request.runId} is under way already`);
      return;
    }
    const run = new ScriptRun(
      request,
      {
        network: this.network,
        activity: this.activity,
        memory: this.memory,
        bundles: this.options.bundles ?? path.dirname(__filename),
        node: this.scriptNode,
        prefix: this.scriptPrefix,
        extraCaCertificates: () => this.caCertificates.pem(),
        emit: this.options.emit,
        log: (level, message) => this.log(level, message),
        rawOutput: this.options.rawOutput ?? null,
        onEnded: (ended) => {
          this.runs.delete(ended.runId);
          this.leaving.add(ended);
        },
        onGone: (gone) => {
          this.leaving.delete(gone);
          if (this.runs.size + this.leaving.size === 0) for (const resolve of this.whenGone.splice(0)) resolve();
        },
      },
      () => bundleScript(request.file, request.source),
    );
    this.runs.set(request.runId, run);
  }

  private log(level: LogLevel, message: string): void {
    this.options.emit({ type: 'log', level, message });
  }
}
