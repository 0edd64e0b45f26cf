import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { SeededRandom } from '../../../stack/random';
import { formatIpv4 } from '../../../stack/wire/address';
import { Network, sha256, until } from './gateway-harness';

describe('TCP through the gateway', () => {
  let network: Network;

  beforeEach(async () => {
    network = await Network.open();
  });

  afterEach(() => network.close());

  it('carries bytes both ways, by whatever address means this computer', async () => {
    const port = await network.serve((socket) => socket.pipe(socket));
    const { gateway } = network;
    assert.equal(formatIpv4(gateway.hostAddressInside), '198.51.100.7');
    for (const address of [gateway.hostAddressInside, gateway.address]) {
      const guest = network.connect(port, address);
      guest.write('hello', true);
      await until(() => guest.ended, 'the echo');
      assert.equal(guest.text, 'hello');
      assert.equal(guest.socket.error, null);
    }
    assert.equal(network.counters.tcpRelayed, 2);
  });

  it('opens the guest’s connection only once the system’s is open', async () => {
    let accepted = 0;
    const port = await network.serve(() => accepted++);
    const guest = network.connect(port);
    await until(() => guest.socket.state === 'ESTABLISHED', 'the connection');
    await until(() => accepted === 1, 'the server to see it');
    assert.equal(network.gateway.stack.counters.tcp.passiveOpens, 1);
  });

  it('refuses where the system was refused, and never says that it was open', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(typeof address === 'object' && address);
    await new Promise((resolve) => server.close(resolve));
    const guest = network.connect(address.port);
    await until(() => guest.socket.state === 'CLOSED', 'the refusal');
    assert.equal(guest.socket.error?.code, 'ECONNREFUSED');
    assert.equal(network.counters.tcpRefused, 1);
    assert.equal(network.gateway.stack.counters.tcp.passiveOpens, 0);
  });

  it('keeps the server’s direction open after the guest has closed its own', async () => {
    let heard = '';
    const port = await network.serve((socket) => {
      socket.on('data', (data) => (heard += data.toString()));
      socket.on('end', () => {
        socket.write('after your end, ');
        socket.end(heard);
      });
    });
    const guest = network.connect(port);
    guest.write('question', true);
    await until(() => guest.ended, 'the answer');
    assert.equal(guest.text, 'after your end, question');
    await until(() => network.gateway.openConnections === 0, 'the relay to forget the connection');
  });

  it('keeps the guest’s direction open after the server has closed its own', async () => {
    let heard = '';
    let ended = false;
    const port = await network.serve((socket) => {
      socket.end('only this');
      socket.on('data', (data) => (heard += data.toString()));
      socket.on('end', () => (ended = true));
    });
    const guest = network.connect(port);
    await until(() => guest.ended, 'the server’s end');
    assert.equal(guest.text, 'only this');
    assert.equal(guest.socket.state, 'CLOSE-WAIT');
    guest.write('still talking', true);
    await until(() => ended, 'the guest’s end');
    assert.equal(heard, 'still talking');
    await until(() => network.gateway.openConnections === 0, 'the relay to forget the connection');
  });

  it('hands on what came before a reset, then the reset', async () => {
    const data = new SeededRandom(4).bytes(300_000);
    const port = await network.serve((socket) => {
      // Only when everything is with the gateway's system: a reset drops what the server itself still holds.
      socket.write(data, () => socket.once('data', () => socket.resetAndDestroy()));
    });
    const guest = network.connect(port);
    await until(() => guest.received === data.length, 'the data');
    guest.write('now');
    await until(() => guest.socket.state === 'CLOSED', 'the reset');
    assert.equal(guest.socket.error?.code, 'ECONNRESET');
    assert.equal(guest.hash.digest('hex'), sha256(data));
    assert.equal(network.counters.tcpReset, 1);
    await until(() => network.gateway.openConnections === 0, 'the relay to forget the connection');
  });

  it('resets the server’s connection when the guest resets its own', async () => {
    let code = '';
    const port = await network.serve((socket) => {
      socket.write('x');
      socket.on('error', (error: NodeJS.ErrnoException) => (code = error.code ?? ''));
    });
    const guest = network.connect(port);
    await until(() => guest.received === 1, 'the connection');
    guest.socket.abort();
    await until(() => code !== '', 'the reset');
    assert.equal(code, 'ECONNRESET');
    await until(() => network.gateway.openConnections === 0, 'the relay to forget the connection');
  });

  it('resets the server’s connections when it is closed, and leaves none', async () => {
    const codes: string[] = [];
    const port = await network.serve((socket) => socket.on('error', (error: NodeJS.ErrnoException) => codes.push(error.code ?? '')));
    const guests = [network.connect(port), network.connect(port)];
    await until(() => guests.every(({ socket }) => socket.state === 'ESTABLISHED'), 'the connections');
    network.gateway.close();
    await until(() => codes.length === 2, 'the resets');
    assert.deepEqual(codes, ['ECONNRESET', 'ECONNRESET']);
    assert.equal(network.gateway.openConnections, 0);
    network.gateway.close();
  });

  it('carries a hundred connections at once and forgets them', async () => {
    const port = await network.serve((socket) => socket.pipe(socket));
    const guests = Array.from({ length: 100 }, (_, i) => {
      const guest = network.connect(port);
      guest.write(`number ${i}`, true);
      return guest;
    });
    await until(() => guests.every((guest) => guest.ended), 'all the echoes');
    guests.forEach((guest, i) => assert.equal(guest.text, `number ${i}`));
    await until(() => network.gateway.openConnections === 0, 'the relay to forget them');
  });
});

