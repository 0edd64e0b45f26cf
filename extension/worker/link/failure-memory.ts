/** Why nobody gave the stack an address on an interface, kept for a while, so that not every run waits for what is not there. */
import fs from 'node:fs';
import path from 'node:path';
import { formatIpv4, type NetworkInterface } from '../../../stack';
import { identityOf, stateFolder } from './instance';

/** A network is mended meanwhile. */
const MEMORY_MS = 3_600_000;

export interface Failure {
  /** As people write the time of day. */
  readonly at: string;
  readonly reason: string;
}

export class FailureMemory {
  private readonly file: string | null;
  /** Where the interface is connected to: on another network others may answer. */
  private readonly network: string;

  constructor(
    on: Pick<NetworkInterface, 'name' | 'mac' | 'addresses'>,
    folder = stateFolder(),
    private readonly now: () => number = Date.now,
  ) {
    this.file = folder === null ? null : path.join(folder, `${identityOf(on).toString('hex', 0, 6)}.failure.json`);
    this.network = on.addresses.map(({ address, prefixLength }) => `${formatIpv4(address)}/${prefixLength}`).join(' ');
  }

  /** @returns null: none within the last hour, on this network */
  recall(): Failure | null {
    if (this.file === null) return null;
    try {
      const kept: unknown = JSON.parse(fs.readFileSync(this.file, 'utf8'));
      if (typeof kept !== 'object' || kept === null || !('at' in kept) || !('network' in kept) || !('reason' in kept)) return null;
      const { at, network, reason } = kept;
      if (typeof at !== 'number' || typeof reason !== 'string' || network !== this.network) return null;
      // A clock that was set back must not keep it for ever.
      return at <= this.now() && this.now() - at < MEMORY_MS ? { at: new Date(at).toLocaleTimeString(), reason } : null;
    } catch {
      return null;
    }
  }

  remember(reason: string): void {
    if (this.file === null) return;
    try {
      fs.mkdirSync(path.dirname(this.file), { recursive: true, mode: 0o700 });
      fs.writeFileSync(this.file, `${JSON.stringify({ at: this.now(), network: this.network, reason })}\n`, { mode: 0o600 });
    } catch {
      // The next run tries once more.
    }
  }

  forget(): void {
    if (this.file === null) return;
    try {
      fs.rmSync(this.file, { force: true });
    } catch {
      // Another account's, or a folder that cannot be written: it ends by itself within the hour.
    }
  }
}
