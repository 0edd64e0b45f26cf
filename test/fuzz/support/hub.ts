/** One Ethernet segment of a few hosts, and a place on it where somebody listens, holds back, and puts in. */
import type { VirtualClock } from '../../../stack/clock';
import { SimDevice } from '../../support/net-sim/device';
import { PacketPool, type Packet } from '../../support/net-sim/packet';
import { Wire } from '../../support/net-sim/wire';

export const MTU = 1_500;
/** From any host to any other, one way, ms. */
const DELAY_MS = 5;

/** What becomes of a frame that arrives: it goes on, is lost, or comes so many ms later. */
export type Verdict = 'pass' | 'drop' | { readonly holdMs: number };

/** Sees each frame for `to` before it arrives. `from` is -1 for a sender that is gone. */
export type Tap = (frame: Uint8Array, from: number, to: number) => Verdict;

/** More frames than that between two looks at the world are a storm: two ends that answer each other for ever. */
const STORM_FRAMES = 20_000;

export class Hub {
  /** Frames since it was last set to 0. */
  frames = 0;
  tap: Tap = () => 'pass';
  private readonly pool = new PacketPool(MTU);
  private readonly devices = new Map<number, SimDevice>();

  constructor(private readonly clock: VirtualClock) {}

  /** A card with the MAC address 02:00:00:00:00:n. A card that had that number before is unplugged. */
  plug(n: number): SimDevice {
    const out = new Wire(this.clock, DELAY_MS, (packet) => this.distribute(packet, n));
    const device = new SimDevice({ mac: Uint8Array.of(2, 0, 0, 0, 0, n), mtu: MTU, pool: this.pool, send: (packet) => out.send(packet, 0) });
    this.devices.set(n, device);
    return device;
  }

  /** Puts a frame before a host, as if it had arrived. */
  inject(to: number, frame: Uint8Array): void {
    this.devices.get(to)?.take(this.pool.take(frame, frame.length));
  }

  private distribute(packet: Packet, from: number): void {
    if (++this.frames > STORM_FRAMES) throw new Error('a storm of frames');
    const { frame } = packet;
    const isGroup = ((frame[0] ?? 0) & 1) !== 0;
    for (const [to, device] of this.devices) {
      if (to !== from && (isGroup || device.isFor(frame))) this.arrive(device, frame, from, to);
    }
    this.pool.give(packet);
  }

  private arrive(device: SimDevice, frame: Uint8Array, from: number, to: number): void {
    const verdict = this.tap(frame, from, to);
    if (verdict === 'drop') return;
    const packet = this.pool.take(frame, frame.length);
    if (verdict === 'pass') device.take(packet);
    else this.clock.at(this.clock.now() + verdict.holdMs, () => device.take(packet));
  }
}
