/** `print` and `console`, and the reports that share their way out: descriptor 1, written synchronously. */
import { Buffer } from 'node:buffer';
import { writeSync } from 'node:fs';
import process from 'node:process';
import { formatWithOptions, inspect } from 'node:util';
import { Console } from 'node:console';
import { Writable } from 'node:stream';
import type { OutputLevel, ScriptError } from '../../protocol';
import { LAST_PIECE, MAX_PIECE_BYTES, OUTPUT_LEVELS, REPORT_ERROR } from './report';
import { HEADER_BYTES } from './wire';

const REPORT_DESCRIPTOR = 1;

/** One frame of `wire.ts` to the worker. It blocks while the worker is behind, and gives up when there is none. */
function sendFrame(op: number, id: number, payload: Uint8Array): void {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  frame.writeUInt32LE(payload.length, 0);
  frame[4] = op;
  frame.writeUInt32LE(id, 5);
  frame.set(payload, HEADER_BYTES);
  for (let at = 0; at < frame.length; ) {
    try {
      at += writeSync(REPORT_DESCRIPTOR, frame, at);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') continue;
      // The worker is gone: nobody is left to run for.
      process.exit(1);
    }
  }
}

/** Hands one line, without its newline, to the worker. */
export function sendLine(level: OutputLevel, text: string): void {
  const bytes = Buffer.from(text);
  const op = OUTPUT_LEVELS.indexOf(level);
  let at = 0;
  do {
    const end = Math.min(bytes.length, at + MAX_PIECE_BYTES);
    sendFrame(op, end === bytes.length ? LAST_PIECE : 0, bytes.subarray(at, end));
    at = end;
  } while (at < bytes.length);
}

export function sendError(error: ScriptError): void {
  sendFrame(REPORT_ERROR, 0, Buffer.from(JSON.stringify(error)));
}

/** Strings as they are, everything else as Node inspects it, separated by spaces. */
export function print(...values: unknown[]): void {
  sendLine('print', values.map((value) => (typeof value === 'string' ? value : inspect(value))).join(' '));
}

/** Node's console over lines of ours: `log`, `info`, `warn`, `error` and `debug` keep their level. */
export function createConsole(): Console {
  let indent = '';
  const send = (level: OutputLevel, text: string) => sendLine(level, indent === '' ? text : text.replace(/^/gm, indent));
  const lines = (level: OutputLevel) =>
    new Writable({
      decodeStrings: false,
      write(chunk, _encoding, done) {
        send(level, String(chunk).replace(/\n$/, ''));
        done();
      },
    });
  const made = new Console({ stdout: lines('log'), stderr: lines('error') });
  for (const level of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    made[level] = (...values: unknown[]) => send(level, formatWithOptions({}, ...values));
  }
  // Node's own would indent only what goes through its own methods.
  const group = (...values: unknown[]) => {
    if (values.length > 0) made.log(...values);
    if (indent.length < MAX_INDENT) indent += '  ';
  };
  made.group = group;
  made.groupCollapsed = group;
  made.groupEnd = () => void (indent = indent.slice(2));
  return made;
}

/** Deeper groups are not set in any further. */
const MAX_INDENT = 100;
