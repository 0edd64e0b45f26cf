import assert from 'node:assert/strict';
import { SeededRandom } from '../../../stack/random';
import { Fate } from './impairments';
import { Flow } from './flow';
import { Link, type LinkOptions } from './link';
import { Network, type NetworkOptions } from './network';
import { PacketPool } from './packet';
import { VirtualClock } from '../../../stack/clock';

const MTU = 1_500;
const FRAME_BYTES = MTU + 14;

/** Sends `count` full frames at once. @returns when each arrived, by its number in the first byte of the payload */
function through(options: LinkOptions, count: number, seed = 1): { arrivals: { n: number; at: number }[]; link: Link } {
  const clock = new VirtualClock();
  const pool = new PacketPool(MTU);
  const arrivals: { n: number; at: number }[] = [];
  const link = new Link(options, {
    clock, pool, mtu: MTU, random: new SeededRandom(seed),
    arrive: (packet) => {
      arrivals.push({ n: packet.frame[14] ?? -1, at: clock.now() });
      pool.give(packet);
    },
  });
  for (let n = 0; n < count; n++) {
    const frame = new Uint8Array(FRAME_BYTES);
    frame[12] = 8; // IPv4
    frame[14] = n & 0xff;
    link.send(pool.take(frame, frame.length));
  }
  clock.advance(3_600_000);
  return { arrivals, link };
}

/** 1 Mbit/s takes 12.112 ms for a frame. */
const FRAME_MS = 12.112;
const ROOMY = { kind: 'drop-tail', bytes: 1 << 30 } as const;

describe('The network simulator', () => {
  it('sends frames one after another at the rate of the bottleneck, and each takes the delay', () => {
    const { arrivals } = through({ bitsPerSecond: 1e6, delayMs: 30, queue: ROOMY }, 5);
    assert.deepEqual(arrivals.map(({ n }) => n), [0, 1, 2, 3, 4]);
    arrivals.forEach(({ at }, i) => assert.ok(Math.abs(at - (30 + (i + 1) * FRAME_MS)) < 1e-6, `frame ${i} arrived at ${at}`));
  });

  it('without a bottleneck there is only the delay', () => {
    assert.deepEqual(through({ delayMs: 7 }, 3).arrivals.map(({ at }) => at), [7, 7, 7]);
  });

  it('loses, repeats, and delays shares of packets, and says how many', () => {
    const { arrivals, link } = through({ delayMs: 1, loss: 0.1, duplicate: 0.05, reorder: 0.2, reorderMs: 50 }, 10_000);
    const { lost, duplicated, reordered } = link.fate.counters;
    assert.ok(Math.abs(lost - 1_000) < 120, `${lost} lost`);
    assert.ok(Math.abs(duplicated - 450) < 90, `${duplicated} repeated`);
    assert.ok(Math.abs(reordered - 1_890) < 180, `${reordered} late`);
    assert.equal(arrivals.length, 10_000 - lost + duplicated);
    const late = arrivals.filter(({ at }) => at > 1).length;
    assert.ok(late > 0 && late <= reordered);
  });

  it('loses in bursts that last for a time (Gilbert and Elliott)', () => {
    const fate = new Fate({ burstyLoss: { goodMs: 900, badMs: 100 } }, new SeededRandom(3), 0);
    const lost = Array.from({ length: 100_000 }, (_, ms) => fate.loses(ms));
    const bursts = lost.filter((is, i) => is && lost[i - 1] === false).length;
    const share = fate.counters.lost / lost.length;
    assert.ok(Math.abs(share - 0.1) < 0.025, `${share} lost`);
    assert.ok(bursts > 70 && bursts < 140, `${bursts} bursts of 100`);
    // A sender that is silent for a while does not find the same burst again.
    const sparse = new Fate({ burstyLoss: { goodMs: 900, badMs: 100 } }, new SeededRandom(3), 0);
    const answers = Array.from({ length: 1_000 }, (_, i) => sparse.loses(i * 1_000));
    assert.ok(answers.every((is, i) => !is || !answers[i + 1] || !answers[i + 2] || !answers[i + 3] || !answers[i + 4]));
  });

  it('spares ARP', () => {
    const fate = new Fate({ loss: 1 }, new SeededRandom(1), 0);
    const arp = new Uint8Array(60);
    [arp[12], arp[13]] = [8, 6];
    assert.equal(fate.spares(arp), true);
    [arp[12], arp[13]] = [8, 0];
    assert.equal(fate.spares(arp), false);
  });

  it('refuses what is no share, rate or time', () => {
    const options = { delayMs: 1 };
    assert.throws(() => through({ ...options, loss: 1.5 }, 0), /loss is 1.5: it is a share/);
    assert.throws(() => through({ ...options, bitsPerSecond: 0 }, 0), /bitsPerSecond is 0/);
    assert.throws(() => through({ delayMs: -1 }, 0), /delayMs is -1/);
    assert.throws(() => through({ ...options, burstyLoss: { goodMs: 0, badMs: 1 } }, 0), /goodMs is 0/);
    assert.throws(() => through({ ...options, queue: { kind: 'codel', bytes: 0 } }, 0), /a queue of 0 bytes/);
  });

  const PATH: NetworkOptions = {
    seed: 4,
    hosts: [{ side: 'left' }, { side: 'left', accessDelayMs: 20 }, { side: 'right' }, { side: 'right' }],
    forward: { bitsPerSecond: 5e6, delayMs: 10, loss: 0.01, reorder: 0.01, duplicate: 0.01, corrupt: 0.005, queue: { kind: 'codel', bytes: 1 << 18 } },
  };

  function twoFlows(): { flows: Flow[]; network: Network } {
    const network = new Network(PATH);
    const flow = (n: number): Flow => new Flow({ clock: network.clock, from: network.host(n), to: network.host(n + 2), port: 80, totalBytes: 300_000 });
    const flows = [flow(0), flow(1)];
    network.clock.runUntil(60_000);
    return { flows, network };
  }

  it('carries several flows between real stacks, whole, and the farther host has the longer round trip', () => {
    const { flows, network } = twoFlows();
    for (const flow of flows) assert.ok(flow.isComplete && flow.failure === null, flow.describe());
    const [near = 0, far = 0] = flows.map((flow) => flow.sender.snapshot().srttMs ?? 0);
    assert.ok(near >= 20 && far >= 60 && far > near, `round trips of ${near} and ${far} ms`);
    const { lost, corrupted } = network.forward.fate.counters;
    assert.ok(lost > 0 && corrupted > 0);
    const found = network.hosts.reduce((sum, { stack: { counters } }) => sum + counters.tcp.rxBadChecksum + counters.ipv4.rxBadChecksum, 0);
    assert.ok(found > 0, 'damage was found');
  });

  it('gives the same run for the same seed', () => {
    const [one, two] = [twoFlows(), twoFlows()].map(({ flows, network }) => [flows.map((flow) => flow.describe()), network.hosts.map(({ stack }) => stack.counters)]);
    assert.deepEqual(one, two);
  });

  it('tells a wrong byte from a right one', () => {
    const network = new Network({ ...PATH, forward: { delayMs: 1 } });
    const flow = new Flow({ clock: network.clock, from: network.host(0), to: network.host(2), port: 80 });
    flow.sender.onChange = null;
    network.clock.advance(1_000);
    assert.equal(flow.failure, null);
    // Bytes that the flow's user did not write.
    flow.sender.write(Uint8Array.of(1, 2, 3, 4));
    network.clock.advance(1_000);
    assert.match(flow.failure ?? '', /^the byte at \d+ is \d+, where \d+ was sent$/);
  });
});
