import assert from 'node:assert/strict';
import type { TcpConfig } from '../../../stack/config';
import type { Seen } from '../../support/segment-dsl';
import { seqOf, TcpHarness } from '../../support/tcp-harness';
import { Sender, type SenderOptions } from '../../support/tcp-sender';

const NOT_ECT = 0;
const ECT_0 = 2;
const CE = 3;

describe('TCP ECN negotiation (RFC 3168 §6.1.1)', () => {
  it('active: the offer goes out only if ECN is on', () => {
    for (const [ecn, flags] of [['on', 'SYN ECE CWR'], ['passive', 'SYN'], ['off', 'SYN']] as const) {
      const t = new TcpHarness({ config: { ecn } });
      t.connect();
      t.expect(0, { flags, ecn: NOT_ECT });
    }
  });

  it('active: only ECE without CWR in the SYN-ACK is agreement, and only to an offer', () => {
    const matrix = [
      ['on', 'SYN ACK ECE', true], ['on', 'SYN ACK', false], ['on', 'SYN ACK ECE CWR', false], ['on', 'SYN ACK CWR', false],
      ['passive', 'SYN ACK ECE', false], ['passive', 'SYN ACK ECE CWR', false], ['off', 'SYN ACK ECE', false],
    ] as const;
    for (const [ecn, flags, agreed] of matrix) {
      const t = new TcpHarness({ config: { ecn } });
      const socket = t.connect();
      t.take(10);
      t.send(10, { flags, seq: 0, ack: 1, mss: 1460 });
      t.expect(10, { flags: 'ACK', ecn: NOT_ECT });
      assert.equal(socket.snapshot().ecn, agreed, `${ecn}: ${flags}`);
      t.write(20, socket, 100);
      t.expect(20, { flags: 'ACK', payload: 100, ecn: agreed ? ECT_0 : NOT_ECT });
    }
  });

  it('passive: only ECE with CWR in the SYN is an offer, agreed to unless ECN is off', () => {
    const matrix = [
      ['on', 'SYN ECE CWR', true], ['passive', 'SYN ECE CWR', true], ['off', 'SYN ECE CWR', false],
      ['on', 'SYN', false], ['on', 'SYN ECE', false], ['on', 'SYN CWR', false],
    ] as const;
    for (const [ecn, flags, agreed] of matrix) {
      const t = new TcpHarness({ config: { ecn } });
      const listener = t.listen();
      t.send(0, { flags, seq: 0, mss: 1460 });
      t.expect(0, { flags: agreed ? 'SYN ACK ECE' : 'SYN ACK', ecn: NOT_ECT });
      t.send(10, { flags: 'ACK', seq: 1, ack: 1 });
      const socket = listener.accept();
      assert.ok(socket);
      assert.equal(socket.snapshot().ecn, agreed, `${ecn}: ${flags}`);
      t.write(20, socket, 100);
      t.expect(20, { flags: 'ACK', payload: 100, ecn: agreed ? ECT_0 : NOT_ECT });
    }
  });

  it('falls back to a SYN without the offer when the first one is lost (§6.1.1.1)', () => {
    const t = new TcpHarness({ config: { ecn: 'on' } });
    const socket = t.connect();
    t.expect(0, { flags: 'SYN ECE CWR' });
    t.expect(1_000, { flags: 'SYN' });
    t.send(1_100, { flags: 'SYN ACK ECE', seq: 0, ack: 1 });
    t.expect(1_100, { flags: 'ACK' });
    assert.equal(socket.snapshot().ecn, false, 'no ECT after a SYN without the offer, though the answer agrees to the first');
  });

  it('repeats its SYN-ACK not ECN-capable', () => {
    const t = new TcpHarness({ config: { ecn: 'on' } });
    t.listen();
    t.send(0, { flags: 'SYN ECE CWR', seq: 0 });
    t.expect(0, { flags: 'SYN ACK ECE', ecn: NOT_ECT });
    const [again] = t.take(1_000);
    assert.ok(again?.wire.flags.has('SYN'));
    assert.equal(again?.ecn, NOT_ECT);
  });

  it('works when both ends open at once', () => {
    const t = new TcpHarness({ config: { ecn: 'on' } });
    const socket = t.connect();
    t.take(0);
    t.send(10, { flags: 'SYN ECE CWR', seq: 0 });
    t.expect(10, { flags: 'SYN ACK ECE', seq: 0, ack: 1 });
    t.send(20, { flags: 'SYN ACK ECE', seq: 0, ack: 1 });
    assert.equal(socket.state, 'ESTABLISHED');
    assert.equal(socket.snapshot().ecn, true);
  });
});

