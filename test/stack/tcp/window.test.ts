import assert from 'node:assert/strict';
import { seqOf, TcpHarness } from '../../support/tcp-harness';
import type { TcpSocket } from '../../../stack';

describe('TCP send window', () => {
  it('is never exceeded (RFC 9293 §3.8.6)', () => {
    const t = new TcpHarness();
    const socket = t.establish({ win: 2000 });
    t.write(0, socket, 10_000);
    t.expect(0, { flags: 'ACK', seq: 1, payload: 1460 });
    const rest = t.take(100);
    for (const seen of rest) assert.ok(seqOf(seen) + seen.wire.payload.length <= 2001, 'beyond the window');
    t.send(100, { flags: 'ACK', seq: 1, ack: 2001 - (rest.length ? 0 : 540), win: 2000 });
    for (const seen of t.take(110)) assert.ok(seqOf(seen) + seen.wire.payload.length <= 4001, 'beyond the window');
  });

  it('follows the newest segment, not one that was overtaken (RFC 9293 §3.10.7.4: SND.WL1, SND.WL2)', () => {
    const t = new TcpHarness();
    const socket = t.establish({ win: 5000 });
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, win: 5000, payload: 10 });
    t.send(11, { flags: 'ACK', seq: 11, ack: 1, win: 7000, payload: 10 });
    assert.equal(socket.snapshot().sndWnd, 7000);
    t.send(12, { flags: 'ACK', seq: 1, ack: 1, win: 100, payload: 10 });
    assert.equal(socket.snapshot().sndWnd, 7000);
    // The later of two arrives first; both are acceptable.
    t.send(13, { flags: 'ACK', seq: 31, ack: 1, win: 8000, payload: 10 });
    t.send(14, { flags: 'ACK', seq: 21, ack: 1, win: 100, payload: 10 });
    assert.equal(socket.snapshot().sndWnd, 8000);
  });

  it('may shrink: nothing new beyond it, and what was sent is still taken as sent (RFC 9293 §3.8.6 SHLD-15/MUST-34)', () => {
    const t = new TcpHarness();
    const socket = t.establish({ win: 4380 });
    t.write(0, socket, 8000);
    assert.equal(t.take(0).length, 3);
    t.send(10, { flags: 'ACK', seq: 1, ack: 1461, win: 1460 });
    t.expectNothing(10);
    t.send(20, { flags: 'ACK', seq: 1, ack: 4381, win: 1460 });
    t.expect(20, { flags: 'ACK', seq: 4381, payload: 1460 });
    t.expectNothing(20);
    assert.equal(socket.state, 'ESTABLISHED');
  });
});

describe('TCP retransmission into a window that shrank', () => {
  it('repeats no more than the window takes, but for the first segment, which probes it (RFC 9293 §3.8.6)', () => {
    const t = new TcpHarness();
    const socket = t.establish({ rtt: 100, win: 4380 });
    t.write(100, socket, 4380);
    assert.equal(t.take(100).length, 3);
    t.send(200, { flags: 'ACK', seq: 1, ack: 1, win: 1460 });
    t.expectNothing(399);
    t.expect(400, { flags: 'ACK', seq: 1, payload: 1460 });
    t.send(500, { flags: 'ACK', seq: 1, ack: 1461, win: 1460 });
    t.expect(500, { flags: 'ACK', seq: 1461, payload: 1460 });
    t.expectNothing(500);
    t.send(600, { flags: 'ACK', seq: 1, ack: 2921, win: 1460 });
    t.expect(600, { flags: 'ACK', seq: 2921, payload: 1460 });
    t.send(700, { flags: 'ACK', seq: 1, ack: 4381, win: 1460 });
    assert.equal(socket.bufferedBytes, 0);
  });
});

