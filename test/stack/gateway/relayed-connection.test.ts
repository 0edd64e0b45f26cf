import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { VirtualClock } from '../../../stack/clock';
import { RelayedConnection } from '../../../stack/gateway/relayed-connection';
import { createCounters } from '../../../stack/observer';
import type { ConnectionRequest, TcpSocket } from '../../../stack/tcp/types';
import { until } from './gateway-harness';

/** A request of a guest that is not there. */
class Request implements ConnectionRequest {
  readonly localAddress = 1;
  readonly localPort = 2;
  readonly remoteAddress = 3;
  readonly remotePort = 4;
  onCancel: (() => void) | null = null;
  refusals: string[] = [];
  accepted = 0;

  accept(): TcpSocket | null {
    this.accepted++;
    return null;
  }

  refuse(how: string): void {
    this.refusals.push(how);
  }
}

describe('A connection being relayed', () => {
  const clock = new VirtualClock();
  const counters = createCounters().gateway;
  let done: number;

  beforeEach(() => {
    done = 0;
  });

  function relay(request: Request, address: string, port: number): RelayedConnection {
    return new RelayedConnection(request, { address, port }, {
      clock, counters, connectTimeoutMs: 5000, resetDrainMs: 1000, lingerMs: 60_000, onLocalFailure: () => {}, onFailure: () => {}, onDone: () => done++,
    });
  }

  async function server(): Promise<{ port: number; sockets: Socket[]; close: () => void }> {
    const sockets: Socket[] = [];
    const listening = createServer((socket) => {
      socket.on('error', () => {});
      sockets.push(socket);
    });
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    return { port: (listening.address() as AddressInfo).port, sockets, close: () => listening.close() };
  }

  it('is given up in silence when the system does not connect in time, so that the guest’s SYN times out', async () => {
    const { port, close } = await server();
    const request = new Request();
    relay(request, '127.0.0.1', port);
    // The system has connected, but its event waits for this turn to end.
    clock.advance(5000);
    assert.deepEqual([request.refusals, done], [['drop'], 1]);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(request.accepted, 0);
    assert.equal(clock.nextAt(), Infinity);
    close();
  });

  it('is given up when the guest gives up', async () => {
    const { port, sockets, close } = await server();
    const request = new Request();
    relay(request, '127.0.0.1', port);
    request.onCancel?.();
    assert.deepEqual([request.refusals, done], [[], 1]);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(request.accepted, 0);
    for (const socket of sockets) socket.destroy();
    close();
  });

  it('leaves no connection of the system’s where the guest has gone in between', async () => {
    const { port, sockets, close } = await server();
    const request = new Request();
    relay(request, '127.0.0.1', port);
    await until(() => request.accepted === 1 && sockets.length === 1, 'the connection');
    assert.equal(done, 1);
    await until(() => sockets[0]?.destroyed === true, 'the reset');
    close();
  });

  it('is refused with the network unreachable where the system says so', async () => {
    const request = new Request();
    relay(request, '224.0.0.1', 80);
    await until(() => done === 1, 'the refusal');
    assert.deepEqual(request.refusals, ['net']);
  });
});
