import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DEFAULT_CONFIG } from '../../../stack/config';
import { Reassembly, type FirstFragment, type Reassembled } from '../../../stack/iface/reassembly';
import { createCounters } from '../../../stack/observer';
import { SeededRandom } from '../../../stack/random';
import { Ipv4Header, parseIpv4, writeIpv4Header } from '../../../stack/wire/ipv4';

interface Piece {
  readonly start: number;
  readonly end: number;
  readonly last?: boolean;
  readonly id?: number;
  readonly ecn?: number;
}

/** Feeds fragments of one payload, whose bytes tell where they are from. */
class Bench {
  readonly counters = createCounters().ipv4;
  readonly expired: FirstFragment[] = [];
  readonly payload = new SeededRandom(1).bytes(70_000);
  readonly reassembly: Reassembly;

  constructor(config: Partial<typeof DEFAULT_CONFIG.ipv4> = {}) {
    this.reassembly = new Reassembly({ ...DEFAULT_CONFIG.ipv4, ...config }, this.counters, (first) => this.expired.push(first));
  }

  add({ start, end, last = false, id = 1, ecn = 0 }: Piece, now = 0): Reassembled | null {
    const frame = new Uint8Array(14 + 20 + end - start);
    writeIpv4Header(frame, 14, {
      totalBytes: 20 + end - start, ecn, identification: id, dontFragment: false, moreFragments: !last, fragmentOffset: start, ttl: 64, protocol: 17,
      source: 0x0a00_0002, destination: 0x0a00_0001,
    });
    frame.set(this.payload.subarray(start, end), 34);
    const header = new Ipv4Header();
    assert.equal(parseIpv4(frame, 14, header), null);
    return this.reassembly.add(header, frame, 14, now);
  }
}

const whole: readonly Piece[] = [{ start: 0, end: 800 }, { start: 800, end: 1_600 }, { start: 1_600, end: 2_001, last: true }];