describe('TCP zero window', () => {
  it('is probed after the RTO, then with back-off, for as long as the peer answers (RFC 9293 §3.8.6.1)', () => {
    const t = new TcpHarness();
    const socket = t.establish({ rtt: 100, win: 1000 });
    t.write(100, socket, 3000);
    t.expect(100, { flags: 'ACK', seq: 1, payload: 1000 });
    t.send(200, { flags: 'ACK', seq: 1, ack: 1001, win: 0 });
    const times: number[] = [];
    for (let from = 200; times.length < 10; ) {
      t.advance(from);
      const [probe] = untilSent(t, from + 61_000);
      assert.ok(probe, `no probe within 60 s of ${from}`);
      const offset = seqOf(probe) + probe.wire.payload.length;
      assert.ok(offset <= 1002, `a probe carries at most one byte beyond the window, this one ends at ${offset}`);
      assert.ok(probe.wire.payload.length > 0 || seqOf(probe) < 1001, 'a probe must be something the peer has to answer');
      times.push(probe.at);
      from = probe.at + 10;
      t.send(from, { flags: 'ACK', seq: 1, ack: 1001, win: 0 });
    }
    const gaps = times.map((time, i) => time - (times[i - 1] ?? 200));
    assert.ok((gaps[0] ?? 0) >= 200 && (gaps[0] ?? 0) <= 1_000, `the first probe after about an RTO, not ${gaps[0]}`);
    for (let i = 1; i < gaps.length; i++) {
      const ratio = (gaps[i] ?? 0) / (gaps[i - 1] ?? 1);
      assert.ok((ratio >= 1.9 && ratio <= 2.1) || (gaps[i] ?? 0) >= 60_000 - 1, `gap ${i} of ${gaps.join(', ')}`);
    }
    assert.ok((gaps.at(-1) ?? 0) > 30_000, `backs off toward 60 s: ${gaps.join(', ')}`);
    assert.equal(socket.state, 'ESTABLISHED', 'a peer that answers probes is alive (RFC 9293 §3.8.6.1 MUST-37)');
  });

  it('goes on at once when it opens (RFC 9293 §3.8.6.1)', () => {
    const t = new TcpHarness();
    const socket = t.establish({ rtt: 100, win: 1000 });
    t.write(100, socket, 3000);
    t.expect(100, { flags: 'ACK', seq: 1, payload: 1000 });
    t.send(200, { flags: 'ACK', seq: 1, ack: 1001, win: 0 });
    t.take(5_000);
    t.send(5_000, { flags: 'ACK', seq: 1, ack: 1001, win: 5000 });
    const sent = t.take(5_000);
    const last = Math.max(...sent.map((seen) => seqOf(seen) + seen.wire.payload.length));
    assert.equal(last, 3001);
    t.send(5_100, { flags: 'ACK', seq: 1, ack: 3001, win: 5000 });
    assert.equal(socket.bufferedBytes, 0);
    t.expectNothing(100_000);
  });

  it('takes the byte of a probe that the peer accepted as sent', () => {
    const t = new TcpHarness({ config: { nagle: false } });
    const socket = t.establish({ rtt: 100, win: 10 });
    t.write(100, socket, 20);
    t.expect(100, { flags: 'ACK', seq: 1, payload: 10 });
    t.send(200, { flags: 'ACK', seq: 1, ack: 11, win: 0 });
    const [probe] = untilSent(t, 10_000);
    assert.ok(probe);
    const acked = Math.max(11, seqOf(probe) + probe.wire.payload.length);
    t.send(probe.at + 10, { flags: 'ACK', seq: 1, ack: acked, win: 100 });
    t.expect(probe.at + 10, { flags: 'ACK', seq: acked, payload: 21 - acked });
    t.send(probe.at + 20, { flags: 'ACK', seq: 1, ack: 21, win: 100 });
    assert.equal(socket.bufferedBytes, 0);
  });

  it('takes the byte of a probe that the peer did not take back, and counts it once', () => {
    const t = new TcpHarness();
    const socket = t.establish({ rtt: 100, win: 10 });
    t.write(100, socket, 30);
    t.expect(100, { flags: 'ACK', seq: 1, payload: 10 });
    t.send(200, { flags: 'ACK', seq: 1, ack: 11, win: 0 });
    const [probe] = untilSent(t, 10_000);
    assert.ok(probe);
    t.send(probe.at + 10, { flags: 'ACK', seq: 1, ack: 11, win: 100 });
    t.take(probe.at + 10);
    t.send(probe.at + 20, { flags: 'ACK', seq: 1, ack: 31, win: 100 });
    assert.equal(socket.snapshot().bytesOut, 30);
  });

  it('from the first moment: data written into a window that is zero after the handshake is probed for', () => {
    const t = new TcpHarness();
    const socket = t.establish({ win: 0 });
    t.write(0, socket, 100);
    const [probe] = untilSent(t, 10_000);
    assert.ok(probe);
    t.send(probe.at + 1, { flags: 'ACK', seq: 1, ack: 1, win: 1000 });
    const sent = t.take(probe.at + 2_000);
    assert.ok(sent.some((seen) => seqOf(seen) + seen.wire.payload.length === 101));
  });

  it('while a probe is under way, ACK and RST stand at the edge of the window, where the peer takes them (RFC 9293 §3.10.7.4)', () => {
    const t = new TcpHarness();
    const socket = t.establish({ win: 1000 });
    t.write(0, socket, 3000);
    t.expect(0, { flags: 'ACK', seq: 1, payload: 1000 });
    t.send(10, { flags: 'ACK', seq: 1, ack: 1001, win: 0 });
    const [probe] = untilSent(t, 10_000);
    assert.ok(probe);
    assert.equal(seqOf(probe) + probe.wire.payload.length, 1002);
    const { at } = probe;
    t.send(at + 10, { flags: 'ACK', seq: 1, ack: 1001, win: 0, payload: 1460 });
    t.send(at + 10, { flags: 'ACK', seq: 1461, ack: 1001, win: 0, payload: 1460 });
    t.expect([at + 10, at + 60], { flags: 'ACK', seq: 1001, ack: 2921 });
    t.user(at + 70, 'abort', () => socket.abort());
    t.expect(at + 70, { flags: 'RST ACK', seq: 1001 });
  });

  it('does not hold back FIN for ever: a close at zero window completes when it opens', () => {
    const t = new TcpHarness();
    const socket = t.establish({ win: 10 });
    t.write(0, socket, 10);
    t.expect(0, { flags: 'ACK', seq: 1, payload: 10 });
    t.send(10, { flags: 'ACK', seq: 1, ack: 11, win: 0 });
    t.close(10, socket);
    t.take(3_000);
    t.send(3_000, { flags: 'ACK', seq: 1, ack: 11, win: 100 });
    t.take(10_000);
    t.send(10_000, { flags: 'ACK', seq: 1, ack: 12, win: 100 });
    assert.equal(socket.state, 'FIN-WAIT-2');
  });

  it('ends with ETIMEDOUT when nobody answers the probes for the user timeout (RFC 9293 §3.8.3, RFC 1122 §4.2.2.17)', () => {
    const t = new TcpHarness({ config: { userTimeoutMs: 20_000 } });
    const socket = t.establish({ win: 10 });
    t.write(0, socket, 100);
    t.expect(0, { flags: 'ACK', seq: 1, payload: 10 });
    t.send(10, { flags: 'ACK', seq: 1, ack: 11, win: 0 });
    t.take(19_000);
    assert.equal(socket.state, 'ESTABLISHED');
    t.take(150_000);
    assert.equal(socket.state, 'CLOSED');
    assert.equal(socket.error?.code, 'ETIMEDOUT');
    assert.equal(t.tcp.pollAt(), Infinity);
  });
});

