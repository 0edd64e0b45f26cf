import assert from 'node:assert/strict';
import { StackError } from '../../../stack/errors';
import type { ConnectionRequest, TcpSocket } from '../../../stack/tcp/types';
import { LOCAL, REMOTE, TcpHarness } from '../../support/tcp-harness';

describe('TCP listener', () => {
  it('hands connections over in the order they opened', () => {
    const t = new TcpHarness();
    const listener = t.listen();
    for (const remote of [40_000, 40_001, 40_002]) open(t, remote);
    const taken = [listener.accept(), listener.accept(), listener.accept()].map((socket) => socket?.remotePort);
    assert.deepEqual(taken, [40_000, 40_001, 40_002]);
    assert.equal(listener.accept(), null);
  });

  it('gives each to onAccept, once, in the poll it opened', () => {
    const t = new TcpHarness();
    const listener = t.listen();
    const accepted: TcpSocket[] = [];
    listener.onAccept = (socket) => accepted.push(socket);
    open(t, 40_000);
    open(t, 40_001);
    assert.deepEqual(accepted.map((socket) => socket.remotePort), [40_000, 40_001]);
    assert.ok(accepted.every((socket) => socket.state === 'ESTABLISHED'));
    assert.equal(listener.accept(), null);
  });

  it('gives data that came along to a socket whose onAccept reads it', () => {
    const t = new TcpHarness();
    const listener = t.listen();
    let got = 0;
    listener.onAccept = (socket) => {
      got += socket.read(new Uint8Array(100));
      socket.onChange = () => (got += socket.read(new Uint8Array(100)));
    };
    t.send(0, { flags: 'SYN', seq: 0 });
    t.sendAll(0, [{ flags: 'ACK', seq: 1, ack: 0x7fff }]);
    t.take(0);
    t.sendAll(10, [{ flags: 'ACK', seq: 1, ack: 1 }, { flags: 'ACK', seq: 1, ack: 1, payload: 30 }]);
    assert.equal(got, 30);
  });

  it('drops SYNs beyond the backlog in silence, so that the peer tries again, and counts them', () => {
    const t = new TcpHarness();
    const listener = t.listen({ backlog: 2 });
    open(t, 40_000);
    t.ports = { local: 80, remote: 40_001 };
    t.send(t.now, { flags: 'SYN', seq: 0 });
    t.expect(t.now, { flags: 'SYN ACK' });
    t.ports = { local: 80, remote: 40_002 };
    t.send(t.now, { flags: 'SYN', seq: 0 });
    t.expectNothing(t.now + 10);
    assert.equal(t.counters.rxBacklogFull, 1);
    assert.ok(listener.accept());
    t.send(t.now, { flags: 'SYN', seq: 0 });
    t.expect(t.now, { flags: 'SYN ACK' });
  });

  it('refuses a port that is taken: EADDRINUSE; and frees it by close', () => {
    const t = new TcpHarness();
    const listener = t.listen();
    assert.throws(() => t.listen(), (error) => error instanceof StackError && error.code === 'EADDRINUSE' && error.message.includes('80'));
    listener.close();
    listener.close();
    t.listen();
  });

  it('answers RST once closed; open connections that were taken live on', () => {
    const t = new TcpHarness();
    const listener = t.listen();
    open(t, 40_000);
    const socket = listener.accept();
    assert.ok(socket);
    t.user(10, 'close the listener', () => listener.close());
    t.expectNothing(10);
    assert.equal(socket.state, 'ESTABLISHED');
    t.ports = { local: 80, remote: 40_001 };
    t.send(10, { flags: 'SYN', seq: 0 });
    t.expect(10, { flags: 'RST ACK', seq: 0, ack: 1 });
  });

  it('resets what it still holds when it closes', () => {
    const t = new TcpHarness();
    const listener = t.listen();
    open(t, 40_000);
    t.ports = { local: 80, remote: 40_001 };
    t.send(0, { flags: 'SYN', seq: 0 });
    t.take(0);
    t.user(10, 'close the listener', () => listener.close());
    const resets = t.take(10).filter((seen) => seen.wire.flags.has('RST'));
    assert.ok(resets.some((seen) => seen.wire.destinationPort === 40_000));
    assert.deepEqual([...t.tcp.sockets], []);
    t.take(500_000);
    assert.equal(t.tcp.pollAt(), Infinity);
  });

  it('frees the place of a connection that is reset before it was taken', () => {
    const t = new TcpHarness();
    const listener = t.listen({ backlog: 1 });
    open(t, 40_000);
    t.send(10, { flags: 'RST', seq: 1 });
    assert.equal(listener.accept()?.isOpen ?? false, false);
    open(t, 40_001);
    assert.equal(listener.accept()?.remotePort, 40_001);
  });

  it('on one address hears only that address', () => {
    const t = new TcpHarness();
    t.listen({ address: LOCAL + 1 });
    t.send(0, { flags: 'SYN', seq: 0 });
    t.expect(0, { flags: 'RST ACK', seq: 0, ack: 1 });
    t.send(0, { flags: 'SYN', seq: 0, destination: LOCAL + 1 });
    const seen = t.expect(0, { flags: 'SYN ACK' });
    assert.equal(seen.source, LOCAL + 1);
  });

  it('on any port takes what no listener of its own port takes, and answers from the address asked', () => {
    const t = new TcpHarness();
    const any = t.listen({ port: 'any' });
    const own = t.listen({ port: 80 });
    open(t, 40_000);
    assert.equal(any.accept(), null);
    assert.ok(own.accept());
    const far = 0x0808_0808;
    t.ports = { local: 443, remote: 40_000 };
    t.send(0, { flags: 'SYN', seq: 0, destination: far });
    const seen = t.expect(0, { flags: 'SYN ACK' });
    assert.equal(seen.source, far);
    t.send(0, { flags: 'ACK', seq: 1, ack: 1, destination: far });
    const socket = any.accept();
    assert.equal(socket?.localAddress, far);
    assert.equal(socket?.localPort, 443);
  });
});

