/** One name being asked for: tries over the servers, until one answers or all are through. */
import type { DnsConfig } from '../config';
import { StackError } from '../errors';
import type { Counters } from '../observer';
import type { Random } from '../random';
import type { Ipv4Address } from '../wire/address';
import {
  decodeDnsResponse, encodeDnsQuery, RCODE_FORMAT_ERROR, RCODE_NO_ERROR, RCODE_NO_NAME, RCODE_NOT_IMPLEMENTED, rcodeName, type DnsResponse,
} from '../wire/dns';
import type { DnsResult } from './dns-cache';
import { parseHostName, randomCase } from './dns-name';
import { formatDnsServer, type DnsServer, type DnsServers } from './dns-servers';
import { DnsStream, type DnsConnect } from './dns-stream';
import type { UdpLayer, UdpSocket } from './udp';

/** Addresses kept of one answer: more are of no use to anybody. */
const MAX_ADDRESSES = 64;

export interface DnsQueryOptions {
  readonly config: DnsConfig;
  readonly counters: Counters['dns'];
  readonly random: Random;
  readonly udp: UdpLayer;
  /** Connects to a server for answers that do not fit a datagram. Absent: those are used as far as they go. */
  readonly connect?: DnsConnect;
  /** Whether an address is one of the own network: only such may answer for `.local`. Absent: none. */
  readonly isOnLink?: (address: Ipv4Address) => boolean;
}

/** One message to one server, from a port and with an id of its own (RFC 5452 §9.2). */
interface Try {
  readonly server: DnsServer;
  readonly close: () => void;
  readonly overTcp: boolean;
  readonly id: number;
  readonly name: string;
  /** The name in the letters it was asked in. */
  readonly asked: string;
  readonly edns: boolean;
  /** What the answer by datagram had room for, if this is the same question over TCP. */
  readonly partial: DnsResponse | null;
  /** Over TCP: nothing more is to be expected of it. */
  failed: boolean;
}

export class DnsQuery {
  /** When to try again or give up, ms. */
  deadline = Infinity;
  private readonly tries: Try[] = [];
  /** Servers that have not failed yet, in the order of preference. */
  private alive: DnsServer[];
  /** What each server said that failed. */
  private readonly failures = new Map<DnsServer, string>();
  /** Answers to what each server was asked that were not believed. */
  private readonly dropped = new Map<DnsServer, number>();
  /** The name asked for now: an alias leads from the first to others. */
  private current: string;
  private aliases = 0;
  private ttlSeconds = Infinity;
  private edns = true;
  private sent = 0;
  private now = 0;
  private finished = false;

  /**
   * @param name valid, in lower case @param servers at least one
   * @param finish called once with the result and how long it holds, s; null: it is not to be kept
   */
  constructor(
    private readonly name: string,
    private readonly servers: readonly DnsServer[],
    private readonly health: DnsServers,
    private readonly options: DnsQueryOptions,
    private readonly startedAt: number,
    private readonly finish: (result: DnsResult, ttlSeconds: number | null, now: number) => void,
  ) {
    this.alive = health.order(startedAt);
    this.current = name;
  }

  /** Sends what is due. Call it first when made, then whenever `deadline` is reached. */
  poll(now: number): void {
    this.now = now;
    if (this.finished || (this.sent > 0 && now < this.deadline)) return;
    if (now >= this.giveUpAt) this.giveUp(now);
    else if (this.sent > 0) this.timedOut(now);
    else this.next(now);
  }

  /** Servers that answer with one alias after another could go on for long: whatever they say, here it ends. */
  private get giveUpAt(): number {
    return this.startedAt + this.options.config.limitMs;
  }

  /** Forgets the query: `finish` is not called any more. */
  close(): void {
    this.finished = true;
    this.deadline = Infinity;
    this.closeTries();
  }

  private next(now: number): void {
    // Each server is asked at least once, however many there are.
    const most = Math.max(this.options.config.tries, this.servers.length);
    // In turn: of those asked least often the first. Not by counting on, for the list gets shorter on the way.
    const server = this.alive.reduce<DnsServer | undefined>((best, one) => (best && this.timesAsked(best) <= this.timesAsked(one) ? best : one), undefined);
    if (!server || this.sent >= most) return this.giveUp(now);
    this.ask(server, now);
  }

