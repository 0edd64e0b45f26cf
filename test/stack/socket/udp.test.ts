import assert from 'node:assert/strict';
import { StackError } from '../../../stack/errors';
import { datagram, UdpHarness } from './udp-harness';

const US = { address: 0x0a00_0005, port: 5000 };
const PEER = { address: 0x0a00_0009, port: 9 };

const fails = (code: string) => (error: unknown) => error instanceof StackError && error.code === code;

describe('UDP sockets', () => {
  it('send from their port and our address', () => {
    const host = new UdpHarness();
    assert.equal(host.udp.bind({ port: 5000 }).send(PEER.address, 9, Uint8Array.of(1, 2)), 'sent');
    assert.deepEqual(host.take(), { source: US.address, sourcePort: 5000, destination: PEER.address, destinationPort: 9, data: Uint8Array.of(1, 2) });
    assert.equal(host.counters.udp.txDatagrams, 1);
    assert.equal(host.works > 0, true);
  });

  it('receive copies, in order, and are told once per poll', () => {
    const host = new UdpHarness();
    const socket = host.udp.bind({ port: 5000 });
    const told: number[] = [];
    socket.onChange = (_, now) => told.push(now);
    const bytes = datagram(PEER, US, Uint8Array.of(1));
    host.udp.input(PEER.address, US.address, bytes, 7);
    bytes[8] = 99;
    host.udp.input(PEER.address, US.address, datagram(PEER, US, Uint8Array.of(2)), 7);
    assert.deepEqual(told, []);
    host.udp.poll(7);
    assert.deepEqual(told, [7]);
    assert.deepEqual(socket.receive(), { source: PEER.address, sourcePort: 9, destination: US.address, destinationPort: 5000, data: Uint8Array.of(1) });
    assert.deepEqual(socket.receive()?.data, Uint8Array.of(2));
    assert.equal(socket.receive(), null);
    host.udp.poll(8);
    assert.deepEqual(told, [7]);
  });

  it('keep their order over a queue of hundreds', () => {
    const host = new UdpHarness();
    const socket = host.udp.bind({ port: 5000 });
    let next = 0;
    let sent = 0;
    for (let round = 0; round < 50; round++) {
      for (let i = 0; i < 5; i++) host.arrive(PEER, US, Uint8Array.of(sent++ & 255));
      for (let i = 0; i < 4; i++) assert.equal(socket.receive()?.data[0], next++ & 255);
    }
    while (next < sent) assert.equal(socket.receive()?.data[0], next++ & 255);
    assert.equal(socket.receive(), null);
  });

  it('say false for a port that nobody has, so that port unreachable is sent (RFC 1122 §4.1.3.1)', () => {
    const host = new UdpHarness();
    assert.equal(host.arrive(PEER, US, Uint8Array.of(1)), false);
    assert.equal(host.counters.udp.rxNoPort, 1);
    const socket = host.udp.bind({ port: 5000 });
    assert.equal(host.arrive(PEER, US, Uint8Array.of(1)), true);
    socket.close();
    socket.close();
    assert.equal(host.arrive(PEER, US, Uint8Array.of(1)), false);
  });

  it('count what does not parse and take it, so that no error is sent about it', () => {
    const host = new UdpHarness();
    host.udp.bind({ port: 5000 });
    const bad = datagram(PEER, US, Uint8Array.of(1));
    bad[8] = 2;
    assert.equal(host.udp.input(PEER.address, US.address, bad, 0), true);
    assert.equal(host.udp.input(PEER.address, US.address, bad.subarray(0, 5), 0), true);
    assert.equal(host.udp.input(PEER.address, US.address, bad.subarray(0, 8), 0), true);
    const { rxBadChecksum, rxTooShort, rxBadLength } = host.counters.udp;
    assert.deepEqual([rxBadChecksum, rxTooShort, rxBadLength], [1, 1, 1]);
  });

  it('bound their queue by datagrams and by bytes, and count what is lost', () => {
    const host = new UdpHarness({ queueDatagrams: 3, queueBytes: 10 });
    const socket = host.udp.bind({ port: 5000 });
    host.arrive(PEER, US, new Uint8Array(8));
    host.arrive(PEER, US, new Uint8Array(3));
    assert.equal(host.counters.udp.rxQueueFull, 1);
    for (let i = 0; i < 3; i++) host.arrive(PEER, US, new Uint8Array(1));
    assert.equal(host.counters.udp.rxQueueFull, 2);
    assert.equal(socket.receive()?.data.length, 8);
    host.arrive(PEER, US, new Uint8Array(8));
    assert.equal(host.counters.udp.rxQueueFull, 2);
  });

  it('take distinct random ephemeral ports from 49152 on (RFC 6056 §3.3.1)', () => {
    const host = new UdpHarness();
    const ports = Array.from({ length: 50 }, () => host.udp.bind().localPort);
    assert.equal(new Set(ports).size, 50);
    assert.ok(ports.every((port) => port >= 49_152 && port <= 65_535));
    assert.ok(ports.some((port, i) => port !== (ports[0] ?? 0) + i));
  });

  it('refuse a port in use, one out of range, and more sockets than the limit', () => {
    const host = new UdpHarness({ maxSockets: 3 });
    host.udp.bind({ port: 5000, address: 1 });
    assert.throws(() => host.udp.bind({ port: 5000 }), fails('EADDRINUSE'));
    assert.throws(() => host.udp.bind({ port: 5000, address: 1 }), fails('EADDRINUSE'));
    assert.throws(() => host.udp.bind({ port: 65_536 }), fails('EINVAL'));
    host.udp.bind({ port: 5000, address: 2 }).close();
    host.udp.bind({ port: 5000, address: 2 });
    host.udp.bind();
    assert.throws(() => host.udp.bind(), fails('ENOBUFS'));
  });

  it('bound to an address get only what is sent there', () => {
    const host = new UdpHarness();
    const one = host.udp.bind({ port: 5000, address: 1 });
    const two = host.udp.bind({ port: 5000, address: 2 });
    host.arrive(PEER, { address: 2, port: 5000 }, Uint8Array.of(1));
    assert.equal(one.receive(), null);
    assert.equal(two.receive()?.destination, 2);
    assert.equal(host.arrive(PEER, { address: 3, port: 5000 }, Uint8Array.of(1)), false);
  });

  it('cannot send without an address, to port 0, beyond a packet, or after they were closed', () => {
    const host = new UdpHarness();
    const socket = host.udp.bind({ port: 5000 });
    assert.equal(socket.send(PEER.address, 9, new Uint8Array(65_508)), 'too-big');
    assert.equal(socket.send(PEER.address, 0, new Uint8Array(1)), 'unreachable');
    host.address = null;
    assert.equal(socket.send(PEER.address, 9, new Uint8Array(1)), 'unreachable');
    assert.equal(socket.send(0xffff_ffff, 67, new Uint8Array(1), { source: 0 }), 'sent');
    socket.close();
    assert.equal(socket.send(PEER.address, 9, new Uint8Array(1), { source: 1 }), 'unreachable');
    assert.equal(host.counters.udp.txDropped, 4);
  });

  it('hear what ICMP says about their datagrams (RFC 1122 §4.1.3.3)', () => {
    const host = new UdpHarness();
    const socket = host.udp.bind({ port: 5000 });
    let told = 0;
    socket.onChange = () => told++;
    socket.send(PEER.address, 9, new Uint8Array(1));
    const sent = host.take();
    const codes = [[0, 'ENETUNREACH'], [1, 'EHOSTUNREACH'], [3, 'ECONNREFUSED'], [13, 'EACCES']] as const;
    for (const [code, name] of codes) {
      host.icmp(sent, { type: 'unreachable', code });
      const failed = socket.takeError();
      assert.equal(failed?.error.code, name);
      assert.deepEqual([failed.remote, failed.remotePort], [PEER.address, 9]);
      assert.equal(socket.takeError(), null);
    }
    host.icmp(sent, { type: 'neighbor-unresolved', nextHop: PEER.address });
    assert.equal(socket.takeError()?.error.code, 'EHOSTUNREACH');
    host.icmp(sent, { type: 'source-quench' });
    assert.equal(socket.takeError(), null);
    assert.equal(told, 5);
  });

  it('promiscuous, take what no other socket takes, and answer in the name of its destination', () => {
    const host = new UdpHarness();
    const router = host.udp.bind({ promiscuous: true });
    const dns = host.udp.bind({ port: 53, address: 1 });
    assert.throws(() => host.udp.bind({ promiscuous: true }), fails('EADDRINUSE'));
    host.arrive(PEER, { address: 1, port: 53 }, Uint8Array.of(1));
    host.arrive(PEER, { address: 8, port: 53 }, Uint8Array.of(2));
    assert.deepEqual(dns.receive()?.data, Uint8Array.of(1));
    const taken = router.receive();
    assert.ok(taken);
    assert.deepEqual([taken.destination, taken.destinationPort, taken.data[0]], [8, 53, 2]);
    router.send(taken.source, taken.sourcePort, Uint8Array.of(3), { source: taken.destination, sourcePort: taken.destinationPort });
    assert.deepEqual(host.take(), { source: 8, sourcePort: 53, destination: PEER.address, destinationPort: 9, data: Uint8Array.of(3) });
    router.refuse(taken, 'port');
    const [refused] = host.unreachables;
    assert.deepEqual([refused?.code, refused?.source, refused?.destination], ['port', PEER.address, 8]);
    assert.deepEqual(refused?.payload, datagram(PEER, { address: 8, port: 53 }, Uint8Array.of(2)));
    router.close();
    assert.equal(host.arrive(PEER, { address: 8, port: 53 }, Uint8Array.of(2)), false);
  });
});