describe('TCP, closed at a closed window', () => {
  /** A peer that answers each probe, and never opens its window. @returns when the connection ended, ms */
  function answerProbes(t: TcpHarness, socket: TcpSocket, from: number): number {
    for (let at = from; at < 1_000_000; ) {
      t.advance(at);
      const [sent] = untilSent(t, at + 61_000);
      assert.ok(sent);
      if (socket.state === 'CLOSED') return sent.at;
      at = sent.at + 10;
      t.send(at, { flags: 'ACK', seq: 1, ack: 11, win: 0 });
    }
    throw new Error('still open');
  }

  for (const how of ['release', 'endIfStalled'] as const) {
    it(`${how}: a peer that takes nothing for the user timeout is reset, though it answers the probes (RFC 6429)`, () => {
      const t = new TcpHarness();
      const socket = t.establish({ win: 10 });
      t.write(0, socket, 100);
      t.expect(0, { flags: 'ACK', seq: 1, payload: 10 });
      t.send(10, { flags: 'ACK', seq: 1, ack: 11, win: 0 });
      // However long it was idle before: the time counts from the close.
      t.take(20);
      t.user(20, how, () => socket[how]());
      const endedAt = answerProbes(t, socket, 20);
      assert.equal(endedAt, 100_020);
      assert.deepEqual([socket.state, socket.error?.code, t.counters.stalled], ['CLOSED', 'ETIMEDOUT', 1]);
      assert.match(socket.error?.message ?? '', /took nothing for 100 s after the close, its window closed; what was queued is lost/);
      assert.equal(t.tcp.pollAt(), Infinity);
    });
  }

  it('a peer that takes something now and then is waited for', () => {
    const t = new TcpHarness();
    const socket = t.establish({ win: 10 });
    t.write(0, socket, 60);
    t.expect(0, { flags: 'ACK', seq: 1, payload: 10 });
    t.user(1, 'release', () => socket.release());
    let acked = 11;
    // Ten bytes each 90 s, by a window that opens and closes.
    for (let at = 90_000; acked < 61; at += 90_000) {
      t.send(at, { flags: 'ACK', seq: 1, ack: acked, win: 10 });
      t.take(at + 50);
      acked += 10;
      t.send(at + 100, { flags: 'ACK', seq: 1, ack: acked, win: 0 });
      t.take(at + 89_000);
      assert.notEqual(socket.state, 'CLOSED', `at ${at} ms`);
    }
    assert.equal(t.counters.stalled, 0);
  });
});

