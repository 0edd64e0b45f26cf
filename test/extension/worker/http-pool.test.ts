import assert from 'node:assert/strict';
import { originOf, type Origin } from '../../../extension/worker/script/http/origin';
import { ConnectionPool, type Pooled } from '../../../extension/worker/script/http/pool';

class FakeConnection implements Pooled {
  reusable = true;
  destroyed = false;
  onClosed: (() => void) | null = null;

  constructor(
    readonly origin: Origin,
    readonly number: number,
  ) {}

  destroy(): void {
    this.destroyed = true;
  }
}

const [A, B, C] = ['http://a/', 'http://b/', 'https://c:8443/'].map((url) => originOf(new URL(url))) as [Origin, Origin, Origin];

class PoolBench {
  readonly made: FakeConnection[] = [];
  readonly pool: ConnectionPool<FakeConnection>;

  constructor(perOrigin: number, total: number) {
    this.pool = new ConnectionPool((origin) => {
      const connection = new FakeConnection(origin, this.made.length);
      this.made.push(connection);
      return connection;
    }, { perOrigin, total });
  }

  /** @returns the connection once there is one, and what ends the waiting for it */
  acquire(origin: Origin): { connection: FakeConnection | null; cancel: () => void } {
    const got: { connection: FakeConnection | null; cancel: () => void } = { connection: null, cancel: () => {} };
    got.cancel = this.pool.acquire(origin, (connection) => (got.connection = connection));
    return got;
  }

  /** @returns a connection that is there at once */
  take(origin: Origin): FakeConnection {
    const { connection } = this.acquire(origin);
    assert.ok(connection);
    return connection;
  }

  get open(): number {
    return this.made.filter(({ destroyed }) => !destroyed).length;
  }
}

describe("A script's pool of connections", () => {
  it('uses a connection again for the same server only, the one that was used last first', () => {
    const bench = new PoolBench(4, 8);
    const [first, second] = [bench.take(A), bench.take(A)];
    bench.pool.release(first);
    bench.pool.release(second);
    assert.equal(bench.take(A), second);
    assert.notEqual(bench.take(B), first);
    assert.equal(bench.take(A), first);
  });

  it('closes what cannot be used again', () => {
    const bench = new PoolBench(4, 8);
    const first = bench.take(A);
    first.reusable = false;
    bench.pool.release(first);
    assert.equal(first.destroyed, true);
    assert.notEqual(bench.take(A), first);
  });

  it('lets no more go to one server than its bound; the others wait in turn', () => {
    const bench = new PoolBench(2, 8);
    const [first] = [bench.take(A), bench.take(A)];
    const [third, fourth] = [bench.acquire(A), bench.acquire(A)];
    assert.deepEqual([third.connection, fourth.connection], [null, null]);
    const other = bench.take(B);
    bench.pool.release(first);
    assert.deepEqual([third.connection, fourth.connection], [first, null]);
    first.reusable = false;
    bench.pool.release(first);
    assert.equal(fourth.connection?.number, 3);
    assert.equal(bench.open, 3);
    assert.equal(other.destroyed, false);
  });

  it('lets no more go in all than its bound, and closes the one unused for longest to make room', () => {
    const bench = new PoolBench(4, 3);
    const [a, b, c] = [bench.take(A), bench.take(B), bench.take(B)];
    const waiting = bench.acquire(C);
    assert.deepEqual([waiting.connection], [null]);
    bench.pool.release(b);
    assert.equal(waiting.connection?.origin, C);
    assert.equal(b.destroyed, true);
    bench.pool.release(a);
    bench.pool.release(c);
    bench.take(C);
    assert.deepEqual([a.destroyed, c.destroyed, bench.open], [true, false, 3]);
  });

  it('forgets who does not wait any longer', () => {
    const bench = new PoolBench(1, 8);
    const first = bench.take(A);
    const [gone, next] = [bench.acquire(A), bench.acquire(A)];
    gone.cancel();
    bench.pool.release(first);
    assert.deepEqual([gone.connection, next.connection], [null, first]);
  });

  it('forgets a connection that closes while nobody uses it', () => {
    const bench = new PoolBench(1, 1);
    const first = bench.take(A);
    bench.pool.release(first);
    first.onClosed?.();
    assert.equal(first.destroyed, true);
    const second = bench.take(A);
    assert.notEqual(second, first);
    assert.equal(bench.open, 1);
  });

  it('closes all that nobody uses of a server where one was stale', () => {
    const bench = new PoolBench(4, 8);
    const [first, second, other, used] = [bench.take(A), bench.take(A), bench.take(B), bench.take(A)];
    for (const connection of [first, second, other]) bench.pool.release(connection);
    bench.pool.closeIdle(A);
    assert.deepEqual([first, second, other, used].map(({ destroyed }) => destroyed), [true, true, false, false]);
  });

  it('stays within its bounds through thousands of requests in any order', () => {
    const bench = new PoolBench(3, 5);
    const got: { connection: FakeConnection | null }[] = [];
    let served = 0;
    for (let i = 0; i < 3_000; i++) got.push(bench.acquire([A, B, C][(i * 7) % 3] ?? A));
    for (let step = 0; served < 3_000; step++) {
      const holder = got.find(({ connection }) => connection !== null);
      assert.ok(holder?.connection, 'somebody always goes on');
      const { connection } = holder;
      holder.connection = null;
      got.splice(got.indexOf(holder), 1);
      connection.reusable = step % 3 !== 0;
      bench.pool.release(connection);
      connection.reusable = true;
      served++;
      assert.ok(bench.open <= 5, `${bench.open} open`);
      for (const origin of [A, B, C]) assert.ok(bench.made.filter((one) => !one.destroyed && one.origin === origin).length <= 3);
    }
  });
});