  private timesAsked(server: DnsServer): number {
    return this.tries.filter((attempt) => attempt.server === server && !attempt.overTcp).length;
  }

  private ask(server: DnsServer, now: number): void {
    const { config, counters, random, udp } = this.options;
    let socket: UdpSocket;
    try {
      socket = udp.bind();
    } catch (error) {
      return this.end({ error: error instanceof StackError ? error : new StackError('ENOBUFS', String(error)) }, null, now);
    }
    const id = random.below(0x1_0000);
    const asked = config.randomCase && !this.health.foldsCase(server) ? randomCase(this.current, random) : this.current;
    const attempt: Try = { server, close: () => socket.close(), overTcp: false, id, name: this.current, asked, edns: this.edns, partial: null, failed: false };
    socket.onChange = (_, at) => this.receive(attempt, socket, at);
    this.tries.push(attempt);
    counters.queries++;
    if (this.sent > 0) counters.retries++;
    const round = Math.floor(this.sent / Math.max(this.servers.length, 1));
    this.sent++;
    this.deadline = Math.min(this.giveUpAt, now + config.timeoutMs * 1.5 ** round);
    if (socket.send(server.address, server.port, this.message(attempt)) !== 'sent') {
      this.serverFailed(attempt, 'no route', now);
    }
  }

  private message({ id, asked, edns }: Try): Uint8Array {
    return encodeDnsQuery(id, asked, edns ? this.options.config.ednsPayloadBytes : null);
  }

  /** The same question over TCP: a server is asked so once. */
  private streamTo(server: DnsServer): Try | undefined {
    return this.tries.find((attempt) => attempt.overTcp && attempt.server === server);
  }

  /** The same question to the same server over TCP. @returns false where that cannot be */
  private askOverTcp(first: Try, partial: DnsResponse | null, now: number): boolean {
    const { config, counters, connect, random } = this.options;
    if (!connect) return false;
    const { server, name, asked, edns } = first;
    try {
      const connection = connect(server.address, server.port, now);
      const id = random.below(0x1_0000);
      // The stream is made with the question, and the try closes the stream.
      const parts: { stream: DnsStream | null } = { stream: null };
      const attempt: Try = { server, close: () => parts.stream?.close(), overTcp: true, id, name, asked, edns, partial, failed: false };
      const over = (message: Uint8Array): void => this.receiveStream(attempt, message);
      parts.stream = new DnsStream(connection, this.message(attempt), over, (why) => this.streamFailed(attempt, why));
      this.tries.push(attempt);
    } catch (error) {
      // No port, no route, too many connections: then it is as if there were no TCP.
      if (error instanceof StackError) return false;
      throw error;
    }
    counters.tcpQueries++;
    // A handshake comes before the answer.
    this.deadline = Math.min(this.giveUpAt, now + 2 * config.timeoutMs);
    return true;
  }

  private receiveStream(attempt: Try, message: Uint8Array): void {
    const { counters } = this.options;
    const response = decodeDnsResponse(message);
    if (!response) counters.rxMalformed++;
    else if (!matches(response, attempt)) counters.rxMismatched++;
    else {
      if (response.question !== null && response.question.asWritten !== attempt.asked) this.health.setFoldsCase(attempt.server);
      return this.answered(response, attempt, this.now);
    }
    this.streamFailed(attempt, 'answered another question over TCP');
  }

  private streamFailed(attempt: Try, why: string): void {
    attempt.close();
    attempt.failed = true;
    if (attempt.name !== this.current) return;
    const { partial, server } = attempt;
    // RFC 2181 §9 for want of better: what the datagram had room for.
    if (partial !== null) this.follow(partial, attempt, this.now);
    else if (this.foldsCase(server)) this.ask(server, this.now);
    else this.serverFailed(attempt, why, this.now);
  }