describe('Back-pressure through the gateway', function () {
  // Tens of megabytes through two stacks, on a machine that may be busy.
  this.timeout(60_000);
  const BUFFERS = { tcp: { autoTuning: false, sendBufferBytes: 256 << 10, receiveBufferBytes: 256 << 10 } };
  const TOTAL = 16 << 20;
  const data = new SeededRandom(5).bytes(TOTAL);
  const digest = sha256(data);
  let network: Network;

  beforeEach(async () => {
    network = await Network.open({ stackConfig: BUFFERS });
  });

  afterEach(() => network.close());

  it('carries 16 MiB in both directions at once, byte for byte, with slow readers and bounded buffers', async () => {
    let server: Socket | null = null;
    const hash = createHash('sha256');
    let heard = 0;
    const port = await network.serve((socket) => {
      server = socket;
      socket.end(data);
      socket.pause();
    });
    const guest = network.connect(port);
    guest.reading = false;
    guest.write(data, true);
    await until(() => guest.socket.readableBytes >= 200 << 10 && server !== null, 'the guest’s window to close');
    const [relayed] = network.gateway.stack.tcp.sockets;
    assert.ok(relayed);
    let most = 0;
    let turns = 0;
    await until(() => {
      // A slow reader on each side: little, then a turn of the event loop.
      for (let i = 0; i < 4; i++) guest.readSome();
      const chunk: Buffer | null = server?.read() ?? null;
      if (chunk) {
        hash.update(chunk);
        heard += chunk.length;
      }
      most = Math.max(most, relayed.bufferedBytes, relayed.readableBytes);
      turns++;
      return guest.received === TOTAL && heard === TOTAL;
    }, () => `received ${guest.received}, heard ${heard} of ${TOTAL}`, 50_000);
    assert.equal(guest.hash.digest('hex'), digest);
    assert.equal(hash.digest('hex'), digest);
    assert.ok(most <= BUFFERS.tcp.sendBufferBytes, `${most} bytes buffered`);
    assert.ok(turns > 20, `only ${turns} turns: nobody was slow`);
    await until(() => guest.ended, 'the end');
  });

  it('does not wait for ever for a guest that leaves what came before a reset', async () => {
    network.close();
    // Room for all of it in the gateway, not in the guest: the gateway sees the reset and holds the bytes.
    const stackConfig = { tcp: { autoTuning: false, sendBufferBytes: 2 << 20, receiveBufferBytes: 128 << 10 } };
    network = await Network.open({ stackConfig, config: { tcpResetDrainMs: 50 } });
    const port = await network.serve((socket) => {
      socket.write(new Uint8Array(400 << 10), () => socket.once('data', () => socket.resetAndDestroy()));
    });
    const guest = network.connect(port);
    guest.reading = false;
    await until(() => guest.socket.readableBytes >= 100 << 10, 'the guest’s window to close');
    guest.write('now');
    await until(() => guest.socket.state === 'CLOSED', 'the reset');
    assert.equal(guest.socket.error?.code, 'ECONNRESET');
    assert.equal(network.gateway.openConnections, 0);
  });

  it('does not wait for ever for a server that has ended and leaves what came from a guest that is gone', async () => {
    network.close();
    network = await Network.open({ stackConfig: { tcp: { ...BUFFERS.tcp, mslMs: 1 } }, config: { tcpLingerMs: 50 } });
    const port = await network.serve((socket) => {
      socket.pause();
      socket.end('bye');
    });
    const guest = network.connect(port);
    await until(() => guest.ended, 'the server’s end');
    const [relayed] = network.gateway.stack.tcp.sockets;
    assert.ok(relayed);
    // Until something stays in the gateway; all of it has left the guest, which can end in order.
    const block = new Uint8Array(64 << 10);
    let turns = 0;
    await until(() => {
      turns = relayed.readableBytes > 0 && guest.socket.bufferedBytes === 0 ? turns + 1 : 0;
      if (relayed.readableBytes === 0 && guest.socket.bufferedBytes === 0) guest.socket.write(block);
      return turns > 100;
    }, 'the server’s window to close');
    guest.socket.close();
    await until(() => relayed.state === 'CLOSED', 'the guest to be gone');
    assert.deepEqual([relayed.error, relayed.readableBytes > 0], [null, true]);
    await until(() => network.gateway.openConnections === 0, 'the relay to forget the connection');
  });

  it('takes no more from a server than the guest’s buffers hold', async () => {
    let written = 0;
    const block = Buffer.alloc(1 << 20);
    const port = await network.serve((socket) => {
      const more = (): void => {
        if (socket.destroyed) return;
        socket.write(block, () => {
          written += block.length;
          more();
        });
      };
      more();
    });
    const guest = network.connect(port);
    guest.reading = false;
    await until(() => guest.socket.readableBytes >= 200 << 10, 'the guest’s window to close');
    const before = await settled(() => written);
    // The kernel's own buffers on loopback take some megabytes; ours half a megabyte in all.
    assert.ok(before < 64 << 20, `${before} bytes went out to a guest that reads nothing`);
    guest.reading = true;
    guest.readSome();
    await until(() => written > before, 'the server to go on');
  });

  it('takes no more from the guest than a server’s buffers hold', async () => {
    const port = await network.serve((socket) => socket.pause());
    const guest = network.connect(port);
    const block = new Uint8Array(256 << 10);
    const pump = (): void => void guest.socket.write(block);
    guest.socket.onChange = pump;
    await until(() => guest.socket.snapshot().bytesOut > 0, 'the first bytes');
    const before = await settled(() => guest.socket.snapshot().bytesOut);
    assert.ok(before < 64 << 20, `${before} bytes went out to a server that reads nothing`);
    assert.equal(guest.socket.writableBytes, 0);
  });
});

/** What `value` gives once it has not changed for a hundred turns of the event loop. */
async function settled(value: () => number): Promise<number> {
  let last = value();
  let turns = 0;
  await until(() => {
    turns = value() === last ? turns + 1 : 0;
    last = value();
    return turns > 100;
  }, 'a value to settle');
  return last;
}