describe('TCP window offered by the SYN', () => {
  it('is not taken back by a smaller receive limit that comes before the answer (RFC 9293 §3.8.6)', () => {
    const t = new TcpHarness();
    const socket = t.connect();
    t.expect(0, { flags: 'SYN', win: 65_535 });
    t.user(5, 'setReceiveLimit', () => socket.setReceiveLimit(1_000));
    t.send(10, { flags: 'SYN ACK', seq: 0, ack: 1, mss: 1460 });
    t.expect(10, { flags: 'ACK', win: 65_535 });
    for (let n = 0; n < 44; n++) t.send(20, { flags: 'ACK', seq: 1 + n * 1460, ack: 1, payload: 1460 });
    t.expectRead(20, socket, 44 * 1460);
    assert.equal(t.counters.rxBeyondWindow, 0);
  });

  it('nor is it when both ends open at once, or when the SYN-ACK is repeated', () => {
    const active = new TcpHarness();
    const socket = active.connect();
    active.expect(0, { flags: 'SYN', win: 65_535 });
    active.user(5, 'setReceiveLimit', () => socket.setReceiveLimit(1_000));
    active.send(10, { flags: 'SYN', seq: 0 });
    active.expect(10, { flags: 'SYN ACK', win: 65_535 });

    const passive = new TcpHarness();
    passive.listen();
    passive.send(0, { flags: 'SYN', seq: 0 });
    passive.expect(0, { flags: 'SYN ACK', win: 65_535 });
    for (const half of passive.tcp.sockets) passive.user(5, 'setReceiveLimit', () => half.setReceiveLimit(1_000));
    passive.expect(1_000, { flags: 'SYN ACK', win: 65_535 });
  });
});

