import assert from 'node:assert/strict';
import { BROADCAST_ADDRESS } from '../../../stack/wire/address';
import { REMOTE, TcpHarness } from '../../support/tcp-harness';

describe('TCP reset received (RFC 5961 §3.2)', () => {
  it('at exactly RCV.NXT resets: ECONNRESET', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    let changes = 0;
    socket.onChange = () => changes++;
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 10 });
    t.send(20, { flags: 'RST', seq: 11 });
    assert.equal(socket.state, 'CLOSED');
    assert.equal(socket.error?.code, 'ECONNRESET');
    assert.equal(socket.isOpen, false);
    assert.equal(socket.writableBytes, 0);
    assert.equal(changes, 2);
    t.expectNothing(100_000);
    assert.equal(t.counters.resets, 1);
    assert.deepEqual([...t.tcp.sockets], []);
  });

  it('elsewhere in the window gets a challenge ACK and changes nothing', () => {
    for (const seq of [2, 1000, 65_535]) {
      const t = new TcpHarness();
      const socket = t.establish();
      t.send(10, { flags: 'RST', seq });
      t.expect(10, { flags: 'ACK', seq: 1, ack: 1 });
      assert.equal(socket.state, 'ESTABLISHED');
      assert.equal(t.counters.txChallengeAcks, 1);
      // The true peer has no such connection, and says so at the number the challenge named.
      t.send(20, { flags: 'RST', seq: 1 });
      assert.equal(socket.error?.code, 'ECONNRESET');
    }
  });

  it('outside the window is dropped without an answer and counted', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    for (const seq of [0, -1000, 65_536, 65_537, 1 << 30, -(1 << 30)]) t.send(10, { flags: 'RST ACK', seq, ack: 1 });
    t.expectNothing(1_000);
    assert.equal(socket.state, 'ESTABLISHED');
    assert.equal(t.counters.rxBadReset + t.counters.rxUnacceptable, 6);
  });

  it('ends every synchronized state', () => {
    for (const state of ['FIN-WAIT-1', 'FIN-WAIT-2', 'CLOSE-WAIT', 'CLOSING', 'LAST-ACK'] as const) {
      const t = new TcpHarness();
      const socket = t.establish();
      let seq = 1;
      if (state === 'CLOSE-WAIT' || state === 'LAST-ACK') t.send(1, { flags: 'FIN ACK', seq: seq++, ack: 1 });
      if (state !== 'CLOSE-WAIT') t.close(2, socket);
      if (state === 'FIN-WAIT-2') t.send(3, { flags: 'ACK', seq, ack: 2 });
      if (state === 'CLOSING') t.send(3, { flags: 'FIN ACK', seq: seq++, ack: 1 });
      t.take(3);
      assert.equal(socket.state, state);
      t.send(10, { flags: 'RST', seq });
      assert.equal(socket.state, 'CLOSED', state);
      t.expectNothing(500_000);
      assert.deepEqual([...t.tcp.sockets], []);
    }
  });

  it('does not cut TIME-WAIT short by a RST of its number (RFC 1337) or closes it: either way nothing is sent', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.close(0, socket);
    t.send(0, { flags: 'FIN ACK', seq: 1, ack: 2 });
    t.take(0);
    t.send(10, { flags: 'RST', seq: 2 });
    t.expectNothing(100_000);
    assert.equal(socket.state, 'CLOSED');
    assert.equal(socket.error, null);
  });

  it('leaves what was received before it readable', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 100 });
    t.send(11, { flags: 'RST', seq: 101 });
    t.expectRead(12, socket, 100);
  });

  it('takes the data of a segment with RST for nothing', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.send(10, { flags: 'RST ACK', seq: 1, ack: 1, payload: 'connection refused by policy' });
    assert.equal(socket.error?.code, 'ECONNRESET');
    assert.equal(socket.readableBytes, 0);
  });
});