  private timedOut(now: number): void {
    this.options.counters.timeouts++;
    const latest = this.tries.at(-1);
    if (latest) this.health.silent(latest.server, now);
    // What a stream was opened for can be had without it, if not as well.
    if (latest?.overTcp === true) this.streamFailed(latest, 'no answer over TCP');
    else this.next(now);
  }

  private drop({ server }: Try, counter: 'rxMismatched' | 'rxMalformed'): void {
    this.options.counters[counter]++;
    this.dropped.set(server, (this.dropped.get(server) ?? 0) + 1);
  }

  private receive(attempt: Try, socket: UdpSocket, now: number): void {
    const { server } = attempt;
    for (let datagram = socket.receive(); datagram && !this.finished; datagram = socket.receive()) {
      // RFC 5452 §9.1: an answer comes from where the question went, with its id and its question.
      if (datagram.source !== server.address || datagram.sourcePort !== server.port) {
        this.drop(attempt, 'rxMismatched');
        continue;
      }
      const response = decodeDnsResponse(datagram.data);
      if (!response) this.drop(attempt, 'rxMalformed');
      else if (!matches(response, attempt)) this.drop(attempt, 'rxMismatched');
      else if (response.question !== null && response.question.asWritten !== attempt.asked) this.otherCase(attempt, now);
      else this.answered(response, attempt, now);
    }
    const failed = this.finished ? null : socket.takeError();
    if (failed?.remote === server.address && failed.remotePort === server.port) {
      this.serverFailed(attempt, failed.error.code === 'ECONNREFUSED' ? 'refused' : 'unreachable', now);
    }
  }

  /** A forger who does not see our questions, or a server that folds letters: TCP tells them apart. */
  private otherCase(attempt: Try, now: number): void {
    this.options.counters.rxOtherCase++;
    if (attempt.name !== this.current || this.streamTo(attempt.server) || this.askOverTcp(attempt, null, now)) return;
    if (this.foldsCase(attempt.server)) this.ask(attempt.server, now);
  }

  /** Without TCP there is no telling: such a server must be usable still, asked in plain letters. @returns whether it may be asked again */
  private foldsCase(server: DnsServer): boolean {
    const isNew = !this.health.foldsCase(server);
    this.health.setFoldsCase(server);
    return isNew && this.options.config.randomCase && this.sent < this.options.config.tries + this.servers.length;
  }

  private answered(response: DnsResponse, attempt: Try, now: number): void {
    const { counters } = this.options;
    const { rcode } = response;
    this.health.answered(attempt.server);
    // An answer to a question asked before an alias was followed says nothing new.
    if (attempt.name !== this.current) return;
    if ((rcode === RCODE_FORMAT_ERROR || rcode === RCODE_NOT_IMPLEMENTED) && attempt.edns) {
      // RFC 6891 §7: a server that does not know EDNS is asked again without it.
      this.edns = false;
      if (this.sent < this.options.config.tries + this.servers.length) return this.ask(attempt.server, now);
    }
    if (rcode !== RCODE_NO_ERROR && rcode !== RCODE_NO_NAME) {
      counters.rxServerFailures++;
      return this.serverFailed(attempt, rcodeName(rcode), now);
    }
    if (response.truncated && !attempt.overTcp) {
      counters.rxTruncated++;
      // RFC 2181 §9, RFC 7766 §5: asked again over TCP; what there is stays unused meanwhile.
      const stream = this.streamTo(attempt.server);
      if (stream ? !stream.failed : this.askOverTcp(attempt, response, now)) return;
    }
    this.follow(response, attempt, now);
  }

