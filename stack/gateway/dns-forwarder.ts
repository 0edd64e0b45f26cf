/**
 * The gateway's name server: hands each query, as it is, to the system's name servers by UDP, and their answer
 * back. It never looks at the hosts file, and caches nothing: the guest's resolver does.
 */
import type { Clock, Timer } from '../clock';
import type { Counters, Observer } from '../observer';
import type { Random } from '../random';
import type { UdpDatagram, UdpLayer, UdpSocket } from '../socket/udp';
import type { Ipv4Address } from '../wire/address';
import { readU16, readU8, writeU16 } from '../wire/bytes';
import { decodeDnsResponse, DNS_HEADER_BYTES, DNS_PORT, questionEnd, RCODE_NO_ERROR, RCODE_NO_NAME, sameQuestion, serverFailure } from '../wire/dns';
import { openUdp, type OutsideUdp } from './outside-udp';
import { formatUpstream, type Upstream, type Upstreams } from './upstream/upstreams';

/** Each server is asked this often at most while a query lasts. */
const ROUNDS = 3;

export interface DnsForwarderOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly udp: UdpLayer;
  readonly counters: Counters['gateway'];
  readonly observer: Observer;
  readonly upstreams: Upstreams;
  /** Where the guest's queries go to. */
  readonly address: Ipv4Address;
  readonly maxQueries: number;
  readonly attemptMs: number;
  readonly limitMs: number;
}

export class DnsForwarder {
  private readonly socket: UdpSocket;
  private readonly forwards = new Set<Forward>();
  private reported: string | null = null;
  /** Which server gave the latest answer, as text: the list is read anew now and then. */
  private answeredBy: string | null = null;

  constructor(readonly options: DnsForwarderOptions) {
    this.socket = options.udp.bind({ port: DNS_PORT, address: options.address });
    this.socket.onChange = () => this.receive();
  }

  close(): void {
    this.socket.close();
    for (const forward of [...this.forwards]) forward.close();
  }

  /** Who is asked over TCP (RFC 7766 §5): the server whose answer, too long for a datagram, the guest has just had. */
  get tcpServer(): Upstream | null {
    const { servers } = this.options.upstreams.current(this.options.clock.now());
    return servers.find((server) => formatUpstream(server) === this.answeredBy) ?? servers[0] ?? null;
  }

  /** For the forwards of this file only. @param by who gave the answer; null: nobody did */
  finish(forward: Forward, answer: Uint8Array, by: Upstream | null): void {
    this.forwards.delete(forward);
    if (by !== null) this.answeredBy = formatUpstream(by);
    const { source, sourcePort } = forward.query;
    this.socket.send(source, sourcePort, answer);
  }

  forget(forward: Forward): void {
    this.forwards.delete(forward);
  }

  private receive(): void {
    const { clock, counters, maxQueries, upstreams } = this.options;
    for (let query = this.socket.receive(); query; query = this.socket.receive()) {
      const end = questionEnd(query.data);
      const isQuery = query.data.length >= DNS_HEADER_BYTES && (readU8(query.data, 2) & 0x80) === 0;
      if (end === null || !isQuery || this.forwards.size >= maxQueries) {
        counters.dnsDropped++;
        continue;
      }
      const { servers, problem } = upstreams.current(clock.now());
      this.report(problem);
      if (servers.length === 0) {
        counters.dnsFailed++;
        this.socket.send(query.source, query.sourcePort, serverFailure(query.data, end));
        continue;
      }
      counters.dnsForwarded++;
      const forward = new Forward(this, query, end, servers);
      this.forwards.add(forward);
      forward.next();
    }
  }

  /** Tells a problem once, until it changes. */
  private report(problem: string | null): void {
    if (problem !== null && problem !== this.reported) this.options.observer({ type: 'warning', message: `names cannot be resolved: ${problem}` });
    this.reported = problem;
  }
}