describe('TCP receive window filled behind a hole', () => {
  it('takes the ACKs and SACKs of the peer, which stand at its edge', () => {
    const t = new TcpHarness({ config: { sack: true, receiveBufferBytes: 2920 } });
    const socket = t.establish({ sack: true });
    t.send(10, { flags: 'ACK', seq: 1461, ack: 1, payload: 1460 });
    t.expect(10, { flags: 'ACK', ack: 1, sack: [[1461, 2921]] });
    t.write(20, socket, 4380);
    assert.equal(t.take(20).length, 3);
    // Of ours the first is lost as well.
    t.send(120, { flags: 'ACK', seq: 2921, ack: 1, sack: [[1461, 4381]] });
    assert.equal(socket.snapshot().sackedSegments, 2);
    t.send(130, { flags: 'ACK', seq: 2921, ack: 4381 });
    assert.equal(socket.bufferedBytes, 0);
    assert.equal(t.counters.rxUnacceptable, 0);
  });

  it('takes nothing else there: no data, no FIN, no RST (RFC 9293 §3.10.7.4)', () => {
    for (const [flags, payload] of [['ACK', 10], ['FIN ACK', 0], ['RST ACK', 0]] as const) {
      const t = new TcpHarness({ config: { receiveBufferBytes: 2920 } });
      const socket = t.establish();
      t.send(10, { flags, seq: 2921, ack: 1, payload });
      assert.equal(t.counters.rxUnacceptable, 1, flags);
      assert.equal(socket.state, 'ESTABLISHED');
    }
  });
});

describe('TCP silly window avoidance', () => {
  it('by the sender: no small segment while more data waits and the window is small (RFC 9293 §3.8.6.2.1)', () => {
    const t = new TcpHarness();
    const socket = t.establish({ win: 14_600 });
    t.write(0, socket, 30_000);
    assert.equal(t.take(0).length, 10);
    // 100 bytes of window are less than a segment and less than half of the largest window seen.
    t.send(10, { flags: 'ACK', seq: 1, ack: 14_601, win: 100 });
    t.expectNothing(100);
    t.send(100, { flags: 'ACK', seq: 1, ack: 14_601, win: 1460 });
    t.expect(100, { flags: 'ACK', seq: 14_601, payload: 1460 });
  });

  it('by the sender: a window that stays small is used in the end (RFC 9293 §3.8.6.2.1, the override timeout)', () => {
    const t = new TcpHarness();
    const socket = t.establish({ win: 14_600 });
    t.write(0, socket, 30_000);
    assert.equal(t.take(0).length, 10);
    t.send(10, { flags: 'ACK', seq: 1, ack: 14_601, win: 100 });
    const [seen] = untilSent(t, 3_000);
    assert.ok(seen, 'nothing within 3 s: the connection is stuck');
    assert.ok(seqOf(seen) + seen.wire.payload.length <= 14_701, 'within the window');
  });

  it('by the sender: a peer with a tiny buffer is served in halves of it (RFC 9293 §3.8.6.2.1, case 3)', () => {
    const t = new TcpHarness();
    const socket = t.establish({ win: 200 });
    t.write(0, socket, 1000);
    t.expect(0, { flags: 'ACK', seq: 1, payload: 200 });
    t.send(10, { flags: 'ACK', seq: 1, ack: 201, win: 100 });
    t.expect(10, { flags: 'ACK', seq: 201, payload: 100 });
  });

  it('by the receiver: the window opens by a segment or half the buffer, not by crumbs (RFC 9293 §3.8.6.2.2)', () => {
    const t = new TcpHarness({ config: { receiveBufferBytes: 4380 } });
    const socket = t.establish();
    for (let i = 0; i < 3; i++) t.send(10, { flags: 'ACK', seq: 1 + i * 1460, ack: 1, payload: 1460 });
    t.take(60);
    t.read(60, socket, 100);
    t.expectNothing(500);
    t.send(500, { flags: 'ACK', seq: 4381, ack: 1, payload: 1 });
    t.expect(500, { flags: 'ACK', ack: 4381, win: 0 });
    t.read(600, socket, 1360);
    t.expect(600, { flags: 'ACK', ack: 4381, win: 1460 });
  });
});

