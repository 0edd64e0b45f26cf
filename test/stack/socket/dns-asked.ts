/** A DNS resolver, and its servers played by the test. */
import assert from 'node:assert/strict';
import { decode, encode, type Answer, type DecodedPacket, type Packet } from 'dns-packet';
import { DEFAULT_CONFIG, type DnsConfig } from '../../../stack/config';
import type { DnsResult } from '../../../stack/socket/dns-cache';
import { DnsResolver, type DnsResolverOptions } from '../../../stack/socket/dns-resolver';
import { formatIpv4 } from '../../../stack/wire/address';
import { UdpHarness, type Sent } from './udp-harness';

export const ONE = { address: 0x0a00_0035, port: 53 };
export const TWO = { address: 0x0a00_0036, port: 5353 };

export const a = (name: string, data: string, ttl = 60): Answer => ({ type: 'A', class: 'IN', name, data, ttl });
export const cname = (name: string, data: string, ttl = 60): Answer => ({ type: 'CNAME', class: 'IN', name, data, ttl });
export const ns = (name: string): Answer => ({ type: 'NS', class: 'IN', name, data: `ns.${name}`, ttl: 60 });
export const soa = (minimum: number): Answer => ({ type: 'SOA', class: 'IN', name: 'org', ttl: 3600, data: { mname: 'ns.org', rname: 'x.org', minimum } });

export class Asked {
  readonly host: UdpHarness;
  readonly resolver: DnsResolver;
  now = 0;

  constructor(config: Partial<DnsConfig> = {}, servers: typeof ONE[] | null = [ONE, TWO], seed = 1, options: Partial<DnsResolverOptions> = {}) {
    this.host = new UdpHarness({}, seed);
    this.resolver = new DnsResolver({
      config: { ...DEFAULT_CONFIG.dns, ...config }, counters: this.host.counters.dns, random: this.host.random, udp: this.host.udp, onWork: () => {}, ...options,
    });
    this.resolver.servers = servers;
  }

  get counters() {
    return this.host.counters.dns;
  }

  /** @returns where the results will be, as text */
  resolve(name: string): string[] {
    const results: string[] = [];
    this.resolver.resolve(name, this.now, (result) => results.push(show(result)));
    assert.deepEqual(results, [], 'an answer within the call');
    return results;
  }

  until(at: number): void {
    while (this.resolver.pollAt() <= at) {
      this.now = Math.max(this.now, this.resolver.pollAt());
      this.resolver.poll(this.now);
    }
    this.now = Math.max(this.now, at);
  }

  take(): Sent & { readonly query: DecodedPacket } {
    const sent = this.host.take();
    return { ...sent, query: decode(Buffer.from(sent.data)) };
  }

  /** Answers a query from where it went, and lets the resolver tell. */
  reply(to: ReturnType<Asked['take']>, packet: Packet, from: { address?: number; port?: number } = {}): void {
    const { questions, id = 0 } = to.query;
    const bytes = encode({ type: 'response', id, ...(questions && { questions }), ...packet });
    const source = { address: to.destination, port: to.destinationPort, ...from };
    this.host.arrive(source, { address: to.source, port: to.sourcePort }, new Uint8Array(bytes), this.now);
    this.until(this.now);
  }
}

export function show(result: DnsResult): string {
  return 'error' in result ? `${result.error.code}: ${result.error.message}` : result.addresses.map(formatIpv4).join(' ');
}

/** The name a query asks for, in lower case. */
export function nameOf(sent: { readonly query: DecodedPacket }): string | undefined {
  return sent.query.questions?.[0]?.name.toLowerCase();
}
