/** Relays UDP flows between the guest and the outside, each through a socket of the operating system. */
import type { Clock, Timer } from '../clock';
import type { UnreachableCode } from '../egress';
import type { Counters } from '../observer';
import type { UdpDatagram, UdpLayer, UdpSocket } from '../socket/udp';
import { formatIpv4, type Ipv4Address } from '../wire/address';
import { openUdp, type OutsideUdp } from './outside-udp';

export interface UdpRelayOptions {
  readonly clock: Clock;
  readonly udp: UdpLayer;
  readonly counters: Counters['gateway'];
  /** Where outside a destination of the guest's leads; null: nowhere. */
  readonly translate: (destination: Ipv4Address) => Ipv4Address | null;
  readonly idleMs: number;
  readonly maxFlows: number;
}

interface Flow {
  readonly key: string;
  readonly socket: OutsideUdp;
  /** The latest datagram of the guest's, to be quoted in ICMP errors. */
  latest: UdpDatagram;
  usedAt: number;
}

export class UdpRelay {
  private readonly inside: UdpSocket;
  /** In order of use, the least recent first. */
  private readonly flows = new Map<string, Flow>();
  private timer: Timer | null = null;

  constructor(private readonly options: UdpRelayOptions) {
    this.inside = options.udp.bind({ promiscuous: true });
    this.inside.onChange = () => this.receive();
  }

  get flowCount(): number {
    return this.flows.size;
  }

  close(): void {
    this.inside.close();
    this.timer?.cancel();
    for (const flow of this.flows.values()) flow.socket.close();
    this.flows.clear();
  }

  private receive(): void {
    const { clock, counters, translate } = this.options;
    for (let datagram = this.inside.receive(); datagram; datagram = this.inside.receive()) {
      const target = translate(datagram.destination);
      if (target === null) {
        counters.udpForbidden++;
        continue;
      }
      const key = `${datagram.source}:${datagram.sourcePort}>${datagram.destination}:${datagram.destinationPort}`;
      const flow = this.flows.get(key) ?? this.open(key, datagram, target);
      flow.latest = datagram;
      flow.usedAt = clock.now();
      this.touch(flow);
      if (!flow.socket.send(datagram.data)) counters.udpDropped++;
    }
    this.arm();
  }

  private open(key: string, first: UdpDatagram, target: Ipv4Address): Flow {
    const { clock, counters, maxFlows } = this.options;
    while (this.flows.size >= maxFlows) {
      if (!this.closeOldest()) break;
      counters.udpFlowsEvicted++;
    }
    counters.udpFlows++;
    const socket = openUdp(
      { address: formatIpv4(target), port: first.destinationPort, family: 4 },
      {
        message: (data) => this.answer(flow, data),
        error: (code) => this.failed(flow, code),
        failed: (code, lost) => {
          counters.udpDropped += lost;
          this.failed(flow, code);
          // The next datagram may find the computer's network up again.
          this.flows.delete(key);
        },
      },
    );
    const flow: Flow = { key, socket, latest: first, usedAt: clock.now() };
    return flow;
  }

  /** A datagram from outside, to the guest as if from where the guest sent to. */
  private answer(flow: Flow, data: Uint8Array): void {
    const { source, sourcePort, destination, destinationPort } = flow.latest;
    flow.usedAt = this.options.clock.now();
    this.touch(flow);
    const sent = this.inside.send(source, sourcePort, data, { source: destination, sourcePort: destinationPort });
    if (sent !== 'sent') this.options.counters.udpDropped++;
  }

  /** What the system learnt about the flow reaches the guest as the ICMP message that said so. */
  private failed(flow: Flow, code: string): void {
    this.options.counters.udpFailed++;
    const unreachable = UNREACHABLE[code];
    if (unreachable) this.inside.refuse(flow.latest, unreachable);
  }

  private touch(flow: Flow): void {
    this.flows.delete(flow.key);
    this.flows.set(flow.key, flow);
  }

  private closeOldest(): boolean {
    for (const [key, flow] of this.flows) {
      flow.socket.close();
      return this.flows.delete(key);
    }
    return false;
  }

  private arm(): void {
    if (this.timer) return;
    for (const oldest of this.flows.values()) {
      this.timer = this.options.clock.at(oldest.usedAt + this.options.idleMs, () => this.expire());
      return;
    }
  }

  private expire(): void {
    this.timer = null;
    const limit = this.options.clock.now() - this.options.idleMs;
    for (const oldest of this.flows.values()) {
      if (oldest.usedAt > limit) break;
      this.closeOldest();
    }
    this.arm();
  }
}

const UNREACHABLE: { readonly [code: string]: UnreachableCode } = {
  ECONNREFUSED: 'port',
  EHOSTUNREACH: 'host',
  EHOSTDOWN: 'host',
  ENETUNREACH: 'net',
  ENETDOWN: 'net',
  EACCES: 'prohibited',
  EPERM: 'prohibited',
};
