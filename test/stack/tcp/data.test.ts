import assert from 'node:assert/strict';
import { TcpHarness } from '../../support/tcp-harness';

describe('TCP data transfer', () => {
  it('delivers what arrives in order and tells once per poll', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    let changes = 0;
    socket.onChange = () => changes++;
    t.sendAll(10, [
      { flags: 'ACK', seq: 1, ack: 1, payload: 500 },
      { flags: 'PSH ACK', seq: 501, ack: 1, payload: 300 },
    ]);
    assert.equal(changes, 1);
    assert.equal(socket.readableBytes, 800);
    t.expectRead(10, socket, 800);
    assert.equal(socket.readableBytes, 0);
    assert.equal(changes, 1, 'the user\'s own read is no news to the user');
  });

  it('cuts what is written into full segments and pushes the last (RFC 9293 §3.9.1.2)', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.write(5, socket, 3000);
    t.expect(5, { flags: 'ACK', seq: 1, ack: 1, payload: 1460 });
    t.expect(5, { flags: 'ACK', seq: 1461, ack: 1, payload: 1460 });
    t.expect(5, { flags: 'PSH ACK', seq: 2921, ack: 1, payload: 80 });
    assert.equal(socket.bufferedBytes, 3000);
    t.send(15, { flags: 'ACK', seq: 1, ack: 3001 });
    assert.equal(socket.bufferedBytes, 0);
    t.expectNothing(60_000);
  });

  it('takes no more than the send buffer holds and tells when there is room again', () => {
    const t = new TcpHarness({ config: { sendBufferBytes: 4096 } });
    const socket = t.establish();
    assert.equal(socket.writableBytes, 4096);
    assert.equal(t.write(0, socket, 10_000, 'partial'), 4096);
    assert.equal(socket.writableBytes, 0);
    assert.equal(t.write(0, socket, 10, 'partial'), 0);
    t.take(0);
    let changes = 0;
    socket.onChange = () => changes++;
    t.send(10, { flags: 'ACK', seq: 1, ack: 2921 });
    assert.equal(changes, 1);
    assert.equal(socket.writableBytes, 2920);
  });

  it('copies what is written: the caller may reuse its buffer', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    const data = Uint8Array.from([1, 2, 3]);
    t.user(0, 'write and overwrite', () => {
      socket.write(data);
      data.fill(9);
    });
    t.expect(0, { flags: 'ACK', seq: 1, payload: Uint8Array.from([1, 2, 3]) });
  });

  it('does not call onChange for what the user\'s own calls changed', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    let changes = 0;
    socket.onChange = () => changes++;
    t.write(0, socket, 100);
    t.close(0, socket);
    t.take(0);
    assert.equal(socket.state, 'FIN-WAIT-1');
    assert.equal(changes, 0, 'write and close');
    t.abort(1, socket);
    t.take(1);
    assert.equal(changes, 0, 'abort');
  });

  it('works across the wrap of both sequence numbers (RFC 9293 §3.4)', () => {
    const t = new TcpHarness({ peerIss: 0xffff_fc00, iss: { near: 0xffff_f800, open: 'active' } });
    const socket = t.establish();
    assert.ok(socket.snapshot().iss >= 0xffff_f7fe, `ISS ${socket.snapshot().iss} is not near the wrap`);
    t.write(0, socket, 4380);
    t.expect(0, { flags: 'ACK', seq: 1, payload: 1460 });
    t.expect(0, { flags: 'ACK', seq: 1461, payload: 1460 });
    t.expect(0, { flags: 'ACK', seq: 2921, payload: 1460 });
    t.send(10, { flags: 'ACK', seq: 1, ack: 1461 });
    t.send(10, { flags: 'ACK', seq: 1, ack: 4381 });
    assert.equal(socket.bufferedBytes, 0);
    t.send(20, { flags: 'ACK', seq: 1461, ack: 4381, payload: 1460 });
    t.expect(20, { flags: 'ACK', ack: 1 });
    t.send(20, { flags: 'ACK', seq: 1, ack: 4381, payload: 1460 });
    t.expect(20, { flags: 'ACK', seq: 4381, ack: 2921 });
    t.expectRead(20, socket, 2920);
  });

  it('works across the wrap on the passive side, FIN included', () => {
    const t = new TcpHarness({ peerIss: 0xffff_ffff, iss: { near: 0xffff_fffe, open: 'passive' } });
    const { socket } = t.establishPassive();
    t.write(0, socket, 10);
    t.expect(0, { flags: 'ACK', seq: 1, payload: 10 });
    t.send(5, { flags: 'FIN ACK', seq: 1, ack: 11, payload: 7 });
    t.expect(5, { flags: 'ACK', seq: 11, ack: 9 });
    t.expectRead(5, socket, 7);
    t.close(6, socket);
    t.expect(6, { flags: 'FIN ACK', seq: 11, ack: 9 });
    t.send(7, { flags: 'ACK', seq: 9, ack: 12 });
    assert.equal(socket.state, 'CLOSED');
    assert.equal(socket.error, null);
  });

  it('sends data before a FIN that waits for it, and nothing after', () => {
    const t = new TcpHarness();
    const socket = t.establish({ win: 1000 });
    t.write(0, socket, 1500);
    t.close(0, socket);
    t.expect(0, { flags: 'ACK', seq: 1, payload: 1000 });
    assert.equal(socket.writableBytes, 0);
    assert.equal(t.write(1, socket, 10, 'partial'), 0);
    t.send(10, { flags: 'ACK', seq: 1, ack: 1001, win: 5000 });
    t.expect(10, { flags: 'FIN ACK', seq: 1001, payload: 500 });
  });
});

