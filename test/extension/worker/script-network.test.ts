import assert from 'node:assert/strict';
import type { FetchReport } from '../../../extension/protocol';
import { encodeOpen, FrameReader, FrameWriter, MAX_WORKER_MESSAGE_BYTES, Op } from '../../../extension/worker/script/wire';
import { ScriptNetwork, type PipeEnd } from '../../../extension/worker/script-network';
import { ScriptWorld } from './script-world';

/** The worker's end of a script's process that takes nothing, or as much as it is told to. */
class StuckPipe implements PipeEnd {
  readonly writable = true;
  paused = false;
  destroyed = false;
  readonly taken: (() => void)[] = [];
  readonly bytes: Buffer[] = [];
  private listener: (chunk: Buffer) => void = () => {};

  write(bytes: Uint8Array, done: () => void): void {
    this.bytes.push(Buffer.from(bytes));
    this.taken.push(done);
  }

  on(event: string, listener: (chunk: Buffer) => void): void {
    if (event === 'data') this.listener = listener;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  destroy(): void {
    this.destroyed = true;
  }

  say(chunk: Buffer): void {
    this.listener(chunk);
  }
}

function frames(count: number, op: Op, payload: (index: number) => Uint8Array): Buffer {
  const chunks: Buffer[] = [];
  const writer = new FrameWriter({ write: (bytes, done) => (chunks.push(Buffer.from(bytes)), done()) }, () => {});
  for (let i = 0; i < count; i++) writer.message(op, i + 1, payload(i));
  writer.flush();
  return Buffer.concat(chunks);
}

describe('The worker\'s end of a script\'s pipe', () => {
  function stuck(fetch: (report: FetchReport) => void = () => {}): { pipe: StuckPipe; network: ScriptNetwork; violations: string[]; flush: () => void } {
    const pipe = new StuckPipe();
    const violations: string[] = [];
    const turns: (() => void)[] = [];
    const network = new ScriptNetwork({
      runId: '1', pipe, soon: (run) => turns.push(run), activity: { connection() {}, fetch },
      network: new ScriptWorld().network,
      onRunning() {}, onWait() {}, onLost() {}, onEnd() {}, onIdle() {}, onViolation: (reason) => violations.push(reason),
    });
    return { pipe, network, violations, flush: () => turns.splice(0).forEach((run) => run()) };
  }

  it('reads no more from a process that takes no answers, until it has taken them: nothing grows without a bound', () => {
    const { pipe, network, violations, flush } = stuck();
    let said = 0;
    // Questions that each cause an answer, and sockets that each fail at once.
    const questions = frames(5_000, Op.sync, () => new Uint8Array(0));
    const opens = frames(2_000, Op.open, () => encodeOpen({ port: 80, fetchId: 0, limit: 1_000, host: '127.0.0.1' }));
    while (!pipe.paused && said < 1_000) {
      pipe.say(said % 2 === 0 ? questions : opens);
      flush();
      said++;
    }
    assert.equal(pipe.paused, true);
    assert.ok(network.writer.backlog < 10 << 20, `${network.writer.backlog} bytes`);
    pipe.taken.splice(0).forEach((done) => done());
    assert.equal(pipe.paused, false);
    assert.deepEqual(violations, []);
  });

  it('remembers a bounded number of fetches under way, to tell of their end with the script\'s', () => {
    const told: FetchReport[] = [];
    const { pipe, network, violations } = stuck((report) => told.push(report));
    const report = (id: number, durationMs: number | null) => Buffer.from(JSON.stringify({ id, method: 'GET', url: 'http://a/', startedAt: 0, durationMs }));
    pipe.say(frames(21_000, Op.fetch, (index) => report(index, null)));
    pipe.say(frames(1, Op.fetch, () => report(7, 1)));
    told.length = 0;
    network.closeAll('close');
    assert.deepEqual([told.length, told.some(({ id }) => id === 7), told[0]?.error?.code], [19_999, false, 'ECONNABORTED']);
    assert.deepEqual(violations, []);
  });

  it('answers a question behind all that was under way', () => {
    const { pipe, network, flush } = stuck();
    const order: string[] = [];
    const reader = new FrameReader({ message: (op) => order.push(op === Op.sync ? 'sync' : 'other'), data: (_id, bytes) => order.push(`data ${bytes.length}`) }, MAX_WORKER_MESSAGE_BYTES);
    network.writer.data(1, Buffer.alloc(100));
    pipe.say(frames(1, Op.sync, () => new Uint8Array(0)));
    network.writer.data(1, Buffer.alloc(200));
    flush();
    for (const bytes of pipe.bytes) reader.push(bytes);
    assert.deepEqual(order, ['data 100', 'sync', 'data 200']);
  });

  for (const [name, bytes, reason] of [
    ['an unknown operation', frames(1, 99 as Op, () => new Uint8Array(0)), /unknown type 99/],
    ['a socket without a port', frames(1, Op.open, () => encodeOpen({ port: 0, fetchId: 0, limit: 0, host: 'a' })), /a socket that cannot be opened/],
    ['a socket with a number that is taken', Buffer.concat([frames(1, Op.open, () => encodeOpen({ port: 80, fetchId: 0, limit: 0, host: 'slow.example' })), frames(1, Op.open, () => encodeOpen({ port: 80, fetchId: 0, limit: 0, host: 'b' }))]), /a socket that cannot be opened/],
    ['a second beginning', frames(2, Op.running, () => new Uint8Array(0)), /its beginning twice/],
    ['a credit that is none', frames(1, Op.credit, () => new Uint8Array(3)), /a credit that is none/],
    ['a fetch that is none', frames(1, Op.fetch, () => Buffer.from('{}')), /a report of a fetch that is none/],
    ['an end that is none', frames(1, Op.end, () => Buffer.from('[]')), /an end that is none/],
    ['a message of any length', Buffer.from([255, 255, 255, 255, Op.open, 0, 0, 0, 0]), /4294967295 bytes; at most 1048576 are allowed/],
  ] as const) {
    it(`takes ${name} for a breach, once, and nothing after it`, () => {
      const { pipe, violations } = stuck();
      pipe.say(bytes);
      pipe.say(bytes);
      assert.equal(violations.length, 1);
      assert.match(violations[0] ?? '', reason);
    });
  }
});
