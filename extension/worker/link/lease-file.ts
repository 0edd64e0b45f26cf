/** The last lease in a file, so that the next run asks for the same address (RFC 2131 §3.2). */
import fs from 'node:fs';
import { formatIpv4, parseIpv4, type DhcpLeaseStore, type RememberedLease } from '../../../stack';

export class LeaseFile implements DhcpLeaseStore {
  constructor(private readonly file: string) {}

  load(): RememberedLease | null {
    try {
      const kept: unknown = JSON.parse(fs.readFileSync(this.file, 'utf8'));
      if (typeof kept !== 'object' || kept === null || !('address' in kept) || !('server' in kept)) return null;
      const address = readAddress(kept.address);
      const server = readAddress(kept.server);
      return address === null || server === null ? null : { address, server };
    } catch {
      return null;
    }
  }

  save(lease: RememberedLease | null): void {
    try {
      if (lease === null) fs.rmSync(this.file, { force: true });
      else fs.writeFileSync(this.file, `${JSON.stringify({ address: formatIpv4(lease.address), server: formatIpv4(lease.server) })}\n`, { mode: 0o600 });
    } catch {
      // The next run begins with a DISCOVER, which is as good.
    }
  }
}

function readAddress(value: unknown): number | null {
  return typeof value === 'string' ? parseIpv4(value) : null;
}
