import { formatBytes, formatDuration, formatTime, shorten } from './format';
import type { FetchReport, OutputLevel, RunOutcome, SocketReport } from './protocol';
import { isFetchPending } from './run-model';
import type { RunChange } from './run-model';

/*
 * The text of the output channel. A line begins with the time and the script's title; what the script prints
 * follows as it is, what happened to it follows after a mark. `syntaxes/riftnet-output.tmLanguage.json` reads
 * the same form: change both together.
 */
export const MARKS = { run: '▸', socket: '●', fetch: '⇄', error: '✖', end: '■' } as const;

const MAX_URL = 300;
const MAX_MESSAGE = 1000;

const LEVEL_PREFIX: Record<OutputLevel, string> = { print: '', log: '', info: 'info: ', warn: 'warn: ', error: 'error: ', debug: 'debug: ' };

const head = (time: number, title: string): string => `${formatTime(time)} [${title}] `;

/** A line a script printed; further lines of the text stay as they are. */
export function printLine(time: number, title: string, level: OutputLevel, text: string): string {
  return head(time, title) + LEVEL_PREFIX[level] + text;
}

/** The line, or lines, that a change is worth in the output; null if none. @param now ms since 1970 */
export function changeLine(change: RunChange, now: number): string | null {
  const text = changeText(change, now);
  return text === null ? null : head(now, change.run.title) + text;
}

function changeText(change: RunChange, now: number): string | null {
  switch (change.kind) {
    case 'added':
      return `${MARKS.run} running ${change.run.file}`;
    case 'phase':
      if (change.run.phase !== 'ended' || change.run.outcome === null) return null;
      return outcomeText(change.run.outcome, now - change.run.startedAt);
    case 'socket':
      return socketText(change.socket, change.previous);
    case 'fetch':
      return fetchText(change.fetch, change.previous);
    case 'error':
      return `${MARKS.error} ${change.error.stack}`;
    case 'removed':
    case 'forgotten':
      return null;
  }
}

function outcomeText(outcome: RunOutcome, elapsedMs: number): string {
  const after = `after ${formatDuration(elapsedMs)}`;
  switch (outcome.kind) {
    case 'finished':
      return `${MARKS.end} finished ${after}`;
    case 'stopped':
      return `${MARKS.end} stopped ${after}`;
    case 'timeout':
      return `${MARKS.error} ended by its time limit of ${outcome.seconds} s`;
    case 'error':
      return `${MARKS.error} ${outcome.error.stack}`;
    case 'limit':
    case 'crashed':
      return `${MARKS.error} ${outcome.message}`;
  }
}

/** Only a change of status is a line; the tree shows the rest. A fetch's socket is part of the fetch's line. */
function socketText(socket: SocketReport, previous: SocketReport | null): string | null {
  if (socket.fetchId !== null || socket.status === previous?.status) return null;
  const name = `${MARKS.socket} socket ${socket.id} ${socket.host}:${socket.port}`;
  switch (socket.status) {
    case 'connecting':
      return `${name} connecting`;
    case 'connected':
      return socket.remoteAddress === null || socket.remoteAddress === socket.host ? `${name} connected` : `${name} connected to ${socket.remoteAddress}`;
    case 'fin':
      return `${name} closed, ${formatBytes(socket.bytesRead)} read, ${formatBytes(socket.bytesWritten)} written`;
    case 'error':
      return socket.error ? `${name} error ${socket.error.code}: ${shorten(socket.error.message, MAX_MESSAGE)}` : `${name} error`;
  }
}

function fetchText(fetch: FetchReport, previous: FetchReport | null): string | null {
  if (isFetchPending(fetch) || fetch.status === null || (previous && !isFetchPending(previous))) return null;
  const name = `${MARKS.fetch} fetch ${fetch.method} ${shorten(fetch.url, MAX_URL)}`;
  const time = fetch.durationMs === null ? '' : ` in ${formatDuration(fetch.durationMs)}`;
  if (fetch.status === -1) return `${name} error ${fetch.error ? `${fetch.error.code}: ${shorten(fetch.error.message, MAX_MESSAGE)}` : (fetch.statusMessage ?? '')}${time}`;
  const status = fetch.statusMessage ? `${fetch.status} ${shorten(fetch.statusMessage, 80)}` : String(fetch.status);
  return `${name} ${status}, ${formatBytes(fetch.bodyBytes)}${time}`;
}