describe('TCP delayed acknowledgments', () => {
  it('acknowledges a lone segment within the configured delay (RFC 9293 §3.8.6.3)', () => {
    const t = new TcpHarness();
    t.establish();
    t.send(100, { flags: 'ACK', seq: 1, ack: 1, payload: 100 });
    t.expectNothing(139.9);
    t.expect(140, { flags: 'ACK', seq: 1, ack: 101 });
    t.expectNothing(10_000);
  });

  it('acknowledges every second full segment at once (RFC 5681 §4.2)', () => {
    const t = new TcpHarness();
    t.establish();
    for (let i = 0; i < 6; i++) {
      t.send(10 + i, { flags: 'ACK', seq: 1 + i * 1460, ack: 1, payload: 1460 });
      if (i % 2) t.expect(10 + i, { flags: 'ACK', ack: 1 + (i + 1) * 1460 });
      else t.expectNothing(10 + i);
    }
    t.expectNothing(1_000);
  });

  it('sends one acknowledgment for a batch', () => {
    const t = new TcpHarness();
    t.establish();
    t.sendAll(10, [0, 1, 2, 3].map((i) => ({ flags: 'ACK', seq: 1 + i * 1460, ack: 1, payload: 1460 })));
    t.expect(10, { flags: 'ACK', ack: 5841 });
    t.expectNothing(1_000);
  });

  it('acknowledges with the data it sends, and then not again', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 100 });
    t.write(20, socket, 50);
    t.expect(20, { flags: 'ACK', seq: 1, ack: 101, payload: 50 });
    t.send(30, { flags: 'ACK', seq: 101, ack: 51 });
    t.expectNothing(1_000);
  });

  it('keeps the delay of the first segment when a second small one follows', () => {
    const t = new TcpHarness();
    t.establish();
    t.send(100, { flags: 'ACK', seq: 1, ack: 1, payload: 10 });
    t.send(130, { flags: 'ACK', seq: 11, ack: 1, payload: 10 });
    t.expect([130, 140], { flags: 'ACK', ack: 21 });
    t.expectNothing(1_000);
  });

  it('acknowledges FIN without delay', () => {
    const t = new TcpHarness();
    t.establish();
    t.send(100, { flags: 'FIN ACK', seq: 1, ack: 1, payload: 10 });
    t.expect(100, { flags: 'ACK', ack: 12 });
  });

  it('never acknowledges a pure acknowledgment', () => {
    const t = new TcpHarness();
    t.establish();
    t.send(100, { flags: 'ACK', seq: 1, ack: 1 });
    t.send(200, { flags: 'ACK', seq: 1, ack: 1, win: 20_000 });
    t.expectNothing(5_000);
  });
});

describe('TCP Nagle\'s algorithm', () => {
  it('holds a small segment back while a small one is unacknowledged (RFC 9293 §3.7.4)', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.write(0, socket, 1);
    t.expect(0, { flags: 'ACK', seq: 1, payload: 1 });
    t.write(1, socket, 1);
    t.write(2, socket, 1);
    t.expectNothing(50);
    t.send(50, { flags: 'ACK', seq: 1, ack: 2 });
    t.expect(50, { flags: 'ACK', seq: 2, payload: 2 });
  });

  it('sends as soon as a full segment has come together (RFC 9293 §3.7.4)', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.write(0, socket, 1);
    t.expect(0, { flags: 'ACK', seq: 1, payload: 1 });
    t.write(1, socket, 1459);
    t.expectNothing(1);
    t.write(2, socket, 1);
    t.expect(2, { flags: 'ACK', seq: 2, payload: 1460 });
  });

  it('does not hold back the tail of a write whose full segments are on the way (Minshall\'s variant)', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.write(0, socket, 1560);
    t.expect(0, { flags: 'ACK', seq: 1, payload: 1460 });
    t.expect(0, { flags: 'ACK', seq: 1461, payload: 100 });
    t.write(1, socket, 100);
    t.expectNothing(1);
    t.send(10, { flags: 'ACK', seq: 1, ack: 1461 });
    t.expectNothing(10);
    t.send(11, { flags: 'ACK', seq: 1, ack: 1561 });
    t.expect(11, { flags: 'ACK', seq: 1561, payload: 100 });
  });

  it('does not hold back FIN and the data before it', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.write(0, socket, 1);
    t.expect(0, { flags: 'ACK', seq: 1, payload: 1 });
    t.write(1, socket, 1);
    t.close(1, socket);
    t.expect(1, { flags: 'FIN ACK', seq: 2, payload: 1 });
  });

  it('can be turned off', () => {
    const t = new TcpHarness({ config: { nagle: false } });
    const socket = t.establish();
    for (let i = 0; i < 3; i++) {
      t.write(i, socket, 1);
      t.expect(i, { flags: 'ACK', seq: 1 + i, payload: 1 });
    }
  });
});
