import { t } from './l10n';
import type { Run } from './run-model';
import type { WorkerState } from './worker-supervisor';

/** What a run waits for that does not run yet; null: nothing any more. */
export function waitsFor(run: Run, worker: WorkerState): string | null {
  if (run.phase !== 'starting') return null;
  if (run.pid !== null) return t('putting the script together');
  switch (worker.kind) {
    case 'ready':
      return t('starting its process');
    case 'starting':
      return worker.link === null ? t('starting the network') : t('waiting for an address from the network');
    case 'waiting':
    case 'failed':
    case 'idle':
    case 'closing':
      return t('starting the network');
  }
}

