/** UDP sockets (RFC 768, RFC 1122 §4.1) over the stack's IPv4 egress. */
import type { PortRange, UdpConfig } from '../config';
import { PROTOCOL_UDP, type Ipv4Egress, type SendResult, type TransportError, type UnreachableCode } from '../egress';
import { StackError } from '../errors';
import type { Counters } from '../observer';
import type { Random } from '../random';
import { formatIpv4, type Ipv4Address } from '../wire/address';
import { readU16 } from '../wire/bytes';
import { parseUdp, udpChecksumIsPartial, UDP_HEADER_BYTES, writeUdpHeader } from '../wire/udp';

/** RFC 6335 §6: the dynamic ports; RFC 6056 §3.3.1: picked at random from all of them. */
const EPHEMERAL_PORTS: PortRange = { first: 49_152, last: 65_535 };

export interface UdpBindOptions {
  /** 1 … 65535; absent or 0: a random free ephemeral port. */
  readonly port?: number;
  /** Absent: datagrams to any address that the stack accepts. */
  readonly address?: Ipv4Address;
  /**
   * Takes every datagram that no other socket takes, whatever its destination and port: a router's
   * socket. At most one; `port` is then only what `send` uses without a `sourcePort`.
   */
  readonly promiscuous?: boolean;
}

export interface UdpDatagram {
  readonly source: Ipv4Address;
  readonly sourcePort: number;
  readonly destination: Ipv4Address;
  readonly destinationPort: number;
  /** The receiver's own. */
  readonly data: Uint8Array;
}

export interface UdpSendOptions {
  /** Instead of our address toward the destination; 0 before there is one (RFC 2131 §4.1). */
  readonly source?: Ipv4Address;
  readonly sourcePort?: number;
  readonly ttl?: number;
}

/** What an ICMP error said about a datagram of ours (RFC 1122 §4.1.3.3). */
export interface UdpError {
  readonly remote: Ipv4Address;
  readonly remotePort: number;
  readonly error: StackError;
}

export interface UdpSocket {
  readonly localPort: number;
  /**
   * Called once per poll in which datagrams or an error came. It may call any method of the socket.
   * @param now ms
   */
  onChange: ((socket: UdpSocket, now: number) => void) | null;
  /**
   * Sends one datagram of at most 65 507 bytes; the data is copied before the return.
   * @returns what became of it; `unreachable` also for a destination port of 0 and after `close`
   */
  send(address: Ipv4Address, port: number, data: Uint8Array, options?: UdpSendOptions): SendResult;
  /** The oldest datagram that waits, or null. */
  receive(): UdpDatagram | null;
  /** The latest error since the last call, or null. */
  takeError(): UdpError | null;
  /** Answers a datagram that was received with ICMP destination unreachable. */
  refuse(datagram: UdpDatagram, code: UnreachableCode): void;
  /** Idempotent. What waits is dropped. */
  close(): void;
}

export interface UdpLayerOptions {
  readonly config: UdpConfig;
  readonly counters: Counters['udp'];
  readonly random: Random;
  readonly egress: Ipv4Egress;
  /** Work arose outside a poll: the stack wants one soon. */
  readonly onWork: () => void;
  /** The link delivers datagrams whose checksum was left to hardware. */
  readonly acceptsPartialChecksums?: boolean;
  /** The local ports that may be used, where the others are those of a kernel with the same address; null: all. */
  readonly ports?: PortRange | null;
}

export class UdpLayer {
  /** By port; more than one only where each is bound to an address of its own. */
  private readonly ports = new Map<number, BoundSocket[]>();
  private readonly dirty = new Set<BoundSocket>();
  private promiscuous: BoundSocket | null = null;
  private socketCount = 0;

  constructor(readonly options: UdpLayerOptions) {}

