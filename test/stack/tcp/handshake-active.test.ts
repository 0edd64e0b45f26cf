import assert from 'node:assert/strict';
import { StackError } from '../../../stack/errors';
import { ACTIVE_PORTS, LOCAL, REMOTE, TcpHarness } from '../../support/tcp-harness';

const SYN_ACK = { flags: 'SYN ACK', seq: 0, ack: 1, mss: 1460 } as const;

describe('TCP active open', () => {
  it('sends SYN with an MSS that fits the MTU and a window scale (RFC 9293 §3.7.1, RFC 7323 §2.2)', () => {
    const t = new TcpHarness({ config: { receiveBufferBytes: 1 << 20 } });
    const socket = t.connect();
    const syn = t.expect(0, { flags: 'SYN', seq: 0, ack: -1_000_000, mss: 1460, win: 65_535, destination: REMOTE, ...ports() });
    assert.equal(socket.state, 'SYN-SENT');
    assert.ok(syn.wire.wscale !== null && 65_535 << syn.wire.wscale >= 1 << 20, `shift ${syn.wire.wscale} does not reach 1 MiB`);
    assert.equal(t.counters.activeOpens, 1);
  });

  it('offers the MSS of a small path: MTU − 40 (RFC 9293 §3.7.1)', () => {
    const t = new TcpHarness({ mtu: 1280 });
    t.connect();
    t.expect(0, { flags: 'SYN', mss: 1240 });
  });

  it('is open after SYN, SYN-ACK, ACK, and says so once (RFC 9293 §3.5)', () => {
    const t = new TcpHarness();
    const socket = t.connect();
    let changes = 0;
    socket.onChange = () => changes++;
    t.expect(0, { flags: 'SYN' });
    assert.equal(socket.isOpen, false);
    assert.equal(changes, 0);
    t.send(30, SYN_ACK);
    t.expect(30, { flags: 'ACK', seq: 1, ack: 1, mss: null, wscale: null });
    assert.equal(socket.state, 'ESTABLISHED');
    assert.equal(socket.isOpen, true);
    assert.equal(changes, 1);
    const { localAddress, localPort, remoteAddress, remotePort } = socket;
    assert.deepEqual({ localAddress, localPort, remoteAddress, remotePort }, { localAddress: LOCAL, localPort: 50_000, remoteAddress: REMOTE, remotePort: 80 });
    t.expectNothing(120_000);
  });

  it('keeps segments within the peer\'s MSS (RFC 9293 §3.7.1 MUST-16)', () => {
    const t = new TcpHarness();
    const socket = t.establish({ mss: 700 });
    t.write(0, socket, 1400);
    t.expect(0, { flags: 'ACK', seq: 1, payload: 700 });
    t.expect(0, { flags: 'ACK', seq: 701, payload: 700 });
  });

  it('takes 536 for a peer that names no MSS (RFC 9293 §3.7.1 MUST-15)', () => {
    const t = new TcpHarness();
    const socket = t.connect();
    t.expect(0, { flags: 'SYN' });
    t.send(0, { flags: 'SYN ACK', seq: 0, ack: 1 });
    t.expect(0, { flags: 'ACK' });
    assert.equal(socket.snapshot().mss, 536);
    t.write(0, socket, 1072);
    t.expect(0, { flags: 'ACK', seq: 1, payload: 536 });
    t.expect(0, { flags: 'ACK', seq: 537, payload: 536 });
  });

  it('never sends more than its own MTU takes, whatever the peer\'s MSS', () => {
    const t = new TcpHarness();
    const socket = t.establish({ mss: 9000 });
    t.write(0, socket, 2920);
    t.expect(0, { flags: 'ACK', seq: 1, payload: 1460 });
    t.expect(0, { flags: 'ACK', seq: 1461, payload: 1460 });
  });

  it('refuses a port that cannot be: 0 and beyond 16 bits', () => {
    for (const options of [{ port: 0 }, { port: 65_536 }, { port: -1 }, { port: 1.5 }, { localPort: 65_536 }, { localPort: -1 }]) {
      const t = new TcpHarness();
      assert.throws(() => t.connect(options), (error) => error instanceof StackError, JSON.stringify(options));
      assert.deepEqual([...t.tcp.sockets], []);
    }
  });

  it('survives a peer that offers an MSS of 0 or 1: data still flows, in segments of some useful size', () => {
    for (const mss of [0, 1]) {
      const t = new TcpHarness();
      const socket = t.establish({ mss });
      t.write(0, socket, 4000);
      const sent = t.take(0);
      assert.ok(sent.length > 0 && sent.length <= 100, `MSS ${mss}: ${sent.length} segments for 4000 bytes`);
    }
  });

  it('scales the windows it reads after the handshake, not the one in the SYN-ACK (RFC 7323 §2.2)', () => {
    const t = new TcpHarness({ config: { receiveBufferBytes: 1 << 20 } });
    const socket = t.establish({ win: 1000, wscale: 3 });
    assert.equal(socket.snapshot().sndWnd, 1000);
    t.send(0, { flags: 'ACK', seq: 1, ack: 1, win: 1000 });
    assert.equal(socket.snapshot().sndWnd, 8000);
  });

  it('scales the window it sends, once both sides agreed (RFC 7323 §2.2)', () => {
    const t = new TcpHarness({ config: { receiveBufferBytes: 1 << 20 } });
    t.connect();
    const { wire } = t.expect(0, { flags: 'SYN' });
    t.send(0, { ...SYN_ACK, wscale: 0 });
    t.expect(0, { flags: 'ACK', win: (1 << 20) >> (wire.wscale ?? 0) });
  });

  it('scales nothing when the peer sends no window scale (RFC 7323 §2.2)', () => {
    const t = new TcpHarness({ config: { receiveBufferBytes: 1 << 20 } });
    const socket = t.connect();
    t.expect(0, { flags: 'SYN' });
    t.send(0, { ...SYN_ACK, win: 1000 });
    t.expect(0, { flags: 'ACK', win: 65_535 });
    t.send(0, { flags: 'ACK', seq: 1, ack: 1, win: 2000 });
    assert.equal(socket.snapshot().sndWnd, 2000);
  });

  it('does not tell again and again of a window that the header cannot hold', () => {
    const t = new TcpHarness({ config: { receiveBufferBytes: 1 << 20 } });
    const socket = t.establish();
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, win: 1000 });
    t.expectNothing(20);
    t.send(20, { flags: 'ACK', seq: 1, ack: 1, payload: 10 });
    t.expectNothing(59);
    t.expect(60, { flags: 'ACK', ack: 11, win: 65_535 });
    t.write(70, socket, 100);
    t.expect(70, { flags: 'ACK', seq: 1, payload: 100 });
    t.send(80, { flags: 'ACK', seq: 11, ack: 101 });
    t.expectNothing(1_000);
  });

  it('takes a shift above 14 for 14 (RFC 7323 §2.3)', () => {
    const t = new TcpHarness({ config: { receiveBufferBytes: 1 << 20 } });
    const socket = t.establish({ wscale: 15 });
    t.send(0, { flags: 'ACK', seq: 1, ack: 1, win: 3 });
    assert.equal(socket.snapshot().sndWnd, 3 << 14);
  });

  it('takes data that comes with the SYN-ACK, in the end exactly once (RFC 9293 §3.10.7.3)', () => {
    const t = new TcpHarness();
    const socket = t.connect();
    t.expect(0, { flags: 'SYN' });
    t.send(10, { ...SYN_ACK, payload: 'hello' });
    const [ack] = t.take(10);
    assert.ok(ack && [1, 6].includes(ack.wire.ack - 1_000_000), 'acknowledges the SYN, with or without the data');
    t.send(20, { flags: 'ACK', seq: 1, ack: 1, payload: 'hello' });
    assert.equal(Buffer.from(t.read(20, socket)).toString(), 'hello');
  });

  it('sends what was written before the handshake was complete, right after it', () => {
    const t = new TcpHarness();
    const socket = t.connect();
    t.expect(0, { flags: 'SYN' });
    t.write(1, socket, 100);
    t.expectNothing(10);
    t.send(10, SYN_ACK);
    const sent = t.take(10);
    const data = sent.find((segment) => segment.wire.payload.length === 100);
    assert.ok(data && data.wire.flags.has('ACK') && data.wire.ack === 1_000_001, 'the data goes out with the ACK of the SYN, or after it');
  });
});