describe('Reassembly (RFC 791 §3.2, RFC 815)', function () {
  this.timeout(30_000);

  for (const order of [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]) {
    it(`completes a packet whose fragments come in the order ${order.join(', ')}`, () => {
      const bench = new Bench();
      const results = order.map((i) => bench.add(whole[i] ?? { start: 0, end: 0 }));
      assert.deepEqual(results.slice(0, 2), [null, null]);
      assert.deepEqual(results[2]?.payload, bench.payload.slice(0, 2_001));
      assert.equal(bench.reassembly.heldBytes, 0);
      assert.equal(bench.reassembly.pollAt(), Infinity);
    });
  }

  it('completes any cut in any order, with copies among them', () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 250 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(cuts, fc.infiniteStream(fc.nat()), (points, shuffle) => {
        const bench = new Bench();
        const edges = [0, ...points.map((n) => n * 8).sort((a, b) => a - b), 2_001];
        const pieces = edges.slice(1).map((end, i): Piece => ({ start: edges[i] ?? 0, end, last: end === 2_001 }));
        const keyed = [...pieces.slice(1), ...pieces].map((piece) => ({ piece, key: shuffle.next().value ?? 0 }));
        let done: Reassembled | null = null;
        for (const { piece } of keyed.sort((a, b) => a.key - b.key)) done ??= bench.add(piece);
        assert.deepEqual(done?.payload, bench.payload.slice(0, 2_001));
      }),
      { seed: 815, numRuns: 200 },
    );
  });

  it('keeps packets apart by identification', () => {
    const bench = new Bench();
    bench.add({ start: 0, end: 8, id: 1 });
    assert.equal(bench.add({ start: 8, end: 16, id: 2, last: true }), null);
    assert.equal(bench.add({ start: 8, end: 16, id: 1, last: true })?.payload.length, 16);
  });

  it('ignores and counts exact copies', () => {
    const bench = new Bench();
    bench.add({ start: 0, end: 800 });
    bench.add({ start: 0, end: 800 });
    assert.equal(bench.counters.reassemblyDuplicate, 1);
    assert.equal(bench.add({ start: 800, end: 900, last: true })?.payload.length, 900);
  });

  const overlaps: readonly (readonly [string, readonly Piece[]])[] = [
    ['that begins within another', [{ start: 0, end: 800 }, { start: 792, end: 1_600 }]],
    ['that ends within another', [{ start: 800, end: 1_600 }, { start: 0, end: 808 }]],
    ['that contains another', [{ start: 800, end: 808 }, { start: 0, end: 1_600 }]],
    ['within another', [{ start: 0, end: 800 }, { start: 8, end: 16 }]],
    ['of the same start but another length', [{ start: 0, end: 800 }, { start: 0, end: 808 }]],
    ['beyond the end', [{ start: 800, end: 900, last: true }, { start: 904, end: 912 }]],
    ['that gives another end', [{ start: 800, end: 900, last: true }, { start: 0, end: 100, last: true }]],
    ['that ends the packet before what has come', [{ start: 800, end: 1_600 }, { start: 0, end: 100, last: true }]],
    ['that is the last, where it was not', [{ start: 0, end: 800 }, { start: 0, end: 800, last: true }]],
  ];
  for (const [what, pieces] of overlaps) {
    it(`drops a packet with a fragment ${what} (RFC 5722 §4)`, () => {
      const bench = new Bench();
      for (const piece of pieces) assert.equal(bench.add(piece), null);
      assert.equal(bench.counters.reassemblyOverlap, 1);
      assert.equal(bench.reassembly.heldBytes, 0);
    });
  }

  it('refuses a packet beyond 65 535 bytes, and lengths that no fragment has', () => {
    const bench = new Bench();
    assert.equal(bench.add({ start: 65_528, end: 65_600, last: true }), null);
    assert.equal(bench.add({ start: 0, end: 801 }), null);
    assert.equal(bench.add({ start: 0, end: 0, last: true }), null);
    assert.equal(bench.counters.reassemblyTooBig, 3);
    assert.equal(bench.reassembly.heldBytes, 0);
  });

  it('forgets a packet after its time, telling what is needed for the error, if the first fragment came', () => {
    const bench = new Bench({ reassemblyTimeoutMs: 30_000 });
    bench.add({ start: 0, end: 800, id: 1 }, 0);
    bench.add({ start: 800, end: 1_600, id: 2 }, 10_000);
    assert.equal(bench.reassembly.pollAt(), 30_000);
    bench.reassembly.poll(30_000);
    assert.equal(bench.counters.reassemblyTimeout, 1);
    assert.equal(bench.expired.length, 1);
    assert.deepEqual(bench.expired[0]?.payload, bench.payload.slice(0, 800));
    assert.equal(bench.reassembly.pollAt(), 40_000);
    bench.reassembly.poll(40_000);
    assert.equal(bench.counters.reassemblyTimeout, 2);
    assert.equal(bench.expired.length, 1);
    assert.equal(bench.reassembly.heldBytes, 0);
  });

  it('never holds more than its bound, whatever comes: the oldest goes first', () => {
    const bench = new Bench({ reassemblyBytes: 10_000 });
    for (let id = 0; id < 1_000; id++) {
      bench.add({ start: 0, end: 8 + 8 * (id % 100), id });
      assert.ok(bench.reassembly.heldBytes <= 10_000);
    }
    assert.ok(bench.counters.reassemblyFull > 900);
    assert.equal(bench.add({ start: 800, end: 801, id: 999, last: true })?.payload.length, 801);
  });

  it('drops a packet that alone is over the bound', () => {
    const bench = new Bench({ reassemblyBytes: 1_000 });
    bench.add({ start: 0, end: 800 });
    assert.equal(bench.add({ start: 800, end: 1_600 }), null);
    assert.equal(bench.counters.reassemblyFull, 1);
    assert.equal(bench.reassembly.heldBytes, 0);
  });

  it('marks the packet if a fragment is marked, and drops it if another could not be (RFC 3168 §5.3)', () => {
    const pair = (first: number, second: number): number | undefined => {
      const bench = new Bench();
      bench.add({ start: 0, end: 8, ecn: first });
      return bench.add({ start: 8, end: 16, last: true, ecn: second })?.ecn;
    };
    assert.equal(pair(2, 3), 3);
    assert.equal(pair(2, 2), 2);
    assert.equal(pair(1, 1), 1);
    assert.equal(pair(0, 2), 0);
    assert.equal(pair(0, 3), undefined);
  });
});
