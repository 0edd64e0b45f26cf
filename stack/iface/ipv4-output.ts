/**
 * Packets out (RFC 791, RFC 1122 §3.3): the transports write their part into the one transmit buffer, here the
 * header is put before it, and it is cut into fragments where it does not fit.
 */
import type { Ipv4Config } from '../config';
import type { Ipv4Egress, SendResult } from '../egress';
import type { Counters } from '../observer';
import type { KeyedHash } from '../random';
import type { Ipv4Address } from '../wire/address';
import { ETHERNET_HEADER_BYTES } from '../wire/ethernet';
import { IPV4_HEADER_BYTES, IPV4_MAX_BYTES, Ipv4Header, writeIpv4Header } from '../wire/ipv4';
import type { Interface } from './interface';
import type { PathMtus } from './path-mtus';
import type { Routes } from './routes';

const HEADERS_BYTES = ETHERNET_HEADER_BYTES + IPV4_HEADER_BYTES;
/** Counters of identifications; destinations share them by hash. A power of two. */
const IDENTIFICATION_BUCKETS = 256;

export interface Ipv4OutputOptions {
  readonly config: Ipv4Config;
  readonly counters: Counters['ipv4'];
  /** Keyed for this stack alone. */
  readonly hash: KeyedHash;
  readonly routes: Routes;
  readonly iface: Interface;
  readonly paths: PathMtus;
  readonly sendUnreachable: Ipv4Egress['sendUnreachable'];
}

export class Ipv4Output implements Ipv4Egress {
  readonly buffer: Uint8Array;
  readonly payloadOffset = HEADERS_BYTES;
  readonly maxPayload = IPV4_MAX_BYTES - IPV4_HEADER_BYTES;
  readonly sendUnreachable: Ipv4Egress['sendUnreachable'];
  private readonly header = new Ipv4Header();
  private readonly hash: KeyedHash;
  private readonly identifications = new Uint16Array(IDENTIFICATION_BUCKETS);
  private readonly config: Ipv4Config;
  private readonly counters: Counters['ipv4'];
  private readonly routes: Routes;
  private readonly iface: Interface;
  private readonly paths: PathMtus;

  constructor(options: Ipv4OutputOptions) {
    this.config = options.config;
    this.counters = options.counters;
    this.routes = options.routes;
    this.iface = options.iface;
    this.paths = options.paths;
    this.buffer = options.iface.buffer;
    this.sendUnreachable = options.sendUnreachable;
    this.hash = options.hash;
  }

  sourceFor(remote: Ipv4Address): Ipv4Address | null {
    return this.routes.sourceFor(remote);
  }

  linkMtu(): number {
    return this.iface.mtu;
  }

  pathMtu(remote: Ipv4Address): number {
    return this.paths.toward(remote, this.iface.mtu);
  }

  send(
    protocol: number,
    source: Ipv4Address,
    destination: Ipv4Address,
    length: number,
    options?: Parameters<Ipv4Egress['send']>[4],
  ): SendResult {
    const { header, counters, iface } = this;
    const nextHop = this.routes.nextHop(destination);
    if (nextHop === null || !this.routes.maySendFrom(source, destination)) {
      counters.txNoRoute++;
      return 'unreachable';
    }
    const totalBytes = IPV4_HEADER_BYTES + length;
    const dontFragment = options?.dontFragment ?? false;
    if (totalBytes > IPV4_MAX_BYTES || (dontFragment && totalBytes > iface.mtu)) {
      counters.txTooBig++;
      return 'too-big';
    }
    counters.txPackets++;
    header.totalBytes = totalBytes;
    header.ecn = options?.ecn ?? 0;
    // RFC 6864 §4.1: a packet that cannot be fragmented needs no identification.
    header.identification = dontFragment ? 0 : this.nextIdentification(protocol, source, destination);
    header.dontFragment = dontFragment;
    header.moreFragments = false;
    header.fragmentOffset = 0;
    header.ttl = options?.ttl ?? this.config.ttl;
    header.protocol = protocol;
    header.source = source;
    header.destination = destination;
    // What may be cut is cut here to fit the whole path; for what may not, a router's word goes to its transport.
    const mtu = dontFragment ? iface.mtu : this.pathMtu(destination);
    if (totalBytes > mtu) {
      this.sendFragments(nextHop, length, mtu);
    } else {
      writeIpv4Header(this.buffer, ETHERNET_HEADER_BYTES, header);
      iface.send(nextHop, 0, ETHERNET_HEADER_BYTES + totalBytes);
    }
    return 'sent';
  }

  /**
   * RFC 791 §3.2, in place: the first fragment goes first, so that the headers of each next one overwrite only
   * what has left already.
   */
  private sendFragments(nextHop: Ipv4Address, length: number, mtu: number): void {
    const { header } = this;
    const chunkBytes = (mtu - IPV4_HEADER_BYTES) & ~7;
    for (let offset = 0; offset < length; offset += chunkBytes) {
      const bytes = Math.min(chunkBytes, length - offset);
      header.totalBytes = IPV4_HEADER_BYTES + bytes;
      header.fragmentOffset = offset;
      header.moreFragments = offset + bytes < length;
      writeIpv4Header(this.buffer, offset + ETHERNET_HEADER_BYTES, header);
      this.counters.txFragments++;
      this.iface.send(nextHop, offset, ETHERNET_HEADER_BYTES + header.totalBytes);
    }
  }

  /**
   * Unique for long enough per source, destination and protocol (RFC 6864 §4.3), and not telling a third host how
   * much we send to others (RFC 7739 §5.3, of IPv6): a counter per destination, started by a keyed hash.
   */
  private nextIdentification(protocol: number, source: Ipv4Address, destination: Ipv4Address): number {
    const hash = this.hash.hash(source, destination, protocol);
    const bucket = hash & (IDENTIFICATION_BUCKETS - 1);
    const count = this.identifications[bucket] ?? 0;
    this.identifications[bucket] = count + 1;
    return ((hash >>> 16) + count) & 0xffff;
  }
}
