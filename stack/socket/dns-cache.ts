/** Answers that were given, for as long as they hold (RFC 1035 §7.4, RFC 2308 for the negative ones). */
import type { DnsConfig } from '../config';
import type { StackError } from '../errors';
import type { Counters } from '../observer';
import type { Ipv4Address } from '../wire/address';

export type DnsResult = { readonly addresses: readonly Ipv4Address[] } | { readonly error: StackError };

interface Entry {
  readonly result: DnsResult;
  readonly expiresAt: number;
}

export class DnsCache {
  /** In order of use, the least recent first. */
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly config: DnsConfig,
    private readonly counters: Counters['dns'],
  ) {}

  get(name: string, now: number): DnsResult | null {
    const entry = this.entries.get(name);
    if (!entry) return null;
    this.entries.delete(name);
    if (now >= entry.expiresAt) return null;
    this.entries.set(name, entry);
    return entry.result;
  }

  /** @param ttlSeconds as received; bounded here. 0 is not kept. */
  set(name: string, result: DnsResult, ttlSeconds: number, now: number): void {
    const { cacheEntries, maxTtlSeconds, maxNegativeTtlSeconds } = this.config;
    const ttl = Math.min(ttlSeconds, 'error' in result ? maxNegativeTtlSeconds : maxTtlSeconds);
    if (ttl <= 0 || cacheEntries <= 0) return;
    this.entries.delete(name);
    while (this.entries.size >= cacheEntries) {
      const [oldest] = this.entries.keys();
      if (oldest === undefined) break;
      this.entries.delete(oldest);
      this.counters.cacheEvicted++;
    }
    this.entries.set(name, { result, expiresAt: now + ttl * 1000 });
  }

  clear(): void {
    this.entries.clear();
  }
}
