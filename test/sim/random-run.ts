/**
 * One transfer both ways, over a path and between stacks of which the seed decides everything: rates, delays,
 * queues, loss, reordering, damage, buffers, and which mechanisms each end has switched on.
 */
import assert from 'node:assert/strict';
import type { TcpConfig } from '../../stack/config';
import { SeededRandom, type Random } from '../../stack/random';
import type { TcpSocket } from '../../stack/tcp/types';
import type { QueueOptions } from '../support/net-sim/discipline';
import type { LinkOptions } from '../support/net-sim/link';
import { Network } from '../support/net-sim/network';
import { TransferUser, type Habits } from '../support/transfer';
import { STALL_MS } from './stalls';

export interface Conditions {
  readonly mtu: number;
  readonly startMs: number;
  readonly forward: LinkOptions;
  readonly backward: LinkOptions;
  readonly left: Partial<TcpConfig>;
  readonly right: Partial<TcpConfig>;
  readonly fromLeft: Habits;
  readonly fromRight: Habits;
}

/** A transfer through a slow path, with pauses between reads, takes minutes; none takes this long. */
const LIMIT_MS = 3_600_000;
/** TIME-WAIT and FIN-WAIT-2 are over by then. */
const AFTER_MS = 300_000;
const CONNECT_TIMEOUT_MS = 127_000;

const logUniform = (random: Random, least: number, most: number): number => least * (most / least) ** random.uniform();
const chance = (random: Random, share: number): boolean => random.uniform() < share;

export function conditionsOf(seed: number): Conditions {
  const random = new SeededRandom(seed ^ 0x51_0c0de);
  const rttMs = logUniform(random, 0.1, 600);
  const mtu = chance(random, 0.6) ? 1_500 : chance(random, 0.2) ? 9_000 : 300 + random.below(1_200);
  const rate = logUniform(random, 1e6, 1e9);
  // Many paths are as asymmetric as a home's.
  const back = chance(random, 0.5) ? rate : Math.max(1e6, rate * logUniform(random, 0.05, 1));
  const faulty = chance(random, 0.85);
  return {
    mtu,
    startMs: logUniform(random, 1, 2 ** 33),
    forward: linkOf(random, rttMs, rate, mtu, faulty),
    backward: linkOf(random, rttMs, back, mtu, faulty),
    left: switchesOf(random),
    right: switchesOf(random),
    fromLeft: habitsOf(random, 1),
    fromRight: habitsOf(random, 2),
  };
}

function linkOf(random: Random, rttMs: number, bitsPerSecond: number, mtu: number, faulty: boolean): LinkOptions {
  const share = (odds: number, most: number): number => (faulty && chance(random, odds) ? random.uniform() * most : 0);
  const bytes = Math.round(Math.max(4 * mtu, ((bitsPerSecond * rttMs) / 8_000) * logUniform(random, 0.1, 4)));
  const queue: QueueOptions = { kind: chance(random, 0.5) ? 'codel' : 'drop-tail', bytes };
  const bursty = faulty && chance(random, 0.2);
  // The path is good for most of the time: TCP is not made for one that is not.
  const badMs = logUniform(random, 1, 100);
  return {
    ...(chance(random, 0.9) && { bitsPerSecond, queue }),
    delayMs: rttMs / 2,
    loss: share(0.5, 0.05),
    ...(bursty && { burstyLoss: { goodMs: badMs * logUniform(random, 10, 200), badMs, lossInBad: 0.3 + random.uniform() * 0.7 } }),
    reorder: share(0.4, 0.3),
    reorderMs: logUniform(random, 0.1, 2) * rttMs,
    duplicate: share(0.3, 0.05),
    corrupt: share(0.3, 0.01),
    mark: share(0.3, 0.1),
  };
}

