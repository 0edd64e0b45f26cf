import assert from 'node:assert/strict';
import { TcpHarness } from '../../support/tcp-harness';
import { Sender, type SenderOptions } from '../../support/tcp-sender';

const HEADERS = 40;
const fragmentationNeeded = (nextHopMtu: number) => ({ type: 'fragmentation-needed', nextHopMtu }) as const;

/** Ten full segments in flight since 100, twenty more waiting. */
function sending(config: SenderOptions['config'] = {}, ts = false): Sender {
  return new Sender({ write: 30, sent: 10, config: { tlp: false, frto: false, timestamps: ts, ...config }, peer: { ts } });
}

function lengths(s: Sender, until: number): number[] {
  return s.t.take(until).map((seen) => seen.wire.payload.length).filter((length) => length > 0);
}

describe('TCP path MTU discovery (RFC 1191)', () => {
  it('sends whole packets that routers may not fragment (§3)', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.write(0, socket, 100);
    t.expect(0, { flags: 'ACK', payload: 100, dontFragment: true });
  });

  it('goes down to the size that the router names, and repeats what was lost in that size at once (§6.4)', () => {
    const s = sending();
    s.t.icmp(150, fragmentationNeeded(1_000), s.seq(0));
    assert.equal(s.snapshot.mss, 1_000 - HEADERS);
    const seen = lengths(s, 150);
    assert.ok(seen.length > 0 && seen.every((length) => length <= 960), seen.join());
    assert.equal(s.snapshot.timeouts, 0);
    assert.ok(s.snapshot.cwndBytes > 8 * 960, 'a narrower path is no congestion (RFC 1191 §6.4)');
  });

  it('counts the options in', () => {
    const s = sending({}, true);
    s.t.icmp(150, fragmentationNeeded(1_000), s.seq(0));
    assert.equal(s.snapshot.mss, 1_000 - HEADERS - 12);
  });

  it('takes the next plateau when the router names no size (§5, §7.1)', () => {
    const s = sending();
    const plateaus = [1_492, 1_006, 552];
    for (const [i, mtu] of plateaus.entries()) {
      s.t.icmp(150 + i, fragmentationNeeded(0), s.seq(0));
      assert.equal(s.snapshot.mss, mtu - HEADERS);
    }
  });

  it('ignores a size that is no smaller, and one for what is not in flight (RFC 5927 §7.2)', () => {
    const s = sending();
    s.t.icmp(150, fragmentationNeeded(1_500), s.seq(0));
    s.t.icmp(150, fragmentationNeeded(9_000), s.seq(0));
    s.t.icmp(150, fragmentationNeeded(600), s.seq(30));
    assert.equal(s.snapshot.mss, 1460);
    assert.deepEqual(lengths(s, 199), []);
    assert.equal(s.t.counters.rxIcmpIgnored, 3);
  });

  it('goes no lower than 552, and lets routers fragment on a path said to be narrower', () => {
    const s = sending();
    s.t.icmp(150, fragmentationNeeded(68), s.seq(0));
    assert.equal(s.snapshot.mss, 552 - HEADERS);
    const seen = s.t.take(150);
    assert.ok(seen.length > 0 && seen.every((one) => !one.dontFragment && one.wire.payload.length <= 512));
    // Tried again whole, and not to be fragmented, after ten minutes.
    acknowledgeAll(s, 200);
    s.t.write(700_000, s.socket, 100);
    s.t.take(700_000);
    s.t.send(700_100, { flags: 'ACK', seq: 1, ack: 1 + s.snapshot.bytesOut });
    s.t.write(700_200, s.socket, 1460);
    assert.deepEqual(s.t.take(700_200).map((one) => [one.wire.payload.length, one.dontFragment]), [[1460, true]]);
  });

  it('begins with what is known of the path, and tries whole segments after ten minutes (§6.3)', () => {
    const t = new TcpHarness({ pathMtu: 1_000 });
    const socket = t.establish({ rtt: 100 });
    t.write(100, socket, 3 * 1460);
    for (const at of [200, 300, 400]) {
      assert.ok(t.take(at - 100).every(({ wire }) => wire.payload.length <= 960));
      t.send(at, { flags: 'ACK', seq: 1, ack: 1 + socket.snapshot().bytesOut });
    }
    t.write(700_000, socket, 100);
    t.take(700_000);
    t.send(700_100, { flags: 'ACK', seq: 1, ack: 1 + socket.snapshot().bytesOut });
    t.write(700_200, socket, 1460);
    assert.deepEqual(t.take(700_200).map(({ wire }) => wire.payload.length), [1460]);
  });

  it('is not made to repeat everything by the same message again and again', () => {
    const s = sending();
    s.t.icmp(150, fragmentationNeeded(300), s.seq(0));
    lengths(s, 150);
    for (let at = 151; at < 180; at++) {
      s.t.icmp(at, fragmentationNeeded(300), s.seq(0));
      s.t.icmp(at, fragmentationNeeded(68), s.seq(0));
    }
    assert.deepEqual(lengths(s, 199), []);
  });

  it('delivers everything in smaller segments afterwards', () => {
    const s = sending();
    s.t.icmp(150, fragmentationNeeded(800), s.seq(0));
    let acked = 1;
    const arrived = new Map<number, number>();
    for (let at = 150; at < 10_000 && s.socket.bufferedBytes > 0; at += 50) {
      for (const seen of s.t.take(at)) {
        const { payload } = seen.wire;
        if (payload.length > 0 && payload.length <= 760) arrived.set((seen.wire.seq - seen.stackIss) >>> 0, payload.length);
      }
      for (let length = arrived.get(acked); length !== undefined; length = arrived.get(acked)) acked += length;
      s.t.send(at, { flags: 'ACK', seq: 1, ack: acked });
    }
    assert.equal(s.socket.bufferedBytes, 0);
    assert.equal(s.snapshot.timeouts, 0);
  });

  it('tries the old size again after ten minutes (§6.3)', () => {
    const s = sending();
    s.t.icmp(150, fragmentationNeeded(1_000), s.seq(0));
    acknowledgeAll(s, 200);
    const small = s.snapshot.mss;
    for (const [at, mss] of [[500_000, small], [599_000, small], [620_000, 1460]] as const) {
      s.t.write(at, s.socket, 100);
      s.t.take(at);
      s.t.send(at + 100, { flags: 'ACK', seq: 1, ack: 1 + s.snapshot.bytesOut });
      assert.equal(s.snapshot.mss, mss, `at ${at}`);
    }
  });
});

