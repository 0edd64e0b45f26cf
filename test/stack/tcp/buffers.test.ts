import assert from 'node:assert/strict';
import type { TcpConfig } from '../../../stack/config';
import type { TcpSocket } from '../../../stack/tcp/types';
import type { Segment } from '../../support/segment-dsl';
import { TcpHarness } from '../../support/tcp-harness';

const INITIAL = 128 << 10;
const LIMIT = 4 << 20;
const SCALE = 7;

function opened(config: Partial<TcpConfig> = {}) {
  const t = new TcpHarness({ config: { autoTuning: true, initialBufferBytes: INITIAL, receiveBufferBytes: LIMIT, sendBufferBytes: LIMIT, congestion: 'cubic', ...config } });
  const socket = t.establish({ rtt: 100, wscale: SCALE, win: 65_535 });
  return { t, socket };
}

/** A peer that fills the window it is told, a reader that takes `most` bytes of it, round trip by round trip. @returns the window after each */
function flow(t: TcpHarness, socket: TcpSocket, rounds: number, most = Infinity, next = 1): number[] {
  const windows: number[] = [];
  const target = new Uint8Array(1 << 16);
  for (let round = 0; round < rounds; round++) {
    const at = t.now + 100;
    const { rcvWnd } = socket.snapshot();
    for (let sent = 0; sent + 1460 <= rcvWnd; ) {
      const batch: Segment[] = [];
      for (let i = 0; i < 40 && sent + 1460 <= rcvWnd; i++, sent += 1460, next += 1460) batch.push({ flags: 'ACK', seq: next, ack: 1, payload: ZEROS, win: 512 });
      t.sendAll(at, batch);
    }
    t.user(at, 'read', () => {
      for (let left = most, got = 1; left > 0 && got > 0; left -= got) got = socket.read(target.subarray(0, Math.min(left, target.length)));
    });
    t.take(at);
    windows.push(socket.snapshot().rcvWnd);
  }
  return windows;
}
const ZEROS = new Uint8Array(1460);

