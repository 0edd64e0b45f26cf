import assert from 'node:assert/strict';
import { pattern } from '../../support/patterns';
import { seqOf, TcpHarness } from '../../support/tcp-harness';

describe('TCP active close', () => {
  it('goes FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT and is gone after 2 MSL (RFC 9293 §3.6, figure 12)', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.close(10, socket);
    t.expect(10, { flags: 'FIN ACK', seq: 1, ack: 1 });
    assert.equal(socket.state, 'FIN-WAIT-1');
    assert.equal(socket.isOpen, true, 'the peer may still send');
    t.send(20, { flags: 'ACK', seq: 1, ack: 2 });
    assert.equal(socket.state, 'FIN-WAIT-2');
    t.send(30, { flags: 'FIN ACK', seq: 1, ack: 2 });
    t.expect(30, { flags: 'ACK', seq: 2, ack: 2 });
    assert.equal(socket.state, 'TIME-WAIT');
    assert.equal(socket.isOpen, false);
    t.expectNothing(60_029);
    assert.equal(socket.state, 'TIME-WAIT');
    assert.equal([...t.tcp.sockets].length, 1);
    t.advance(60_030);
    assert.equal(socket.state, 'CLOSED');
    assert.equal(socket.error, null);
    assert.deepEqual([...t.tcp.sockets], []);
    assert.equal(t.tcp.pollAt(), Infinity);
  });

  it('goes straight to TIME-WAIT when FIN and ACK come together', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.close(10, socket);
    t.expect(10, { flags: 'FIN ACK', seq: 1 });
    t.send(20, { flags: 'FIN ACK', seq: 1, ack: 2 });
    t.expect(20, { flags: 'ACK', seq: 2, ack: 2 });
    assert.equal(socket.state, 'TIME-WAIT');
  });

  it('closes simultaneously through CLOSING (RFC 9293 §3.6, figure 13)', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.close(10, socket);
    t.expect(10, { flags: 'FIN ACK', seq: 1, ack: 1 });
    t.send(20, { flags: 'FIN ACK', seq: 1, ack: 1 });
    t.expect(20, { flags: 'ACK', seq: 2, ack: 2 });
    assert.equal(socket.state, 'CLOSING');
    t.send(30, { flags: 'ACK', seq: 2, ack: 2 });
    assert.equal(socket.state, 'TIME-WAIT');
    t.expectNothing(60_029);
    t.advance(60_031);
    assert.equal(socket.state, 'CLOSED');
  });

  it('keeps reading after its own close, until the peer\'s FIN (RFC 9293 §3.6 half-close)', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.close(10, socket);
    t.expect(10, { flags: 'FIN ACK', seq: 1 });
    t.send(20, { flags: 'ACK', seq: 1, ack: 2 });
    t.send(30, { flags: 'ACK', seq: 1, ack: 2, payload: 1460 });
    t.send(30, { flags: 'ACK', seq: 1461, ack: 2, payload: 1460 });
    t.expect(30, { flags: 'ACK', seq: 2, ack: 2921 });
    t.expectRead(40, socket, 2920);
    t.expect(40, { flags: 'ACK', seq: 2, ack: 2921, win: 65_535 });
    t.send(50, { flags: 'FIN ACK', seq: 2921, ack: 2, payload: 80 });
    t.expect(50, { flags: 'ACK', seq: 2, ack: 3002 });
    assert.equal(socket.state, 'TIME-WAIT');
    assert.equal(socket.peerClosed, true);
    t.expectRead(50, socket, 80);
  });

  it('leaves what was received readable after the connection is gone', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.close(10, socket);
    t.take(10);
    t.send(20, { flags: 'FIN ACK', seq: 1, ack: 2, payload: 100 });
    t.take(100_000);
    assert.equal(socket.state, 'CLOSED');
    assert.equal(socket.readableBytes, 100);
    t.expectRead(100_000, socket, 100);
  });

  it('repeats a FIN that is lost, by the RTO (RFC 9293 §3.8.1)', () => {
    const t = new TcpHarness();
    const socket = t.establish({ rtt: 100 });
    t.close(100, socket);
    t.expect(100, { flags: 'FIN ACK', seq: 1 });
    t.expectNothing(399);
    t.expect(400, { flags: 'FIN ACK', seq: 1 });
    t.expect(1_000, { flags: 'FIN ACK', seq: 1 });
    t.send(1_100, { flags: 'ACK', seq: 1, ack: 2 });
    assert.equal(socket.state, 'FIN-WAIT-2');
    t.expectNothing(30_000);
  });

  it('is idempotent', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.close(10, socket);
    t.close(10, socket);
    t.expect(10, { flags: 'FIN ACK', seq: 1 });
    t.close(20, socket);
    t.expectNothing(20);
  });

  it('stays in FIN-WAIT-2 as long as its user still reads (RFC 9293 §3.6 half-close)', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.close(10, socket);
    t.expect(10, { flags: 'FIN ACK', seq: 1 });
    t.send(20, { flags: 'ACK', seq: 1, ack: 2 });
    t.expectNothing(3_600_000);
    assert.equal(socket.state, 'FIN-WAIT-2');
  });

  it('ends with ETIMEDOUT when FIN is never acknowledged (RFC 9293 §3.8.3)', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.close(10, socket);
    t.take(400_000);
    assert.equal(socket.state, 'CLOSED');
    assert.equal(socket.error?.code, 'ETIMEDOUT');
  });
});

