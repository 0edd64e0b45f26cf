/** That nobody answered on an interface, so that not every run waits for what is not there. */
import fs from 'node:fs';
import path from 'node:path';
import type { NetworkInterface } from '../../../stack';
import { identityOf, stateFolder } from './instance';

/** A network changes: another may answer by then. */
const MEMORY_MS = 3_600_000;

export class SilenceMemory {
  private readonly file: string | null;

  constructor(
    on: Pick<NetworkInterface, 'name' | 'mac'>,
    folder = stateFolder(),
    private readonly now: () => number = Date.now,
  ) {
    this.file = folder === null ? null : path.join(folder, `${identityOf(on).toString('hex', 0, 6)}.silent`);
  }

  /** @returns when it was, as people write it; null: not within the last hour */
  recall(): string | null {
    if (this.file === null) return null;
    try {
      const at = Number(fs.readFileSync(this.file, 'utf8'));
      const isRecent = at <= this.now() && this.now() - at < MEMORY_MS;
      return isRecent ? new Date(at).toLocaleTimeString() : null;
    } catch {
      return null;
    }
  }

  remember(): void {
    if (this.file === null) return;
    try {
      fs.writeFileSync(this.file, String(this.now()), { mode: 0o600 });
    } catch {
      // The next run waits once more.
    }
  }
}