  /**
   * @throws StackError EADDRINUSE if the port is taken, ENOBUFS if there are too many sockets or no port
   * is free, EINVAL for a port out of range, EADDRNOTAVAIL for one that is not ours
   */
  bind(options: UdpBindOptions = {}): UdpSocket {
    const { port: wanted = 0, address = null, promiscuous = false } = options;
    if (!Number.isInteger(wanted) || wanted < 0 || wanted > 65_535) throw new StackError('EINVAL', `UDP port ${wanted} is not 0 to 65535`);
    if (this.socketCount >= this.options.config.maxSockets) {
      throw new StackError('ENOBUFS', `${this.socketCount} UDP sockets are open, the limit (udp.maxSockets): close some first`);
    }
    if (promiscuous) {
      if (this.promiscuous) throw new StackError('EADDRINUSE', 'a promiscuous UDP socket is open already: close it first');
      this.promiscuous = new BoundSocket(this, wanted, null);
      this.socketCount++;
      return this.promiscuous;
    }
    const { ports } = this.options;
    if (wanted !== 0 && ports && (wanted < ports.first || wanted > ports.last)) {
      throw new StackError('EADDRNOTAVAIL', `UDP port ${wanted} is the computer's own, whose address the stack shares: take one from ${ports.first} to ${ports.last}`);
    }
    const port = wanted === 0 ? this.freePort() : wanted;
    const sockets = this.ports.get(port) ?? [];
    if (sockets.some((other) => other.address === null || address === null || other.address === address)) {
      const where = address === null ? `port ${port}` : `${formatIpv4(address)}:${port}`;
      throw new StackError('EADDRINUSE', `UDP ${where} is in use: close the socket that has it, or take another port`);
    }
    const socket = new BoundSocket(this, port, address);
    sockets.push(socket);
    this.ports.set(port, sockets);
    this.socketCount++;
    return socket;
  }

  /**
   * One received datagram. @param datagram view of the IPv4 payload
   * @returns false if nobody has that port, and an ICMP port unreachable is due (RFC 1122 §4.1.3.1)
   */
  input(source: Ipv4Address, destination: Ipv4Address, datagram: Uint8Array, _now: number): boolean {
    const { counters, config } = this.options;
    const partial = this.options.acceptsPartialChecksums === true && udpChecksumIsPartial(source, destination, datagram);
    if (partial) counters.rxPartialChecksum++;
    const parsed = parseUdp(source, destination, datagram, partial);
    if (typeof parsed === 'string') {
      counters[parsed]++;
      return true;
    }
    const socket = this.lookup(destination, parsed.destinationPort) ?? this.promiscuous;
    if (!socket) {
      counters.rxNoPort++;
      return false;
    }
    const { data, sourcePort, destinationPort } = parsed;
    if (!socket.enqueue({ source, sourcePort, destination, destinationPort, data }, config)) {
      counters.rxQueueFull++;
      return true;
    }
    counters.rxDatagrams++;
    this.dirty.add(socket);
    return true;
  }

  /** RFC 1122 §4.1.3.3: what ICMP says about a datagram goes to the socket that sent it. */
  error(error: TransportError): void {
    const message = describe(error);
    if (!message || error.transport.length < 4) return;
    const socket = this.lookup(error.local, readU16(error.transport, 0));
    if (!socket) return;
    const remotePort = readU16(error.transport, 2);
    socket.fail({ remote: error.remote, remotePort, error: new StackError(message.code, `UDP to ${formatIpv4(error.remote)}:${remotePort}: ${message.text}`) });
    this.dirty.add(socket);
  }

  /** Tells the sockets that have something new. */
  poll(now: number): void {
    if (this.dirty.size === 0) return;
    const due = [...this.dirty];
    this.dirty.clear();
    for (const socket of due) if (!socket.closed) socket.onChange?.(socket, now);
  }

  /** For the sockets of this file only. */
  release(socket: BoundSocket): void {
    this.socketCount--;
    this.dirty.delete(socket);
    if (this.promiscuous === socket) {
      this.promiscuous = null;
      return;
    }
    const rest = (this.ports.get(socket.localPort) ?? []).filter((other) => other !== socket);
    if (rest.length === 0) this.ports.delete(socket.localPort);
    else this.ports.set(socket.localPort, rest);
  }

  private lookup(address: Ipv4Address, port: number): BoundSocket | null {
    const sockets = this.ports.get(port);
    if (!sockets) return null;
    for (const socket of sockets) if (socket.address === null || socket.address === address) return socket;
    return null;
  }

  private freePort(): number {
    const { first, last } = this.options.ports ?? EPHEMERAL_PORTS;
    const count = last - first + 1;
    const start = this.options.random.below(count);
    for (let i = 0; i < count; i++) {
      const port = first + ((start + i) % count);
      if (!this.ports.has(port)) return port;
    }
    throw new StackError('ENOBUFS', `no free UDP port from ${first} to ${last}: close sockets first`);
  }
}