/** One query of the guest's on its way to one server after the other. Answers to earlier tries still count. */
class Forward {
  private readonly sockets: OutsideUdp[] = [];
  private readonly failed = new Set<Upstream>();
  private tries = 0;
  private timer: Timer | null = null;
  private readonly limit: Timer;
  /** What a server that failed said: better than nothing, if no other does better. */
  private refusal: Uint8Array | null = null;
  private done = false;

  constructor(
    private readonly forwarder: DnsForwarder,
    readonly query: UdpDatagram,
    private readonly questionEnd: number,
    private readonly servers: readonly Upstream[],
  ) {
    const { clock, limitMs } = forwarder.options;
    this.limit = clock.at(clock.now() + limitMs, () => this.giveUp());
  }

  /** Asks the next server that has not failed. */
  next(): void {
    if (this.done) return;
    const { clock, attemptMs } = this.forwarder.options;
    this.timer?.cancel();
    this.timer = null;
    const alive = this.servers.filter((server) => !this.failed.has(server));
    if (alive.length === 0) return this.giveUp();
    const server = alive[this.tries % alive.length];
    // After the last round the answers that may still come have until the limit.
    if (!server || this.tries >= this.servers.length * ROUNDS) return;
    this.tries++;
    this.timer = clock.at(clock.now() + attemptMs, () => this.next());
    this.ask(server);
  }

  close(): void {
    this.done = true;
    this.timer?.cancel();
    this.limit.cancel();
    for (const socket of this.sockets) socket.close();
    this.forwarder.forget(this);
  }

  private ask(server: Upstream): void {
    const message = Uint8Array.from(this.query.data);
    // RFC 5452 §9.2: an id of our own, and a port of its own (the system's choice, random) for each try.
    const id = this.forwarder.options.random.below(0x1_0000);
    writeU16(message, 0, id);
    const socket = openUdp(server, {
      message: (answer) => this.answered(server, id, answer),
      // Refused or unreachable: there is nothing to wait for.
      error: () => this.serverFailed(server),
      failed: () => this.serverFailed(server),
    });
    this.sockets.push(socket);
    socket.send(message);
  }

  private answered(server: Upstream, id: number, answer: Uint8Array): void {
    if (this.done) return;
    const flags = answer.length >= DNS_HEADER_BYTES ? readU16(answer, 2) : 0;
    const rcode = flags & 15;
    const failed = (rcode !== RCODE_NO_ERROR && rcode !== RCODE_NO_NAME) || isReferral(answer);
    // A server that could not read the question may leave it out of its refusal.
    const sameAsked = sameQuestion(this.query.data, answer, this.questionEnd) || (failed && readU16(answer, 4) === 0);
    if ((flags & 0x8000) === 0 || readU16(answer, 0) !== id || !sameAsked) {
      this.forwarder.options.counters.dnsDropped++;
      return;
    }
    const reply = Uint8Array.from(answer);
    writeU16(reply, 0, readU16(this.query.data, 0));
    if (failed) {
      this.refusal = reply;
      return this.serverFailed(server);
    }
    this.finish(reply, server);
  }

  private serverFailed(server: Upstream): void {
    if (this.done || this.failed.has(server)) return;
    this.failed.add(server);
    this.next();
  }

  private giveUp(): void {
    if (this.done) return;
    this.forwarder.options.counters.dnsFailed++;
    this.finish(this.refusal ?? serverFailure(this.query.data, this.questionEnd), null);
  }

  private finish(answer: Uint8Array, by: Upstream | null): void {
    this.close();
    this.forwarder.finish(this, answer, by);
  }
}

/** Without answers and with authorities it can be one: only then it is read. */
function isReferral(answer: Uint8Array): boolean {
  if (answer.length < DNS_HEADER_BYTES || readU16(answer, 6) !== 0 || readU16(answer, 8) === 0) return false;
  return decodeDnsResponse(answer)?.isReferral ?? false;
}