function switchesOf(random: Random): Partial<TcpConfig> {
  // Most ends have most mechanisms; each combination of two is met often enough.
  const on = (): boolean => chance(random, 0.75);
  const buffer = (): number => (chance(random, 0.25) ? 1_000 + random.below(10_000) : 1 << (16 + random.below(6)));
  return {
    nagle: on(), sack: on(), timestamps: on(), windowScaling: on(), rack: on(), tlp: on(), prr: on(), fastRetransmit: on(), limitedTransmit: on(),
    frto: on(), undo: on(), hystart: on(), pacing: on(), autoTuning: on(), blackHoleDetection: on(),
    congestion: on() ? 'cubic' : 'reno',
    ecn: on() ? 'on' : chance(random, 0.5) ? 'passive' : 'off',
    sendBufferBytes: buffer(), receiveBufferBytes: buffer(),
    quickAcks: on() ? 16 : 0,
    delayedAckMs: on() ? 40 : random.below(200),
    initialWindowSegments: on() ? 10 : 1 + random.below(20),
    // Losses in a row must not end what would recover: a stall is what is looked for.
    userTimeoutMs: 600_000,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
  };
}

function habitsOf(random: Random, stream: number): Habits {
  const slow = chance(random, 0.2);
  return {
    total: chance(random, 0.1) ? random.below(3) : Math.round(logUniform(random, 1, 400_000)),
    writeUpTo: Math.round(logUniform(random, 100, 50_000)),
    readUpTo: Math.round(logUniform(random, 100, 50_000)),
    readPauseMs: slow ? 1 + random.below(100) : 0,
    stream,
  };
}

export interface Outcome {
  readonly bytes: number;
  readonly virtualMs: number;
  readonly retransmissions: number;
  /** The longest time without a byte read at either end, before both ends had all. */
  readonly longestSilenceMs: number;
}

/** @throws Error for a wrong byte, a connection that broke, a stall, or anything that is left behind */
export function runSeed(seed: number): Outcome {
  const conditions = conditionsOf(seed);
  const { mtu, startMs, forward, backward, fromLeft, fromRight } = conditions;
  const network = new Network({
    seed, mtu, startMs, forward, backward,
    hosts: [{ side: 'left', config: { tcp: conditions.left } }, { side: 'right', config: { tcp: conditions.right } }],
  });
  const { clock } = network;
  const [left, right] = [network.host(0), network.host(1)];
  const random = new SeededRandom(seed);
  const users: TransferUser[] = [];
  right.stack.tcp.listen({ port: 80 }).onAccept = (socket: TcpSocket) => users.push(new TransferUser('right', socket, clock, random, fromRight, fromLeft));
  users.push(new TransferUser('left', left.stack.tcp.connect({ address: right.address, port: 80 }, clock.now()), clock, random, fromLeft, fromRight));

  let received = 0;
  let progressAt = clock.now();
  let longestSilenceMs = 0;
  const isDone = (): boolean => users.length === 2 && users.every((user) => user.isDone);
  const failure = (): string | null => users.find((user) => user.failure !== null)?.failure ?? null;
  const isStalled = (): boolean => {
    const now = users.reduce((sum, user) => sum + user.received, users.length);
    if (now !== received) {
      received = now;
      longestSilenceMs = Math.max(longestSilenceMs, clock.now() - progressAt);
      progressAt = clock.now();
    }
    return clock.now() - progressAt > (users.length < 2 ? CONNECT_TIMEOUT_MS : STALL_MS);
  };
  const state = (): string => `\n${users.map((user) => user.describe()).join('\n')}\n${JSON.stringify(conditions)}`;
  clock.runWhile(() => isDone() || failure() !== null || isStalled(), startMs + LIMIT_MS);
  assert.equal(failure(), null, `${failure()}${state()}`);
  assert.ok(isDone(), `stalled: nothing moved for ${Math.round(clock.now() - progressAt)} ms of ${Math.round(clock.now() - startMs)}${state()}`);

  const virtualMs = clock.now() - startMs;
  clock.advance(AFTER_MS);
  assert.equal(failure(), null, `${failure()}, after the end${state()}`);
  for (const { stack } of [left, right]) {
    assert.equal([...stack.tcp.sockets].length, 0, `a connection was left behind${state()}`);
    assert.equal(stack.tcp.pollAt(), Infinity, `a timer of TCP was left behind${state()}`);
  }
  const retransmissions = left.stack.counters.tcp.txRetransmissions + right.stack.counters.tcp.txRetransmissions;
  return { bytes: fromLeft.total + fromRight.total, virtualMs, retransmissions, longestSilenceMs };
}
