import assert from 'node:assert/strict';
import type { TcpConfig } from '../../../stack/config';
import { PEER_CLOCK } from '../../support/segment-dsl';
import { TcpHarness } from '../../support/tcp-harness';
import { Sender } from '../../support/tcp-sender';

const DAY_MS = 86_400_000;

describe('TCP timestamps negotiation (RFC 7323 §3.2)', () => {
  it('the SYN offers them with an echo of zero, unless they are switched off', () => {
    const t = new TcpHarness({ config: { timestamps: true } });
    t.connect();
    t.expect(0, { flags: 'SYN', ts: { ecr: 0 } });
    const off = new TcpHarness({ config: { timestamps: false } });
    off.connect();
    off.expect(0, { flags: 'SYN', ts: null });
  });

  it('the SYN-ACK has them only if the SYN had, and echoes its clock', () => {
    const t = new TcpHarness({ config: { timestamps: true } });
    t.listen();
    t.send(0, { flags: 'SYN', seq: 0, ts: { val: 4711, ecr: 0 } });
    t.expect(0, { flags: 'SYN ACK', ts: { ecr: 4711 } });
    const without = new TcpHarness({ config: { timestamps: true } });
    without.listen();
    without.send(0, { flags: 'SYN', seq: 0 });
    without.expect(0, { flags: 'SYN ACK', ts: null });
    const off = new TcpHarness({ config: { timestamps: false } });
    off.listen();
    off.send(0, { flags: 'SYN', seq: 0, ts: { val: 4711, ecr: 0 } });
    off.expect(0, { flags: 'SYN ACK', ts: null });
  });

  it('once agreed, every segment has them; where the SYN-ACK has none, no segment does', () => {
    const { t, socket } = opened();
    t.write(10, socket, 100);
    t.expect(10, { flags: 'ACK', payload: 100, ts: { val: 10, ecr: PEER_CLOCK } });
    t.close(20, socket);
    t.expect(20, { flags: 'FIN ACK', ts: { val: 20 } });
    t.abort(30, socket);
    t.expect(30, { flags: 'RST ACK', ts: { ecr: PEER_CLOCK } });
    const refused = opened({}, false);
    refused.t.write(10, refused.socket, 100);
    refused.t.expect(10, { flags: 'ACK', payload: 100, ts: null });
    assert.equal(refused.socket.snapshot().timestamps, false);
  });

  it('their clock counts milliseconds, and tells nothing of the uptime or of other connections (§5.4)', () => {
    const t = new TcpHarness({ config: { timestamps: true } });
    t.connect({ localPort: 50_000 });
    t.connect({ localPort: 50_001 });
    const [first, second] = t.take(0).map((seen) => seen.wire.ts?.val ?? 0);
    assert.ok(first !== undefined && second !== undefined);
    assert.ok(Math.abs(first - second) > 10_000, 'offsets of their own');
    assert.ok(first > 100_000 && second > 100_000, 'not the clock itself');
  });

  it('come out of the segment: data fills the MSS less twelve bytes (RFC 6691 §2)', () => {
    const { t, socket } = opened();
    assert.equal(socket.snapshot().mss, 1448);
    t.write(10, socket, 3_000);
    assert.deepEqual(t.take(10).map((seen) => seen.wire.payload.length), [1448, 1448, 104]);
  });

  it('a segment without them is dropped and counted, except RST (§3.2)', () => {
    const { t, socket } = opened();
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 100, ts: null });
    t.expectNothing(100);
    assert.equal(socket.readableBytes, 0);
    assert.equal(t.counters.rxNoTimestamp, 1);
    t.send(110, { flags: 'RST', seq: 1, ts: null });
    assert.equal(socket.state, 'CLOSED');
    assert.equal(socket.error?.code, 'ECONNRESET');
  });

  it('are ignored where they were not agreed', () => {
    const { t, socket } = opened({ timestamps: false });
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 100, ts: { val: 10, ecr: 0 } });
    t.send(20, { flags: 'ACK', seq: 101, ack: 1, payload: 100, ts: { val: 5, ecr: 0 } });
    assert.equal(socket.readableBytes, 200);
    assert.ok(t.take(100).every((seen) => seen.wire.ts === null));
  });
});

