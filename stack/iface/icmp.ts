/** ICMP (RFC 792, RFC 1122 §3.2.2): answers echo, sends errors under the rules that keep them from storms, hands errors on. */
import type { IcmpConfig } from '../config';
import { PROTOCOL_ICMP, type Ipv4Egress, type TransportError, type UnreachableCode } from '../egress';
import type { Counters } from '../observer';
import { isMulticast, isUnicast, type Ipv4Address } from '../wire/address';
import {
  ICMP_ECHO_REPLY, ICMP_ECHO_REQUEST, ICMP_HEADER_BYTES, ICMP_PARAMETER_PROBLEM, ICMP_REDIRECT, ICMP_SOURCE_QUENCH,
  ICMP_TIME_EXCEEDED, ICMP_UNREACHABLE, isIcmpError, nextHopMtu, parseIcmp, parseQuoted, TIME_EXCEEDED_REASSEMBLY,
  UNREACHABLE_FRAGMENTATION_NEEDED, UNREACHABLE_HOST, UNREACHABLE_NET, UNREACHABLE_PORT, UNREACHABLE_PROHIBITED,
  UNREACHABLE_PROTOCOL, writeIcmp, type IcmpHeader, type QuotedPacket,
} from '../wire/icmp';
import { IPV4_HEADER_BYTES, IPV4_MAX_BYTES, writeIpv4Header } from '../wire/ipv4';
import type { Arrival } from './demux';
import type { Routes } from './routes';
import { RateLimiter } from '../storage/rate-limiter';

/** RFC 1812 §4.3.2.3: an error quotes as much as fits a packet of this size. */
const MAX_ERROR_BYTES = 576;

const UNREACHABLE_CODES: Readonly<Record<UnreachableCode, number>> = {
  net: UNREACHABLE_NET,
  host: UNREACHABLE_HOST,
  protocol: UNREACHABLE_PROTOCOL,
  port: UNREACHABLE_PORT,
  'fragmentation-needed': UNREACHABLE_FRAGMENTATION_NEEDED,
  prohibited: UNREACHABLE_PROHIBITED,
};

/** How ICMP sends; it needs nothing else of the egress. */
export type IcmpEgress = Pick<Ipv4Egress, 'buffer' | 'payloadOffset' | 'maxPayload' | 'send' | 'sourceFor'>;

export interface IcmpOptions {
  readonly config: IcmpConfig;
  readonly counters: Counters['icmp'];
  readonly routes: Routes;
  readonly egress: IcmpEgress;
  /** Tells a transport of an error about its packet. @returns false if it is none's. */
  readonly onError: (protocol: number, error: TransportError, now: number) => boolean;
}

/** What an error is about. */
interface Offender {
  readonly protocol: number;
  readonly source: Ipv4Address;
  readonly destination: Ipv4Address;
  readonly payload: Uint8Array;
}

export class Icmp {
  /** A tenth of a second's worth may go at once. */
  private readonly limiter: RateLimiter;

  constructor(private readonly options: IcmpOptions) {
    const { ratePerSecond } = options.config;
    this.limiter = new RateLimiter(ratePerSecond, Math.max(1, ratePerSecond / 10));
  }

  /** Lets time pass for the rate limit. */
  poll(now: number): void {
    this.limiter.pass(now);
  }

  input(arrival: Arrival, now: number): void {
    const { counters } = this.options;
    const header = parseIcmp(arrival.payload);
    if (typeof header === 'string') {
      counters[header]++;
      return;
    }
    switch (header.type) {
      case ICMP_ECHO_REQUEST:
        counters.rxEchoRequests++;
        this.answerEcho(arrival, header);
        return;
      case ICMP_ECHO_REPLY:
        counters.rxEchoReplies++;
        return;
      case ICMP_REDIRECT:
        // There is one gateway to choose from, and a redirect is easily forged.
        counters.rxRedirectsIgnored++;
        return;
      case ICMP_UNREACHABLE:
      case ICMP_SOURCE_QUENCH:
      case ICMP_TIME_EXCEEDED:
      case ICMP_PARAMETER_PROBLEM:
        counters.rxErrors++;
        if (!this.inputError(arrival, header, now)) counters.rxErrorsIgnored++;
        return;
      default:
        counters.rxUnknownType++;
    }
  }

  /** Nobody is here for the packet; its header is quoted as it came. */
  reject(code: 'protocol' | 'port', arrival: Arrival): void {
    if (!this.mayAnswer(arrival, arrival.isGroup)) return;
    const { headerIn, headerAt, headerBytes } = arrival;
    const quoted = this.quoteHeader(headerIn.subarray(headerAt, headerAt + headerBytes));
    this.sendError({ type: ICMP_UNREACHABLE, code: UNREACHABLE_CODES[code], rest: 0 }, arrival.destination, arrival, quoted);
  }

  /** The fragments of a packet did not all come in time (RFC 1122 §3.3.2). `header`: the first fragment's, as it came. */
  reassemblyExpired(first: Offender & { readonly header: Uint8Array }): void {
    if (!this.mayAnswer(first, false)) return;
    const quoted = this.quoteHeader(first.header);
    this.sendError({ type: ICMP_TIME_EXCEEDED, code: TIME_EXCEEDED_REASSEMBLY, rest: 0 }, first.destination, first, quoted);
  }

