import assert from 'node:assert/strict';
import { TcpHarness } from '../../support/tcp-harness';

const KEEP_ALIVE = { idleMs: 10_000, intervalMs: 2_000, probes: 3 } as const;

function idle() {
  const t = new TcpHarness();
  const socket = t.establish({ rtt: 10 });
  return { t, socket };
}

describe('TCP keep-alive (RFC 9293 §3.8.4, RFC 1122 §4.2.3.6)', () => {
  it('is off unless asked for', () => {
    const { t } = idle();
    t.expectNothing(10 * 3_600_000);
    assert.equal(t.counters.keepAliveProbes, 0);
  });

  it('probes with one number below the next, then again and again, and gives up', () => {
    const { t, socket } = idle();
    t.user(10, 'keep-alive', () => socket.setKeepAlive(KEEP_ALIVE));
    t.expectNothing(10_009);
    for (const at of [10_010, 12_010, 14_010]) t.expect(at, { flags: 'ACK', seq: 0, ack: 1 });
    t.expectNothing(16_009);
    assert.equal(socket.state, 'ESTABLISHED');
    t.expect(16_010, { flags: 'RST|ACK', seq: 1 });
    assert.equal(socket.state, 'CLOSED');
    assert.equal(socket.error?.code, 'ETIMEDOUT');
    assert.match(socket.error?.message ?? '', /10\.0\.0\.1:80.*16 s.*3 keep-alive probes/);
    assert.equal(t.counters.keepAliveProbes, 3);
  });

  it('is content with any answer, and starts again from it', () => {
    const { t, socket } = idle();
    t.user(10, 'keep-alive', () => socket.setKeepAlive(KEEP_ALIVE));
    t.expect(10_010, { flags: 'ACK', seq: 0 });
    t.expect(12_010, { flags: 'ACK', seq: 0 });
    t.send(12_020, { flags: 'ACK', seq: 1, ack: 1 });
    t.expectNothing(22_019);
    t.expect(22_020, { flags: 'ACK', seq: 0 });
    t.expect(24_020, { flags: 'ACK', seq: 0 });
  });

  it('counts from what the peer sent last', () => {
    const { t, socket } = idle();
    t.user(10, 'keep-alive', () => socket.setKeepAlive(KEEP_ALIVE));
    t.send(8_000, { flags: 'ACK', seq: 1, ack: 1, payload: 10 });
    t.take(8_100);
    t.expectNothing(17_999);
    t.expect(18_000, { flags: 'ACK', seq: 0, ack: 11 });
  });

  it('notices a peer that has forgotten the connection by its reset', () => {
    const { t, socket } = idle();
    t.user(10, 'keep-alive', () => socket.setKeepAlive(KEEP_ALIVE));
    t.expect(10_010, { flags: 'ACK', seq: 0, ack: 1 });
    t.send(10_020, { flags: 'RST', seq: 1 });
    assert.equal(socket.error?.code, 'ECONNRESET');
  });

  it('keeps quiet while data is in flight, which has timers of its own', () => {
    const { t, socket } = idle();
    t.user(10, 'keep-alive', () => socket.setKeepAlive(KEEP_ALIVE));
    t.write(9_000, socket, 100);
    assert.ok(t.take(30_000).every((seen) => seen.wire.payload.length === 100));
    assert.equal(t.counters.keepAliveProbes, 0);
  });

  it('also watches over a half-closed connection', () => {
    const { t, socket } = idle();
    t.user(10, 'keep-alive', () => socket.setKeepAlive(KEEP_ALIVE));
    t.close(20, socket);
    t.take(20);
    t.send(30, { flags: 'ACK', seq: 1, ack: 2 });
    assert.equal(socket.state, 'FIN-WAIT-2');
    t.expect(10_030, { flags: 'ACK', seq: 1 });
    t.take(17_000);
    assert.equal(socket.error?.code, 'ETIMEDOUT');
  });

  it('probes at once where the silence is long enough already, and ends when switched off', () => {
    const { t, socket } = idle();
    t.user(30_000, 'keep-alive', () => socket.setKeepAlive(KEEP_ALIVE));
    t.expect(30_000, { flags: 'ACK', seq: 0 });
    t.user(30_001, 'off', () => socket.setKeepAlive(null));
    t.expectNothing(3_600_000);
    assert.equal(socket.state, 'ESTABLISHED');
  });

  it('refuses what makes no sense, naming it', () => {
    const { socket } = idle();
    for (const [field, wrong] of [['idleMs', 999], ['intervalMs', 0], ['probes', 0], ['probes', 101], ['idleMs', NaN]] as const) {
      assert.throws(() => socket.setKeepAlive({ ...KEEP_ALIVE, [field]: wrong }), new RegExp(`${field}.*${wrong}`));
    }
  });

  it('on a connection that has ended does nothing', () => {
    const { t, socket } = idle();
    t.abort(20, socket);
    t.take(20);
    socket.setKeepAlive(KEEP_ALIVE);
    socket.setUserTimeout(5_000);
    socket.setNagle(false);
    t.expectNothing(100_000);
  });
});