describe('TCP active open: answers that are not the right SYN-ACK', () => {
  it('answers an unacceptable ACK with RST at its number and stays (RFC 9293 §3.10.7.3)', () => {
    const t = new TcpHarness();
    const socket = t.connect();
    t.expect(0, { flags: 'SYN' });
    for (const ack of [0, 2, -50, 1 << 20]) {
      t.send(10, { ...SYN_ACK, ack });
      t.expect(10, { flags: 'RST', seq: ack });
      t.send(10, { flags: 'ACK', seq: 0, ack });
      t.expect(10, { flags: 'RST', seq: ack });
    }
    assert.equal(socket.state, 'SYN-SENT');
    t.send(20, SYN_ACK);
    t.expect(20, { flags: 'ACK', seq: 1, ack: 1 });
  });

  it('drops an acceptable ACK without SYN (RFC 9293 §3.10.7.3, fifth)', () => {
    const t = new TcpHarness();
    const socket = t.connect();
    t.expect(0, { flags: 'SYN' });
    t.send(10, { flags: 'ACK', seq: 0, ack: 1 });
    t.expectNothing(10);
    assert.equal(socket.state, 'SYN-SENT');
  });

  it('is refused by RST that acknowledges its SYN: ECONNREFUSED (RFC 9293 §3.10.7.3)', () => {
    const t = new TcpHarness();
    const socket = t.connect();
    let changes = 0;
    socket.onChange = () => changes++;
    t.expect(0, { flags: 'SYN' });
    t.send(10, { flags: 'RST ACK', seq: 0, ack: 1 });
    t.expectNothing(200_000);
    assert.equal(socket.state, 'CLOSED');
    assert.ok(socket.error instanceof StackError);
    assert.equal(socket.error.code, 'ECONNREFUSED');
    assert.match(socket.error.message, /10\.0\.0\.1.*80/, 'the message names the address');
    assert.equal(changes, 1);
    assert.deepEqual([...t.tcp.sockets], []);
  });

  it('ignores RST that does not acknowledge its SYN (RFC 9293 §3.10.7.3, RFC 5961 §3.2)', () => {
    const t = new TcpHarness();
    const socket = t.connect();
    t.expect(0, { flags: 'SYN' });
    t.send(10, { flags: 'RST', seq: 0 });
    t.send(10, { flags: 'RST ACK', seq: 0, ack: 0 });
    t.send(10, { flags: 'RST ACK', seq: 0, ack: 2 });
    t.expectNothing(10);
    assert.equal(socket.state, 'SYN-SENT');
    assert.equal(socket.error, null);
  });

  it('opens simultaneously: SYN meets SYN (RFC 9293 §3.5, figure 7)', () => {
    const t = new TcpHarness();
    const socket = t.connect();
    t.expect(0, { flags: 'SYN', seq: 0 });
    t.send(10, { flags: 'SYN', seq: 0, mss: 1000, win: 5000 });
    t.expect(10, { flags: 'SYN ACK', seq: 0, ack: 1, mss: 1460 });
    assert.equal(socket.state, 'SYN-RECEIVED');
    t.send(20, { flags: 'SYN ACK', seq: 0, ack: 1, mss: 1000, win: 5000 });
    assert.equal(socket.state, 'ESTABLISHED');
    t.take(20);
    t.write(30, socket, 1000);
    t.expect(30, { flags: 'ACK', seq: 1, ack: 1, payload: 1000 });
  });

  it('resets by RST in a simultaneous open: ECONNREFUSED (RFC 9293 §3.10.7.4, SYN-RECEIVED from active open)', () => {
    const t = new TcpHarness();
    const socket = t.connect();
    t.expect(0, { flags: 'SYN', seq: 0 });
    t.send(10, { flags: 'SYN', seq: 0 });
    t.expect(10, { flags: 'SYN ACK' });
    t.send(20, { flags: 'RST', seq: 1 });
    assert.equal(socket.state, 'CLOSED');
    assert.equal(socket.error?.code, 'ECONNREFUSED');
  });

  it('keeps a close that comes before the answer until what was written is sent (RFC 9293 §3.10.4)', () => {
    const t = new TcpHarness();
    const socket = t.connect();
    t.expect(0, { flags: 'SYN' });
    t.write(5, socket, 100);
    t.close(5, socket);
    assert.equal(t.write(6, socket, 1, 'partial'), 0);
    t.send(10, SYN_ACK);
    const sent = t.take(10);
    const data = sent.find((seen) => seen.wire.payload.length === 100);
    assert.ok(data, 'the data is sent');
    assert.ok(sent.at(-1)?.wire.flags.has('FIN'), 'and FIN');
    t.send(20, { flags: 'FIN ACK', seq: 1, ack: 102 });
    assert.equal(socket.state, 'TIME-WAIT');
    assert.equal(socket.error, null);
  });

  it('closes silently when its user aborts or closes before the answer (RFC 9293 §3.10.4, §3.10.5 SYN-SENT)', () => {
    for (const how of ['abort', 'close'] as const) {
      const t = new TcpHarness();
      const socket = t.connect();
      t.expect(0, { flags: 'SYN' });
      t[how](10, socket);
      t.expectNothing(200_000);
      assert.equal(socket.state, 'CLOSED');
      t.send(200_000, SYN_ACK);
      t.expect(200_000, { flags: 'RST', seq: 1 });
    }
  });
});

