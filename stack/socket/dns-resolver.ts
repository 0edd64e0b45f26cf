/** The DNS stub resolver (RFC 1035 §7, RFC 1123 §6.1.3, RFC 5452): names to IPv4 addresses. */
import { StackError } from '../errors';
import { DnsCache, type DnsResult } from './dns-cache';
import { parseHostName } from './dns-name';
import { DnsQuery, type DnsQueryOptions } from './dns-query';
import { DnsServers, type DnsServer } from './dns-servers';
import { isMulticastName, MdnsQuery } from './mdns-query';

export interface DnsResolverOptions extends DnsQueryOptions {
  /** Work arose outside a poll: the stack wants one soon. */
  readonly onWork: () => void;
}

interface Waiter {
  readonly done: (result: DnsResult) => void;
  cancelled: boolean;
}

/** A name and everybody who asked for it. Without servers (yet) it waits until `giveUpAt`. */
interface Pending {
  readonly waiters: Set<Waiter>;
  query: DnsQuery | MdnsQuery | null;
  giveUpAt: number;
}

/**
 * Answers are always given in a later poll, never within `resolve`. Names that are equal share one query.
 * While the stack has no address yet, `servers` is null and queries wait, for at most `dns.waitForServersMs`.
 */
export class DnsResolver {
  private readonly cache: DnsCache;
  private readonly pending = new Map<string, Pending>();
  private readonly ready: { readonly waiter: Waiter; readonly result: DnsResult }[] = [];
  private known: readonly DnsServer[] | null = null;
  private health: DnsServers;
  private beginsAnew = false;

  constructor(private readonly options: DnsResolverOptions) {
    this.cache = new DnsCache(options.config, options.counters);
    this.health = new DnsServers([], options.config);
  }

  /** In order of preference; null while it is not known which there are, empty where there are none. */
  get servers(): readonly DnsServer[] | null {
    return this.known;
  }

  /** Others are another reason to {@link forget}. */
  set servers(servers: readonly DnsServer[] | null) {
    if (servers !== null && this.known !== null && sameServers(servers, this.known)) return;
    this.known = servers && [...servers];
    this.health = new DnsServers(this.known ?? [], this.options.config);
    this.forget();
  }

  /** The answers may be others from now on: what is cached is forgotten, what is under way begins anew. */
  forget(): void {
    this.cache.clear();
    if (this.pending.size === 0) return;
    this.beginsAnew = true;
    this.options.onWork();
  }

  /**
   * @param name a host name, or a dotted quad, which is not asked for
   * @param done called once, in a later poll, unless cancelled. Errors: ENOTFOUND (no such name, no IPv4
   * address, no valid name), EAI_AGAIN (no server answered or all failed), ENOBUFS (too many at once)
   */
  resolve(name: string, now: number, done: (result: DnsResult) => void): { cancel(): void } {
    const waiter: Waiter = { done, cancelled: false };
    const parsed = parseHostName(name);
    if (typeof parsed !== 'string') return this.settle(waiter, parsed instanceof StackError ? { error: parsed } : { addresses: [parsed] });
    const cached = this.cache.get(parsed, now);
    if (cached) {
      this.options.counters.cacheHits++;
      return this.settle(waiter, cached);
    }
    const { config } = this.options;
    let pending = this.pending.get(parsed);
    if (!pending) {
      if (this.pending.size >= config.maxQueries) {
        const text = `${JSON.stringify(parsed)}: ${this.pending.size} names are being resolved, the limit (dns.maxQueries): wait for some`;
        return this.settle(waiter, { error: new StackError('ENOBUFS', text) });
      }
      pending = { waiters: new Set([waiter]), query: null, giveUpAt: now + config.waitForServersMs };
      this.pending.set(parsed, pending);
      // The next poll may begin for all.
      if (!this.beginsAnew) this.begin(parsed, pending, now);
    }
    const entry = pending;
    entry.waiters.add(waiter);
    this.options.onWork();
    return {
      cancel: () => {
        waiter.cancelled = true;
        entry.waiters.delete(waiter);
        if (entry.waiters.size > 0 || this.pending.get(parsed) !== entry) return;
        entry.query?.close();
        this.pending.delete(parsed);
      },
    };
  }

  poll(now: number): void {
    if (this.beginsAnew) {
      this.beginsAnew = false;
      for (const [name, pending] of this.pending) this.begin(name, pending, now);
    }
    for (const [name, pending] of this.pending) {
      if (pending.query) pending.query.poll(now);
      else if (now >= pending.giveUpAt) this.finish(name, pending, { error: this.noServers(name) });
    }
    // What a callback asks for is answered in the next poll, so that none can keep this one going.
    for (const { waiter, result } of this.ready.splice(0)) if (!waiter.cancelled) waiter.done(result);
  }

  /** When `poll` has something to do, ms; `Infinity` if never. */
  pollAt(): number {
    if (this.ready.length > 0 || this.beginsAnew) return 0;
    let at = Infinity;
    for (const { query, giveUpAt } of this.pending.values()) at = Math.min(at, query ? query.deadline : giveUpAt);
    return at;
  }

  /** Ends every query with an error: the stack is being closed. */
  close(): void {
    for (const [name, pending] of this.pending) {
      pending.query?.close();
      this.finish(name, pending, { error: new StackError('EAI_AGAIN', `${JSON.stringify(name)} was not resolved: the stack was closed`) });
    }
    for (const { waiter, result } of this.ready.splice(0)) if (!waiter.cancelled) waiter.done(result);
  }

  private begin(name: string, pending: Pending, now: number): void {
    pending.query?.close();
    pending.query = null;
    if (this.known === null) {
      pending.giveUpAt = now + this.options.config.waitForServersMs;
      return;
    }
    const finish = (result: DnsResult, ttlSeconds: number | null, at: number): void => {
      if (ttlSeconds !== null) this.cache.set(name, result, ttlSeconds, at);
      this.finish(name, pending, result);
    };
    // RFC 6762 §3: such a name means nothing off the link, and name servers are not asked for it.
    if (this.options.config.multicast && isMulticastName(name)) {
      pending.query = new MdnsQuery(name, this.options, finish);
      pending.query.poll(now);
      return;
    }
    if (this.known.length === 0) {
      pending.giveUpAt = now;
      return;
    }
    pending.query = new DnsQuery(name, this.known, this.health, this.options, now, finish);
    pending.query.poll(now);
  }

  private finish(name: string, pending: Pending, result: DnsResult): void {
    this.pending.delete(name);
    for (const waiter of pending.waiters) this.ready.push({ waiter, result });
  }

  private settle(waiter: Waiter, result: DnsResult): { cancel(): void } {
    this.ready.push({ waiter, result });
    this.options.onWork();
    return { cancel: () => void (waiter.cancelled = true) };
  }

  private noServers(name: string): StackError {
    const why =
      this.known === null
        ? `no address and no name server within ${this.options.config.waitForServersMs / 1000} s: check the link`
        : 'the link has no name server: set one (dns)';
    return new StackError('EAI_AGAIN', `${JSON.stringify(name)} could not be resolved: ${why}`);
  }
}

function sameServers(a: readonly DnsServer[], b: readonly DnsServer[]): boolean {
  return a.length === b.length && a.every((server, i) => server.address === b[i]?.address && server.port === b[i].port);
}
