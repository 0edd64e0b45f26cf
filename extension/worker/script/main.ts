/** A script's process: sets the stage, runs the script when its program arrives, and ends with it. */
import { Buffer } from 'node:buffer';
import { Socket as Pipe, type ConnectOpts, type SocketConstructorOpts } from 'node:net';
import process from 'node:process';
import vm from 'node:vm';
import { FIRST_WINDOW_BYTES } from './channel';
import { disarm } from './disarm';
import { createEngine } from './engine';
import { ErrorMapper } from './errors';
import { createEvent } from './events';
import { createFetch } from './fetch';
import { installGlobals } from './globals';
import { systemHost, type Host } from './host';
import { loadHttp } from './load-http';
import { NetworkPipe, type Program } from './network-pipe';
import { createConsole, print, sendError } from './output';
import { createNetwork } from './socket';
import { Loop } from './ticks';
import type { ScriptError } from '../../protocol';

/** The pipe to the worker. */
const PIPE_DESCRIPTOR = 3;
/** The most that one system call takes from it: all that its kernel buffer holds (some 200 KiB). */
const READ_BYTES = 256 << 10;

const { queueMicrotask } = globalThis;
const { nextTick } = process;
// All reads go into one buffer, which no script ever sees: Node would make a new one for each.
const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);
const pipeOptions: SocketConstructorOpts & ConnectOpts = {
  fd: PIPE_DESCRIPTOR,
  readable: true,
  writable: true,
  onread: { buffer: readBuffer, callback: (count) => pipe.emit('data', readBuffer.subarray(0, count)) },
};
const pipe = new Pipe(pipeOptions);
const network = new NetworkPipe({
  pipe,
  // `nextTick` runs after all of the script's own microtasks: one batch for a whole turn.
  soon: (run) => nextTick(run),
  later: (run, ms) => systemHost.timer(ms, run).keepAlive(false),
  onLoad: (program) => loaded(program),
  exit: (code) => process.exit(code),
});

/** The program has come. */
let loaded: (program: Program) => void = () => {};
const whenLoaded = new Promise<Program>((resolve) => (loaded = resolve));
// Waited for from here on, the script has no caller in a debugger's eyes: from the pipe's own turn it would be the pipe.
// What is thrown is thrown as if there were no promise between.
whenLoaded.then(run).catch((error: unknown) => nextTick(() => { throw error; }));

function run({ options, program, sourceMap }: Program): void {
  const mapper = new ErrorMapper({ programName: options.programName, sourceRoot: options.sourceRoot, program, sourceMap });
  const report = (error: unknown) => sendError(mapper.describe('handler', error));
  let finished = false;
  let over = false;

  const wanted = () => loop.wantedChanged();
  const onTick = createEvent('Event.OnTick', report, wanted);
  const onRender = createEvent('Event.OnRender', report, wanted);
  // What has arrived by the beginning of a turn shows in it, also what the pipe had no room for.
  const host: Host = { ...systemHost, afterInput: (then) => systemHost.afterInput(() => network.catchUp(then)) };
  const loop = new Loop(host, onTick, onRender, options.tickRate);
  const engine = createEngine({
    host: systemHost,
    tickRate: options.tickRate,
    tickCount: () => loop.tickCount,
    report,
    microtask: queueMicrotask,
  });

  function end(error: ScriptError | null): void {
    if (over) return;
    over = true;
    loop.stop();
    engine.stop();
    // Behind the last line it printed, and before its sockets close, which may take a while.
    if (error !== null) sendError(error);
    network.end({ error });
  }

  process.on('uncaughtException', (error) => end(mapper.describe('throw', error)));
  process.on('unhandledRejection', (error) => end(mapper.describe('rejection', error)));
  // Nothing is left that could wake the script.
  process.on('beforeExit', () => end(finished ? null : mapper.stuck(awaitLine, awaitColumn)));

  let awaitLine = 0;
  let awaitColumn = 0;
  /** The program calls it, with its own position, as the operand of each top-level await (see loader). */
  const mark = (line: number, column: number, value: unknown): unknown => {
    awaitLine = line;
    awaitColumn = column;
    return value;
  };

  mapper.install();
  disarm(pipe);
  installGlobals(globalThis, {
    ...engine.aliases,
    Engine: engine.Engine,
    Event: Object.freeze({ OnTick: onTick.event, OnRender: onRender.event }),
    Network: createNetwork((host, port) => network.open(host, port, 0, FIRST_WINDOW_BYTES), network),
    fetch: createFetch(network, options, () => loadHttp(require)),
    print,
    console: createConsole(),
  });
  loop.start();
  const outer: unknown = new vm.Script(program, { filename: options.programName }).runInThisContext();
  const body: unknown = typeof outer === 'function' ? outer(mark) : null;
  if (typeof body !== 'function') throw new TypeError('The program is not a function');
  Promise.resolve(body()).then(
    () => {
      finished = true;
    },
    (error: unknown) => end(mapper.describe('throw', error)),
  );
}