describe('TCP connection requests', () => {
  it('ask before anything is sent, and only once per SYN that is repeated', () => {
    const { t, requests } = asking();
    t.send(0, { flags: 'SYN', seq: 0 });
    t.send(1_000, { flags: 'SYN', seq: 0 });
    t.send(3_000, { flags: 'SYN', seq: 0 });
    t.expectNothing(3_000);
    assert.equal(requests.length, 1);
    const { localAddress, localPort, remoteAddress, remotePort } = requests[0]!;
    assert.deepEqual({ localAddress, localPort, remoteAddress, remotePort }, { localAddress: LOCAL, localPort: 80, remoteAddress: REMOTE, remotePort: 40_000 });
  });

  it('accepted later: SYN-ACK with MSS and the options of the SYN, then open', () => {
    const { t, requests, listener } = asking();
    t.send(0, { flags: 'SYN', seq: 0, mss: 1000, wscale: 3, win: 4000 });
    t.expectNothing(500);
    const socket = t.user(500, 'accept', () => requests[0]?.accept());
    t.expect(500, { flags: 'SYN ACK', seq: 0, ack: 1, mss: 1460 });
    assert.ok(socket);
    assert.equal(socket.state, 'SYN-RECEIVED');
    t.send(510, { flags: 'ACK', seq: 1, ack: 1, win: 500 });
    assert.equal(socket.state, 'ESTABLISHED');
    assert.equal(socket.snapshot().sndWnd, 4000);
    assert.equal(socket.snapshot().mss, 1000);
    assert.equal(listener.accept() ?? socket, socket);
    assert.equal(listener.accept(), null);
  });

  it('accepted at once, from within onRequest', () => {
    const t = new TcpHarness();
    const listener = t.listen();
    let socket: TcpSocket | null = null;
    listener.onRequest = (request) => (socket = request.accept());
    t.send(0, { flags: 'SYN', seq: 0 });
    t.expect(0, { flags: 'SYN ACK', ack: 1 });
    t.send(1, { flags: 'ACK', seq: 1, ack: 1 });
    assert.equal((socket as TcpSocket | null)?.state, 'ESTABLISHED');
  });

  it('refused by reset: RST that the peer believes (RFC 9293 §3.10.7.1)', () => {
    const { t, requests } = asking();
    t.send(0, { flags: 'SYN', seq: 0 });
    t.user(10, 'refuse', () => requests[0]?.refuse('reset'));
    t.expect(10, { flags: 'RST ACK', seq: 0, ack: 1 });
    t.expectNothing(500_000);
  });

  it('refused by dropping: silence', () => {
    const { t, requests } = asking();
    t.send(0, { flags: 'SYN', seq: 0 });
    t.user(10, 'refuse', () => requests[0]?.refuse('drop'));
    t.expectNothing(500_000);
    assert.deepEqual(t.unreachables, []);
  });

  it('refused as unreachable: ICMP with that code, and no RST', () => {
    for (const code of ['net', 'host', 'prohibited'] as const) {
      const { t, requests } = asking();
      t.send(0, { flags: 'SYN', seq: 0 });
      t.user(10, 'refuse', () => requests[0]?.refuse(code));
      t.expectNothing(100);
      assert.deepEqual(t.unreachables, [code]);
    }
  });

  it('once decided stay decided', () => {
    const { t, requests } = asking();
    t.send(0, { flags: 'SYN', seq: 0 });
    const request = requests[0]!;
    t.user(10, 'refuse twice', () => {
      request.refuse('reset');
      request.refuse('host');
    });
    assert.equal(request.accept(), null);
    t.expect(10, { flags: 'RST ACK' });
    t.expectNothing(100_000);
    assert.deepEqual(t.unreachables, []);
    t.send(100_000, { flags: 'SYN', seq: 0 });
    assert.equal(requests.length, 2, 'a new SYN is a new request');
  });

  it('end when the peer gives up by RST: onCancel, and accept gives null', () => {
    const { t, requests } = asking();
    t.send(0, { flags: 'SYN', seq: 0 });
    const request = requests[0]!;
    let cancelled = 0;
    request.onCancel = () => cancelled++;
    // Only a RST behind the SYN is the peer's: others may be forged (RFC 5961 §3.2).
    for (const seq of [0, 2, 100_000]) t.send(5, { flags: 'RST', seq });
    assert.equal(cancelled, 0);
    t.send(10, { flags: 'RST', seq: 1 });
    assert.equal(cancelled, 1);
    assert.equal(request.accept(), null);
    request.refuse('reset');
    t.expectNothing(500_000);
    assert.equal(cancelled, 1);
  });

  it('expire: onCancel after requestTimeoutMs, and nothing is left', () => {
    const { t, requests } = asking(5_000);
    t.send(0, { flags: 'SYN', seq: 0 });
    const request = requests[0]!;
    let cancelled = 0;
    request.onCancel = () => cancelled++;
    for (const at of [1_000, 3_000]) t.send(at, { flags: 'SYN', seq: 0 });
    t.expectNothing(4_999);
    assert.equal(cancelled, 0);
    t.take(5_001);
    assert.equal(cancelled, 1);
    assert.equal(request.accept(), null);
    assert.equal(t.tcp.pollAt(), Infinity);
    t.send(6_000, { flags: 'SYN', seq: 0 });
    assert.equal(requests.length, 2);
  });

  it('end when the peer repeats its SYN no more: within twice the longest time between two, and 2 s (RFC 6298 §5.5)', () => {
    const { t, requests } = asking();
    t.send(0, { flags: 'SYN', seq: 0 });
    const request = requests[0]!;
    let cancelled = 0;
    request.onCancel = () => cancelled++;
    for (const at of [1_000, 3_000, 7_000]) t.send(at, { flags: 'SYN', seq: 0 });
    // Neither is a repetition of the SYN.
    t.send(16_000, { flags: 'SYN', seq: 5 });
    t.send(16_000, { flags: 'RST SYN', seq: 0 });
    assert.equal(t.counters.rxUnacceptable, 2);
    t.expectNothing(16_999);
    assert.equal(cancelled, 0);
    t.take(17_000);
    assert.equal(cancelled, 1);
    assert.equal(request.accept(), null);
    assert.equal(t.tcp.pollAt(), Infinity);
    t.send(20_000, { flags: 'SYN', seq: 0, sourcePort: 40_001 });
    t.expectNothing(23_999);
    assert.equal(requests[1]?.accept()?.state, 'SYN-RECEIVED', 'a SYN that was not repeated is waited for as long as hosts wait at first');
  });

  it('take a place in the backlog', () => {
    const t = new TcpHarness();
    const listener = t.listen({ backlog: 2 });
    const requests: ConnectionRequest[] = [];
    listener.onRequest = (request) => requests.push(request);
    for (let i = 0; i < 3; i++) t.send(0, { flags: 'SYN', seq: 0, sourcePort: 40_000 + i });
    assert.equal(requests.length, 2);
    assert.equal(t.counters.rxBacklogFull, 1);
    t.user(1, 'refuse', () => requests[0]?.refuse('drop'));
    t.send(2, { flags: 'SYN', seq: 0, sourcePort: 40_002 });
    assert.equal(requests.length, 3);
  });

  it('are cancelled when the listener closes', () => {
    const { t, requests, listener } = asking();
    t.send(0, { flags: 'SYN', seq: 0 });
    t.user(10, 'close', () => listener.close());
    assert.equal(requests[0]?.accept(), null);
    t.take(10);
    t.take(500_000);
    assert.deepEqual([...t.tcp.sockets], []);
    assert.equal(t.tcp.pollAt(), Infinity);
  });

  function asking(requestTimeoutMs = 130_000) {
    const t = new TcpHarness({ config: { requestTimeoutMs } });
    const listener = t.listen();
    const requests: ConnectionRequest[] = [];
    listener.onRequest = (request) => requests.push(request);
    return { t, listener, requests };
  }
});

function open(t: TcpHarness, remote: number): void {
  t.ports = { local: 80, remote };
  t.send(t.now, { flags: 'SYN', seq: 0, mss: 1460 });
  t.expect(t.now, { flags: 'SYN ACK', ack: 1, destinationPort: remote });
  t.send(t.now, { flags: 'ACK', seq: 1, ack: 1 });
  t.expectNothing(t.now);
}