describe('TCP SYN on an open connection (RFC 5961 §4.2)', () => {
  it('gets a challenge ACK, wherever its number lies', () => {
    for (const seq of [0, 1, 500, 100_000, -100_000]) {
      const t = new TcpHarness();
      const socket = t.establish();
      t.send(10, { flags: 'SYN', seq, mss: 1460 });
      t.expect(10, { flags: 'ACK', seq: 1, ack: 1 });
      assert.equal(socket.state, 'ESTABLISHED');
      t.send(11, { flags: 'ACK', seq: 1, ack: 1, payload: 5 });
      t.expectRead(11, socket, 5);
    }
  });

  it('with ACK or data changes nothing either', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.write(10, socket, 100);
    t.expect(10, { flags: 'ACK', seq: 1, payload: 100 });
    t.send(11, { flags: 'SYN ACK', seq: 1, ack: 101, payload: 'xyz' });
    t.expect(11, { flags: 'ACK', ack: 1 });
    assert.equal(socket.readableBytes, 0);
  });
});

describe('TCP acknowledgment validation (RFC 5961 §5.2, RFC 9293 §3.10.7.4)', () => {
  it('an ACK of what was never sent is answered and its data dropped', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.send(10, { flags: 'ACK', seq: 1, ack: 2, payload: 10 });
    t.expect(10, { flags: 'ACK', seq: 1, ack: 1 });
    assert.equal(socket.readableBytes, 0);
    assert.equal(t.counters.rxBadAck, 1);
  });

  it('an ACK older than the largest window ever offered is answered and its data dropped', () => {
    const t = new TcpHarness();
    const socket = t.establish({ win: 2000 });
    t.send(10, { flags: 'ACK', seq: 1, ack: -2100, payload: 10, win: 2000 });
    t.expect(10, { flags: 'ACK', seq: 1, ack: 1 });
    assert.equal(socket.readableBytes, 0);
    assert.equal(t.counters.rxBadAck, 1);
  });

  it('an old ACK within that window is taken with its data', () => {
    const t = new TcpHarness();
    const socket = t.establish({ win: 2000 });
    t.write(0, socket, 100);
    t.expect(0, { flags: 'ACK', seq: 1, payload: 100 });
    t.send(10, { flags: 'ACK', seq: 1, ack: 101, win: 2000 });
    t.send(20, { flags: 'ACK', seq: 1, ack: 1, win: 2000, payload: 10 });
    assert.equal(socket.readableBytes, 10);
  });

  it('a segment without ACK is dropped (RFC 9293 §3.10.7.4, fifth)', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.send(10, { flags: 'PSH', seq: 1, payload: 10 });
    t.expectNothing(1_000);
    assert.equal(socket.readableBytes, 0);
    assert.equal(t.counters.rxNoAck, 1);
  });

  it('an unacceptable sequence number is answered with an ACK, without taking anything (RFC 9293 §3.10.7.4, first)', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    for (const seq of [-5000, 65_537, 1 << 30]) {
      t.send(10, { flags: 'ACK', seq, ack: 1, payload: 10 });
      t.expect(10, { flags: 'ACK', seq: 1, ack: 1 });
    }
    assert.equal(socket.readableBytes, 0);
    assert.equal(t.counters.rxUnacceptable, 3);
  });
});

