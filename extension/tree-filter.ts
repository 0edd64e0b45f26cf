import { t } from './l10n';
import type { FetchReport, SocketReport } from './protocol';
import { isFetchPending, isSocketInUse } from './run-model';
import type { Run } from './run-model';

/** What the Sockets view leaves out. */
export interface TreeFilter {
  readonly show: 'all' | 'open' | 'failed';
  /** Part of a host, an address, a URL or a script's title, in any case; empty: any. */
  readonly text: string;
}

export const NO_FILTER: TreeFilter = { show: 'all', text: '' };

export const isFiltering = ({ show, text }: TreeFilter): boolean => show !== 'all' || text !== '';

const holds = (text: string, parts: readonly (string | null)[]): boolean => text === '' || parts.some((part) => part !== null && part.toLowerCase().includes(text.toLowerCase()));

export function passesSocket(filter: TreeFilter, socket: SocketReport): boolean {
  if (filter.show === 'open' && !isSocketInUse(socket)) return false;
  if (filter.show === 'failed' && socket.error === null) return false;
  return holds(filter.text, [`${socket.host}:${socket.port}`, socket.remoteAddress]);
}

export function passesFetch(filter: TreeFilter, fetch: FetchReport): boolean {
  if (filter.show === 'open' && !isFetchPending(fetch)) return false;
  if (filter.show === 'failed' && (fetch.status === null || (fetch.status !== -1 && fetch.status < 400))) return false;
  return holds(filter.text, [`${fetch.method} ${fetch.url}`]);
}

/** Whether a script itself is what is looked for, whatever is below it. */
function isWanted(filter: TreeFilter, run: Run): boolean {
  if (filter.show === 'open' && run.phase === 'ended') return false;
  if (filter.show === 'failed' && (run.outcome === null || run.outcome.kind === 'finished' || run.outcome.kind === 'stopped')) return false;
  return holds(filter.text, [run.title]);
}

export function passesRun(filter: TreeFilter, run: Run): boolean {
  if (isWanted(filter, run)) return true;
  for (const socket of run.sockets.values()) if (passesSocket(filter, socket)) return true;
  for (const fetch of run.fetches.values()) if (passesFetch(filter, fetch)) return true;
  return false;
}

/** What the filter shows, in words above the tree; empty: everything. */
export function describeFilter({ show, text }: TreeFilter): string {
  const which = show === 'open' ? t('only what is open') : show === 'failed' ? t('only what failed') : '';
  if (text === '') return which === '' ? '' : t('Shown: {0}', which);
  return which === '' ? t('Shown: what holds "{0}"', text) : t('Shown: {0} and holds "{1}"', which, text);
}