describe('TCP passive close', () => {
  it('goes CLOSE-WAIT, LAST-ACK, CLOSED, without TIME-WAIT (RFC 9293 §3.6, figure 12)', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    let changes = 0;
    socket.onChange = () => changes++;
    t.send(10, { flags: 'FIN ACK', seq: 1, ack: 1 });
    t.expect(10, { flags: 'ACK', seq: 1, ack: 2 });
    assert.equal(socket.state, 'CLOSE-WAIT');
    assert.equal(socket.peerClosed, true);
    assert.equal(changes, 1);
    t.write(20, socket, 100);
    t.expect(20, { flags: 'ACK', seq: 1, ack: 2, payload: 100 });
    t.close(30, socket);
    t.expect(30, { flags: 'FIN ACK', seq: 101, ack: 2 });
    assert.equal(socket.state, 'LAST-ACK');
    t.send(40, { flags: 'ACK', seq: 2, ack: 101 });
    assert.equal(socket.state, 'LAST-ACK');
    t.send(50, { flags: 'ACK', seq: 2, ack: 102 });
    assert.equal(socket.state, 'CLOSED');
    assert.equal(socket.error, null);
    assert.equal(t.tcp.pollAt(), Infinity);
    t.expectNothing(100_000);
  });

  it('stays in CLOSE-WAIT as long as the user wishes', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.send(10, { flags: 'FIN ACK', seq: 1, ack: 1 });
    t.expect(10, { flags: 'ACK', ack: 2 });
    t.expectNothing(3_600_000);
    assert.equal(socket.state, 'CLOSE-WAIT');
    assert.equal(socket.isOpen, true);
  });

  it('acknowledges a repeated FIN again in CLOSE-WAIT', () => {
    const t = new TcpHarness();
    t.establish();
    t.send(10, { flags: 'FIN ACK', seq: 1, ack: 1 });
    t.expect(10, { flags: 'ACK', seq: 1, ack: 2 });
    t.send(500, { flags: 'FIN ACK', seq: 1, ack: 1 });
    t.expect(500, { flags: 'ACK', seq: 1, ack: 2 });
  });

  it('takes no data after the FIN, which is at its end for good (RFC 9293 §3.10.7.4, seventh)', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.send(10, { flags: 'FIN ACK', seq: 1, ack: 1, payload: 10 });
    t.expect(10, { flags: 'ACK', ack: 12 });
    t.send(20, { flags: 'ACK', seq: 12, ack: 1, payload: 10 });
    t.take(100);
    assert.equal(socket.readableBytes, 10);
    assert.equal(socket.snapshot().rcvNxt, 1_000_012);
  });

  it('repeats its FIN in LAST-ACK and gives up with ETIMEDOUT (RFC 9293 §3.8.3)', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.send(10, { flags: 'FIN ACK', seq: 1, ack: 1 });
    t.close(10, socket);
    const sent = t.take(400_000);
    assert.ok(sent.length > 3);
    assert.equal(socket.state, 'CLOSED');
  });
});