describe('TCP challenge ACKs (RFC 5961 §7)', () => {
  it('come once in half a second for each connection, whatever it is sent', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    for (let at = 10; at < 510; at += 10) {
      t.send(at, { flags: 'SYN', seq: at });
      t.send(at, { flags: 'RST', seq: at });
      t.send(at, { flags: 'ACK', seq: 1, ack: 100_000, payload: 10 });
    }
    assert.equal(t.take(509).length, 1);
    assert.equal(t.counters.txChallengeAcks, 1);
    assert.equal(t.counters.rxInvalidUnanswered, 149);
    assert.equal(socket.state, 'ESTABLISHED');
    t.send(510, { flags: 'SYN', seq: 1 });
    t.expect(510, { flags: 'ACK', seq: 1, ack: 1 });
  });

  it('of one connection tell nothing of another: no budget is shared', () => {
    const t = new TcpHarness();
    const first = t.establish();
    for (let i = 0; i < 5_000; i++) t.send(10, { flags: 'SYN', seq: i });
    t.take(10);
    t.connect({ localPort: 50_001 });
    t.expect(10, { flags: 'SYN' });
    t.send(20, { flags: 'SYN ACK', seq: 0, ack: 1 });
    t.expect(20, { flags: 'ACK' });
    t.send(30, { flags: 'RST', seq: 2 });
    t.expect(30, { flags: 'ACK', seq: 1, ack: 1, sourcePort: 50_001 });
    assert.equal(first.state, 'ESTABLISHED');
  });
});

describe('TCP answers to segments outside the window', () => {
  it('do not let two ends that disagree answer each other for ever', () => {
    const t = new TcpHarness();
    t.establish();
    for (let i = 0; i < 100; i++) t.send(10 + i, { flags: 'ACK', seq: 500_000, ack: 1 });
    assert.ok(t.take(110).length <= 3, 'a pure ACK outside the window is answered now and then only');
    t.send(2_000, { flags: 'ACK', seq: 500_000, ack: 1 });
    t.expect(2_000, { flags: 'ACK', seq: 1, ack: 1 });
  });

  it('come for each repeated segment with data: the peer lost our ACK', () => {
    const t = new TcpHarness();
    t.establish();
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 100 });
    t.expect(50, { flags: 'ACK', ack: 101 });
    for (let at = 60; at < 70; at++) {
      t.send(at, { flags: 'ACK', seq: 1, ack: 1, payload: 100 });
      t.expect(at, { flags: 'ACK', ack: 101 });
    }
  });
});

describe('TCP segments without a connection (RFC 9293 §3.10.7.1)', () => {
  it('with ACK are answered with RST at that number', () => {
    const t = new TcpHarness();
    t.send(0, { flags: 'ACK', seq: 7, ack: 1234, payload: 10 });
    t.expect(0, { flags: 'RST', seq: 1234 });
    t.send(0, { flags: 'SYN ACK', seq: 7, ack: 99 });
    t.expect(0, { flags: 'RST', seq: 99 });
    assert.equal(t.counters.rxNoConnection, 2);
    assert.equal(t.counters.txResets, 2);
  });

  it('without ACK are answered with RST ACK that covers them, SYN and FIN counted', () => {
    const t = new TcpHarness();
    t.send(0, { flags: 'SYN', seq: 0 });
    t.expect(0, { flags: 'RST ACK', seq: 0, ack: 1 });
    t.send(0, { flags: 'FIN', seq: 10, payload: 5 });
    t.expect(0, { flags: 'RST ACK', seq: 0, ack: 16 });
    t.send(0, { flags: 'SYN', seq: 20, payload: 5 });
    t.expect(0, { flags: 'RST ACK', seq: 0, ack: 26 });
  });

  it('with RST are never answered', () => {
    const t = new TcpHarness();
    t.send(0, { flags: 'RST', seq: 0 });
    t.send(0, { flags: 'RST ACK', seq: 0, ack: 5 });
    t.expectNothing(1_000);
    assert.equal(t.counters.rxNoConnection, 2);
  });

  it('from or to an address that is not one host\'s are dropped unanswered (RFC 9293 §3.9.2.3 MUST-57, RFC 1122 §4.2.3.10)', () => {
    const t = new TcpHarness();
    t.listen();
    for (const source of [BROADCAST_ADDRESS, 0xe000_0001, 0]) t.send(0, { flags: 'SYN', seq: 0, source });
    for (const destination of [BROADCAST_ADDRESS, 0xe000_0001]) t.send(0, { flags: 'SYN', seq: 0, destination });
    t.expectNothing(10_000);
    assert.equal(t.counters.rxBadBroadcast, 5);
    assert.deepEqual([...t.tcp.sockets], []);
  });

  it('after a connection is gone: data gets RST (RFC 9293 §3.10.7.1)', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.send(10, { flags: 'FIN ACK', seq: 1, ack: 1 });
    t.close(10, socket);
    t.take(10);
    t.send(20, { flags: 'ACK', seq: 2, ack: 2 });
    assert.equal(socket.state, 'CLOSED');
    t.send(30, { flags: 'ACK', seq: 2, ack: 2, payload: 10 });
    t.expect(30, { flags: 'RST', seq: 2 });
  });
});

