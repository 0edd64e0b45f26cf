/** Two TcpLayers joined by a simulated path that loses, delays, reorders and repeats segments. No IPv4, no links. */
import type { VirtualClock, Timer } from '../../stack/clock';
import { DEFAULT_CONFIG, type TcpConfig } from '../../stack/config';
import type { Ecn, Ipv4Egress } from '../../stack/egress';
import { createCounters } from '../../stack/observer';
import { SeededRandom, type Random } from '../../stack/random';
import { TcpLayer } from '../../stack/tcp/tcp-layer';

export interface PathFaults {
  /** Probabilities, 0 … 1. */
  readonly loss: number;
  readonly reorder: number;
  readonly duplicate: number;
  readonly corrupt: number;
  /** Share of ECN-capable segments that the path marks as having met congestion (RFC 3168 §5). */
  readonly mark: number;
  /** One way, ms. */
  readonly delayMs: number;
  /** What a reordered segment is late by at most, ms. */
  readonly reorderMs: number;
}

export class TcpPairHost {
  readonly counters = createCounters().tcp;
  readonly tcp: TcpLayer;
  peer: TcpPairHost | null = null;
  private timer: Timer | null = null;
  private soon = false;

  constructor(
    readonly address: number,
    private readonly clock: VirtualClock,
    private readonly random: Random,
    private readonly faults: PathFaults,
    private readonly mtu: number,
    config: Partial<TcpConfig>,
  ) {
    this.tcp = new TcpLayer({
      config: { ...DEFAULT_CONFIG.tcp, ...config },
      counters: this.counters,
      random: new SeededRandom(random.u32()),
      egress: this.egress(),
      observer: () => {},
      onWork: () => this.pollSoon(),
    });
  }

  private egress(): Ipv4Egress {
    const buffer = new Uint8Array(34 + 65_515);
    return {
      buffer,
      payloadOffset: 34,
      maxPayload: 65_515,
      sourceFor: () => this.address,
      linkMtu: () => this.mtu,
      pathMtu: () => this.mtu,
      send: (_protocol, source, destination, length, options) => {
        if (length + 20 > this.mtu) throw new Error(`A segment of ${length} bytes does not fit the MTU of ${this.mtu}`);
        this.transmit(source, destination, buffer.slice(34, 34 + length), options?.ecn ?? 0);
        return 'sent';
      },
      sendUnreachable: () => {},
    };
  }

  private transmit(source: number, destination: number, segment: Uint8Array, ecn: Ecn): void {
    const { random, faults } = this;
    const copies = random.uniform() < faults.loss ? 0 : random.uniform() < faults.duplicate ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const late = random.uniform() < faults.reorder ? random.uniform() * faults.reorderMs : 0;
      const bytes = segment.slice();
      if (random.uniform() < faults.corrupt) {
        const at = random.below(bytes.length);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      }
      const marked = ecn !== 0 && random.uniform() < faults.mark ? 3 : ecn;
      this.clock.at(this.clock.now() + faults.delayMs + late, () => this.peer?.receive(source, destination, bytes, marked));
    }
  }

  private receive(source: number, destination: number, bytes: Uint8Array, ecn: Ecn): void {
    this.tcp.input(source, destination, bytes, ecn, this.clock.now());
    this.pollSoon();
  }

  private pollSoon(): void {
    if (this.soon) return;
    this.soon = true;
    this.clock.soon(() => {
      this.soon = false;
      this.poll();
    });
  }

  private poll(): void {
    this.tcp.poll(this.clock.now());
    this.timer?.cancel();
    this.timer = this.clock.at(this.tcp.pollAt(), () => this.poll());
  }
}

export function createPair(
  clock: VirtualClock, random: Random, faults: PathFaults, options: { readonly mtu?: number; readonly a?: Partial<TcpConfig>; readonly b?: Partial<TcpConfig> } = {},
): [TcpPairHost, TcpPairHost] {
  const mtu = options.mtu ?? 1500;
  const a = new TcpPairHost(0x0a00_0001, clock, random, faults, mtu, options.a ?? {});
  const b = new TcpPairHost(0x0a00_0002, clock, random, faults, mtu, options.b ?? {});
  a.peer = b;
  b.peer = a;
  return [a, b];
}
