/** Two stacks on one in-memory cable, polled by hand: nothing but the stacks is measured. */
import { createCable, CryptoRandom, parseIpv4, Stack, type PartialStackConfig } from '../../../stack';

export const SERVER_ADDRESS = address('10.0.0.2');

function address(text: string): number {
  const parsed = parseIpv4(text);
  if (parsed === null) throw new Error(`${text} is no IPv4 address`);
  return parsed;
}

export interface Pair {
  readonly client: Stack;
  readonly server: Stack;
  /** Polls both until neither has more to do at `now`. */
  settle(now: number): void;
}

export function createPair(config: PartialStackConfig = {}): Pair {
  const [left, right] = createCable({ mtu: 1_500 });
  const make = (device: typeof left, own: number): Stack =>
    new Stack({ device, config, random: new CryptoRandom(), address: { mode: 'static', address: own, prefixLength: 24 } });
  const client = make(left, address('10.0.0.1'));
  const server = make(right, SERVER_ADDRESS);
  const settle = (now: number): void => {
    for (let busy = true; busy; ) {
      const waiting = client.poll(now);
      busy = server.poll(now) || waiting || left.hasFrames || right.hasFrames;
    }
  };
  return { client, server, settle };
}
