/** A UDP layer over an egress that keeps what was sent, on a virtual clock: for tests of what sits on UDP. */
import { DEFAULT_CONFIG, type UdpConfig } from '../../../stack/config';
import type { Ipv4Egress, SendResult, TransportError, UnreachableCode } from '../../../stack/egress';
import { createCounters } from '../../../stack/observer';
import { SeededRandom } from '../../../stack/random';
import { UdpLayer } from '../../../stack/socket/udp';
import { parseUdp, UDP_HEADER_BYTES, writeUdpHeader } from '../../../stack/wire/udp';

export interface Sent {
  readonly source: number;
  readonly sourcePort: number;
  readonly destination: number;
  readonly destinationPort: number;
  readonly data: Uint8Array;
}

export class UdpHarness implements Ipv4Egress {
  readonly buffer = new Uint8Array(65_600);
  readonly payloadOffset = 34;
  readonly maxPayload = 65_515;
  readonly sent: Sent[] = [];
  readonly unreachables: { code: UnreachableCode; payload: Uint8Array; source: number; destination: number }[] = [];
  readonly counters = createCounters();
  readonly random: SeededRandom;
  readonly udp: UdpLayer;
  /** Our address; null: none yet. */
  address: number | null = 0x0a00_0005;
  result: SendResult = 'sent';
  /** An address from which nothing may be sent, as while it is checked for another owner. */
  noSource: number | null = null;
  works = 0;

  constructor(config: Partial<UdpConfig> = {}, seed = 1) {
    this.random = new SeededRandom(seed);
    this.udp = new UdpLayer({
      config: { ...DEFAULT_CONFIG.udp, ...config }, counters: this.counters.udp, random: this.random, egress: this, onWork: () => this.works++,
    });
  }

  sourceFor(): number | null {
    return this.address;
  }

  linkMtu(): number {
    return 1500;
  }

  pathMtu(): number {
    return 1500;
  }

  send(_protocol: number, source: number, destination: number, length: number): SendResult {
    if (this.result !== 'sent') return this.result;
    if (source === this.noSource) return 'unreachable';
    const parsed = parseUdp(source, destination, this.buffer.slice(this.payloadOffset, this.payloadOffset + length));
    if (typeof parsed === 'string') throw new Error(`sent a datagram that does not parse: ${parsed}`);
    this.sent.push({ source, sourcePort: parsed.sourcePort, destination, destinationPort: parsed.destinationPort, data: parsed.data });
    return 'sent';
  }

  sendUnreachable(code: UnreachableCode, offender: { source: number; destination: number; payload: Uint8Array }): void {
    this.unreachables.push({ code, payload: offender.payload, source: offender.source, destination: offender.destination });
  }

  /** The oldest datagram sent and not yet taken. */
  take(): Sent {
    const sent = this.sent.shift();
    if (!sent) throw new Error('nothing was sent');
    return sent;
  }

  /** A datagram arrives, and the sockets are told. @returns what `input` says */
  arrive(from: { address: number; port: number }, to: { address: number; port: number }, data: Uint8Array, now = 0): boolean {
    const taken = this.udp.input(from.address, to.address, datagram(from, to, data), now);
    this.udp.poll(now);
    return taken;
  }

  /** An ICMP error about a datagram of ours arrives. */
  icmp(sent: Sent, kind: TransportError['kind'], now = 0): void {
    const from = { address: sent.source, port: sent.sourcePort };
    const to = { address: sent.destination, port: sent.destinationPort };
    this.udp.error({ local: sent.source, remote: sent.destination, transport: datagram(from, to, sent.data).subarray(0, 8), kind });
    this.udp.poll(now);
  }
}

export function datagram(from: { address: number; port: number }, to: { address: number; port: number }, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(UDP_HEADER_BYTES + data.length);
  bytes.set(data, UDP_HEADER_BYTES);
  writeUdpHeader(bytes, 0, from.address, from.port, to.address, to.port, data.length);
  return bytes;
}
