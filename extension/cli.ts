#!/usr/bin/env node
/** `riftnet run SCRIPT`: the worker in the terminal's own process, so that a script starts at once. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { version } from '../package.json';
import { nodeForCapture, runIn, watchStarter } from './cli-granted';
import { parseCommand, USAGE, type RunCommand } from './cli-options';
import type { OutputLevel, RunOutcome, WorkerMessage } from './protocol';
import { Runtime } from './worker/runtime';
import { LINGER_MS } from './worker/script-run';

const EXIT = { finished: 0, threw: 1, usage: 2, timedOut: 124, interrupted: 130 } as const;

/** After an interruption connections have this long to close in order, and then a reader this long to take what was printed. */
const INTERRUPT_GRACE_MS = 1_000;
const RUN_ID = '1';
const NEWLINE = Buffer.from('\n');

class Terminal {
  private readonly runtime: Runtime;
  /** Streams that have more than they can pass on at once. */
  private readonly full = new Set<NodeJS.WriteStream>();
  /** Streams that nobody takes anything from any more. */
  private readonly lost = new Set<NodeJS.WriteStream>();
  private exitCode: number = EXIT.finished;
  /** Set once the run is to end for a reason from outside. */
  private interrupted = false;
  private leaving = false;
  /** Called once the command is to end whether its output is read or not. */
  private hurry: () => void = () => {};
  private readonly hurried = new Promise<void>((resolve) => (this.hurry = resolve));

  /** @throws Error in plain words if the settings cannot be met */
  constructor(private readonly command: RunCommand) {
    this.runtime = new Runtime({
      settings: command.settings,
      emit: (message) => this.take(message),
      rawOutput: (level, piece, last) => this.print(level, piece, last),
    });
  }

  run(): void {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => this.interrupt());
    watchStarter(() => this.interrupt());
    process.stdout.on('error', (error) => this.outputLost(process.stdout, error));
    process.stderr.on('error', (error) => this.outputLost(process.stderr, error));
    const { file, tickRate, timeoutSeconds, memoryMb } = this.command;
    const limits = { memoryMb, outputBytesPerSecond: Infinity };
    this.runtime.handle({ type: 'run', runId: RUN_ID, file, source: null, tickRate, timeoutSeconds, limits });
  }

  private take(message: WorkerMessage): void {
    switch (message.type) {
      case 'log':
        if (message.level !== 'debug') say(message.message);
        return;
      case 'script-error':
        this.exitCode = EXIT.threw;
        this.print('error', Buffer.from(message.error.stack), true);
        return;
      case 'ended':
        this.ended(message.outcome);
        return;
      default:
        return;
    }
  }

  private print(level: OutputLevel, piece: Buffer, last: boolean): void {
    const stream = level === 'warn' || level === 'error' ? process.stderr : process.stdout;
    if (this.lost.has(stream)) return;
    const bytes = last ? Buffer.concat([piece, NEWLINE]) : Buffer.from(piece);
    if (stream.write(bytes) || this.leaving || this.full.has(stream)) return;
    // A slow reader holds up the script that prints, and nothing else.
    this.full.add(stream);
    this.runtime.setOutputPaused(true);
    stream.once('drain', () => {
      this.full.delete(stream);
      if (this.full.size === 0) this.runtime.setOutputPaused(false);
    });
  }

  private ended(outcome: RunOutcome): void {
    const { file } = this.command;
    switch (outcome.kind) {
      case 'finished':
        break;
      case 'error':
        this.exitCode = EXIT.threw;
        process.stderr.write(`${outcome.error.stack}\n`);
        break;
      case 'timeout':
        this.exitCode = EXIT.timedOut;
        this.hurry();
        say(`${file} was ended after ${outcome.seconds} s (--timeout)`);
        break;
      case 'stopped':
        if (this.interrupted) this.exitCode = EXIT.interrupted;
        break;
      case 'limit':
      case 'crashed':
        this.exitCode = EXIT.threw;
        say(outcome.message);
        break;
    }
    // A script that failed is told of while its sockets close, for as long as any script's.
    void this.leave(outcome.kind === 'error' ? LINGER_MS + INTERRUPT_GRACE_MS : outcome.kind === 'finished' ? 0 : INTERRUPT_GRACE_MS);
  }

  private interrupt(): void {
    // The second time the patience is over.
    if (this.interrupted) process.exit(EXIT.interrupted);
    this.interrupted = true;
    this.exitCode = EXIT.interrupted;
    this.hurry();
    if (this.leaving) return void this.runtime.close(INTERRUPT_GRACE_MS);
    this.runtime.handle({ type: 'stop', runId: RUN_ID });
  }

  private outputLost(stream: NodeJS.WriteStream, error: Error): void {
    if (this.lost.has(stream)) return;
    this.lost.add(stream);
    // Whoever read it is gone, as after `| head`: nobody is left to print for, and nothing to be said.
    const isGone = 'code' in error && error.code === 'EPIPE';
    if (!isGone) say(`${stream === process.stdout ? 'standard output' : 'standard error'} cannot be written: ${error.message}`);
    if (this.exitCode === EXIT.finished) this.exitCode = EXIT.threw;
    // A drain will not come any more.
    this.full.clear();
    this.runtime.setOutputPaused(false);
    this.runtime.handle({ type: 'stop', runId: RUN_ID });
  }

  private async leave(graceMs: number): Promise<void> {
    if (this.leaving) return;
    this.leaving = true;
    await this.runtime.close(graceMs);
    if (this.command.stats) process.stderr.write(`${JSON.stringify(this.runtime.counters())}\n`);
    await Promise.race([Promise.all([flushed(process.stdout), flushed(process.stderr)]), this.hurried.then(() => delay(INTERRUPT_GRACE_MS))]);
    process.exit(this.exitCode);
  }
}

function say(message: string): void {
  process.stderr.write(`riftnet: ${message}\n`);
}

/** Resolves when what was written has been taken, or nobody takes it any more. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writableLength === 0 || stream.destroyed) return resolve();
    stream.once('error', () => resolve());
    stream.write('', () => resolve());
  });
}

/** A bundle of its own: a run need not wait for it to load. */
function doctor(): { main(args: readonly string[]): Promise<number> } {
  return createRequire(__filename)('./doctor.js');
}

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  if (args[0] === 'doctor' || args[0] === 'interfaces') {
    process.exitCode = await doctor().main(args);
    return;
  }
  try {
    const command = parseCommand(args);
    if (command.kind === 'help') return void process.stdout.write(USAGE);
    if (command.kind === 'version') return void process.stdout.write(`${version}\n`);
    const node = command.settings.link === 'gateway' ? null : await nodeForCapture(path.dirname(__filename));
    if (node !== null) return runIn(node);
    new Terminal(command).run();
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    // Whatever was begun before it failed does not keep the process.
    await Promise.race([flushed(process.stderr), delay(INTERRUPT_GRACE_MS)]);
    process.exit(EXIT.usage);
  }
}

void main();