describe('TCP marks received (RFC 3168 §6.1.3)', () => {
  it('are echoed at once, in every ACK, until the peer has reduced its window', () => {
    const { t, socket } = receiving();
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 100, ecn: CE });
    t.expect(10, { flags: 'ACK ECE', ack: 101 });
    t.send(20, { flags: 'ACK', seq: 101, ack: 1, payload: 100, ecn: ECT_0 });
    t.expect([20, 100], { flags: 'ACK ECE', ack: 201 });
    t.write(110, socket, 50);
    t.expect(110, { flags: 'ACK ECE', payload: 50, seq: 1 });
    t.send(120, { flags: 'ACK CWR', seq: 201, ack: 51, payload: 100, ecn: ECT_0 });
    t.expect([120, 200], { flags: 'ACK', ack: 301 });
  });

  it('that come with the CWR begin a new echo', () => {
    const { t } = receiving();
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 100, ecn: CE });
    t.expect(10, { flags: 'ACK ECE' });
    t.send(20, { flags: 'ACK CWR', seq: 101, ack: 1, payload: 100, ecn: CE });
    t.expect(20, { flags: 'ACK ECE', ack: 201 });
  });

  it('are ignored on what carries no data, on what lies outside the window, and where ECN was not agreed', () => {
    const { t } = receiving();
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, ecn: CE });
    t.send(20, { flags: 'ACK', seq: 200_001, ack: 1, payload: 100, ecn: CE });
    t.expect(20, { flags: 'ACK' });
    t.send(30, { flags: 'ACK', seq: 1, ack: 1, payload: 100, ecn: ECT_0 });
    t.expect([30, 100], { flags: 'ACK', ack: 101 });
    for (const config of [{ ecn: 'off' }, { ecn: 'on' }] as const) {
      const plain = new TcpHarness({ config });
      plain.establish({ ecn: false });
      plain.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 100, ecn: CE });
      plain.expect([10, 100], { flags: 'ACK', ack: 101 });
    }
  });
});

describe('TCP marks echoed by the peer (RFC 3168 §6.1.2)', () => {
  it('halve the window once, send nothing again, and CWR goes out on the next new segment, once', () => {
    const s = sending();
    s.ackWith(200, 1, [], { flags: 'ACK ECE' });
    assert.equal(s.ssthresh, 5, 'half of the ten in flight before');
    assert.equal(s.cwnd, 5);
    assert.equal(s.t.counters.ecnReductions, 1);
    for (let acked = 2; acked <= 5; acked++) s.ackWith(200, acked, [], { flags: 'ACK ECE' });
    assert.ok(s.cwnd <= 5, 'further echoes of the same window change nothing');
    for (let acked = 6; acked <= 9; acked++) s.ackWith(201, acked, [], { flags: 'ACK ECE' });
    const sent = dataOf(s.t.take(201));
    assert.deepEqual(sent.map((seen) => (seqOf(seen) - 1) / s.mss), [10, 11, 12, 13]);
    assert.deepEqual(sent.map((seen) => seen.wire.flags.has('CWR')), [true, false, false, false]);
    assert.equal(s.t.counters.ecnReductions, 1);
    assert.equal(s.snapshot.retransmissions, 0);
  });

  it('reduce from what was in flight before the ACKs of a batch, in whose place nothing could be sent yet', () => {
    for (const [write, cwnd] of [[40, 5], [10, 5]] as const) {
      const s = new Sender({ write, sent: 10, config: { ecn: 'on', tlp: false, frto: false }, peer: { ecn: true } });
      s.ackWith(200, 10, [], { flags: 'ACK ECE' });
      assert.equal(s.cwnd, cwnd, `${write} written`);
    }
  });

  it('reduce from what was in flight, not from a window of which little is used (RFC 5681 §3.1)', () => {
    const s = new Sender({ write: 4, config: { ecn: 'on', tlp: false, frto: false }, peer: { ecn: true } });
    s.ackWith(200, 4, [], { flags: 'ACK ECE' });
    assert.equal(s.ssthresh, 2);
  });

  it('count again in the next window', () => {
    const s = sending();
    s.ackWith(200, 1, [], { flags: 'ACK ECE' });
    s.ackWith(210, 10, [], { flags: 'ACK ECE' });
    assert.equal(s.t.counters.ecnReductions, 1);
    s.sent(210);
    s.ackWith(310, 12, [], { flags: 'ACK ECE' });
    assert.equal(s.t.counters.ecnReductions, 2);
  });

  it('let the window not grow by the ACK that echoes one', () => {
    const s = sending();
    s.ackWith(200, 2, [], { flags: 'ACK ECE' });
    const { cwnd } = s;
    for (let acked = 3; acked <= 10; acked++) s.ackWith(201, acked, [], { flags: 'ACK ECE' });
    assert.equal(s.cwnd, cwnd);
    s.sent(201);
    s.ack(301, 12);
    s.ack(302, 15);
    assert.ok(s.cwnd > cwnd, 'those without do');
  });

  it('leave at least two segments', () => {
    const s = new Sender({ write: 2, config: { ecn: 'on', tlp: false }, peer: { ecn: true } });
    s.ackWith(200, 1, [], { flags: 'ACK ECE' });
    assert.equal(s.cwnd, 2);
  });

  it('shrink a CUBIC window by its own factor (RFC 9438 §4.6)', () => {
    const s = sending({ congestion: 'cubic' });
    s.ackWith(200, 0, [], { flags: 'ACK ECE', payload: 10 });
    assert.ok(Math.abs(s.cwnd - 7) < 0.01, `cwnd ${s.cwnd}`);
  });

  it('are ignored where ECN was not agreed', () => {
    for (const s of [sending({ ecn: 'off' }, false), sending({}, false)]) {
      s.ackWith(200, 1, [], { flags: 'ACK ECE' });
      assert.equal(s.t.counters.ecnReductions, 0);
      assert.ok(s.cwnd >= 10);
      assert.ok(s.t.take(200).every((seen) => seen.ecn === NOT_ECT && !seen.wire.flags.has('CWR')));
    }
  });

  it('make one reduction with a loss in the same window, in either order', () => {
    const lossFirst = sending();
    lossFirst.ackWith(200, 0, [[1, 5]]);
    const reduced = lossFirst.ssthresh;
    lossFirst.t.take(200);
    lossFirst.ackWith(300, 10, [], { flags: 'ACK ECE' });
    lossFirst.ackWith(301, 10, [], { flags: 'ACK ECE', payload: 10 });
    assert.equal(lossFirst.ssthresh, reduced);
    assert.equal(lossFirst.t.counters.ecnReductions, 0);
  });

  it('CWR tells of reductions by loss as well', () => {
    const s = sending();
    s.ackWith(200, 0, [[1, 5]]);
    const seen = dataOf(s.t.take(200));
    assert.equal(seen[0] && seqOf(seen[0]), s.seq(0));
    assert.equal(seen[0]?.wire.flags.has('CWR'), false, 'not on what is sent again');
    s.ack(300, 10);
    const news = dataOf(s.t.take(300));
    assert.ok(news.length > 0);
    const all = [...seen.slice(1), ...news];
    assert.deepEqual(all.map((one) => one.wire.flags.has('CWR')), all.map((_, index) => index === 0));
  });

  it('CWR tells of timeouts as well', () => {
    const s = sending();
    assert.deepEqual(s.sent(400), [0]);
    s.ack(500, 10);
    const [first] = dataOf(s.t.take(500));
    assert.equal(first?.wire.flags.has('CWR'), true);
  });
});

