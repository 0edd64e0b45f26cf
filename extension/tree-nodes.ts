import { TREE_ITEMS } from './contributions';
import type { Explanation } from './explain';
import { formatBytes, formatDuration, shorten } from './format';
import { formatMoment, t } from './l10n';
import type { FetchReport, RunOutcome, SocketReport } from './protocol';
import { isFetchPending, isSocketInUse, isSocketOpen } from './run-model';
import type { Run, RunPhase } from './run-model';
import { NO_RATE } from './transfer-rates';
import type { Rate } from './transfer-rates';

/** What a node of the Sockets view shows; `socket-tree.ts` turns it into VS Code's own item. */
export interface NodeView {
  /** Stable while the thing lives: selection and expansion survive a refresh. */
  readonly id: string;
  readonly label: string;
  readonly description: string;
  /** A ThemeIcon's id. The description says in words whatever it says. */
  readonly icon: string;
  /** A ThemeColor's id. */
  readonly color: string | null;
  readonly contextValue: string;
  /** What a screen reader says. */
  readonly spoken: string;
}

/** A tooltip's lines: a name and a value each. */
export type NodeDetails = readonly (readonly [name: string, value: string])[];

const ERROR_COLOR = 'errorForeground';
const GOOD_COLOR = 'charts.green';
const BUSY_COLOR = 'charts.yellow';

export const runNodeId = (runId: string): string => `run/${runId}`;
export const socketNodeId = (runId: string, id: number): string => `run/${runId}/socket/${id}`;
export const fetchNodeId = (runId: string, id: number): string => `run/${runId}/fetch/${id}`;
/** A line of an explanation, below what it explains. */
export const reasonNodeId = (parent: string, index: number): string => `${parent}/why/${index}`;

export function outcomeWord(outcome: RunOutcome): string {
  switch (outcome.kind) {
    case 'finished':
      return t('finished');
    case 'error':
      return t('error');
    case 'stopped':
      return t('stopped');
    case 'timeout':
      return t('timed out');
    case 'limit':
      return t('limit reached');
    case 'crashed':
      return t('crashed');
  }
}

export function phaseWord(phase: RunPhase): string {
  switch (phase) {
    case 'starting':
      return t('starting');
    case 'running':
      return t('running');
    case 'stopping':
      return t('stopping');
    case 'ended':
      return t('ended');
  }
}

const OUTCOME_ICONS: Record<RunOutcome['kind'], string> = {
  finished: 'pass',
  error: 'error',
  stopped: 'debug-stop',
  timeout: 'watch',
  limit: 'warning',
  crashed: 'error',
};

/** One line of what an outcome says beyond its word. */
export function outcomeMessage(outcome: RunOutcome): string | null {
  switch (outcome.kind) {
    case 'error':
      return outcome.error.message;
    case 'limit':
    case 'crashed':
      return outcome.message;
    case 'timeout':
      return t('its time limit is {0} s', outcome.seconds);
    case 'finished':
    case 'stopped':
      return null;
  }
}

/** @param wait what a run that does not run yet waits for */
export function runView(run: Run, rate: Rate = NO_RATE, wait: string | null = null): NodeView {
  const parts: string[] = [];
  let open = 0;
  for (const socket of run.sockets.values()) if (isSocketInUse(socket)) open++;
  if (run.outcome) {
    const message = outcomeMessage(run.outcome);
    parts.push(message === null ? outcomeWord(run.outcome) : `${outcomeWord(run.outcome)}: ${shorten(message, 80)}`);
    parts.push(formatDuration((run.endedAt ?? run.startedAt) - run.startedAt));
  } else {
    parts.push(wait === null ? phaseWord(run.phase) : `${phaseWord(run.phase)}: ${wait}`);
  }
  if (open > 0) parts.push(t('{0} open', open));
  if (rate.down + rate.up > 0) parts.push(rateText(rate));
  if (run.forgotten > 0) parts.push(t('{0} older not shown', run.forgotten));
  const failed = run.outcome !== null && run.outcome.kind !== 'finished' && run.outcome.kind !== 'stopped';
  return {
    id: runNodeId(run.id),
    label: run.title,
    description: parts.join(' · '),
    icon: run.outcome ? OUTCOME_ICONS[run.outcome.kind] : 'sync~spin',
    color: failed ? ERROR_COLOR : null,
    contextValue: run.outcome ? TREE_ITEMS.endedRun : TREE_ITEMS.activeRun,
    spoken: t('script {0}, {1}', run.title, parts.join(', ')),
  };
}

