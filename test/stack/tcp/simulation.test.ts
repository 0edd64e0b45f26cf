import assert from 'node:assert/strict';
import { VirtualClock } from '../../../stack/clock';
import type { TcpConfig } from '../../../stack/config';
import { SeededRandom, type Random } from '../../../stack/random';
import type { TcpSocket } from '../../../stack/tcp/types';
import { seeds, withSeed } from '../../support/seeds';
import { createPair, type PathFaults } from '../../support/tcp-pair';
import { TransferUser, type Habits } from '../../support/transfer';

const LOSSY: PathFaults = { loss: 0.05, reorder: 0.05, duplicate: 0.02, corrupt: 0.01, mark: 0.05, delayMs: 10, reorderMs: 40 };
const CLEAN: PathFaults = { loss: 0, reorder: 0, duplicate: 0, corrupt: 0, mark: 0, delayMs: 10, reorderMs: 0 };

/** Far more virtual time than any of these transfers takes: reaching it means that one stalled. */
const LIMIT_MS = 600_000;

describe('Two TCP layers over a simulated path', function () {
  this.timeout(60_000);

  it('transfer both ways, byte for byte, and close in order over a clean path', () => {
    for (const seed of seeds(20)) withSeed(seed, () => transfer(seed, CLEAN, ordinary, {}));
  });

  it('… over one that loses 5 %, reorders 5 %, repeats 2 % and corrupts 1 %', () => {
    for (const seed of seeds(200)) withSeed(seed, () => transfer(seed, LOSSY, ordinary, {}));
  });

  it('… with tiny buffers, slow readers and closing windows', () => {
    for (const seed of seeds(100)) {
      const random = new SeededRandom(seed ^ 0x5eed);
      const buffers = (): Partial<TcpConfig> => ({ receiveBufferBytes: 500 + random.below(6_000), sendBufferBytes: 500 + random.below(6_000), nagle: random.below(2) === 0 });
      withSeed(seed, () => transfer(seed, LOSSY, slow, { mtu: 300 + random.below(1_200), a: buffers(), b: buffers() }));
    }
  });

  it('… through a path that loses 30 % of everything', () => {
    for (const seed of seeds(40)) withSeed(seed, () => transfer(seed, { ...LOSSY, loss: 0.3 }, short, { a: { userTimeoutMs: 500_000 }, b: { userTimeoutMs: 500_000 } }));
  });

  it('… whichever mechanisms each end has switched off', () => {
    for (const seed of seeds(300)) {
      const random = new SeededRandom(seed ^ 0x0ff);
      const [a, b] = [switches(random), switches(random)];
      withSeed(seed, () => transfer(seed, random.below(3) ? LOSSY : { ...LOSSY, reorder: 0.3 }, random.below(3) ? ordinary : slow, { a, b }));
    }
  });

  it('… opened from both ends at once (RFC 9293 §3.5, figure 7)', () => {
    for (const seed of seeds(60)) withSeed(seed, () => transfer(seed, LOSSY, short, { simultaneous: true }));
  });

  it('… with sequence numbers that wrap in the middle, window scaling and pauses', () => {
    for (const seed of seeds(40)) {
      const large = { receiveBufferBytes: 1 << 20, sendBufferBytes: 1 << 20 };
      withSeed(seed, () => {
        const startMs = startForWrap(seed, new SeededRandom(seed).below(150_000));
        transfer(seed, { ...LOSSY, loss: 0.01 }, large300, { startMs, a: large, b: large });
      });
    }
  });
});

function switches(random: Random): Partial<TcpConfig> {
  const maybe = (): boolean => random.below(2) === 0;
  return {
    sack: maybe(), timestamps: maybe(), windowScaling: maybe(), rack: maybe(), tlp: maybe(), prr: maybe(), fastRetransmit: maybe(), limitedTransmit: maybe(),
    frto: maybe(), undo: maybe(), hystart: maybe(), pacing: maybe(), nagle: maybe(),
    congestion: maybe() ? 'cubic' : 'reno', ecn: maybe() ? 'on' : maybe() ? 'passive' : 'off',
    receiveBufferBytes: maybe() ? 8_000 : 1 << 20, sendBufferBytes: maybe() ? 8_000 : 1 << 20,
  };
}