describe('TCP receive buffer', () => {
  it('grows with what the reader takes in a round trip, up to the limit', () => {
    const { t, socket } = opened();
    assert.ok(socket.snapshot().rcvWnd <= INITIAL);
    const windows = flow(t, socket, 12);
    assert.ok((windows[0] ?? 0) < LIMIT / 4, windows.join());
    assert.ok((windows.at(-1) ?? 0) > LIMIT * 0.9, windows.join());
    for (let i = 1; i < windows.length; i++) assert.ok((windows[i] ?? 0) >= (windows[i - 1] ?? 0) * 0.99, 'never smaller for a reader that keeps up');
    assert.ok(windows.every((window) => window <= LIMIT));
  });

  it('is at its limit from the start when auto-tuning is off', () => {
    const { t, socket } = opened({ autoTuning: false });
    const windows = flow(t, socket, 2);
    assert.ok(windows.every((window) => window > LIMIT * 0.9), windows.join());
  });

  it('does not grow for a slow reader', () => {
    const { t, socket } = opened();
    flow(t, socket, 15, 10_000);
    assert.ok(socket.readableBytes <= INITIAL, `${socket.readableBytes} bytes wait`);
    assert.ok(socket.snapshot().bufferMemoryBytes <= 2 * INITIAL);
  });

  it('grows as well for a reader that was slow once and let the window close', () => {
    const { t, socket } = opened();
    let next = 1;
    for (let at = 200; socket.snapshot().rcvWnd >= 1460; at++, next += 1460) t.send(at, { flags: 'ACK', seq: next, ack: 1, payload: ZEROS, win: 512 });
    const left = socket.snapshot().rcvWnd;
    t.send(t.now, { flags: 'ACK', seq: next, ack: 1, payload: ZEROS.subarray(0, left), win: 512 });
    next += left;
    assert.equal(socket.snapshot().rcvWnd, 0);
    // It reads a little, and what fills the small window that this makes comes in one burst.
    t.read(t.now + 1_000, socket, 4_096);
    t.send(t.now + 50, { flags: 'ACK', seq: next, ack: 1, payload: ZEROS, win: 512 });
    t.send(t.now + 0.1, { flags: 'ACK', seq: next + 1460, ack: 1, payload: ZEROS, win: 512 });
    t.send(t.now + 0.1, { flags: 'ACK', seq: next + 2920, ack: 1, payload: ZEROS.subarray(0, 4_096 - 2_920), win: 512 });
    t.read(t.now, socket);
    t.take(t.now);
    // From now on it takes what comes at once, in parts spread over each round trip.
    next += 4_096;
    for (let round = 0; round < 14; round++) {
      const began = t.now + 1;
      const end = next + socket.snapshot().rcvWnd;
      for (let at = began; next + 1460 <= end; at += 0.5) {
        const batch: Segment[] = [];
        for (let i = 0; i < 20 && next + 1460 <= end; i++, next += 1460) batch.push({ flags: 'ACK', seq: next, ack: 1, payload: ZEROS, win: 512 });
        t.sendAll(at, batch);
        t.read(at, socket);
        t.take(at);
      }
      t.take(began + 100);
    }
    assert.ok(socket.snapshot().rcvWnd > LIMIT * 0.9, `${socket.snapshot().rcvWnd}`);
  });

  it('does not grow beyond what its user allows', () => {
    const { t, socket } = opened();
    socket.setReceiveLimit(300_000);
    const windows = flow(t, socket, 12);
    assert.ok(windows.every((window) => window <= 300_000), windows.join());
    assert.ok((windows.at(-1) ?? 0) > 250_000, windows.join());
    t.user(t.now, 'more', () => socket.setReceiveLimit(1 << 20));
  });

  it('does not grow when all buffers together hold as much memory as they may', () => {
    const { t, socket } = opened({ totalBufferBytes: 100_000 });
    const windows = flow(t, socket, 12);
    assert.ok(windows.every((window) => window <= INITIAL), windows.join());
  });

  it('never offers more than the field can tell without scaling', () => {
    const t = new TcpHarness({ config: { autoTuning: true, receiveBufferBytes: LIMIT } });
    const socket = t.establish({ rtt: 100 });
    assert.ok(socket.snapshot().rcvWnd <= 65_535);
  });
});

describe('TCP send buffer', () => {
  it('holds twice the congestion window, growing with it up to the limit', () => {
    assert.equal(opened().socket.writableBytes, INITIAL);
    const held = largestSent();
    assert.ok(held > 1.5 * INITIAL && held <= LIMIT, `held ${held}`);
  });

  it('does not grow when all buffers together hold as much memory as they may', () => {
    assert.ok(largestSent({ totalBufferBytes: 100_000 }) <= INITIAL);
  });

  it('holds its limit from the start when auto-tuning is off', () => {
    const { socket } = opened({ autoTuning: false });
    assert.equal(socket.writableBytes, LIMIT);
  });
});