describe('TCP abort (RFC 9293 §3.10.5)', () => {
  it('sends RST at SND.NXT and forgets what is queued', () => {
    const t = new TcpHarness();
    const socket = t.establish({ win: 1000 });
    t.write(0, socket, 5000);
    t.expect(0, { flags: 'ACK', seq: 1, payload: 1000 });
    t.abort(10, socket);
    const rst = t.take(10);
    assert.equal(rst.length, 1);
    assert.ok(rst[0]?.wire.flags.has('RST'));
    assert.equal((rst[0]?.wire.seq ?? 0) - rst[0]!.stackIss >>> 0, 1001);
    assert.equal(socket.state, 'CLOSED');
    assert.equal(socket.error?.code, 'ECONNABORTED');
    assert.equal(socket.bufferedBytes, 0);
    assert.equal(t.write(20, socket, 10, 'partial'), 0);
    t.abort(20, socket);
    t.close(20, socket);
    t.expectNothing(500_000);
    assert.deepEqual([...t.tcp.sockets], []);
    assert.equal(t.counters.txResets, 1);
  });

  it('resets in CLOSE-WAIT and FIN-WAIT-2, and is silent in TIME-WAIT', () => {
    const closeWait = new TcpHarness();
    const a = closeWait.establish();
    closeWait.send(0, { flags: 'FIN ACK', seq: 1, ack: 1 });
    closeWait.take(0);
    closeWait.abort(1, a);
    assert.equal(closeWait.take(1)[0]?.wire.flags.has('RST'), true);

    const finWait = new TcpHarness();
    const b = finWait.establish();
    finWait.close(0, b);
    finWait.send(0, { flags: 'ACK', seq: 1, ack: 2 });
    finWait.take(0);
    finWait.abort(1, b);
    assert.equal(finWait.take(1)[0]?.wire.flags.has('RST'), true);

    const timeWait = new TcpHarness();
    const c = timeWait.establish();
    timeWait.close(0, c);
    timeWait.send(0, { flags: 'FIN ACK', seq: 1, ack: 2 });
    timeWait.take(0);
    timeWait.abort(1, c);
    timeWait.expectNothing(100_000);
  });

  it('from within onChange is safe', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    socket.onChange = (changed) => changed.abort();
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 10 });
    const [rst] = t.take(10).filter((seen) => seen.wire.flags.has('RST'));
    assert.ok(rst);
    assert.equal(socket.state, 'CLOSED');
    t.expectNothing(100_000);
  });

  it('of every connection by a lost address: ENETDOWN, and nothing is left', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    const second = t.connect({ localPort: 50_001 });
    t.take(0);
    t.hasRoute = false;
    t.user(10, 'the address is lost', () => t.tcp.addressLost(t.clock.now(), 'the lease expired'));
    t.tcp.poll(t.clock.now());
    assert.equal(socket.error?.code, 'ENETDOWN');
    assert.equal(second.error?.code, 'ENETDOWN');
    assert.match(socket.error?.message ?? '', /the lease expired/);
    assert.deepEqual([...t.tcp.sockets], []);
    t.take(10);
    t.expectNothing(200_000);
    assert.equal(t.tcp.pollAt(), Infinity);
    assert.equal(REMOTE, socket.remoteAddress);
  });
});