export function socketView(socket: SocketReport, rate: Rate = NO_RATE): NodeView {
  const name = `${socket.host}:${socket.port}`;
  const state = socketState(socket);
  const traffic = `↓ ${formatBytes(socket.bytesRead)} ↑ ${formatBytes(socket.bytesWritten)}`;
  const parts = [state];
  if (socket.bytesRead + socket.bytesWritten > 0) parts.push(traffic);
  if (rate.down + rate.up > 0) parts.push(rateText(rate));
  if (socket.srttMs !== null && isSocketOpen(socket)) parts.push(t('RTT {0}', formatDuration(socket.srttMs)));
  if (socket.retransmissions > 0) parts.push(t('{0} sent again', socket.retransmissions));
  if (socket.closedAt !== null) parts.push(formatDuration(socket.closedAt - socket.openedAt));
  // Beside the sockets that the script opened itself; it may serve other fetches after the one that opened it.
  if (socket.fetchId !== null) parts.push(t('for fetches'));
  let icon = 'debug-disconnect';
  let color: string | null = null;
  if (socket.status === 'error') [icon, color] = ['error', ERROR_COLOR];
  else if (socket.status === 'connecting') [icon, color] = ['loading~spin', BUSY_COLOR];
  else if (socket.status === 'connected') [icon, color] = ['plug', GOOD_COLOR];
  return {
    id: socketNodeId(socket.runId, socket.id),
    label: name,
    description: parts.join(' · '),
    icon,
    color,
    contextValue: isSocketInUse(socket) ? TREE_ITEMS.openSocket : socket.error ? TREE_ITEMS.failedSocket : TREE_ITEMS.closedSocket,
    spoken: t('socket to {0} port {1}, {2}, {3} read, {4} written', socket.host, socket.port, state, formatBytes(socket.bytesRead), formatBytes(socket.bytesWritten)),
  };
}

function socketState(socket: SocketReport): string {
  if (socket.status === 'error') return socket.error ? t('error {0}', socket.error.code) : t('error');
  // The script sees `fin` at once; TCP may still be sending what was queued.
  if (socket.status === 'fin' && isSocketOpen(socket)) return socket.tcpState === null ? 'fin' : `fin, ${socket.tcpState}`;
  return socket.status;
}

export function fetchView(fetch: FetchReport): NodeView {
  const state = fetchState(fetch);
  const parts = [state];
  if (fetch.status === null && fetch.requestBytes !== null && fetch.requestBytes > 0) parts.push(sentText(fetch.sentBytes, fetch.requestBytes));
  if (fetch.bodyBytes > 0) parts.push(isFetchPending(fetch) && fetch.expectedBytes !== null ? t('{0} of {1}', formatBytes(fetch.bodyBytes), formatBytes(fetch.expectedBytes)) : formatBytes(fetch.bodyBytes));
  if (fetch.durationMs !== null) parts.push(formatDuration(fetch.durationMs));
  let icon = 'check';
  let color: string | null = GOOD_COLOR;
  if (isFetchPending(fetch)) [icon, color] = ['loading~spin', BUSY_COLOR];
  else if (fetch.status === null) [icon, color] = ['question', null];
  else if (fetch.status === -1) [icon, color] = ['error', ERROR_COLOR];
  else if (fetch.status >= 400) [icon, color] = ['warning', 'list.warningForeground'];
  else if (fetch.status >= 300) [icon, color] = ['arrow-right', null];
  return {
    id: fetchNodeId(fetch.runId, fetch.id),
    // What every URL begins with would push the status out of a narrow view; the tooltip has all of it.
    label: `${fetch.method} ${shorten(fetch.url.replace(/^http:\/\//i, ''), 200)}`,
    description: parts.join(' · '),
    icon,
    color,
    contextValue: isFetchPending(fetch) ? TREE_ITEMS.pendingFetch : fetch.error ? TREE_ITEMS.failedFetch : TREE_ITEMS.endedFetch,
    spoken: t('fetch {0} {1}, {2}', fetch.method, fetch.url, parts.join(', ')),
  };
}

function sentText(sentBytes: number, requestBytes: number): string {
  return sentBytes < requestBytes ? t('{0} of {1} sent', formatBytes(sentBytes), formatBytes(requestBytes)) : t('{0} sent', formatBytes(requestBytes));
}

function fetchState(fetch: FetchReport): string {
  if (fetch.status === null) return t('pending');
  if (fetch.status === -1) return fetch.error ? t('error {0}', fetch.error.code) : (fetch.statusMessage ?? t('error'));
  return fetch.statusMessage ? `${fetch.status} ${shorten(fetch.statusMessage, 60)}` : String(fetch.status);
}

