import assert from 'node:assert/strict';
import { createSocket, Socket, type RemoteInfo } from 'node:dgram';
import { VirtualClock } from '../../../stack/clock';
import { UdpRelay } from '../../../stack/gateway/udp-relay';
import type { UdpSocket } from '../../../stack/socket/udp';
import { parseIpv4 } from '../../../stack/wire/address';
import { UdpHarness } from '../socket/udp-harness';
import { Network, until } from './gateway-harness';

const LOOPBACK = 0x7f00_0001;
/** The system connects no socket to it: EACCES. */
const EVERYBODY = 0xffff_ffff;

describe('UDP through the gateway', () => {
  let network: Network;

  beforeEach(async () => {
    network = await Network.open();
  });

  afterEach(() => network.close());

  async function echo(): Promise<{ port: number; seen: RemoteInfo[] }> {
    const seen: RemoteInfo[] = [];
    const server = createSocket('udp4');
    server.on('message', (data, from) => {
      seen.push(from);
      server.send(data, from.port, from.address);
    });
    await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
    network.onClose(() => server.close());
    return { port: server.address().port, seen };
  }

  async function receive(socket: UdpSocket) {
    let datagram = socket.receive();
    await until(() => (datagram ??= socket.receive()) !== null, 'a datagram');
    assert.ok(datagram);
    return datagram;
  }

  it('comes back from the address and port it went to, one flow for both directions', async () => {
    const { port, seen } = await echo();
    const socket = network.guest.udp.bind();
    const to = network.gateway.hostAddressInside;
    for (let i = 0; i < 3; i++) {
      socket.send(to, port, Uint8Array.of(i));
      const datagram = await receive(socket);
      assert.deepEqual([datagram.source, datagram.sourcePort, datagram.data[0]], [to, port, i]);
    }
    assert.equal(network.counters.udpFlows, 1);
    assert.equal(new Set(seen.map((from) => from.port)).size, 1);
  });

  it('keeps flows of different ports apart', async () => {
    const { port, seen } = await echo();
    const sockets = [network.guest.udp.bind(), network.guest.udp.bind()];
    sockets.forEach((socket, i) => socket.send(network.gateway.hostAddressInside, port, Uint8Array.of(i)));
    for (const [i, socket] of sockets.entries()) assert.equal((await receive(socket)).data[0], i);
    assert.equal(new Set(seen.map((from) => from.port)).size, 2);
  });

  it('carries the largest datagram', async () => {
    const { port } = await echo();
    const socket = network.guest.udp.bind();
    const data = new Uint8Array(60_000).fill(7);
    socket.send(network.gateway.hostAddressInside, port, data);
    assert.deepEqual((await receive(socket)).data, data);
  });

  it('tells by ICMP that nobody has the port, where the system was told', async () => {
    const server = createSocket('udp4');
    await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
    const { port } = server.address();
    await new Promise<void>((resolve) => server.close(resolve));
    const socket = network.guest.udp.bind();
    socket.send(network.gateway.hostAddressInside, port, Uint8Array.of(1));
    let code: string | undefined;
    await until(() => (code ??= socket.takeError()?.error.code) !== undefined, 'the error');
    assert.equal(code, 'ECONNREFUSED');
    assert.equal(network.counters.udpFailed, 1);
  });

  it('does not leave for groups or the gateway’s own network', async () => {
    const socket = network.guest.udp.bind();
    for (const text of ['255.255.255.255', '10.0.2.255', '224.0.0.251']) socket.send(parseIpv4(text) ?? 0, 5353, Uint8Array.of(1));
    const stack = network.gateway.stack.counters;
    await until(() => network.counters.udpForbidden + stack.ipv4.rxNotForUs + stack.ethernet.rxNotForUs === 3, 'the drops');
    assert.equal(network.counters.udpFlows, 0);
  });
});

describe('UDP flows of the gateway', () => {
  const GUEST = { address: 0x0a00_020f, port: 5000 };
  let host: UdpHarness;
  let clock: VirtualClock;
  let relay: UdpRelay;

  beforeEach(() => {
    host = new UdpHarness();
    clock = new VirtualClock();
    relay = new UdpRelay({
      clock, udp: host.udp, counters: host.counters.gateway, idleMs: 1000, maxFlows: 3,
      translate: (destination) => (destination === 9 ? null : destination === 10 ? EVERYBODY : LOOPBACK),
    });
  });

  afterEach(() => relay.close());

  /** A datagram of the guest's to a port that is only a name here: the discard port of this host. */
  const send = (port: number, destination = 8) => host.arrive({ ...GUEST, port }, { address: destination, port: 9 }, Uint8Array.of(1));

  it('end when idle for long enough', () => {
    send(1);
    clock.advance(600);
    send(2);
    clock.advance(399);
    assert.equal(relay.flowCount, 2);
    clock.advance(1);
    assert.equal(relay.flowCount, 1);
    clock.advance(600);
    assert.equal(relay.flowCount, 0);
    assert.equal(clock.nextAt(), Infinity);
  });

  it('live on while they are used', () => {
    for (let i = 0; i < 5; i++) {
      send(1);
      clock.advance(900);
    }
    assert.equal(relay.flowCount, 1);
    assert.equal(host.counters.gateway.udpFlows, 1);
  });

  it('are bounded: the least recently used makes room', () => {
    for (const port of [1, 2, 3, 1, 4]) send(port);
    assert.equal(relay.flowCount, 3);
    assert.equal(host.counters.gateway.udpFlowsEvicted, 1);
    send(1);
    assert.equal(host.counters.gateway.udpFlows, 4, 'flow 1 was kept');
    send(2);
    assert.equal(host.counters.gateway.udpFlows, 5, 'flow 2 was closed');
  });

  it('are not made to where nothing leads', () => {
    send(1, 9);
    assert.deepEqual([relay.flowCount, host.counters.gateway.udpForbidden], [0, 1]);
  });

  it('drop and count what the system is not ready to take', () => {
    for (let i = 0; i < 70; i++) send(1);
    assert.equal(host.counters.gateway.udpDropped, 6);
    for (let i = 0; i < 20; i++) host.arrive({ ...GUEST, port: 2 }, { address: 8, port: 9 }, new Uint8Array(60_000));
    assert.equal(host.counters.gateway.udpDropped, 6 + 3, 'a megabyte of large ones');
  });

  it('end where the system has no way, told by ICMP; the next datagram tries again', async () => {
    const { gateway } = host.counters;
    for (const round of [1, 2]) {
      send(1, 10);
      send(1, 10);
      assert.equal(relay.flowCount, 1);
      await until(() => relay.flowCount === 0, 'the end of the flow');
      assert.deepEqual([gateway.udpFlows, gateway.udpFailed, gateway.udpDropped], [round, round, 2 * round]);
    }
    assert.deepEqual(host.unreachables.map(({ code }) => code), ['prohibited', 'prohibited']);
  });

  it('end where the system gives no socket, which Node tells within the call', async () => {
    const { bind } = Socket.prototype;
    Socket.prototype.bind = function () {
      this.emit('error', Object.assign(new Error('bind EMFILE 0.0.0.0'), { code: 'EMFILE' }));
      return this;
    };
    try {
      send(1);
    } finally {
      Socket.prototype.bind = bind;
    }
    await until(() => relay.flowCount === 0, 'the end of the flow');
    assert.deepEqual([host.counters.gateway.udpFailed, host.counters.gateway.udpDropped, host.unreachables], [1, 1, []]);
    send(1);
    assert.equal(relay.flowCount, 1, 'there may be one again');
  });
});