describe('TCP close with data under way', () => {
  it('sends all that was written before FIN, also through loss (RFC 9293 §3.10.4)', () => {
    const t = new TcpHarness();
    const socket = t.establish({ rtt: 100 });
    t.user(100, 'write 2000 and close', () => {
      socket.write(pattern(2000));
      socket.close();
    });
    t.expect(100, { flags: 'ACK', seq: 1, payload: 1460 });
    t.expect(100, { flags: 'FIN ACK', seq: 1461, payload: 540 });
    t.expect(400, { flags: 'ACK', seq: 1, payload: 1460 });
    t.send(500, { flags: 'ACK', seq: 1, ack: 1461 });
    t.expect([500, 2_000], { flags: 'FIN ACK', seq: 1461, payload: 540 });
    t.send(2_100, { flags: 'ACK', seq: 1, ack: 2002 });
    assert.equal(socket.state, 'FIN-WAIT-2');
  });

  it('sends FIN only within the window, of which it takes one (RFC 9293 §3.4, §3.8.6)', () => {
    const t = new TcpHarness();
    const socket = t.establish({ win: 1460 });
    t.user(0, 'write 2920 and close', () => {
      socket.write(pattern(2920));
      socket.close();
    });
    t.expect(0, { flags: 'ACK', seq: 1, payload: 1460 });
    t.send(10, { flags: 'ACK', seq: 1, ack: 1461, win: 1460 });
    t.expect(10, { flags: 'ACK', seq: 1461, payload: 1460 });
    t.expectNothing(10);
    t.send(20, { flags: 'ACK', seq: 1, ack: 2921, win: 1460 });
    t.expect(20, { flags: 'FIN ACK', seq: 2921 });
  });

  it('retransmits FIN alone when the data before it was acknowledged', () => {
    const t = new TcpHarness();
    const socket = t.establish({ rtt: 100 });
    t.write(100, socket, 100);
    t.close(100, socket);
    const first = t.take(100);
    assert.equal(first.at(-1)?.wire.flags.has('FIN'), true);
    t.send(200, { flags: 'ACK', seq: 1, ack: 101 });
    t.expect([300, 1_000], { flags: 'FIN ACK', seq: 101 });
  });
});