  /** Follows aliases (RFC 1034 §3.6.2) within the answer, and beyond it with a new question. */
  private follow(response: DnsResponse, attempt: Try, now: number): void {
    const { config } = this.options;
    for (;;) {
      const here = response.answers.filter((record) => record.name === this.current);
      const addresses = here.flatMap((record) => (record.type === 'A' ? [record] : []));
      if (addresses.length > 0 && response.rcode === RCODE_NO_ERROR) {
        const ttl = Math.min(this.ttlSeconds, ...addresses.map((record) => record.ttlSeconds));
        const unique = [...new Set(addresses.slice(0, MAX_ADDRESSES).map((record) => record.address))];
        // RFC 2181 §9: what is cut short is used for want of better, but not kept.
        return this.end({ addresses: unique }, response.truncated ? null : ttl, now);
      }
      const alias = here.find((record) => record.type === 'CNAME');
      if (alias?.type !== 'CNAME') break;
      this.aliases++;
      const target = parseHostName(alias.target);
      if (this.aliases > config.maxCnames || typeof target !== 'string') {
        const why = typeof target === 'string' ? `its aliases go on after ${config.maxCnames}, or in a circle` : `its alias ${JSON.stringify(alias.target)} is no valid name`;
        return this.end({ error: new StackError('ENOTFOUND', `${this.shown} has no usable answer: ${why} (asked ${formatDnsServer(attempt.server)})`) }, null, now);
      }
      this.current = target;
      this.ttlSeconds = Math.min(this.ttlSeconds, alias.ttlSeconds);
    }
    if (response.truncated) return this.serverFailed(attempt, 'answer cut short', now);
    if (response.isReferral) return this.serverFailed(attempt, 'does not resolve names', now);
    // An answer that ends with an alias, and does not say that the alias has nothing, leaves the rest to be asked.
    if (attempt.name !== this.current && response.rcode === RCODE_NO_ERROR && response.negativeTtlSeconds === null) {
      this.closeTries();
      this.alive = this.health.order(now);
      this.sent = 0;
      return this.ask(attempt.server, now);
    }
    const via = this.current === this.name ? '' : ` (an alias of ${JSON.stringify(this.current)})`;
    const what = response.rcode === RCODE_NO_NAME ? 'does not exist' : 'has no IPv4 address';
    const text = `${this.shown}${via} ${what}: the name server ${formatDnsServer(attempt.server)} says so; check the spelling`;
    // RFC 2308 §5: not without a SOA. It is known by way of the aliases, and no longer than they hold.
    const { negativeTtlSeconds } = response;
    this.end({ error: new StackError('ENOTFOUND', text) }, negativeTtlSeconds === null ? null : Math.min(this.ttlSeconds, negativeTtlSeconds), now);
  }

  private serverFailed(attempt: Try, why: string, now: number): void {
    this.failures.set(attempt.server, why);
    this.alive = this.alive.filter((server) => server !== attempt.server);
    const latest = this.tries.at(-1)?.server;
    // A try to another server that is still out has until its own deadline.
    if (this.alive.length === 0 || latest === attempt.server) this.next(now);
  }

  private giveUp(now: number): void {
    const said = this.servers.map((server) => `${formatDnsServer(server)} (${this.failures.get(server) ?? 'no answer'}${this.describeDropped(server)})`);
    const seconds = ((now - this.startedAt) / 1000).toFixed(1);
    const text = `${this.shown} could not be resolved: asked ${said.join(', ')} for ${seconds} s; check the network, or set other servers (dns)`;
    this.end({ error: new StackError('EAI_AGAIN', text) }, null, now);
  }

  /** A server that is silent and one whose answers are not believed want different steps. */
  private describeDropped(server: DnsServer): string {
    const count = this.dropped.get(server) ?? 0;
    if (count === 0) return '';
    return count === 1 ? '; 1 that does not fit the question was dropped' : `; ${count} that do not fit the question were dropped`;
  }

  private end(result: DnsResult, ttlSeconds: number | null, now: number): void {
    if (this.finished) return;
    this.close();
    this.finish(result, ttlSeconds, now);
  }

  private closeTries(): void {
    for (const attempt of this.tries) attempt.close();
    this.tries.length = 0;
  }

  private get shown(): string {
    return JSON.stringify(this.name);
  }
}

function matches(response: DnsResponse, attempt: Try): boolean {
  if (response.id !== attempt.id) return false;
  // A server that could not read the question may leave it out of its refusal.
  if (response.question === null) return response.rcode !== RCODE_NO_ERROR && response.rcode !== RCODE_NO_NAME;
  return response.question.isAddress && response.question.name === attempt.name;
}
