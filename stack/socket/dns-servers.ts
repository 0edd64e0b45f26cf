/** What is known of each name server: whether it answers, and whether it repeats a question letter by letter. */
import type { DnsConfig } from '../config';
import { formatIpv4, type Ipv4Address } from '../wire/address';
import { DNS_PORT } from '../wire/dns';

export interface DnsServer {
  readonly address: Ipv4Address;
  /** 1 … 65535 */
  readonly port: number;
}

export function formatDnsServer(server: DnsServer): string {
  return server.port === DNS_PORT ? formatIpv4(server.address) : `${formatIpv4(server.address)}:${server.port}`;
}

interface Health {
  /** Questions in a row that it did not answer. */
  silences: number;
  deadUntil: number;
  /** It answers in another case than it was asked: then the case of the letters protects nothing. */
  foldsCase: boolean;
}

/** Bounded by the servers there are: it is made anew with them. */
export class DnsServers {
  private readonly health: ReadonlyMap<DnsServer, Health>;

  constructor(
    private readonly servers: readonly DnsServer[],
    private readonly config: Pick<DnsConfig, 'deadAfter' | 'deadMs'>,
  ) {
    this.health = new Map(servers.map((server) => [server, { silences: 0, deadUntil: -Infinity, foldsCase: false }]));
  }

  get count(): number {
    return this.servers.length;
  }

  /** In order of preference; those that are taken for dead come last: where all are, they are asked still. */
  order(now: number): DnsServer[] {
    const isDead = (server: DnsServer): boolean => now < (this.health.get(server)?.deadUntil ?? -Infinity);
    return [...this.servers.filter((server) => !isDead(server)), ...this.servers.filter(isDead)];
  }

  answered(server: DnsServer): void {
    const health = this.health.get(server);
    if (!health) return;
    health.silences = 0;
    health.deadUntil = -Infinity;
  }

  silent(server: DnsServer, now: number): void {
    const health = this.health.get(server);
    if (!health) return;
    health.silences++;
    if (health.silences >= this.config.deadAfter) health.deadUntil = now + this.config.deadMs;
  }

  foldsCase(server: DnsServer): boolean {
    return this.health.get(server)?.foldsCase ?? false;
  }

  /** It was seen to, over TCP where that is to be had: off its path nobody can forge that. */
  setFoldsCase(server: DnsServer): void {
    const health = this.health.get(server);
    if (health) health.foldsCase = true;
  }
}
