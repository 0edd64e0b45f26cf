import assert from 'node:assert/strict';
import { SeededRandom } from '../../../stack/random';
import type { TcpSocket } from '../../../stack/tcp/types';
import { seeds, withSeed } from '../../support/seeds';
import { TransferUser, type Habits } from '../../support/transfer';
import { ip, twoStacks } from '../../support/two-stacks';

/** Virtual time; a transfer of this size takes some ten seconds of it. More means that it stalled. */
const LIMIT_MS = 600_000;
const FAULTS = { loss: 0.05, reorder: 0.05, duplicate: 0.02, reorderMs: 30, delayMs: 10 } as const;

describe('Two stacks over a link with 5 % loss, 5 % reordering and 2 % duplication', function () {
  this.timeout(120_000);

  it('transfer both ways at once, byte for byte, and none stalls: 200 seeds', () => {
    let retransmissions = 0;
    for (const seed of seeds(200)) withSeed(seed, () => (retransmissions += transferBothWays(seed)));
    assert.ok(retransmissions > 0, 'the link lost something');
  });
});

/** @returns how many segments were sent again */
function transferBothWays(seed: number): number {
  const { clock, a, b } = twoStacks({ seed, faults: FAULTS });
  const random = new SeededRandom(seed);
  const habits = (stream: number): Habits => ({
    total: 20_000 + random.below(80_000), writeUpTo: 1 + random.below(20_000), readUpTo: 1 + random.below(20_000), readPauseMs: random.below(2) * 50, stream,
  });
  const [fromA, fromB] = [habits(1), habits(2)];
  const users: TransferUser[] = [];
  const listener = b.tcp.listen({ port: 80 });
  listener.onAccept = (socket: TcpSocket) => users.push(new TransferUser('B', socket, clock, random, fromB, fromA));
  const { address } = b.addressInfo ?? { address: ip('0.0.0.0') };
  users.push(new TransferUser('A', a.tcp.connect({ address, port: 80 }, clock.now()), clock, random, fromA, fromB));
  const failure = (): string | undefined => users.find((user) => user.failure)?.failure ?? undefined;
  const isDone = (): boolean => users.length === 2 && users.every((user) => user.isDone);
  clock.runWhile(() => isDone() || failure() !== undefined, clock.now() + LIMIT_MS);
  const state = users.map((user) => user.describe()).join('\n');
  assert.equal(failure(), undefined, `${failure()}\n${state}`);
  assert.ok(isDone(), `stalled\n${state}`);
  clock.advance(LIMIT_MS);
  assert.equal([...a.tcp.sockets].length + [...b.tcp.sockets].length, 0, `a connection was left behind\n${state}`);
  assert.equal(failure(), undefined, state);
  return a.counters.tcp.txRetransmissions + b.counters.tcp.txRetransmissions;
}