describe('TCP reductions for a loss that a tail loss probe repaired (RFC 8985 §7.4.2, RFC 3168 §6.1.2)', () => {
  it('are told by CWR, and no mark of the same window reduces again', () => {
    const s = new Sender({ write: 10, config: { ecn: 'on' }, peer: { ecn: true } });
    s.ack(200, 9);
    assert.deepEqual(s.sent(510), [9]);
    s.ack(600, 10);
    s.write(600, 6);
    assert.equal(s.sent(600).length, 6);
    s.ack(700, 12);
    assert.ok(Number.isFinite(s.ssthresh));
    const { ssthresh } = s;
    s.ackWith(701, 13, [], { flags: 'ACK ECE' });
    assert.equal(s.ssthresh, ssthresh);
    s.ack(702, 14);
    s.write(702, 4);
    const [first] = dataOf(s.t.take(710));
    assert.equal(first?.wire.flags.has('CWR'), true);
  });
});

describe('TCP segments that are ECN-capable (RFC 3168 §6.1.4 to §6.1.6)', () => {
  it('are those with new data; retransmissions are not', () => {
    const s = new Sender({ write: 0, config: { ecn: 'on', tlp: false }, peer: { ecn: true } });
    s.t.write(100, s.socket, 5 * s.mss);
    assert.deepEqual(s.t.take(100).map((seen) => seen.ecn), [ECT_0, ECT_0, ECT_0, ECT_0, ECT_0]);
    s.ack(200, 0, [1, 5]);
    assert.deepEqual(s.t.take(200).map((seen) => seen.ecn), [NOT_ECT]);
  });

  it('pure ACKs are not', () => {
    const { t } = receiving();
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 1460, ecn: CE });
    t.expect(10, { flags: 'ACK ECE', ecn: NOT_ECT });
  });

  it('probes of a closed window are not (§6.1.6)', () => {
    const { t, socket } = receiving();
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, win: 0 });
    t.write(10, socket, 100);
    const [probe] = t.take(2_000);
    assert.equal(probe?.wire.payload.length, 1);
    assert.equal(probe.ecn, NOT_ECT);
  });
});

function receiving(config: Partial<TcpConfig> = {}) {
  const t = new TcpHarness({ config: { ecn: 'on', ...config } });
  return { t, socket: t.establish({ ecn: true }) };
}

/** Ten of forty segments in flight since 100. */
function sending(config: SenderOptions['config'] = {}, agreed = true): Sender {
  return new Sender({ write: 40, sent: 10, config: { ecn: 'on', tlp: false, frto: false, ...config }, peer: { ecn: agreed } });
}

function dataOf(segments: readonly Seen[]): Seen[] {
  return segments.filter((seen) => seen.wire.payload.length > 0);
}
