/** One frame, handled alone: that it is accounted for at every level that it reached. */
import type { Counters } from '../../../stack/observer';
import type { Host } from '../../support/net-sim/network';

type Layer = Readonly<Record<string, number>>;
type Snapshot = Readonly<Record<keyof Counters, Layer>>;

const IPV4_DROPS = [
  'rxTooShort', 'rxBadVersion', 'rxBadHeaderLength', 'rxBadTotalLength', 'rxBadChecksum', 'rxNotForUs', 'rxBadSource', 'rxSourceRoute', 'rxFragments',
] as const;
const UDP_FATES = ['rxTooShort', 'rxBadLength', 'rxBadChecksum', 'rxNoPort', 'rxQueueFull', 'rxDatagrams'] as const;
const ICMP_FATES = ['rxTooShort', 'rxBadChecksum', 'rxEchoRequests', 'rxEchoReplies', 'rxErrors', 'rxRedirectsIgnored', 'rxUnknownType'] as const;

function copy(counters: Counters): Snapshot {
  return structuredClone(counters);
}

export class Ledger {
  private readonly before: Snapshot;
  private readonly rxFrames: number;
  private readonly segments: ReadonlyMap<number, number>;

  constructor(private readonly host: Host) {
    this.before = copy(host.stack.counters);
    this.rxFrames = host.device.counters.rxFrames;
    this.segments = segmentsIn(host);
  }

  /** @throws Error naming the level that lost sight of the frame */
  close(frame: Uint8Array): void {
    const { host } = this;
    // What the device itself refuses it counts, as every device does.
    if (host.device.counters.rxFrames === this.rxFrames) return;
    const { ethernet, arp, ipv4, udp, tcp, icmp } = this.difference();
    const sum = (layer: Layer, names: readonly string[]): number => names.reduce((total, name) => total + (layer[name] ?? 0), 0);
    const expect = (what: string, seen: number, wanted: number): void => {
      if (seen !== wanted) throw new Error(`${what}: ${seen} of ${wanted} accounted for, of the frame ${Buffer.from(frame).toString('hex')}\n${JSON.stringify({ ethernet, arp, ipv4, udp, tcp, icmp })}`);
    };
    expect('frames', sum(ethernet, Object.keys(ethernet)) + sum(arp, ['rxMalformed', 'rxRequests', 'rxReplies']) + (ipv4['rxPackets'] ?? 0), 1);
    const delivered = (ipv4['rxPackets'] ?? 0) - sum(ipv4, IPV4_DROPS) + (ipv4['reassembled'] ?? 0);
    const segments = Math.max(tcp['rxSegments'] ?? 0, tcp['rxBadBroadcast'] ?? 0);
    expect('packets', sum(udp, UDP_FATES) + segments + sum(icmp, ICMP_FATES) + (ipv4['rxUnknownProtocol'] ?? 0), delivered);
    if (segments > 0) expect('segments', this.segmentWasTaken(tcp) ? 1 : 0, 1);
  }

  /** Whether a connection took the segment, or a counter says why none did. */
  private segmentWasTaken(tcp: Layer): boolean {
    const dropped = Object.entries(tcp).some(([name, count]) => name.startsWith('rx') && name !== 'rxSegments' && count > 0);
    if (dropped || (tcp['passiveOpens'] ?? 0) > 0) return true;
    const after = segmentsIn(this.host);
    return [...this.segments].some(([id, count]) => (after.get(id) ?? Infinity) > count);
  }

  private difference(): Snapshot {
    const after = copy(this.host.stack.counters);
    const layers = Object.entries(after).map(([layer, counts]) => {
      const old: Layer = this.before[layer as keyof Counters];
      return [layer, Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, count - (old[name] ?? 0)]).filter(([, count]) => count !== 0))];
    });
    return Object.fromEntries(layers) as Snapshot;
  }
}

function segmentsIn({ stack }: Host): Map<number, number> {
  return new Map([...stack.tcp.sockets].map((socket) => [socket.id, socket.snapshot().segmentsIn]));
}