describe('TCP user timeout (RFC 9293 §3.8.3, RFC 5482)', () => {
  it('ends the connection when data has gone unacknowledged for so long', () => {
    const { t, socket } = idle();
    t.user(10, 'timeout', () => socket.setUserTimeout(5_000));
    t.write(100, socket, 100);
    t.take(5_099);
    assert.equal(socket.state, 'ESTABLISHED');
    t.take(5_101);
    assert.equal(socket.state, 'CLOSED');
    assert.equal(socket.error?.code, 'ETIMEDOUT');
    assert.match(socket.error?.message ?? '', /10\.0\.0\.1:80.*5 s/);
  });

  it('is 100 s unless set, counted from the last progress', () => {
    const { t, socket } = idle();
    t.write(100, socket, 200);
    t.take(50_000);
    t.send(50_000, { flags: 'ACK', seq: 1, ack: 101 });
    t.take(149_999);
    assert.equal(socket.state, 'ESTABLISHED');
    t.take(150_001);
    assert.equal(socket.state, 'CLOSED');
  });

  it('may be shortened while data is in flight', () => {
    const { t, socket } = idle();
    t.write(100, socket, 100);
    t.take(10_000);
    t.user(10_000, 'timeout', () => socket.setUserTimeout(12_000));
    t.take(40_000);
    assert.equal(socket.state, 'CLOSED');
  });

  it('spares a peer whose window is closed and which answers probes, not one that is silent', () => {
    const { t, socket } = idle();
    t.user(10, 'timeout', () => socket.setUserTimeout(20_000));
    t.send(50, { flags: 'ACK', seq: 1, ack: 1, win: 0 });
    t.write(100, socket, 100);
    for (let at = 200; at < 120_000; at += 200) {
      if (t.take(at).length) t.send(at, { flags: 'ACK', seq: 1, ack: 1, win: 0 });
    }
    assert.equal(socket.state, 'ESTABLISHED');
    t.take(300_000);
    assert.equal(socket.state, 'CLOSED');
    assert.equal(socket.error?.code, 'ETIMEDOUT');
  });

  it('does not concern a connection that has nothing to send', () => {
    const { t, socket } = idle();
    t.user(10, 'timeout', () => socket.setUserTimeout(1_000));
    t.expectNothing(100_000);
    assert.equal(socket.state, 'ESTABLISHED');
    t.write(100_000, socket, 10);
    t.take(100_500);
    assert.equal(socket.state, 'ESTABLISHED', 'idle time does not count');
  });

  it('refuses what makes no sense', () => {
    const { socket } = idle();
    for (const wrong of [0, -1, NaN, Infinity]) assert.throws(() => socket.setUserTimeout(wrong), /user timeout/);
  });

  it('says what the network said meanwhile (RFC 1122 §4.2.3.9)', () => {
    const { t, socket } = idle();
    t.user(10, 'timeout', () => socket.setUserTimeout(5_000));
    t.write(100, socket, 100);
    t.take(150);
    t.icmp(200, { type: 'unreachable', code: 1 }, 1);
    assert.equal(socket.state, 'ESTABLISHED');
    t.take(20_000);
    assert.match(socket.error?.message ?? '', /router.*host unreachable/);
  });

  it('not what it said before the last progress', () => {
    const { t, socket } = idle();
    t.user(10, 'timeout', () => socket.setUserTimeout(5_000));
    t.write(100, socket, 100);
    t.icmp(200, { type: 'unreachable', code: 1 }, 1);
    t.send(300, { flags: 'ACK', seq: 1, ack: 101 });
    t.write(400, socket, 100);
    t.take(20_000);
    assert.doesNotMatch(socket.error?.message ?? '', /unreachable/);
    assert.match(socket.error?.message ?? '', /Check/);
  });
});
