/** Two stacks on one cable, on a virtual clock, with faults both ways if wanted. */
import type { PartialStackConfig } from '../../stack/config';
import { VirtualClock } from '../../stack/clock';
import { createCable } from '../../stack/link/cable';
import type { Device } from '../../stack/link/device';
import { addFaults, type FaultOptions } from '../../stack/link/fault';
import type { StackEvent } from '../../stack/observer';
import { SeededRandom } from '../../stack/random';
import { runStack } from '../../stack/run-stack';
import { Stack } from '../../stack/stack';
import { parseIpv4 } from '../../stack/wire/address';

export function ip(text: string): number {
  const address = parseIpv4(text);
  if (address === null) throw new Error(`not an address: ${text}`);
  return address;
}

export interface TwoStacksOptions {
  readonly seed?: number;
  readonly mtu?: number;
  readonly faults?: Omit<FaultOptions, 'clock' | 'random'>;
  readonly config?: PartialStackConfig;
}

export interface TwoStacks {
  readonly clock: VirtualClock;
  /** 10.0.0.1/24 */
  readonly a: Stack;
  /** 10.0.0.2/24 */
  readonly b: Stack;
  readonly devices: readonly [Device, Device];
  readonly events: StackEvent[];
}

export function twoStacks(options: TwoStacksOptions = {}): TwoStacks {
  const { seed = 1, mtu = 1500, faults, config = {} } = options;
  const clock = new VirtualClock();
  const events: StackEvent[] = [];
  const cable = createCable({ mtu });
  const wrap = (device: Device, n: number): Device => (faults ? addFaults(device, { ...faults, clock, random: new SeededRandom(seed * 4 + n) }) : device);
  const devices = [wrap(cable[0], 0), wrap(cable[1], 1)] as const;
  const make = (n: 0 | 1): Stack => {
    const stack = new Stack({
      device: devices[n], random: new SeededRandom(seed * 4 + 2 + n), config, observer: (event) => events.push(event),
      address: { mode: 'static', address: ip(`10.0.0.${n + 1}`), prefixLength: 24 },
    });
    runStack(stack, clock);
    return stack;
  };
  return { clock, a: make(0), b: make(1), devices, events };
}

/**
 * Sends `data` from `a` to a listener of `b` and closes both directions.
 * @returns what arrived, or null if it was not all there, with the connection closed, by `limitMs`
 */
export function transfer({ clock, a, b }: TwoStacks, data: Uint8Array, limitMs: number): Uint8Array | null {
  const received = new Uint8Array(data.length + 1);
  let length = 0;
  let closed = false;
  const listener = b.tcp.listen({ port: 80 });
  listener.onAccept = (socket) => {
    const read = (): void => {
      length += socket.read(received.subarray(length));
      if (!socket.peerClosed || socket.readableBytes > 0) return;
      closed = true;
      socket.close();
    };
    socket.onChange = read;
    read();
  };
  const socket = a.tcp.connect({ address: ip('10.0.0.2'), port: 80 }, clock.now());
  let written = 0;
  const write = (): void => {
    written += socket.write(data.subarray(written));
    if (written === data.length) socket.close();
  };
  socket.onChange = write;
  write();
  const done = (): boolean => closed && (socket.state === 'TIME-WAIT' || socket.state === 'CLOSED');
  if (!clock.runWhile(done, clock.now() + limitMs)) return null;
  listener.close();
  return received.slice(0, length);
}