  /** {@link Ipv4Egress.sendUnreachable}: the header is made anew, as the transports do not keep it. */
  sendUnreachable(code: UnreachableCode, offender: Offender): void {
    const { egress, routes } = this.options;
    if (!this.mayAnswer(offender, false)) return;
    writeIpv4Header(egress.buffer, egress.payloadOffset + ICMP_HEADER_BYTES, {
      totalBytes: Math.min(IPV4_HEADER_BYTES + offender.payload.length, IPV4_MAX_BYTES),
      ecn: 0, identification: 0, dontFragment: false, moreFragments: false, fragmentOffset: 0, ttl: 64,
      protocol: offender.protocol, source: offender.source, destination: offender.destination,
    });
    // A router that cannot pass a packet on speaks for itself; a host that has nobody for it, as the host.
    const ownWord = code === 'protocol' || code === 'port' ? offender.destination : routes.sourceFor(offender.source);
    this.sendError({ type: ICMP_UNREACHABLE, code: UNREACHABLE_CODES[code], rest: 0 }, ownWord, offender, IPV4_HEADER_BYTES);
  }

  private answerEcho(arrival: Arrival, header: IcmpHeader): void {
    const { config, counters, egress } = this.options;
    const { payload } = arrival;
    // RFC 1122 §3.2.2.6: an echo to a broadcast may be left unanswered: it amplifies.
    if (!config.answerEcho || arrival.isGroup || !isUnicast(arrival.source) || payload.length > egress.maxPayload) {
      counters.txSuppressed++;
      return;
    }
    if (!this.takeToken()) return;
    egress.buffer.set(payload, egress.payloadOffset);
    writeIcmp(egress.buffer, egress.payloadOffset, payload.length, { type: ICMP_ECHO_REPLY, code: 0, rest: header.rest });
    counters.txEchoReplies++;
    egress.send(PROTOCOL_ICMP, arrival.destination, arrival.source, payload.length);
  }

  /** @returns whether the error was handed to a transport. */
  private inputError(arrival: Arrival, header: IcmpHeader, now: number): boolean {
    const quoted = parseQuoted(arrival.payload);
    if (quoted === null || arrival.isGroup || !this.options.routes.isOurs(quoted.source)) return false;
    const kind = errorKind(header, quoted);
    return this.options.onError(quoted.protocol, { local: quoted.source, remote: quoted.destination, transport: quoted.transport, kind }, now);
  }

  /**
   * RFC 1122 §3.2.2: no error about an ICMP error, about a packet for more than one host, or to a source that is not
   * one host. (Later fragments never come here.)
   */
  private mayAnswer(offender: Offender, isGroup: boolean): boolean {
    const { counters, routes } = this.options;
    const isError = offender.protocol === PROTOCOL_ICMP && isIcmpError(offender.payload[0] ?? 0);
    const toGroup = isGroup || isMulticast(offender.destination) || routes.isBroadcast(offender.destination);
    if (isError || toGroup || !isUnicast(offender.source) || routes.local === null) {
      counters.txSuppressed++;
      return false;
    }
    return this.takeToken();
  }

  private takeToken(): boolean {
    const taken = this.limiter.takeNow();
    if (!taken) this.options.counters.txRateLimited++;
    return taken;
  }

  /** Copies the offender's header to its place in the transmit buffer. @returns its length. */
  private quoteHeader(header: Uint8Array): number {
    const { egress } = this.options;
    egress.buffer.set(header, egress.payloadOffset + ICMP_HEADER_BYTES);
    return header.length;
  }

  /** Sends the error over the header of `headerBytes` that is quoted already. */
  private sendError(header: IcmpHeader, source: Ipv4Address | null, offender: Offender, headerBytes: number): void {
    const { counters, egress } = this.options;
    const { buffer, payloadOffset } = egress;
    const room = MAX_ERROR_BYTES - IPV4_HEADER_BYTES - ICMP_HEADER_BYTES - headerBytes;
    const quotedBytes = Math.min(offender.payload.length, room);
    buffer.set(offender.payload.subarray(0, quotedBytes), payloadOffset + ICMP_HEADER_BYTES + headerBytes);
    const length = ICMP_HEADER_BYTES + headerBytes + quotedBytes;
    writeIcmp(buffer, payloadOffset, length, header);
    if (source !== null && egress.send(PROTOCOL_ICMP, source, offender.source, length) === 'sent') counters.txErrors++;
    else counters.txSuppressed++;
  }
}

function errorKind(header: IcmpHeader, quoted: QuotedPacket): TransportError['kind'] {
  switch (header.type) {
    case ICMP_UNREACHABLE:
      return header.code === UNREACHABLE_FRAGMENTATION_NEEDED
        ? { type: 'fragmentation-needed', nextHopMtu: nextHopMtu(header, quoted) }
        : { type: 'unreachable', code: header.code };
    case ICMP_TIME_EXCEEDED:
      return { type: 'time-exceeded', code: header.code };
    case ICMP_SOURCE_QUENCH:
      return { type: 'source-quench' };
    default:
      return { type: 'parameter-problem' };
  }
}
