import assert from 'node:assert/strict';
import { TcpHarness } from '../../support/tcp-harness';
import { range, Sender, type SenderOptions } from '../../support/tcp-sender';

/** RTT 100 ms, data sent at 100. */
function sending(write: number, sent: number, config: SenderOptions['config'] = {}): Sender {
  return new Sender({ write, sent, config: { tlp: false, initialWindowSegments: sent, ...config } });
}

describe('TCP SACK blocks taken (RFC 2018 §5)', () => {
  it('spare what the peer holds: only holes are sent again', () => {
    const s = sending(20, 20);
    s.ack(200, 0, [1, 4], [5, 9], [10, 13]);
    s.ack(201, 0, [1, 4], [5, 9], [10, 20]);
    assert.deepEqual(s.sent(299), [0, 4, 9]);
    s.ack(300, 20);
    s.t.expectNothing(10_000);
    assert.equal(s.snapshot.retransmissions, 3);
    const off = new Sender({ write: 20, config: { tlp: false, initialWindowSegments: 20, sack: false } });
    for (let i = 0; i < 17; i++) off.ack(200, 0);
    assert.deepEqual(off.sent(299), [0], 'without SACK one hole for each round trip');
    off.ack(300, 4);
    assert.deepEqual(off.sent(399), [4]);
    off.ack(400, 9);
    assert.deepEqual(off.sent(499), [9]);
  });

  it('keep what they told when later ACKs no longer have room to repeat it', () => {
    const s = sending(20, 20);
    s.ack(200, 0, [1, 2]);
    s.ack(200, 0, [3, 4]);
    s.ack(200, 0, [5, 6]);
    s.ack(200, 0, [7, 8], [9, 10], [11, 12], [13, 20]);
    assert.equal(s.snapshot.sackedSegments, 13);
    s.sent(200);
    s.ack(300, 20);
    assert.equal(s.snapshot.sackedSegments, 0);
    s.t.expectNothing(10_000);
  });

  it('may come in any order', () => {
    const s = sending(10, 10);
    s.ack(200, 0, [7, 8], [1, 2], [5, 6], [3, 4]);
    assert.equal(s.snapshot.sackedSegments, 4);
    const sent = s.sent(299);
    assert.deepEqual(sent.slice(0, 1), [0]);
    assert.ok(sent.every((segment) => [0, 2, 4, 6].includes(segment)), sent.join());
  });

  it('on data count like those on pure ACKs', () => {
    const s = sending(10, 10);
    s.ackWith(200, 0, [[1, 5]], { payload: 100 });
    assert.equal(s.snapshot.sackedSegments, 4);
    assert.deepEqual(s.sent(200)[0], 0);
  });

  it('are ignored where they cannot be true: never sent, inside out, empty, acknowledged before', () => {
    const s = sending(10, 10);
    s.ack(150, 2);
    const before = s.snapshot;
    for (const sack of [[[3, 11]], [[8, 20]], [[5, 4]], [[5, 5]], [[-3, 12]], [[1, 5]]] as const) {
      s.ack(160, 2, ...sack);
      assert.equal(s.snapshot.sackedSegments, 0, JSON.stringify(sack));
    }
    s.ackWith(160, 2, [], { sack: [[0x4000_0000, 0x7000_0000]] });
    assert.deepEqual(s.sent(170), []);
    assert.equal(s.snapshot.sackedSegments, 0);
    assert.equal(s.snapshot.recovery, before.recovery);
    assert.equal(s.snapshot.cwndBytes, before.cwndBytes);
  });

  it('do not release memory: what is SACKed waits for the cumulative acknowledgment (§8)', () => {
    const s = sending(10, 10);
    s.ack(200, 0, [1, 10]);
    assert.equal(s.socket.bufferedBytes, 10 * s.mss);
  });

  it('count only segments that lie in them whole', () => {
    const s = sending(10, 10);
    s.ackWith(200, 0, [], { sack: [[s.seq(1) + 100, s.seq(3) + 100]] });
    assert.equal(s.snapshot.sackedSegments, 1);
  });

  it('stay right when sequence numbers wrap', () => {
    const t = new TcpHarness({ config: { sack: true, tlp: false }, iss: { near: 0xffff_ffff - 5 * 1460, open: 'active' } });
    const socket = t.establish({ rtt: 100, sack: true });
    t.write(100, socket, 10 * 1460);
    assert.equal(t.take(100).length, 10);
    t.send(200, { flags: 'ACK', seq: 1, ack: 1, sack: [[1 + 1460, 1 + 8 * 1460], [1 + 9 * 1460, 1 + 10 * 1460]] });
    assert.equal(socket.snapshot().sackedSegments, 8);
    t.expect(200, { flags: 'ACK', seq: 1, payload: 1460 });
    t.expect(200, { flags: 'ACK', seq: 1 + 8 * 1460, payload: 1460 });
    t.send(300, { flags: 'ACK', seq: 1, ack: 1 + 10 * 1460 });
    assert.equal(socket.bufferedBytes, 0);
  });

  it('are forgotten on a timeout if the peer has discarded what it reported (§8)', () => {
    const s = sending(10, 10, { frto: false });
    s.ack(200, 0, [1, 10]);
    assert.deepEqual(s.sent(200), [0]);
    // It acknowledges 0 alone: 1 to 9, SACKed before, are gone.
    s.ack(300, 1);
    assert.deepEqual(s.sent(300), []);
    let next = 1;
    const got = new Set<number>();
    for (let at = 300; at < 5_000 && next < 10; at += 100) {
      for (const segment of s.sent(at)) got.add(segment);
      while (got.has(next)) next++;
      s.ack(at, next);
    }
    assert.equal(s.socket.bufferedBytes, 0, 'all was sent again');
    assert.ok(s.t.now < 2_000, `took until ${s.t.now}`);
  });

  it('of a peer that reneges in the middle do not hold its connection up', () => {
    const s = sending(10, 10);
    s.ack(200, 0, [1, 3], [5, 10]);
    s.ack(300, 5);
    // All is acknowledged but 5 to 9, once SACKed; the peer has lost them.
    assert.ok(s.sent(5_000).includes(5));
    s.ack(5_000, 10);
    assert.equal(s.socket.bufferedBytes, 0);
  });
});

