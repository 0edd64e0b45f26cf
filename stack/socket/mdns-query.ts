/**
 * A name of the link, `*.local`, asked for by one-shot multicast queries (RFC 6762 §5.1): from a port of its own
 * to everybody, and whoever has the name answers to that port.
 */
import { StackError } from '../errors';
import type { Ipv4Address } from '../wire/address';
import { decodeDnsResponse, encodeDnsQuery, type DnsResponse } from '../wire/dns';
import type { DnsResult } from './dns-cache';
import type { DnsQueryOptions } from './dns-query';
import type { UdpSocket } from './udp';

/** RFC 6762 §3. */
const MDNS_GROUP: Ipv4Address = 0xe000_00fb;
const MDNS_PORT = 5_353;
/** RFC 6762 §11: what is said on the link has not been through a router. */
const MDNS_TTL = 255;
/** RFC 6762 §5.2: a second between the first two questions, then twice as long each; no answer by then: nobody has it. */
const WAITS_MS = [1_000, 2_000] as const;
/** RFC 6762 §6.7: what answers a one-shot query must not be kept longer than this, whatever its TTL. */
const MAX_TTL_SECONDS = 10;
/** Datagrams looked at for one name: a host that babbles does not keep us busy. */
const MAX_DATAGRAMS = 100;
/** Addresses kept of one answer. */
const MAX_ADDRESSES = 64;

export function isMulticastName(name: string): boolean {
  return name.endsWith('.local');
}

export class MdnsQuery {
  deadline = Infinity;
  private socket: UdpSocket | null = null;
  private id = 0;
  private sent = 0;
  private seen = 0;
  private dropped = 0;
  private finished = false;

  /** @param name valid, in lower case @param finish called once, with the result and how long it holds, s; null: it is not to be kept */
  constructor(
    private readonly name: string,
    private readonly options: DnsQueryOptions,
    private readonly finish: (result: DnsResult, ttlSeconds: number | null, now: number) => void,
  ) {}

  /** Sends what is due. Call it first when made, then whenever `deadline` is reached. */
  poll(now: number): void {
    if (this.finished || (this.sent > 0 && now < this.deadline)) return;
    const wait = WAITS_MS[this.sent];
    if (wait === undefined) {
      this.options.counters.timeouts++;
      const text = `${JSON.stringify(this.name)} does not exist: no device on the link answers to the name${this.describeDropped()}; check that it is switched on, and the spelling`;
      return this.end({ error: new StackError('ENOTFOUND', text) }, null, now);
    }
    this.ask(now, wait);
  }

  /** Forgets the query: `finish` is not called any more. */
  close(): void {
    this.finished = true;
    this.deadline = Infinity;
    this.socket?.close();
  }

  private ask(now: number, wait: number): void {
    const { counters, random, udp } = this.options;
    try {
      this.socket ??= udp.bind();
    } catch (error) {
      return this.end({ error: error instanceof StackError ? error : new StackError('ENOBUFS', String(error)) }, null, now);
    }
    const { socket } = this;
    socket.onChange = (_, at) => this.receive(socket, at);
    if (this.sent === 0) this.id = random.below(0x1_0000);
    else counters.retries++;
    this.sent++;
    counters.mdnsQueries++;
    this.deadline = now + wait;
    socket.send(MDNS_GROUP, MDNS_PORT, encodeDnsQuery(this.id, this.name, null), { ttl: MDNS_TTL });
  }

  private receive(socket: UdpSocket, now: number): void {
    const { isOnLink } = this.options;
    for (let datagram = socket.receive(); datagram && !this.finished; datagram = socket.receive()) {
      // RFC 6762 §11: an answer from elsewhere is no answer. §6.7: a one-shot query is answered from port 5353.
      if (!(isOnLink?.(datagram.source) ?? false) || datagram.sourcePort !== MDNS_PORT || ++this.seen > MAX_DATAGRAMS) {
        this.drop('rxMismatched');
        continue;
      }
      const response = decodeDnsResponse(datagram.data);
      if (response === null) this.drop('rxMalformed');
      else this.answered(response, now);
    }
  }

  private answered(response: DnsResponse, now: number): void {
    // §6.7: the id and the question are repeated for a one-shot query. §18.11: the code says nothing.
    const { question } = response;
    const addresses = response.answers.flatMap((record) => (record.type === 'A' && record.name === this.name ? [record] : []));
    if (response.id !== this.id || question?.isAddress !== true || question.name !== this.name || addresses.length === 0) {
      return this.drop('rxMismatched');
    }
    const ttl = Math.min(MAX_TTL_SECONDS, ...addresses.map((record) => record.ttlSeconds));
    this.end({ addresses: [...new Set(addresses.slice(0, MAX_ADDRESSES).map((record) => record.address))] }, ttl, now);
  }

  private drop(counter: 'rxMismatched' | 'rxMalformed'): void {
    this.options.counters[counter]++;
    this.dropped++;
  }

  /** Somebody did answer, whom RFC 6762 does not let us believe. */
  private describeDropped(): string {
    if (this.dropped === 0) return '';
    return ` (${this.dropped} ${this.dropped === 1 ? 'answer was' : 'answers were'} dropped: not from the link's port 5353, or not to the question)`;
  }

  private end(result: DnsResult, ttlSeconds: number | null, now: number): void {
    this.close();
    this.finish(result, ttlSeconds, now);
  }
}
