import assert from 'node:assert/strict';
import { TcpHarness } from '../../support/tcp-harness';

const MSS = 1460;

describe('TCP round-trip time and RTO (RFC 6298)', () => {
  it('takes the first sample from the handshake: SRTT = R, RTTVAR = R/2, RTO = SRTT + 4·RTTVAR (§2.2)', () => {
    const t = new TcpHarness();
    const { srttMs, rttvarMs, rtoMs } = t.establish({ rtt: 100 }).snapshot();
    assert.deepEqual({ srttMs, rttvarMs, rtoMs }, { srttMs: 100, rttvarMs: 50, rtoMs: 300 });
  });

  it('takes it from SYN-ACK and ACK on the passive side too', () => {
    const t = new TcpHarness();
    const { srttMs, rttvarMs, rtoMs } = t.establishPassive({ rtt: 80 }).socket.snapshot();
    assert.deepEqual({ srttMs, rttvarMs, rtoMs }, { srttMs: 80, rttvarMs: 40, rtoMs: 280 });
  });

  it('smooths later samples with alpha 1/8 and beta 1/4 (§2.3)', () => {
    const t = new TcpHarness();
    const socket = t.establish({ rtt: 100 });
    let [srtt, rttvar, at, seq] = [100, 50, 100, 1];
    for (const rtt of [180, 60, 100, 190]) {
      t.write(at, socket, 100);
      t.expect(at, { flags: 'ACK', seq, payload: 100 });
      at += rtt;
      seq += 100;
      t.send(at, { flags: 'ACK', seq: 1, ack: seq });
      rttvar = 0.75 * rttvar + 0.25 * Math.abs(srtt - rtt);
      srtt = 0.875 * srtt + 0.125 * rtt;
      const snapshot = socket.snapshot();
      near(snapshot.srttMs, srtt);
      near(snapshot.rttvarMs, rttvar);
      near(snapshot.rtoMs, srtt + Math.max(200, 4 * rttvar));
      at += 10;
    }
  });

  it('is at least the configured time above SRTT (§2.3, §2.4)', () => {
    const t = new TcpHarness();
    const socket = t.establish({ rtt: 1 });
    assert.equal(socket.snapshot().rtoMs, 201);
    t.write(1, socket, 10);
    t.expect(1, { flags: 'ACK', seq: 1, payload: 10 });
    t.expectNothing(201.9);
    t.expect(202, { flags: 'ACK', seq: 1, payload: 10 });
  });

  it('doubles with each expiry up to 60 s (§5.5, §2.5)', () => {
    const t = new TcpHarness({ config: { userTimeoutMs: 1_000_000 } });
    const socket = t.establish({ rtt: 100 });
    t.write(100, socket, 10);
    t.expect(100, { flags: 'ACK', seq: 1, payload: 10 });
    let at = 100;
    for (let rto = 300, i = 0; i < 12; i++, rto = Math.min(rto * 2, 60_000)) {
      at += rto;
      t.expectNothing(at - 0.1);
      t.expect(at, { flags: 'ACK', seq: 1, payload: 10 });
    }
    assert.equal(socket.snapshot().retransmissions, 12);
    assert.equal(socket.snapshot().timeouts, 12);
    assert.equal(t.counters.txRetransmissions, 12);
  });

  it('takes no sample from a segment sent twice (§3, Karn)', () => {
    const t = new TcpHarness();
    const socket = t.establish({ rtt: 100 });
    t.write(100, socket, 10);
    t.expect(100, { flags: 'ACK', seq: 1, payload: 10 });
    t.expect(400, { flags: 'ACK', seq: 1, payload: 10 });
    t.send(405, { flags: 'ACK', seq: 1, ack: 11 });
    assert.equal(socket.snapshot().srttMs, 100);
    assert.equal(socket.snapshot().rttvarMs, 50);
  });

  it('keeps the backed-off RTO until a segment sent once is measured (§5, Karn)', () => {
    const t = new TcpHarness();
    const socket = t.establish({ rtt: 100 });
    t.write(100, socket, 10);
    t.expect(100, { flags: 'ACK', seq: 1, payload: 10 });
    t.expect(400, { flags: 'ACK', seq: 1, payload: 10 });
    t.send(405, { flags: 'ACK', seq: 1, ack: 11 });
    assert.equal(socket.snapshot().rtoMs, 600);
    t.write(410, socket, 10);
    t.expect(410, { flags: 'ACK', seq: 11, payload: 10 });
    t.send(510, { flags: 'ACK', seq: 1, ack: 21 });
    near(socket.snapshot().rtoMs, 300);
  });

  it('starts with the first outstanding segment, restarts when new data is acknowledged, stops when all is (§5.1–5.3)', () => {
    const t = new TcpHarness();
    const socket = t.establish({ rtt: 100 });
    t.write(100, socket, MSS);
    t.expect(100, { flags: 'ACK', seq: 1, payload: MSS });
    t.write(200, socket, MSS);
    t.expect(200, { flags: 'ACK', seq: 1461, payload: MSS });
    t.send(200, { flags: 'ACK', seq: 1, ack: 1461 });
    const { rtoMs } = socket.snapshot();
    near(rtoMs, 300);
    t.expectNothing(499);
    t.expect(500, { flags: 'ACK', seq: 1461, payload: MSS });
    t.send(550, { flags: 'ACK', seq: 1, ack: 2921 });
    t.expectNothing(100_000);
  });

  it('is not restarted by a duplicate ACK', () => {
    const t = new TcpHarness();
    const socket = t.establish({ rtt: 100 });
    t.write(100, socket, 10);
    t.expect(100, { flags: 'ACK', seq: 1, payload: 10 });
    t.send(300, { flags: 'ACK', seq: 1, ack: 1 });
    t.expect(400, { flags: 'ACK', seq: 1, payload: 10 });
  });

  it('retransmits only the earliest segment on expiry, and goes back to one segment of window (§5.4, RFC 5681 §3.1)', () => {
    const t = new TcpHarness();
    const socket = t.establish({ rtt: 100 });
    t.write(100, socket, 10 * MSS);
    assert.equal(t.take(100).length, 10);
    t.expect(400, { flags: 'ACK', seq: 1, payload: MSS });
    t.expectNothing(999);
    const { cwndBytes, ssthreshBytes } = socket.snapshot();
    assert.equal(cwndBytes, MSS);
    assert.equal(ssthreshBytes, 5 * MSS);
  });

  it('does not lower ssthresh again when the same segment is repeated again (RFC 5681 §3.1)', () => {
    for (const congestion of ['reno', 'cubic'] as const) {
      const t = new TcpHarness({ config: { congestion } });
      const socket = t.establish({ rtt: 100 });
      t.write(100, socket, 10 * MSS);
      t.take(500);
      assert.equal(socket.snapshot().timeouts, 1);
      const { ssthreshBytes } = socket.snapshot();
      assert.ok(ssthreshBytes < 10 * MSS);
      t.take(3_000);
      assert.ok(socket.snapshot().timeouts >= 3);
      assert.equal(socket.snapshot().ssthreshBytes, ssthreshBytes);
    }
  });

  it('goes on from the hole in slow start after an expiry: what is lost is repeated, what is acknowledged is not', () => {
    const t = new TcpHarness();
    const socket = t.establish({ rtt: 100 });
    t.write(100, socket, 6 * MSS);
    assert.equal(t.take(100).length, 6);
    t.expect(400, { flags: 'ACK', seq: 1, payload: MSS });
    // Segments 2, 3 and 4 had arrived; 5 and 6 are lost as well.
    t.send(500, { flags: 'ACK', seq: 1, ack: 1 + 4 * MSS });
    t.expect(500, { flags: 'ACK', seq: 1 + 4 * MSS, payload: MSS });
    t.expect(500, { flags: 'ACK', seq: 1 + 5 * MSS, payload: MSS });
    t.send(600, { flags: 'ACK', seq: 1, ack: 1 + 6 * MSS });
    assert.equal(socket.bufferedBytes, 0);
    t.expectNothing(10_000);
  });

  it('a retransmission may be cut anew: bytes, not segments, are what counts', () => {
    const t = new TcpHarness({ config: { nagle: false } });
    const socket = t.establish({ rtt: 100 });
    for (let i = 0; i < 4; i++) t.write(100, socket, 100);
    assert.equal(t.take(100).length, 4);
    const sent = t.take(400);
    assert.ok(sent.length >= 1);
    t.send(500, { flags: 'ACK', seq: 1, ack: 151 });
    t.take(2_000);
    t.send(2_000, { flags: 'ACK', seq: 1, ack: 401 });
    assert.equal(socket.bufferedBytes, 0);
    t.expectNothing(20_000);
  });
});

describe('TCP user timeout (RFC 9293 §3.8.3)', () => {
  it('ends the connection with ETIMEDOUT when data is not acknowledged for so long', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.write(0, socket, 10);
    t.take(99_000);
    assert.equal(socket.state, 'ESTABLISHED');
    t.take(165_000);
    assert.equal(socket.state, 'CLOSED');
    assert.equal(socket.error?.code, 'ETIMEDOUT');
    assert.match(socket.error?.message ?? '', /10\.0\.0\.1/);
    t.take(165_000);
    t.expectNothing(1_000_000);
    assert.equal(t.tcp.pollAt(), Infinity);
  });

  it('counts from the last progress, not from the connection\'s age', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.write(0, socket, 20);
    t.take(0);
    t.take(50_000);
    t.send(50_000, { flags: 'ACK', seq: 1, ack: 11 });
    t.take(149_000);
    assert.equal(socket.state, 'ESTABLISHED');
  });

  it('does not touch an idle connection', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.expectNothing(10_000_000);
    assert.equal(socket.state, 'ESTABLISHED');
  });
});

function near(seen: number | null, expected: number): void {
  assert.ok(seen !== null && Math.abs(seen - expected) < 1e-6, `expected ${expected}, saw ${seen}`);
}