describe('TCP receive window', () => {
  it('closes for good when nothing is read, however small the segments: scaling rounds nothing up beyond the buffer (RFC 7323 §2.4)', () => {
    const size = 1 << 20;
    const t = new TcpHarness({ config: { receiveBufferBytes: size } });
    const socket = t.establish({ wscale: 0 });
    let seq = 1;
    while (size - socket.readableBytes > 1500) {
      t.send(10, { flags: 'ACK', seq, ack: 1, payload: 1460 });
      seq += 1460;
    }
    t.take(100);
    for (let i = 0; i < 3_000; i++) {
      const at = 100 + i * 50;
      t.send(at, { flags: 'ACK', seq, ack: 1, payload: 1 });
      seq = ((socket.snapshot().rcvNxt - socket.snapshot().irs) >>> 0);
      t.take(at + 45);
    }
    assert.ok(socket.readableBytes <= size, `the buffer of ${size} bytes holds ${socket.readableBytes}`);
    t.expectRead(200_000, socket, socket.readableBytes);
  });


  it('shrinks by what is not read and is told with every acknowledgment (RFC 9293 §3.8.6)', () => {
    const t = new TcpHarness({ config: { receiveBufferBytes: 10_000 } });
    const socket = t.establish();
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 1460 });
    t.send(10, { flags: 'ACK', seq: 1461, ack: 1, payload: 1460 });
    t.expect(10, { flags: 'ACK', ack: 2921, win: 7080 });
    t.expectRead(20, socket, 2920);
    const sent = t.take(30);
    const win = sent.at(-1)?.wire.win ?? 7080;
    assert.ok(win >= 7080);
    t.send(40, { flags: 'ACK', seq: 2921, ack: 1, payload: 10 });
    t.expect([40, 80], { flags: 'ACK', ack: 2931, win: 9990 });
  });

  it('takes nothing beyond itself and answers a probe of a full window (RFC 9293 §3.8.6.1 MUST-36, §3.10.7.4)', () => {
    const t = new TcpHarness({ config: { receiveBufferBytes: 3000 } });
    const socket = t.establish();
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 1460 });
    t.send(10, { flags: 'ACK', seq: 1461, ack: 1, payload: 1460 });
    t.expect(10, { flags: 'ACK', ack: 2921 });
    // 80 bytes of room: the rest of the segment is cut off.
    t.send(20, { flags: 'ACK', seq: 2921, ack: 1, payload: 1460 });
    t.expect([20, 60], { flags: 'ACK', ack: 3001, win: 0 });
    t.send(1_000, { flags: 'ACK', seq: 3001, ack: 1, payload: 1 });
    t.expect(1_000, { flags: 'ACK', ack: 3001, win: 0 });
    assert.equal(socket.readableBytes, 3000);
    t.expectRead(2_000, socket, 3000);
    t.expect(2_000, { flags: 'ACK', ack: 3001, win: 3000 });
  });

  it('does not take a FIN whose data it had to cut off (RFC 9293 §3.10.7.4)', () => {
    const t = new TcpHarness({ config: { receiveBufferBytes: 1500 } });
    const socket = t.establish();
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 1460 });
    t.take(60);
    t.send(70, { flags: 'FIN ACK', seq: 1461, ack: 1, payload: 100 });
    t.expect([70, 110], { flags: 'ACK', ack: 1501, win: 0 });
    assert.deepEqual([socket.peerClosed, socket.state], [false, 'ESTABLISHED']);
    t.expectRead(200, socket, 1500);
    t.take(200);
    t.send(210, { flags: 'FIN ACK', seq: 1461, ack: 1, payload: 100 });
    t.expect(210, { flags: 'ACK', ack: 1562 });
    t.expectRead(210, socket, 60);
    assert.equal(socket.peerClosed, true);
  });

  it('of zero still takes ACK, and a RST at its edge (RFC 9293 §3.8.6 MUST-39, §3.10.7.4)', () => {
    const t = new TcpHarness({ config: { receiveBufferBytes: 1460 } });
    const socket = t.establish();
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 1460 });
    t.expect([10, 50], { flags: 'ACK', ack: 1461, win: 0 });
    t.write(60, socket, 100);
    t.expect(60, { flags: 'ACK', seq: 1, payload: 100 });
    t.send(70, { flags: 'ACK', seq: 1461, ack: 101 });
    assert.equal(socket.bufferedBytes, 0);
    t.send(80, { flags: 'RST', seq: 1461 });
    assert.equal(socket.error?.code, 'ECONNRESET');
  });

  it('of zero takes the ACK of a segment whose data it has no room for (RFC 9293 §3.10.7.4: two full ends must not lock up)', () => {
    const t = new TcpHarness({ config: { receiveBufferBytes: 1460 } });
    const socket = t.establish({ win: 100 });
    t.write(0, socket, 200);
    t.expect(0, { flags: 'ACK', seq: 1, payload: 100 });
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, win: 100, payload: 1460 });
    t.expect([10, 50], { flags: 'ACK', ack: 1461, win: 0 });
    t.send(60, { flags: 'ACK', seq: 1461, ack: 101, win: 100, payload: 500 });
    assert.equal(socket.bufferedBytes, 100);
    assert.equal(socket.readableBytes, 1460);
    t.expect(60, { flags: 'ACK', seq: 101, ack: 1461, win: 0, payload: 100 });
  });

  it('never moves its right edge back, even by a smaller limit (RFC 9293 §3.8.6 SHLD-14)', () => {
    const t = new TcpHarness({ config: { receiveBufferBytes: 20_000 } });
    const socket = t.establish();
    t.user(5, 'limit 4000', () => socket.setReceiveLimit(4_000));
    let edge = 20_001;
    for (let i = 0; i < 12; i++) {
      t.send(10 + i, { flags: 'ACK', seq: 1 + i * 1460, ack: 1, payload: 1460 });
      for (const seen of t.take(10 + i)) {
        const newEdge = seen.wire.ack - 1_000_000 + seen.wire.win;
        assert.ok(newEdge >= edge, `the edge went from ${edge} back to ${newEdge}`);
        edge = newEdge;
      }
    }
    assert.equal(edge, 20_001, 'nor does it move forward: the limit is reached');
    t.expectRead(100, socket, 12 * 1460);
    t.send(110, { flags: 'ACK', seq: 17_521, ack: 1, payload: 1460 });
    for (const seen of t.take(200)) assert.ok(seen.wire.ack - 1_000_000 + seen.wire.win <= 18_981 + 4_000);
  });

  it('of a user who wants nothing now stays shut in silence, and opens by a larger limit', () => {
    const t = new TcpHarness({ config: { receiveBufferBytes: 2920 } });
    const socket = t.establish();
    t.send(5, { flags: 'ACK', seq: 1, ack: 1, payload: 1460 });
    t.send(5, { flags: 'ACK', seq: 1461, ack: 1, payload: 1460 });
    t.take(5);
    t.user(10, 'limit 0', () => socket.setReceiveLimit(0));
    t.expectRead(10, socket, 2920);
    t.expectNothing(10);
    for (let at = 20; at < 30; at++) t.send(at, { flags: 'ACK', seq: 2921, ack: 1 });
    t.expectNothing(1_000);
    t.user(1_000, 'limit 5000', () => socket.setReceiveLimit(5_000));
    t.expect(1_000, { flags: 'ACK', ack: 2921, win: 5_000 });
  });

  it('grows with a larger limit, and says so when it was closed', () => {
    const t = new TcpHarness({ config: { receiveBufferBytes: 65_535 } });
    const socket = t.connect();
    t.user(0, 'limit 2920', () => socket.setReceiveLimit(2920));
    t.take(0);
    t.send(0, { flags: 'SYN ACK', seq: 0, ack: 1, mss: 1460 });
    t.take(0);
    for (let seq = 1; socket.snapshot().rcvWnd > 0; seq += 1460) {
      t.send(10, { flags: 'ACK', seq, ack: 1, payload: Math.min(1460, socket.snapshot().rcvWnd) });
    }
    t.take(100);
    const held = socket.readableBytes;
    t.user(100, 'limit raised', () => socket.setReceiveLimit(held + 20_000));
    t.expect(100, { flags: 'ACK', ack: held + 1, win: 20_000 });
  });
});

function untilSent(t: TcpHarness, limit: number) {
  for (let at = t.now; at <= limit; at += 5) {
    const seen = t.take(at);
    if (seen.length) return seen;
  }
  return [];
}