describe('TCP release: a close by a user who will not read any more', () => {
  it('drops what arrives until the FIN is acknowledged, and answers data after that with RST (RFC 9293 §3.6.1)', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.send(5, { flags: 'ACK', seq: 1, ack: 1, payload: 100 });
    t.user(10, 'release', () => socket.release());
    t.expect(10, { flags: 'FIN ACK', seq: 1, ack: 101 });
    assert.equal(socket.readableBytes, 0);
    t.send(15, { flags: 'ACK', seq: 101, ack: 1, payload: 1460 });
    t.send(15, { flags: 'ACK', seq: 1561, ack: 1, payload: 1460 });
    t.expect(15, { flags: 'ACK', seq: 2, ack: 3021, win: 65_535 });
    assert.equal(socket.readableBytes, 0);
    t.send(20, { flags: 'ACK', seq: 3021, ack: 2 });
    assert.equal(socket.state, 'FIN-WAIT-2');
    t.send(30, { flags: 'ACK', seq: 3021, ack: 2, payload: 10 });
    const [rst] = t.take(30);
    assert.ok(rst);
    assert.ok(rst.wire.flags.has('RST'));
    assert.equal(seqOf(rst), 2);
    assert.equal(socket.state, 'CLOSED');
    assert.deepEqual([...t.tcp.sockets], []);
    assert.ok(t.counters.rxAfterClose > 0);
  });

  it('does not wait for ever for a peer that never sends FIN (finWait2TimeoutMs)', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.user(10, 'release', () => socket.release());
    t.expect(10, { flags: 'FIN ACK', seq: 1 });
    t.send(20, { flags: 'ACK', seq: 1, ack: 2 });
    t.take(60_019);
    assert.equal(socket.state, 'FIN-WAIT-2');
    t.take(60_021);
    assert.equal(socket.state, 'CLOSED');
    assert.deepEqual([...t.tcp.sockets], []);
    assert.equal(t.tcp.pollAt(), Infinity);
  });

  it('still ends in order when the peer closes', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.user(10, 'release', () => socket.release());
    t.expect(10, { flags: 'FIN ACK', seq: 1 });
    t.send(20, { flags: 'ACK', seq: 1, ack: 2 });
    t.send(30, { flags: 'FIN ACK', seq: 1, ack: 2 });
    t.expect(30, { flags: 'ACK', seq: 2, ack: 2 });
    assert.equal(socket.state, 'TIME-WAIT');
    assert.equal(socket.error, null);
  });

  it('after a close that waited in FIN-WAIT-2 starts the timeout then', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.close(10, socket);
    t.take(10);
    t.send(20, { flags: 'ACK', seq: 1, ack: 2 });
    t.user(1_000_000, 'release', () => socket.release());
    t.take(1_059_999);
    assert.equal(socket.state, 'FIN-WAIT-2');
    t.take(1_060_001);
    assert.equal(socket.state, 'CLOSED');
  });

  it('with a full receive buffer lets the peer go on to its FIN', () => {
    const t = new TcpHarness({ config: { receiveBufferBytes: 2920 } });
    const socket = t.establish();
    t.send(1, { flags: 'ACK', seq: 1, ack: 1, payload: 1460 });
    t.send(1, { flags: 'ACK', seq: 1461, ack: 1, payload: 1460 });
    t.expect(1, { flags: 'ACK', ack: 2921, win: 0 });
    t.user(10, 'release', () => socket.release());
    t.expect(10, { flags: 'FIN ACK', seq: 1, ack: 2921, win: 2920 });
    t.send(20, { flags: 'FIN ACK', seq: 2921, ack: 1, payload: 1460 });
    t.expect(20, { flags: 'ACK', seq: 2, ack: 4382 });
    t.send(30, { flags: 'ACK', seq: 4382, ack: 2 });
    assert.equal(socket.state, 'TIME-WAIT');
  });
});