export function runDetails(run: Run): NodeDetails {
  const rows: [string, string][] = [
    [t('Script'), run.file],
    [t('Started'), formatMoment(run.startedAt)],
    [t('Tick rate'), `${run.tickRate} Hz`],
  ];
  if (run.pid !== null) rows.push([t('Process'), String(run.pid)]);
  rows.push([t('Sockets'), String(run.sockets.size)], [t('Fetches'), String(run.fetches.size)]);
  if (run.outcome) {
    const message = outcomeMessage(run.outcome);
    rows.push([t('Ended'), outcomeWord(run.outcome)]);
    if (message !== null) rows.push([t('Because'), message]);
  }
  return rows;
}

/** @param opener the fetch that opened it, if one did and is still known */
export function socketDetails(socket: SocketReport, rate: Rate = NO_RATE, now: number | null = null, opener: FetchReport | null = null): NodeDetails {
  const rows: [string, string][] = [
    [t('Status'), socket.status],
    [t('Host'), `${socket.host}:${socket.port}`],
  ];
  if (socket.remoteAddress !== null) rows.push([t('Address'), `${socket.remoteAddress}:${socket.port}`]);
  if (opener !== null) rows.push([t('Opened by'), `${opener.method} ${opener.url}`]);
  if (socket.localPort !== null) rows.push([t('Local port'), String(socket.localPort)]);
  if (socket.tcpState !== null) rows.push([t('TCP state'), socket.tcpState]);
  rows.push([t('Read'), formatBytes(socket.bytesRead)], [t('Written'), formatBytes(socket.bytesWritten)], [t('Waiting to be sent'), formatBytes(socket.bufferedAmount)]);
  if (rate.down + rate.up > 0) rows.push([t('Rate'), rateText(rate)]);
  if (socket.srttMs !== null) rows.push([t('Round trip'), formatDuration(socket.srttMs)]);
  rows.push([t('Retransmissions'), String(socket.retransmissions)], [t('Opened'), formatMoment(socket.openedAt)]);
  if (socket.closedAt !== null) rows.push([t('Closed'), formatMoment(socket.closedAt)]);
  const until = socket.closedAt ?? now;
  if (until !== null) rows.push([t('Took'), formatDuration(until - socket.openedAt)]);
  if (socket.error) rows.push([t('Error'), `${socket.error.code}: ${socket.error.message}`]);
  return rows;
}

export function fetchDetails(fetch: FetchReport): NodeDetails {
  const rows: [string, string][] = [
    [t('Request'), `${fetch.method} ${fetch.url}`],
    [t('Status'), fetchState(fetch)],
    ...(fetch.requestBytes === null ? [] : [[t('Request body'), sentText(fetch.sentBytes, fetch.requestBytes)] satisfies [string, string]]),
    [t('Body'), fetch.expectedBytes === null ? formatBytes(fetch.bodyBytes) : t('{0} of {1}', formatBytes(fetch.bodyBytes), formatBytes(fetch.expectedBytes))],
    [t('Started'), formatMoment(fetch.startedAt)],
  ];
  if (fetch.durationMs !== null) rows.push([t('Took'), formatDuration(fetch.durationMs)]);
  if (fetch.error) rows.push([t('Error'), `${fetch.error.code}: ${fetch.error.message}`]);
  return rows;
}

const rateText = ({ down, up }: Rate): string => {
  const parts = [];
  if (down > 0) parts.push(`↓ ${formatBytes(Math.round(down))}/s`);
  if (up > 0) parts.push(`↑ ${formatBytes(Math.round(up))}/s`);
  return parts.join(' ');
};

/** An explanation line by line: below what failed, and in its tooltip. */
export function explanationRows({ sent, received, meaning, next }: Explanation): NodeDetails {
  return [[t('Sent'), sent], [t('Came back'), received], [t('Means'), meaning], ...next.map((step): [string, string] => [t('Try'), step])];
}

const REASON_ICONS = ['arrow-up', 'arrow-down', 'info'] as const;

export function reasonView(parent: string, index: number, [name, value]: readonly [string, string]): NodeView {
  return {
    id: reasonNodeId(parent, index),
    label: `${name}:`,
    description: value,
    icon: REASON_ICONS[index] ?? 'lightbulb',
    color: null,
    contextValue: TREE_ITEMS.reason,
    spoken: `${name}: ${value}`,
  };
}

/** What "Copy Address" puts on the clipboard. */
export function socketAddress(socket: SocketReport): string {
  return `${socket.remoteAddress ?? socket.host}:${socket.port}`;
}