describe('TCP black holes (RFC 2923 §2.1, RFC 4821 §7.7)', () => {
  it('a full segment that times out twice goes in smaller ones', () => {
    const s = sending();
    assert.deepEqual(lengths(s, 400), [1460]);
    const sizes: number[] = [];
    for (let at = 500; at < 20_000 && sizes.length < 4; at += 100) sizes.push(...lengths(s, at));
    assert.equal(sizes[0], 1460, 'off in the harness unless a test asks');
    const on = sending({ blackHoleDetection: true });
    const seen: number[] = [];
    for (let at = 400; at < 30_000 && seen.length < 8; at += 100) seen.push(...lengths(on, at));
    assert.deepEqual(seen.filter((length) => length > 500).slice(0, 4), [1460, 1452, 966, 512], seen.join());
    assert.ok(on.t.counters.blackHoles >= 1);
  });

  it('ends at a size that passes', () => {
    const s = sending({ blackHoleDetection: true });
    let acked = 1;
    let at = 100;
    const arrived = new Map<number, number>();
    for (; at < 60_000 && s.socket.bufferedBytes > 0; at += 50) {
      for (const seen of s.t.take(at)) {
        const { payload } = seen.wire;
        if (payload.length > 0 && payload.length <= 1_000) arrived.set((seen.wire.seq - seen.stackIss) >>> 0, payload.length);
      }
      const before = acked;
      for (let length = arrived.get(acked); length !== undefined; length = arrived.get(acked)) acked += length;
      if (acked !== before) s.t.send(at, { flags: 'ACK', seq: 1, ack: acked });
    }
    assert.equal(s.socket.bufferedBytes, 0, `at ${at}`);
    assert.equal(s.snapshot.mss, 1_006 - HEADERS);
  });

  it('gives don\'t-fragment up at the smallest size', () => {
    const s = sending({ blackHoleDetection: true });
    const seen = s.t.take(60_000);
    const last = seen.at(-1);
    assert.equal(last?.wire.payload.length, 512);
    assert.equal(last?.dontFragment, false);
    assert.equal(seen[0]?.dontFragment, true);
  });

  it('small segments that time out say nothing of sizes', () => {
    const s = new Sender({ write: 0, config: { blackHoleDetection: true, tlp: false } });
    s.t.write(100, s.socket, 1_000);
    s.t.take(20_000);
    assert.equal(s.snapshot.mss, 1460);
    assert.equal(s.t.counters.blackHoles, 0);
  });

  it('one timeout is no sign', () => {
    const s = sending({ blackHoleDetection: true });
    assert.deepEqual(lengths(s, 400), [1460]);
    assert.equal(s.snapshot.mss, 1460);
  });

  it('the old size is tried again after ten minutes', () => {
    const s = sending({ blackHoleDetection: true });
    s.t.take(1_500);
    assert.ok(s.snapshot.mss < 1460);
    acknowledgeAll(s, 1_600);
    assert.ok(s.snapshot.mss < 1460);
    s.t.write(700_000, s.socket, 100);
    s.t.take(700_000);
    s.t.send(700_100, { flags: 'ACK', seq: 1, ack: 1 + s.snapshot.bytesOut });
    assert.equal(s.snapshot.mss, 1460);
  });
});

/** The peer acknowledges whatever comes, until nothing is left. */
function acknowledgeAll(s: Sender, from: number): void {
  for (let at = from; s.socket.bufferedBytes > 0; at += 10) {
    s.t.send(at, { flags: 'ACK', seq: 1, ack: 1 + s.snapshot.bytesOut });
    s.t.take(at);
  }
}
