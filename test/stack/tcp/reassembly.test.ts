import assert from 'node:assert/strict';
import { SeededRandom } from '../../../stack/random';
import { TcpHarness } from '../../support/tcp-harness';

describe('TCP out-of-order segments', () => {
  it('are kept and each answered at once with a duplicate ACK (RFC 5681 §4.2, RFC 9293 §3.8.6.3)', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.send(10, { flags: 'ACK', seq: 1461, ack: 1, payload: 1460 });
    t.expect(10, { flags: 'ACK', seq: 1, ack: 1, win: 65_535 });
    t.send(11, { flags: 'ACK', seq: 2921, ack: 1, payload: 1460 });
    t.expect(11, { flags: 'ACK', seq: 1, ack: 1, win: 65_535 });
    assert.equal(socket.readableBytes, 0);
    assert.equal(socket.snapshot().outOfOrderBytes, 2920);
    assert.equal(t.counters.rxOutOfOrder, 2);
    t.send(12, { flags: 'ACK', seq: 1, ack: 1, payload: 1460 });
    t.expect(12, { flags: 'ACK', seq: 1, ack: 4381, win: 65_535 - 4380 });
    t.expectRead(12, socket, 4380);
    assert.equal(socket.snapshot().outOfOrderBytes, 0);
  });

  it('in one batch are each answered: three duplicates must reach the peer (RFC 5681 §4.2)', () => {
    const t = new TcpHarness();
    t.establish();
    t.sendAll(10, [1, 2, 3].map((i) => ({ flags: 'ACK', seq: 1 + i * 1460, ack: 1, payload: 1460 })));
    for (let i = 0; i < 3; i++) t.expect(10, { flags: 'ACK', seq: 1, ack: 1 });
    t.expectNothing(1_000);
  });

  it('partly fill a gap: acknowledged at once (RFC 5681 §4.2)', () => {
    const t = new TcpHarness();
    t.establish();
    t.send(10, { flags: 'ACK', seq: 201, ack: 1, payload: 100 });
    t.expect(10, { flags: 'ACK', ack: 1 });
    t.send(11, { flags: 'ACK', seq: 1, ack: 1, payload: 50 });
    t.expect(11, { flags: 'ACK', ack: 51 });
    t.send(12, { flags: 'ACK', seq: 51, ack: 1, payload: 150 });
    t.expect(12, { flags: 'ACK', ack: 301 });
  });

  it('overlap in every manner and are delivered once, right', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    const ranges = [[301, 100], [251, 100], [351, 100], [201, 400], [101, 50], [140, 80], [1, 120], [81, 700]] as const;
    for (const [seq, payload] of ranges) t.send(10, { flags: 'ACK', seq, ack: 1, payload });
    t.take(100);
    t.expectRead(100, socket, 780);
    assert.equal(socket.snapshot().rcvNxt, 1_000_781);
  });

  it('that are wholly old are answered at once and not delivered again (RFC 9293 §3.10.7.4)', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 1000 });
    t.expect([10, 50], { flags: 'ACK', ack: 1001 });
    t.expectRead(60, socket, 1000);
    t.send(70, { flags: 'ACK', seq: 1, ack: 1, payload: 1000 });
    t.expect(70, { flags: 'ACK', ack: 1001 });
    t.send(71, { flags: 'ACK', seq: 501, ack: 1, payload: 600 });
    t.expect([71, 111], { flags: 'ACK', ack: 1101 });
    t.expectRead(120, socket, 100);
  });

  it('keep a FIN that is early until the data before it has come', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.send(10, { flags: 'FIN ACK', seq: 101, ack: 1, payload: 100 });
    t.expect(10, { flags: 'ACK', ack: 1 });
    assert.equal(socket.peerClosed, false);
    assert.equal(socket.state, 'ESTABLISHED');
    t.send(20, { flags: 'ACK', seq: 1, ack: 1, payload: 100 });
    t.expect(20, { flags: 'ACK', ack: 202 });
    assert.equal(socket.peerClosed, true);
    assert.equal(socket.state, 'CLOSE-WAIT');
    t.expectRead(20, socket, 200);
  });

  it('beyond the window are cut off or dropped, never kept (RFC 9293 §3.10.7.4)', () => {
    const t = new TcpHarness({ config: { receiveBufferBytes: 5000 } });
    const socket = t.establish();
    t.send(10, { flags: 'ACK', seq: 4001, ack: 1, payload: 1460 });
    t.expect(10, { flags: 'ACK', ack: 1 });
    assert.ok(socket.snapshot().outOfOrderBytes <= 1000);
    t.send(11, { flags: 'ACK', seq: 5001, ack: 1, payload: 100 });
    t.expect(11, { flags: 'ACK', ack: 1 });
    assert.equal(t.counters.rxUnacceptable, 1);
    t.send(12, { flags: 'ACK', seq: 1, ack: 1, payload: 1460 });
    t.send(12, { flags: 'ACK', seq: 1461, ack: 1, payload: 1460 });
    t.send(12, { flags: 'ACK', seq: 2921, ack: 1, payload: 1080 });
    t.take(100);
    t.expectRead(100, socket, 5000);
  });

  it('in many small pieces take bounded memory and lose nothing that the peer repeats', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    // Every second byte of 20 000: 10 000 ranges, more than any table should keep.
    for (let seq = 2; seq < 20_000; seq += 2) t.send(10, { flags: 'ACK', seq, ack: 1, payload: 1 });
    t.take(10);
    for (let seq = 1; seq < 20_000; seq += 1000) t.send(20, { flags: 'ACK', seq, ack: 1, payload: 1000 });
    t.take(100);
    t.expectRead(100, socket, 20_000);
  });

  it('arrive shuffled, cut and repeated at random (seeds 1 … 40): the stream is right', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const t = new TcpHarness({ peerIss: seed % 2 ? 0xffff_e000 : 77 });
      const socket = t.establish();
      const random = new SeededRandom(seed);
      const total = 20_000;
      let at = 1;
      for (let tries = 0; socket.snapshot().bytesIn < total && tries < 5_000; tries++) {
        const seq = 1 + random.below(total);
        const payload = Math.min(1 + random.below(1460), total + 1 - seq);
        t.send((at += 1), { flags: 'ACK', seq, ack: 1, payload });
        if (tries % 7 === 0 && random.below(2)) {
          const next = ((socket.snapshot().rcvNxt - socket.snapshot().irs) >>> 0) - 0;
          if (next <= total) t.send(at, { flags: 'ACK', seq: next, ack: 1, payload: Math.min(900, total + 1 - next) });
        }
      }
      t.take(at + 1_000);
      t.expectRead(at + 1_000, socket, total);
    }
  });
});