class BoundSocket implements UdpSocket {
  onChange: ((socket: UdpSocket, now: number) => void) | null = null;
  closed = false;
  private queue: UdpDatagram[] = [];
  /** Index of the oldest datagram in `queue`: a shift per datagram would move the whole array. */
  private head = 0;
  private queuedBytes = 0;
  private lastError: UdpError | null = null;

  constructor(
    private readonly layer: UdpLayer,
    readonly localPort: number,
    readonly address: Ipv4Address | null,
  ) {}

  send(address: Ipv4Address, port: number, data: Uint8Array, options: UdpSendOptions = {}): SendResult {
    const { egress, counters, onWork } = this.layer.options;
    const source = options.source ?? this.address ?? egress.sourceFor(address);
    if (this.closed || source === null || port < 1 || port > 65_535) {
      counters.txDropped++;
      return 'unreachable';
    }
    if (UDP_HEADER_BYTES + data.length > egress.maxPayload) {
      counters.txDropped++;
      return 'too-big';
    }
    egress.buffer.set(data, egress.payloadOffset + UDP_HEADER_BYTES);
    const length = writeUdpHeader(egress.buffer, egress.payloadOffset, source, options.sourcePort ?? this.localPort, address, port, data.length);
    const result = egress.send(PROTOCOL_UDP, source, address, length, options.ttl === undefined ? {} : { ttl: options.ttl });
    if (result === 'sent') counters.txDatagrams++;
    else counters.txDropped++;
    onWork();
    return result;
  }

  receive(): UdpDatagram | null {
    const datagram = this.queue[this.head];
    if (!datagram) return null;
    this.head++;
    this.queuedBytes -= datagram.data.length;
    if (this.head === this.queue.length) {
      this.queue = [];
      this.head = 0;
    } else if (this.head >= 64 && this.head * 2 >= this.queue.length) {
      this.queue.splice(0, this.head);
      this.head = 0;
    }
    return datagram;
  }

  takeError(): UdpError | null {
    const error = this.lastError;
    this.lastError = null;
    return error;
  }

  refuse(datagram: UdpDatagram, code: UnreachableCode): void {
    const { source, sourcePort, destination, destinationPort, data } = datagram;
    const payload = new Uint8Array(UDP_HEADER_BYTES + data.length);
    payload.set(data, UDP_HEADER_BYTES);
    writeUdpHeader(payload, 0, source, sourcePort, destination, destinationPort, data.length);
    this.layer.options.egress.sendUnreachable(code, { protocol: PROTOCOL_UDP, source, destination, payload });
    this.layer.options.onWork();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.queue = [];
    this.head = 0;
    this.layer.release(this);
  }

  /** Copies the data, which is a view of the link's buffer. @returns false if the queue is full. */
  enqueue(datagram: UdpDatagram, config: UdpConfig): boolean {
    const { data } = datagram;
    if (this.queue.length - this.head >= config.queueDatagrams || this.queuedBytes + data.length > config.queueBytes) return false;
    this.queue.push({ ...datagram, data: data.slice() });
    this.queuedBytes += data.length;
    return true;
  }

  fail(error: UdpError): void {
    this.lastError = error;
  }
}

/** What an error means to a user; null for those that say nothing final (RFC 1122 §3.2.2). */
function describe(error: TransportError): { code: 'ECONNREFUSED' | 'ENETUNREACH' | 'EHOSTUNREACH' | 'EACCES'; text: string } | null {
  const { kind } = error;
  if (kind.type === 'neighbor-unresolved') return { code: 'EHOSTUNREACH', text: kind.nextHop === error.remote ? 'no answer to ARP' : `the router ${formatIpv4(kind.nextHop)} does not answer to ARP` };
  if (kind.type !== 'unreachable') return null;
  // RFC 792 and RFC 1122 §3.2.2.1: the codes of destination unreachable.
  switch (kind.code) {
    case 0:
    case 6:
    case 11:
      return { code: 'ENETUNREACH', text: 'network unreachable' };
    case 2:
    case 3:
      return { code: 'ECONNREFUSED', text: 'nobody has that port there' };
    case 9:
    case 10:
    case 13:
      return { code: 'EACCES', text: 'prohibited on the way' };
    default:
      return { code: 'EHOSTUNREACH', text: 'host unreachable' };
  }
}