describe('TCP buffers\' memory', () => {
  it('is none before anything is sent or received', () => {
    assert.equal(opened().socket.snapshot().bufferMemoryBytes, 0);
  });

  it('is given back when a connection has been idle for a while', () => {
    const { t, socket } = opened();
    t.write(200, socket, 20_000);
    t.take(200);
    t.send(300, { flags: 'ACK', seq: 1, ack: 14_601, win: 512, payload: 1000 });
    t.take(300);
    t.send(400, { flags: 'ACK', seq: 1001, ack: 20_001, win: 512 });
    t.read(400, socket);
    assert.ok(socket.snapshot().bufferMemoryBytes > 20_000);
    t.take(3_000);
    assert.equal(socket.snapshot().bufferMemoryBytes, 0);
    assert.equal(t.tcp.pollAt(), Infinity, 'and no timer is left');
    // And works afterwards.
    t.write(4_000, socket, 100);
    t.expect(4_000, { flags: 'ACK', seq: 20_001, ack: 1001, payload: 100 });
    t.send(4_100, { flags: 'ACK', seq: 1001, ack: 20_101, win: 512, payload: 500 });
    assert.equal(t.read(4_100, socket).length, 500);
  });

  it('stays while bytes wait, without a timer that runs for ever', () => {
    const { t, socket } = opened();
    t.send(200, { flags: 'ACK', seq: 1, ack: 1, win: 512, payload: 1000 });
    t.take(10_000);
    assert.ok(socket.snapshot().bufferMemoryBytes >= 1000);
    assert.equal(t.tcp.pollAt(), Infinity);
    t.expectRead(20_000, socket, 1000);
    t.take(30_000);
    assert.equal(socket.snapshot().bufferMemoryBytes, 0);
  });

  it('stays for bytes that came out of order, though the other direction\'s is given back', () => {
    const { t, socket } = opened();
    t.write(150, socket, 5_000);
    t.take(150);
    t.send(190, { flags: 'ACK', seq: 1, ack: 5_001, win: 512 });
    t.send(200, { flags: 'ACK', seq: 1001, ack: 5_001, win: 512, payload: 1000 });
    t.take(10_000);
    t.send(10_000, { flags: 'ACK', seq: 1, ack: 5_001, win: 512, payload: 1000 });
    t.expectRead(10_000, socket, 2000);
  });

  it('is given back at once when the connection ends, except for what can still be read', () => {
    const { t, socket } = opened();
    t.write(200, socket, 20_000);
    t.send(200, { flags: 'ACK', seq: 1, ack: 1, win: 512, payload: 1000 });
    t.send(300, { flags: 'RST', seq: 1001 });
    assert.equal(socket.state, 'CLOSED');
    assert.equal(socket.bufferedBytes, 0);
    assert.equal(socket.readableBytes, 1000);
    t.expectRead(300, socket, 1000);
  });

  it('counts against the total only while it is held', () => {
    const { t, socket } = opened({ totalBufferBytes: 100_000, sendBufferBytes: 1 << 20 });
    t.write(200, socket, INITIAL);
    t.abort(300, socket);
    t.take(300);
    // The first connection's memory is free again: the second one may grow.
    const second = t.connect({ localPort: 50_001 });
    t.take(300);
    t.send(400, { flags: 'SYN ACK', seq: 0, ack: 1, mss: 1460, wscale: SCALE });
    t.take(400);
    let acked = 1;
    let largest = 0;
    const chunk = new Uint8Array(4_000);
    for (let round = 0; round < 12; round++) {
      const at = t.now + 100;
      t.user(at, 'write', () => second.write(chunk.subarray(0, 3_000)));
      for (const seen of t.take(at + 50)) acked += seen.wire.payload.length;
      t.send(at + 100, { flags: 'ACK', seq: 1, ack: acked, win: 0xffff });
      largest = Math.max(largest, second.writableBytes);
    }
    assert.ok(largest >= INITIAL);
  });
});

/** A user who keeps the send buffer full for some round trips. @returns the most that it held */
function largestSent(config: Partial<TcpConfig> = {}): number {
  const { t, socket } = opened(config);
  const chunk = new Uint8Array(1 << 16);
  let acked = 1;
  let largest = 0;
  for (let round = 0; round < 12; round++) {
    const at = t.now + 100;
    t.user(at, 'write', () => {
      while (socket.write(chunk) > 0);
    });
    largest = Math.max(largest, socket.bufferedBytes);
    for (const seen of t.take(at + 50)) acked += seen.wire.payload.length;
    t.send(at + 100, { flags: 'ACK', seq: 1, ack: acked, win: 0xffff });
    assert.ok(Number.isInteger(socket.writableBytes), 'whole bytes, though CUBIC counts in fractions');
  }
  assert.ok(largest <= Math.max(INITIAL, 2 * socket.snapshot().cwndBytes), 'no more than twice the congestion window');
  return largest;
}
