/**
 * Hosts, each with a real Stack over a simulated Device, left and right of one bottleneck. Everything runs on
 * one virtual clock and from one seed: the same seed gives the same run, to the byte.
 */
import { VirtualClock } from '../../../stack/clock';
import type { PartialStackConfig } from '../../../stack/config';
import { SeededRandom } from '../../../stack/random';
import { runStack } from '../../../stack/run-stack';
import { Stack } from '../../../stack/stack';
import { prefixMask } from '../../../stack/wire/address';
import { SimDevice } from './device';
import { Link, type LinkOptions } from './link';
import { PacketPool, type Packet } from './packet';
import { Wire } from './wire';

export type Side = 'left' | 'right';

export interface HostOptions {
  readonly side: Side;
  /** Between the host and the bottleneck, one way, ms: flows of different round trips share one bottleneck. */
  readonly accessDelayMs?: number;
  readonly config?: PartialStackConfig;
}

export interface NetworkOptions {
  readonly seed: number;
  readonly mtu?: number;
  readonly hosts: readonly HostOptions[];
  /** From left to right. */
  readonly forward: LinkOptions;
  /** From right to left. Default: as forward. */
  readonly backward?: LinkOptions;
  /** What the clock shows at first, ms: sequence numbers and timestamps begin with it. */
  readonly startMs?: number;
}

export interface Host {
  readonly stack: Stack;
  readonly address: number;
  readonly device: SimDevice;
}

/** 10.0.0.0/16: the hosts are 10.0.0.1, 10.0.0.2 … in the order given. */
const NETWORK = 0x0a00_0000;
const PREFIX_LENGTH = 16;

export class Network {
  readonly clock: VirtualClock;
  readonly hosts: readonly Host[];
  readonly forward: Link;
  readonly backward: Link;
  private readonly pool: PacketPool;
  private readonly devices: Readonly<Record<Side, SimDevice[]>> = { left: [], right: [] };

  constructor(options: NetworkOptions) {
    const { seed, mtu = 1_500, hosts, forward, backward = forward, startMs = 0 } = options;
    const random = new SeededRandom(seed);
    const { clock, pool } = { clock: new VirtualClock(startMs), pool: new PacketPool(mtu) };
    this.clock = clock;
    this.pool = pool;
    const link = (side: LinkOptions, to: Side): Link =>
      new Link(side, { clock, random: new SeededRandom(random.u32()), pool, mtu, arrive: (packet) => this.distribute(packet, to) });
    this.forward = link(forward, 'right');
    this.backward = link(backward, 'left');
    this.hosts = hosts.map((host, index) => this.addHost(host, index, mtu, random.u32()));
  }

  /** @throws RangeError for a host that is not there */
  host(index: number): Host {
    const host = this.hosts[index];
    if (!host) throw new RangeError(`there is no host ${index} among ${this.hosts.length}`);
    return host;
  }

  private addHost({ side, accessDelayMs = 0, config = {} }: HostOptions, index: number, mtu: number, seed: number): Host {
    const { clock, pool } = this;
    const link = side === 'left' ? this.forward : this.backward;
    const out = new Wire(clock, accessDelayMs, (packet) => link.send(packet));
    const send = accessDelayMs > 0 ? (packet: Packet): void => out.send(packet, 0) : (packet: Packet): void => link.send(packet);
    const device = new SimDevice({ mac: Uint8Array.of(2, 0, 0, 0, (index + 1) >>> 8, index + 1), mtu, pool, send });
    const into = new Wire(clock, accessDelayMs, (packet) => device.take(packet));
    device.deliver = accessDelayMs > 0 ? (packet) => into.send(packet, 0) : (packet) => device.take(packet);
    this.devices[side].push(device);
    const address = NETWORK + index + 1;
    if ((address & prefixMask(PREFIX_LENGTH)) >>> 0 !== NETWORK) throw new RangeError(`${index + 1} hosts are too many`);
    const stack = new Stack({ device, random: new SeededRandom(seed), config, address: { mode: 'static', address, prefixLength: PREFIX_LENGTH } });
    runStack(stack, clock);
    return { stack, address, device };
  }

  /** As a switch does: to the station that is meant, groups to all, others to none. */
  private distribute(packet: Packet, side: Side): void {
    const { frame } = packet;
    const isGroup = ((frame[0] ?? 0) & 1) !== 0;
    for (const device of this.devices[side]) {
      if (isGroup) device.deliver(this.pool.take(frame, frame.length));
      else if (device.isFor(frame)) {
        device.deliver(packet);
        return;
      }
    }
    this.pool.give(packet);
  }
}