describe('TCP timestamp echoed (RFC 7323 §4.3)', () => {
  it('with delayed ACKs it is that of the earliest segment not acknowledged', () => {
    const { t } = opened({ delayedAckMs: 40 });
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 536, ts: at(100) });
    t.send(20, { flags: 'ACK', seq: 537, ack: 1, payload: 536, ts: at(110) });
    t.expect(20, { flags: 'ACK', ack: 1073, ts: { ecr: PEER_CLOCK + 100 } });
    t.send(30, { flags: 'ACK', seq: 1073, ack: 1, payload: 100, ts: at(120) });
    t.expect(70, { flags: 'ACK', ack: 1173, ts: { ecr: PEER_CLOCK + 120 } });
  });

  it('beyond a gap it stays that of the last segment that advanced the window', () => {
    const { t } = opened({ quickAcks: 16 });
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 100, ts: at(100) });
    t.expect(10, { flags: 'ACK', ack: 101, ts: { ecr: PEER_CLOCK + 100 } });
    t.send(20, { flags: 'ACK', seq: 201, ack: 1, payload: 100, ts: at(120) });
    t.expect(20, { flags: 'ACK', ack: 101, ts: { ecr: PEER_CLOCK + 100 } });
    t.send(30, { flags: 'ACK', seq: 301, ack: 1, payload: 100, ts: at(130) });
    t.expect(30, { flags: 'ACK', ack: 101, ts: { ecr: PEER_CLOCK + 100 } });
    t.send(40, { flags: 'ACK', seq: 101, ack: 1, payload: 100, ts: at(200) });
    t.expect(40, { flags: 'ACK', ack: 401, ts: { ecr: PEER_CLOCK + 200 } });
  });

  it('that fills a gap late echoes the retransmission (the three segments of the RFC\'s example B)', () => {
    const { t } = opened({ quickAcks: 16 });
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 100, ts: at(1) });
    t.expect(10, { flags: 'ACK', ack: 101, ts: { ecr: PEER_CLOCK + 1 } });
    t.send(20, { flags: 'ACK', seq: 201, ack: 1, payload: 100, ts: at(3) });
    t.expect(20, { flags: 'ACK', ack: 101, ts: { ecr: PEER_CLOCK + 1 } });
    t.send(30, { flags: 'ACK', seq: 101, ack: 1, payload: 100, ts: at(2) });
    t.expect(30, { flags: 'ACK', ack: 301, ts: { ecr: PEER_CLOCK + 2 } });
    t.send(40, { flags: 'ACK', seq: 401, ack: 1, payload: 100, ts: at(5) });
    t.expect(40, { flags: 'ACK', ack: 301, ts: { ecr: PEER_CLOCK + 2 } });
    t.send(50, { flags: 'ACK', seq: 301, ack: 1, payload: 100, ts: at(4) });
    t.expect(50, { flags: 'ACK', ack: 501, ts: { ecr: PEER_CLOCK + 4 } });
  });

  it('is not taken from a segment outside the window', () => {
    const { t } = opened({ quickAcks: 16 });
    t.send(10, { flags: 'ACK', seq: 300_000, ack: 1, payload: 100, ts: at(5_000) });
    t.expect(10, { flags: 'ACK', ts: { ecr: PEER_CLOCK } });
  });
});