describe('TCP SACK blocks of a peer that reneges as it closes its window (RFC 2018 §8)', () => {
  /** 0 was lost; it alone filled the peer's buffer, which dropped the rest that it had reported. */
  function reneged(): Sender {
    const s = sending(10, 10, { userTimeoutMs: 20_000 });
    s.ack(200, 0, [1, 10]);
    assert.deepEqual(s.sent(200), [0]);
    s.ackWith(300, 1, [], { win: 0 });
    return s;
  }

  it('are forgotten: the first segment probes the window for as long as the peer answers (RFC 9293 §3.8.6.1)', () => {
    const s = reneged();
    let at = 300;
    for (let probes = 0; probes < 8; probes++) {
      at = s.t.expect([at + 100, at + 60_000], { flags: 'ACK', seq: s.seq(1), payload: s.mss }).at + 10;
      s.ackWith(at, 1, [], { win: 0 });
    }
    assert.ok(at > 20_000, `backed off until ${at}`);
    s.ackWith(at, 1, []);
    assert.deepEqual(s.sent(at), range(1, 6), 'whatever it reported before');
  });

  it('do not keep what is missing back when it opens', () => {
    const s = reneged();
    s.ackWith(310, 1, []);
    assert.deepEqual(s.sent(310), [1]);
  });

  it('do not hide that it has fallen silent: ETIMEDOUT (RFC 9293 §3.8.3)', () => {
    const s = reneged();
    assert.ok(s.sent(60_000).length > 3);
    assert.equal(s.socket.error?.code, 'ETIMEDOUT');
    assert.equal(s.t.tcp.pollAt(), Infinity);
  });
});

describe('TCP new data during recovery', () => {
  it('flows as SACKs say that segments have left the network (RFC 3042, RFC 6675 §5)', () => {
    const s = sending(30, 10);
    s.ack(200, 0, [1, 2]);
    assert.deepEqual(s.sent(200), [10]);
    s.ack(201, 0, [1, 3]);
    assert.deepEqual(s.sent(201), [11]);
    assert.equal(s.cwnd, 10);
  });

  it('sends holes first (RFC 6675 §4 NextSeg)', () => {
    const s = sending(30, 10);
    s.ack(200, 0, [1, 4], [5, 8]);
    const sent = s.sent(200);
    s.ack(210, 0, [1, 4], [5, 10]);
    const all = [...sent, ...s.sent(210)];
    assert.deepEqual(all.slice(0, 2), [0, 4]);
    assert.ok(all.slice(2).every((segment) => segment >= 10), all.join());
  });
});

describe('TCP limited transmit without SACK (RFC 3042)', () => {
  const sendingPlain = (limitedTransmit: boolean): Sender => new Sender({ write: 30, sent: 10, config: { sack: false, limitedTransmit } });

  it('sends a new segment for each of the first two duplicates, and leaves cwnd as it is', () => {
    const s = sendingPlain(true);
    s.ack(200, 0);
    assert.deepEqual(s.sent(200), [10]);
    s.ack(201, 0);
    assert.deepEqual(s.sent(201), [11]);
    assert.equal(s.cwnd, 10);
    s.ack(202, 0);
    assert.deepEqual(s.sent(202), [0]);
  });

  it('not beyond the peer\'s window', () => {
    const s = new Sender({ write: 30, sent: 10, config: { sack: false }, peer: { win: 10 * 1460 } });
    for (let i = 0; i < 2; i++) s.ackWith(200, 0, [], { win: 10 * 1460 });
    assert.deepEqual(s.sent(299), []);
  });

  it('nothing new when switched off', () => {
    const s = sendingPlain(false);
    s.ack(200, 0);
    s.ack(200, 0);
    assert.deepEqual(s.sent(299), []);
    s.ack(299, 0);
    assert.equal(s.sent(299)[0], 0);
  });
});

describe('TCP without fast retransmit', () => {
  it('waits for the timeout (the switch off)', () => {
    const s = new Sender({ write: 10, config: { sack: false, fastRetransmit: false } });
    for (let i = 0; i < 9; i++) s.ack(200, 0);
    assert.deepEqual(s.sent(399.9), []);
    assert.deepEqual(s.sent(400), [0]);
    assert.equal(s.snapshot.fastRecoveries, 0);
  });
});