/** When to begin so that A's ISS lies `before` bytes below the wrap (RFC 6528: its clock counts 4 µs). */
function startForWrap(seed: number, before: number): number {
  const [a, b] = createPair(new VirtualClock(), new SeededRandom(seed), CLEAN);
  const { iss } = a.tcp.connect({ address: b.address, port: 80, localPort: 2000 }, 0).snapshot();
  return ((-before - iss) >>> 0) * 0.004;
}

type Taste = (random: Random, stream: number) => Habits;
const ordinary: Taste = (random, stream) => ({ total: random.below(60_000), writeUpTo: 1 + random.below(8_000), readUpTo: 1 + random.below(8_000), readPauseMs: 0, stream });
const slow: Taste = (random, stream) => ({ total: random.below(15_000), writeUpTo: 1 + random.below(3_000), readUpTo: 1 + random.below(2_000), readPauseMs: 1 + random.below(300), stream });
const short: Taste = (random, stream) => ({ total: random.below(6_000), writeUpTo: 3_000, readUpTo: 3_000, readPauseMs: 0, stream });
const large300: Taste = (random, stream) => ({ total: 200_000 + random.below(100_000), writeUpTo: 50_000, readUpTo: 50_000, readPauseMs: random.below(2) * 100, stream });

interface TransferOptions {
  readonly mtu?: number;
  /** When the clock starts; given, the sequence numbers of A are expected to wrap. */
  readonly startMs?: number;
  readonly simultaneous?: boolean;
  readonly a?: Partial<TcpConfig>;
  readonly b?: Partial<TcpConfig>;
}

function transfer(seed: number, faults: PathFaults, taste: Taste, options: TransferOptions): void {
  const random = new SeededRandom(seed);
  const clock = new VirtualClock(options.startMs ?? seed * 77_777);
  const [a, b] = createPair(clock, random, faults, { ...options, a: { mslMs: 1_000, ...options.a }, b: { mslMs: 1_000, ...options.b } });
  const [habitsA, habitsB] = [taste(random, 1), taste(random, 2)];
  const users: TransferUser[] = [];
  const userB = (socket: TcpSocket): void => void users.push(new TransferUser('B', socket, clock, random, habitsB, habitsA));
  if (options.simultaneous) userB(b.tcp.connect({ address: a.address, port: 2000, localPort: 80 }, clock.now()));
  else b.tcp.listen({ port: 80 }).onAccept = userB;
  users.push(new TransferUser('A', a.tcp.connect({ address: b.address, port: 80, localPort: 2000 }, clock.now()), clock, random, habitsA, habitsB));
  const began = clock.now();
  if (options.startMs !== undefined) {
    const [socket] = a.tcp.sockets;
    assert.ok((socket?.snapshot().iss ?? 0) > 0xffff_0000 - 200_000, 'the sequence numbers wrap during the transfer');
  }
  const failed = () => users.find((user) => user.failure)?.failure;
  const done = () => users.length === 2 && users.every((user) => user.isDone);
  clock.runWhile(() => done() || failed() !== undefined, began + LIMIT_MS);
  const state = () => users.map((user) => user.describe()).join('\n');
  assert.equal(failed(), undefined, state());
  assert.ok(done(), `stalled after ${clock.now() - began} ms\n${state()}`);
  // Nothing is left behind: TIME-WAIT ends, timers stop.
  clock.runWhile(() => false, clock.now() + LIMIT_MS);
  assert.equal([...a.tcp.sockets].length + [...b.tcp.sockets].length, 0, `left open\n${state()}`);
  assert.equal(Math.min(a.tcp.pollAt(), b.tcp.pollAt()), Infinity);
  assert.equal(failed(), undefined, state());
}
