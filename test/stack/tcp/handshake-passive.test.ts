import assert from 'node:assert/strict';
import { TcpHarness } from '../../support/tcp-harness';

describe('TCP passive open', () => {
  it('answers SYN with SYN-ACK and is open by the ACK (RFC 9293 §3.5)', () => {
    const t = new TcpHarness();
    const listener = t.listen();
    t.send(0, { flags: 'SYN', seq: 0, mss: 1000, win: 4000 });
    t.expect(0, { flags: 'SYN ACK', seq: 0, ack: 1, mss: 1460, win: 65_535 });
    assert.equal(listener.accept(), null);
    t.send(20, { flags: 'ACK', seq: 1, ack: 1, win: 4000 });
    t.expectNothing(20);
    const socket = listener.accept();
    assert.ok(socket);
    assert.equal(socket.state, 'ESTABLISHED');
    assert.equal(socket.remotePort, 40_000);
    assert.equal(socket.snapshot().mss, 1000);
    assert.equal(socket.snapshot().sndWnd, 4000);
    assert.equal(listener.accept(), null);
    assert.equal(t.counters.passiveOpens, 1);
  });

  it('sends a window scale only if the SYN had one (RFC 7323 §2.2)', () => {
    const t = new TcpHarness({ config: { receiveBufferBytes: 1 << 20 } });
    t.listen();
    t.send(0, { flags: 'SYN', seq: 0 });
    t.expect(0, { flags: 'SYN ACK', wscale: null, win: 65_535 });
    t.send(0, { flags: 'ACK', seq: 1, ack: 1 });
    t.expectNothing(0);
    t.ports = { local: 80, remote: 40_001 };
    t.send(0, { flags: 'SYN', seq: 0, wscale: 2 });
    const { wire } = t.expect(0, { flags: 'SYN ACK', win: 65_535 });
    assert.ok(wire.wscale !== null && 65_535 << wire.wscale >= 1 << 20);
  });

  it('scales both ways after a handshake with window scale (RFC 7323 §2.2, §2.3)', () => {
    const t = new TcpHarness({ config: { receiveBufferBytes: 1 << 20 } });
    const listener = t.listen();
    t.send(0, { flags: 'SYN', seq: 0, wscale: 2 });
    const { wire } = t.expect(0, { flags: 'SYN ACK' });
    t.send(0, { flags: 'ACK', seq: 1, ack: 1, win: 1000 });
    const socket = listener.accept();
    assert.ok(socket);
    assert.equal(socket.snapshot().sndWnd, 4000);
    // The SYN-ACK could not say how large the window is (RFC 7323 §2.2); nobody has read, so no segment is spent on it.
    t.expectNothing(0);
    t.write(0, socket, 'x');
    t.expect(0, { flags: 'ACK', seq: 1, ack: 1, win: (1 << 20) >> (wire.wscale ?? 0), payload: 'x' });
  });

  it('takes data and FIN that come with the ACK of the handshake (RFC 9293 §3.10.7.4)', () => {
    const t = new TcpHarness();
    const listener = t.listen();
    t.send(0, { flags: 'SYN', seq: 0, mss: 1460 });
    t.expect(0, { flags: 'SYN ACK' });
    t.send(10, { flags: 'FIN ACK', seq: 1, ack: 1, payload: 100 });
    t.expect(10, { flags: 'ACK', seq: 1, ack: 102 });
    const socket = listener.accept();
    assert.ok(socket);
    assert.equal(socket.state, 'CLOSE-WAIT');
    assert.equal(socket.peerClosed, true);
    t.expectRead(10, socket, 100);
  });

  it('repeats the SYN-ACK with back-off until it is acknowledged (RFC 6298 §5)', () => {
    const t = new TcpHarness();
    const listener = t.listen();
    t.send(0, { flags: 'SYN', seq: 0, mss: 1460 });
    const first = t.expect(0, { flags: 'SYN ACK', seq: 0, ack: 1, mss: 1460 });
    for (const at of [1_000, 3_000, 7_000]) {
      t.expectNothing(at - 1);
      t.expect(at, { flags: 'SYN ACK', seq: 0, ack: 1, mss: 1460, wscale: first.wire.wscale });
    }
    t.send(7_100, { flags: 'ACK', seq: 1, ack: 1 });
    assert.ok(listener.accept());
    t.expectNothing(100_000);
  });

  it('forgets a half-open connection whose peer stays silent, and frees its place', () => {
    const t = new TcpHarness();
    const listener = t.listen({ backlog: 1 });
    t.send(0, { flags: 'SYN', seq: 0 });
    t.take(200_000);
    assert.deepEqual([...t.tcp.sockets], []);
    assert.equal(t.tcp.pollAt(), Infinity);
    t.send(200_000, { flags: 'SYN', seq: 0 });
    t.expect(200_000, { flags: 'SYN ACK', ack: 1 });
    assert.equal(listener.accept(), null);
  });

  it('answers a repeated SYN at once (RFC 9293 §3.10.7.4: an unacceptable segment gets an ACK)', () => {
    const t = new TcpHarness();
    const listener = t.listen();
    t.send(0, { flags: 'SYN', seq: 0 });
    t.expect(0, { flags: 'SYN ACK' });
    t.send(500, { flags: 'SYN', seq: 0 });
    const [answer] = t.take(500);
    assert.ok(answer && answer.wire.flags.has('ACK') && answer.wire.ack === 1_000_001, 'the answer acknowledges the SYN');
    t.send(600, { flags: 'ACK', seq: 1, ack: 1 });
    assert.ok(listener.accept());
  });

  it('takes no RTT from a handshake in which it repeated the SYN-ACK for a repeated SYN (RFC 6298 §3)', () => {
    for (const repeated of [false, true]) {
      const t = new TcpHarness();
      const listener = t.listen();
      t.send(0, { flags: 'SYN', seq: 0 });
      t.expect(0, { flags: 'SYN ACK' });
      if (repeated) {
        t.send(500, { flags: 'SYN', seq: 0 });
        t.expect(500, { flags: 'SYN ACK' });
      }
      t.send(600, { flags: 'ACK', seq: 1, ack: 1 });
      const socket = listener.accept();
      assert.equal(socket?.snapshot().srttMs, repeated ? null : 600);
      assert.equal(socket?.snapshot().cwndBytes, repeated ? 536 : 5360, 'RFC 5681 §3.1: one segment after a lost SYN-ACK');
    }
  });

  it('takes it from one in which the SYN came twice before it was answered', () => {
    const t = new TcpHarness();
    const listener = t.listen();
    t.sendAll(0, [{ flags: 'SYN', seq: 0 }, { flags: 'SYN', seq: 0 }]);
    t.expect(0, { flags: 'SYN ACK' });
    t.expectNothing(100);
    t.send(100, { flags: 'ACK', seq: 1, ack: 1 });
    assert.equal(listener.accept()?.snapshot().srttMs, 100);
  });

  it('answers a wrong ACK in SYN-RECEIVED with RST at its number and stays (RFC 9293 §3.10.7.4)', () => {
    const t = new TcpHarness();
    const listener = t.listen();
    t.send(0, { flags: 'SYN', seq: 0 });
    t.expect(0, { flags: 'SYN ACK' });
    for (const ack of [0, 2, 5_000]) {
      t.send(10, { flags: 'ACK', seq: 1, ack });
      t.expect(10, { flags: 'RST', seq: ack });
    }
    t.send(20, { flags: 'ACK', seq: 1, ack: 1 });
    assert.ok(listener.accept());
  });

  it('returns to listening by RST in SYN-RECEIVED, without telling the user (RFC 9293 §3.10.7.4)', () => {
    const t = new TcpHarness();
    const listener = t.listen();
    let accepted = 0;
    listener.onAccept = () => accepted++;
    t.send(0, { flags: 'SYN', seq: 0 });
    t.expect(0, { flags: 'SYN ACK' });
    t.send(10, { flags: 'RST', seq: 1 });
    t.expectNothing(100_000);
    assert.deepEqual([...t.tcp.sockets], []);
    assert.equal(accepted, 0);
    t.send(100_000, { flags: 'SYN', seq: 0 });
    t.expect(100_000, { flags: 'SYN ACK', ack: 1 });
  });

  it('does not believe a RST elsewhere in the window in SYN-RECEIVED (RFC 5961 §3.2)', () => {
    const t = new TcpHarness();
    const listener = t.listen();
    t.send(0, { flags: 'SYN', seq: 0 });
    t.expect(0, { flags: 'SYN ACK' });
    t.send(10, { flags: 'RST', seq: 500 });
    t.take(10);
    t.send(20, { flags: 'ACK', seq: 1, ack: 1 });
    assert.ok(listener.accept());
  });

  it('answers nothing but SYN on a listening port: RST to an ACK, silence to RST (RFC 9293 §3.10.7.2)', () => {
    const t = new TcpHarness();
    t.listen();
    t.send(0, { flags: 'ACK', seq: 5, ack: 77 });
    t.expect(0, { flags: 'RST', seq: 77 });
    t.send(0, { flags: 'SYN ACK', seq: 5, ack: 78 });
    t.expect(0, { flags: 'RST', seq: 78 });
    t.send(0, { flags: 'RST', seq: 5 });
    t.send(0, { flags: 'RST ACK', seq: 5, ack: 9 });
    t.expectNothing(1_000);
    assert.deepEqual([...t.tcp.sockets], []);
  });

  it('has MSS and window scale in the SYN-ACK for the path, whatever the peer asks (RFC 9293 §3.7.1)', () => {
    const t = new TcpHarness({ mtu: 576 });
    t.listen();
    t.send(0, { flags: 'SYN', seq: 0, mss: 1460 });
    t.expect(0, { flags: 'SYN ACK', mss: 536 });
  });
});