describe('TCP TIME-WAIT', () => {
  it('acknowledges a repeated FIN and starts the 2 MSL again (RFC 9293 §3.10.7.4)', () => {
    const { t, socket } = timeWait();
    t.send(30_000, { flags: 'FIN ACK', seq: 1, ack: 2 });
    t.expect(30_000, { flags: 'ACK', seq: 2, ack: 2 });
    t.expectNothing(89_999);
    assert.equal(socket.state, 'TIME-WAIT');
    t.advance(90_000);
    assert.equal(socket.state, 'CLOSED');
  });

  it('is not prolonged by anything but a repeated FIN (RFC 9293 §3.10.7.4)', () => {
    const { t, socket } = timeWait();
    for (const at of [10_000, 30_000, 50_000]) {
      t.send(at, { flags: 'ACK', seq: 200_000, ack: 2, payload: 10 });
      t.expect(at, { flags: 'ACK', seq: 2, ack: 2 });
    }
    t.advance(60_001);
    assert.equal(socket.state, 'CLOSED');
  });

  it('answers old data with an ACK and delivers nothing', () => {
    const { t, socket } = timeWait();
    t.send(1_000, { flags: 'ACK', seq: 1, ack: 2, payload: 10 });
    t.expect(1_000, { flags: 'ACK', seq: 2, ack: 2 });
    assert.equal(socket.readableBytes, 0);
  });

  it('gives way to a new SYN above its numbers, on a listening port (RFC 9293 §3.10.7.4, RFC 1122 §4.2.2.13)', () => {
    const t = new TcpHarness();
    const { socket, listener } = t.establishPassive();
    t.close(10, socket);
    t.take(10);
    t.send(20, { flags: 'FIN ACK', seq: 1, ack: 2 });
    t.take(20);
    assert.equal(socket.state, 'TIME-WAIT');
    t.send(1_000, { flags: 'SYN', seq: 100_000, mss: 1460 });
    t.expect(1_000, { flags: 'SYN ACK', ack: 100_001 });
    t.send(1_010, { flags: 'ACK', seq: 100_001, ack: 1 });
    assert.ok(listener.accept());
    assert.equal(t.counters.timeWaitReused, 1);
  });

  it('passes on to a new SYN with an ISS above all that the old connection sent (RFC 1122 §4.2.2.13)', () => {
    const t = new TcpHarness();
    const { socket } = t.establishPassive({ wscale: 7 });
    // 4 MB within a second: four times what the ISN clock counts in that time (RFC 6528 §3).
    let acked = 1;
    for (let at = 1; acked < 4_000_000; at++) {
      t.user(at, 'write', () => socket.write(new Uint8Array(100_000)));
      for (const seen of t.take(at)) acked = Math.max(acked, seqOf(seen) + seen.wire.payload.length);
      t.send(at, { flags: 'ACK', seq: 1, ack: acked });
    }
    const from = t.now;
    for (let at = from; socket.bufferedBytes > 0; at++) {
      for (const seen of t.take(at)) acked = Math.max(acked, seqOf(seen) + seen.wire.payload.length);
      t.send(at, { flags: 'ACK', seq: 1, ack: acked });
    }
    t.close(t.now, socket);
    t.take(t.now);
    t.send(t.now, { flags: 'FIN ACK', seq: 1, ack: acked + 1 });
    t.take(t.now);
    assert.equal(socket.state, 'TIME-WAIT');
    const { sndNxt } = socket.snapshot();
    t.send(t.now, { flags: 'SYN', seq: 100_000, mss: 1460 });
    const answer = t.expect(t.now, { flags: 'SYN ACK', ack: 100_001 });
    assert.ok(((answer.wire.seq - sndNxt) | 0) > 0, `the new ISS ${answer.wire.seq} lies below the old SND.NXT ${sndNxt}`);
  });

  it('is bounded in number: the oldest goes first', () => {
    const t = new TcpHarness({ config: { maxTimeWait: 3 } });
    const sockets = [];
    for (let i = 0; i < 5; i++) {
      const socket = t.connect({ localPort: 50_000 + i });
      t.take(i * 10);
      t.send(i * 10, { flags: 'SYN ACK', seq: 0, ack: 1 });
      t.close(i * 10, socket);
      t.send(i * 10, { flags: 'FIN ACK', seq: 1, ack: 2 });
      t.take(i * 10);
      sockets.push(socket);
      t.advance(i * 10 + 10);
    }
    assert.deepEqual(sockets.map((socket) => socket.state), ['CLOSED', 'CLOSED', 'TIME-WAIT', 'TIME-WAIT', 'TIME-WAIT']);
    assert.equal(t.counters.timeWaitEvicted, 2);
  });

  function timeWait() {
    const t = new TcpHarness();
    const socket = t.establish();
    t.close(0, socket);
    t.expect(0, { flags: 'FIN ACK', seq: 1 });
    t.send(0, { flags: 'FIN ACK', seq: 1, ack: 2 });
    t.expect(0, { flags: 'ACK', seq: 2, ack: 2 });
    assert.equal(socket.state, 'TIME-WAIT');
    return { t, socket };
  }
});