describe('TCP protection against wrapped sequence numbers (PAWS, RFC 7323 §5)', () => {
  it('drops a segment with an older timestamp, answers with an ACK and counts it (§5.3 R1)', () => {
    const { t, socket } = opened({ quickAcks: 16 });
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 100, ts: at(100) });
    t.take(10);
    t.send(20, { flags: 'ACK', seq: 101, ack: 1, payload: 100, ts: at(99) });
    t.expect(20, { flags: 'ACK', ack: 101, ts: { ecr: PEER_CLOCK + 100 } });
    assert.equal(socket.readableBytes, 100);
    assert.equal(t.counters.rxBadPaws, 1);
    t.send(30, { flags: 'ACK', seq: 101, ack: 1, payload: 100, ts: at(100) });
    assert.equal(socket.readableBytes, 200, 'an equal one is fine');
  });

  it('takes such a segment when timestamps are off', () => {
    const { t, socket } = opened({ timestamps: false });
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 100, ts: { val: 100, ecr: 0 } });
    t.send(20, { flags: 'ACK', seq: 101, ack: 1, payload: 100, ts: { val: 99, ecr: 0 } });
    assert.equal(socket.readableBytes, 200);
  });

  it('compares round the wrap of the clock', () => {
    const { t, socket } = opened({}, true, 0xffff_ffff);
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 100, ts: { val: 5, ecr: 0 } });
    assert.equal(socket.readableBytes, 100, '5 is later than 2³² − 1');
    t.send(20, { flags: 'ACK', seq: 101, ack: 1, payload: 100, ts: { val: 0xffff_fff0, ecr: 0 } });
    assert.equal(socket.readableBytes, 100);
  });

  it('does not hold RST up (§5.2)', () => {
    const { t, socket } = opened();
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 100, ts: at(100) });
    t.send(20, { flags: 'RST', seq: 101, ts: at(1) });
    assert.equal(socket.state, 'CLOSED');
  });

  it('drops an old FIN and an old ACK too', () => {
    const { t, socket } = opened();
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 100, ts: at(100) });
    t.write(20, socket, 100);
    t.take(60);
    t.send(70, { flags: 'FIN ACK', seq: 101, ack: 101, ts: at(50) });
    assert.equal(socket.state, 'ESTABLISHED');
    assert.equal(socket.bufferedBytes, 100);
  });

  it('believes a connection that was idle for more than 24 days, and takes its new clock (§5.5)', () => {
    for (const [idle, accepted] of [[23 * DAY_MS, false], [25 * DAY_MS, true]] as const) {
      const { t, socket } = opened({ quickAcks: 16 });
      t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 100, ts: at(3_000) });
      t.take(100);
      t.send(idle, { flags: 'ACK', seq: 101, ack: 1, payload: 100, ts: at(1_000) });
      assert.equal(socket.readableBytes, accepted ? 200 : 100);
      t.expect(idle, { flags: 'ACK', ts: { ecr: PEER_CLOCK + (accepted ? 1_000 : 3_000) } });
      if (!accepted) continue;
      t.send(idle + 10, { flags: 'ACK', seq: 201, ack: 1, payload: 100, ts: at(900) });
      assert.equal(socket.readableBytes, 200, 'the new clock guards from now on');
    }
  });
});

describe('TCP round trips measured by timestamps (RFC 7323 §4.1)', () => {
  it('a retransmission too, as the echo tells which sending is meant', () => {
    for (const timestamps of [true, false]) {
      const s = new Sender({ write: 3, config: { tlp: false, frto: false, timestamps }, peer: { ts: true } });
      const { srttMs } = s.snapshot;
      assert.equal(srttMs, 100);
      assert.deepEqual(s.sent(400), [0]);
      s.ackWith(700, 3, [], timestamps ? { ts: { val: PEER_CLOCK + 700, ecr: 400 } } : {});
      // 7/8 · 100 + 1/8 · 300
      assert.equal(s.snapshot.srttMs, timestamps ? 125 : 100, 'without them Karn\'s algorithm forbids it (RFC 6298 §3)');
      assert.equal(s.snapshot.rtoMs >= 600, !timestamps, 'a sample ends the back-off');
    }
  });

  it('only by what acknowledges something new (§4.1)', () => {
    const s = new Sender({ write: 3, config: { tlp: false, frto: false, timestamps: true }, peer: { ts: true } });
    for (let time = 210; time < 300; time += 10) s.ackWith(time, 0, [], { ts: { val: PEER_CLOCK + time, ecr: 5 } });
    assert.equal(s.snapshot.srttMs, 100);
  });
});

/** Connected at 0; the peer's clock then stands at `clock`. */
function opened(config: Partial<TcpConfig> = {}, peerHas = true, clock = PEER_CLOCK) {
  const t = new TcpHarness({ config: { timestamps: true, ...config } });
  const socket = t.connect();
  t.take(0);
  t.send(0, { flags: 'SYN ACK', seq: 0, ack: 1, mss: 1460, ...(peerHas ? { ts: { val: clock, ecr: 0 } } : {}) });
  t.expect(0, { flags: 'ACK', seq: 1, ack: 1 });
  return { t, socket };
}

/** The peer's timestamp `ms` after the handshake. */
function at(ms: number) {
  return { val: PEER_CLOCK + ms, ecr: 0 };
}