describe('TCP SYN retransmission', () => {
  it('repeats SYN after 1, 3, 7, 15, 31, 63 and 123 s and gives up after 127 s: ETIMEDOUT (RFC 6298 §2.1, §2.5, §5.5; RFC 9293 §3.8.3)', () => {
    const t = new TcpHarness();
    const socket = t.connect();
    const first = t.expect(0, { flags: 'SYN', seq: 0, mss: 1460 });
    for (const at of [1_000, 3_000, 7_000, 15_000, 31_000, 63_000, 123_000]) {
      t.expectNothing(at - 1);
      t.expect(at, { flags: 'SYN', seq: 0, mss: 1460, wscale: first.wire.wscale });
    }
    t.expectNothing(126_999);
    assert.equal(socket.state, 'SYN-SENT');
    t.advance(127_000);
    assert.equal(socket.state, 'CLOSED');
    assert.equal(socket.error?.code, 'ETIMEDOUT');
    t.expectNothing(1_000_000);
    assert.equal(t.tcp.pollAt(), Infinity);
  });

  it('opens by the answer to a repeated SYN, without an RTT sample, and starts data at 3 s (RFC 6298 §3 Karn, §5.7)', () => {
    const t = new TcpHarness();
    const socket = t.connect();
    t.expect(0, { flags: 'SYN' });
    t.expect(1_000, { flags: 'SYN' });
    t.send(1_050, SYN_ACK);
    t.expect(1_050, { flags: 'ACK', seq: 1, ack: 1 });
    assert.equal(socket.snapshot().srttMs, null);
    t.write(1_050, socket, 10);
    t.expect(1_050, { flags: 'ACK', seq: 1, payload: 10 });
    t.expectNothing(4_049);
    t.expect(4_050, { flags: 'ACK', seq: 1, payload: 10 });
  });

  it('acknowledges a repeated SYN-ACK again: its ACK may be lost (RFC 9293 §3.10.7.4)', () => {
    const t = new TcpHarness();
    t.establish();
    t.send(1_000, SYN_ACK);
    t.expect(1_000, { flags: 'ACK', seq: 1, ack: 1 });
  });

  it('repeats a SYN that could not be sent: the link may come back', () => {
    const t = new TcpHarness();
    t.sendResult = 'unreachable';
    const socket = t.connect();
    t.expectNothing(500);
    t.sendResult = 'sent';
    t.expect([900, 3_000], { flags: 'SYN', seq: 0 });
    assert.equal(socket.state, 'SYN-SENT');
  });
});

function ports() {
  return { sourcePort: ACTIVE_PORTS.local, destinationPort: ACTIVE_PORTS.remote };
}
