import assert from 'node:assert/strict';
import { StackError, type TcpSocket } from '../../../stack';
import { CLIENT, NOBODY, openPair, ScriptUnderTest, ScriptWorld, SERVER } from './script-world';
import type { Socket } from '../../../extension/worker/script/socket';

const PORT = 80;

/** What the loop of the contract sees: `read(); await tick; look at the status`. */
function readToEnd(world: ScriptWorld, socket: Socket, tickMs = 33): Buffer {
  const parts: Buffer[] = [];
  for (let tick = 0; tick < 10_000; tick++) {
    const data = socket.read();
    if (data !== null) parts.push(data);
    world.advance(tickMs);
    if (socket.status !== 'connected') return Buffer.concat(parts);
  }
  throw new Error(`still ${socket.status} after 10 000 ticks`);
}

describe('How a script\'s connection ends', () => {
  describe('before it is open', () => {
    const ends = (world: ScriptWorld, host: string, port = PORT): { socket: Socket; script: ScriptUnderTest; seconds: number } => {
      const script = world.script();
      const socket = script.Connect(host, port);
      assert.equal(socket.status, 'connecting');
      assert.equal(socket.error, null);
      const from = world.clock.now();
      world.until(() => socket.status !== 'connecting', 'an end');
      return { socket, script, seconds: (world.clock.now() - from) / 1_000 };
    };

    it('refused: error, ECONNREFUSED, with host and port', () => {
      const { socket, script } = ends(new ScriptWorld(), SERVER);
      assert.equal(socket.status, 'error');
      assert.equal(socket.error?.code, 'ECONNREFUSED');
      assert.match(socket.error?.message ?? '', /10\.0\.0\.2:80/);
      assert.deepEqual([script.report(1).status, script.report(1).tcpState, script.report(1).error?.code], ['error', null, 'ECONNREFUSED']);
    });

    it('unreachable: error, EHOSTUNREACH, once ARP has given up', () => {
      const { socket, seconds } = ends(new ScriptWorld(), NOBODY);
      assert.equal(socket.error?.code, 'EHOSTUNREACH');
      assert.match(socket.error?.message ?? '', /10\.0\.0\.77/);
      assert.ok(seconds < 10, `${seconds} s`);
    });

    it('no route: error, ENETUNREACH, at once', () => {
      const { socket, seconds } = ends(new ScriptWorld(), '198.51.100.1');
      assert.equal(socket.error?.code, 'ENETUNREACH');
      assert.equal(seconds, 0);
    });

    it('timed out: error, ETIMEDOUT, after about two minutes of silence', () => {
      const isTcp = (frame: Uint8Array) => frame[12] === 8 && frame[13] === 0 && frame[23] === 6;
      const { socket, seconds } = ends(new ScriptWorld({ faults: { drop: isTcp } }), SERVER);
      assert.equal(socket.error?.code, 'ETIMEDOUT');
      assert.ok(seconds > 100 && seconds < 180, `${seconds} s`);
    });

    it('name not found: error, ENOTFOUND, with the name', () => {
      const { socket } = ends(new ScriptWorld({ names: {} }), 'missing.example');
      assert.equal(socket.error?.code, 'ENOTFOUND');
      assert.match(socket.error?.message ?? '', /missing\.example/);
    });

    it('no name server answers: error, EAI_AGAIN, within half a minute', () => {
      const { socket, seconds } = ends(new ScriptWorld({ names: { 'slow.example': null } }), 'slow.example');
      assert.equal(socket.error?.code, 'EAI_AGAIN');
      assert.ok(seconds < 60, `${seconds} s`);
    });

    for (const [name, addresses] of [['loops.example', ['127.0.0.1']], ['loops-elsewhere.example', ['127.9.9.9', '127.0.0.1']]] as const) {
      it(`a name that resolves to ${addresses[0]}: error, EADDRNOTAVAIL`, () => {
        const { socket } = ends(new ScriptWorld({ names: { [name]: addresses } }), name);
        assert.equal(socket.error?.code, 'EADDRNOTAVAIL');
        assert.match(socket.error?.message ?? '', new RegExp(`${name} resolves to ${addresses[0]}, which is a loopback address`));
      });
    }

    it('a name with an address that works beside the loopback is connected', () => {
      const world = new ScriptWorld({ names: { 'both.example': ['127.0.0.1', SERVER] } });
      world.listen(PORT, () => {});
      const { socket } = ends(world, 'Both.Example.');
      assert.equal(socket.status, 'connected');
      assert.deepEqual([socket.host, socket.remoteAddress], ['both.example.', SERVER]);
    });

    it('the link is lost meanwhile: error', () => {
      const world = new ScriptWorld({ faults: { delayMs: 1_000 } });
      const socket = world.script().Connect(SERVER, PORT);
      world.advance(100);
      world.changeLink({ type: 'gone', message: 'eth0 has vanished' });
      world.until(() => socket.status !== 'connecting', 'an end', 1_000);
      assert.equal(socket.status, 'error');
      assert.match(socket.error?.message ?? '', /eth0 has vanished/);
    });

    it('closed by the script: fin at once, and nothing is left of the attempt', () => {
      for (const host of [SERVER, NOBODY, 'slow.example']) {
        const world = new ScriptWorld({ names: { 'slow.example': null }, faults: { delayMs: 50 } });
        const script = world.script();
        const socket = script.Connect(host, PORT);
        world.advance(20);
        socket.close();
        assert.equal(socket.status, 'fin');
        world.advance(500);
        assert.deepEqual([socket.status, socket.error, ScriptUnderTest.states(world)], ['fin', null, []], host);
        assert.equal(script.worker.open.length, 0);
      }
    });
  });

  describe('by the peer', () => {
    it('its FIN, all read: fin, and our own FIN follows at once', () => {
      const { world, socket, peer } = openPair();
      peer.write(Buffer.from('bye'));
      peer.close();
      assert.equal(readToEnd(world, socket).toString(), 'bye');
      assert.deepEqual([socket.status, socket.error], ['fin', null]);
      world.until(() => peer.state === 'TIME-WAIT', 'our FIN to reach the peer', 1_000);
      assert.deepEqual(ScriptUnderTest.states(world), []);
    });

    it('its FIN with unread data: connected until all is read, writes go on meanwhile, then fin', () => {
      const { world, socket, peer } = openPair();
      peer.write(Buffer.from('unread'));
      peer.close();
      world.advance(60_000);
      assert.equal(socket.status, 'connected');
      assert.equal(socket.write('still heard'), true);
      world.advance(100);
      const heard = Buffer.alloc(100);
      assert.equal(heard.toString('utf8', 0, peer.read(heard)), 'still heard');
      assert.equal(socket.read(2)?.toString(), 'un');
      assert.equal(socket.status, 'connected');
      assert.equal(socket.read()?.toString(), 'read');
      assert.equal(socket.status, 'fin');
      assert.equal(socket.write('late'), false);
    });

    it('its FIN behind more than the script\'s window: nothing is lost, whenever the script reads', () => {
      const { world, socket, peer } = openPair();
      const data = Buffer.alloc(2_000_000, 'rift');
      let written = 0;
      const send = (): void => {
        written += peer.write(data.subarray(written));
        if (written === data.length) peer.close();
      };
      peer.onChange = send;
      send();
      world.advance(10_000);
      assert.equal(socket.status, 'connected');
      assert.ok(readToEnd(world, socket).equals(data));
      assert.equal(socket.status, 'fin');
    });

    it('its FIN with fewer bytes than read(n) asks for: fin, and read() still gives them', () => {
      const { world, socket, peer } = openPair();
      peer.write(Buffer.from('12345'));
      peer.close();
      world.advance(1_000);
      assert.equal(socket.status, 'connected');
      assert.equal(socket.read(6), null);
      assert.equal(socket.status, 'fin');
      assert.equal(socket.read(6), null);
      assert.equal(socket.read(2)?.toString(), '12');
      assert.equal(socket.read()?.toString(), '345');
      assert.equal(socket.read(), null);
      world.advance(1_000);
      assert.deepEqual(ScriptUnderTest.states(world), []);
    });

    it('its FIN while a read(n) waits for more than the window: fin as soon as it is clear that they never come', () => {
      const { world, socket, peer } = openPair();
      const data = Buffer.alloc(1_000_000, 3);
      let written = 0;
      peer.onChange = () => {
        written += peer.write(data.subarray(written));
        if (written === data.length) peer.close();
      };
      peer.onChange(peer);
      for (let tick = 0; tick < 300 && socket.status === 'connected'; tick++) {
        assert.equal(socket.read(1_000_001), null);
        world.advance(33);
      }
      assert.equal(socket.status, 'fin');
      assert.ok(socket.read()?.equals(data));
    });

    it('a reset before any data: error, ECONNRESET', () => {
      const { world, socket, peer } = openPair();
      peer.abort();
      world.advance(100);
      assert.deepEqual([socket.status, socket.error?.code], ['error', 'ECONNRESET']);
      assert.match(socket.error?.message ?? '', /10\.0\.0\.2:80/);
      assert.equal(socket.write('x'), false);
    });

    it('a reset after data: writes refuse at once, error shows once they are drained', () => {
      const { world, socket, peer } = openPair();
      peer.write(Buffer.from('half an answer'));
      world.advance(100);
      peer.abort();
      world.advance(100);
      assert.deepEqual([socket.status, socket.error], ['connected', null]);
      assert.equal(socket.write('x'), false);
      assert.equal(socket.read(4)?.toString(), 'half');
      assert.equal(socket.status, 'connected');
      assert.equal(socket.read()?.toString(), ' an answer');
      assert.deepEqual([socket.status, socket.error?.code], ['error', 'ECONNRESET']);
    });

    it('a reset after more data than the window: every byte of it first', () => {
      const { world, socket, peer } = openPair();
      const data = Buffer.alloc(900_000, 'reset');
      let written = 0;
      const send = (): void => void (written += peer.write(data.subarray(written)));
      peer.onChange = send;
      send();
      world.advance(5_000);
      assert.equal(written, data.length);
      peer.onChange = null;
      peer.abort();
      world.advance(100);
      assert.equal(socket.write('x'), false);
      const read = readToEnd(world, socket);
      assert.ok(read.equals(data.subarray(0, read.length)));
      // What the peer's own stack still held went with the reset; what ours had taken did not.
      assert.ok(read.length > 256 << 10, `${read.length} bytes`);
      assert.deepEqual([socket.status, socket.error?.code], ['error', 'ECONNRESET']);
    });

    it('a reset that the link made because of silence beyond it: error, as the link explains it', () => {
      const explainReset = ({ remotePort }: TcpSocket): StackError => new StackError('ETIMEDOUT', `10.0.0.2:${remotePort} fell silent`);
      for (const unread of [0, 100_000]) {
        const { world, socket, peer } = openPair({ explainReset });
        peer.write(Buffer.alloc(unread));
        world.advance(1_000);
        peer.abort();
        world.advance(100);
        assert.equal(readToEnd(world, socket).length, unread);
        assert.deepEqual([socket.status, socket.error], ['error', { code: 'ETIMEDOUT', message: '10.0.0.2:80 fell silent' }]);
      }
    });

    it('silence while data wait for it: error, ETIMEDOUT', () => {
      const { world, socket } = openPair();
      world.cut = true;
      assert.equal(socket.write('is anybody there?'), true);
      world.until(() => socket.status !== 'connected', 'a timeout');
      assert.deepEqual([socket.status, socket.error?.code], ['error', 'ETIMEDOUT']);
      assert.deepEqual(ScriptUnderTest.states(world), []);
    });
  });

  describe('by the script', () => {
    it('its close with queued data: fin at once, and the peer gets every byte, then FIN', () => {
      const { world, socket, peer, script } = openPair({ faults: { delayMs: 20 } });
      const data = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => i * 7));
      const received: Buffer[] = [];
      assert.equal(socket.write(data), true);
      socket.close();
      assert.equal(socket.status, 'fin');
      assert.equal(socket.write('late'), false);
      assert.equal(socket.read(), null);
      const target = Buffer.alloc(1 << 16);
      const take = (): void => {
        for (let n = peer.read(target); n > 0; n = peer.read(target)) received.push(Buffer.from(target.subarray(0, n)));
        if (peer.peerClosed) peer.close();
      };
      peer.onChange = take;
      take();
      world.until(() => script.worker.open.length === 0, 'an orderly end');
      world.advance(1);
      assert.ok(Buffer.concat(received).equals(data));
      assert.deepEqual([socket.status, socket.error, socket.bufferedAmount], ['fin', null, 0]);
      socket.close();
      assert.equal(socket.status, 'fin');
    });

    it('its close with unread data: they can be read, what the peer still sends is dropped, and it gets an orderly FIN', () => {
      const { world, socket, peer } = openPair();
      peer.write(Buffer.from('had come'));
      world.advance(100);
      socket.close();
      peer.write(Buffer.from('neither'));
      world.until(() => peer.peerClosed, 'FIN');
      assert.equal(socket.read()?.toString(), 'had come');
      assert.equal(socket.read(), null);
      peer.close();
      world.advance(1_000);
      assert.deepEqual([peer.error, ScriptUnderTest.states(world)], [null, []]);
    });

    it('both at once: fin on both sides, no error', () => {
      const { world, socket, peer } = openPair({ faults: { delayMs: 30 } });
      socket.close();
      peer.close();
      world.advance(1_000);
      assert.deepEqual([socket.status, socket.error, peer.error, ScriptUnderTest.states(world)], ['fin', null, null, []]);
    });

    it('its close, and then a reset: the status stays fin, the error says what became of the data', () => {
      const { world, socket, peer, script } = openPair();
      socket.write(Buffer.alloc(10_000_000));
      socket.close();
      peer.abort();
      world.advance(1_000);
      assert.deepEqual([socket.status, socket.error?.code], ['fin', 'ECONNRESET']);
      // The tree shows what became of it.
      assert.equal(script.report(1).error?.code, 'ECONNRESET');
    });

    for (const [what, bytes] of [['a little', 50_000], ['more than the stack takes', 20_000_000]] as const) {
      it(`its close with ${what} queued, to a peer whose window stays closed: 100 s after the peer took something last it is reset, and that is told`, () => {
        const { world, socket, peer, script } = openPair({ serverConfig: { tcp: { receiveBufferBytes: 20_000 } } });
        assert.equal(socket.write(Buffer.alloc(bytes)), true);
        world.advance(5_000);
        socket.close();
        assert.equal(socket.status, 'fin');
        // The peer answers each probe; as long as that is all, nobody can say that it is gone.
        world.advance(90_000);
        assert.deepEqual([script.worker.open.length, socket.error, ScriptUnderTest.states(world).length], [1, null, 1]);
        world.advance(15_000);
        assert.deepEqual([script.worker.open.length, socket.status, socket.error?.code, ScriptUnderTest.states(world)], [0, 'fin', 'ETIMEDOUT', []]);
        assert.match(socket.error?.message ?? '', /^10\.0\.0\.2:80 took nothing for 100 s after the close, its window closed; what was queued is lost/);
        assert.deepEqual([script.lost, script.report(1).status, script.report(1).error], [[socket.error?.message], 'fin', socket.error]);
        assert.equal(world.client.counters.tcp.stalled, 1);
        world.advance(1_000);
        assert.equal(peer.error?.code, 'ECONNRESET');
      });
    }

    it('its close with queued data, to a peer that takes a little every minute: it gets all of it', () => {
      const { world, socket, peer, script } = openPair({ serverConfig: { tcp: { receiveBufferBytes: 20_000 } } });
      socket.write(Buffer.alloc(300_000, 7));
      socket.close();
      let received = 0;
      const target = Buffer.alloc(15_000);
      peer.onChange = () => {
        if (peer.peerClosed) peer.close();
      };
      for (let minute = 0; !peer.peerClosed || peer.readableBytes > 0; minute++) {
        assert.ok(minute < 60 && peer.error === null, `${received} bytes after ${minute} minutes, ${peer.error?.message}`);
        received += peer.read(target);
        world.advance(60_000);
      }
      world.until(() => script.worker.open.length === 0, 'an orderly end');
      assert.deepEqual([received, socket.error, script.lost, world.client.counters.tcp.stalled], [300_000, null, [], 0]);
    });

    it('its close with queued data, and a reset behind data that nobody will read: nothing is left of it', () => {
      const { world, socket, peer, script } = openPair({ serverConfig: { tcp: { receiveBufferBytes: 20_000 } } });
      // More than the script's window, so that some of it stays in the stack.
      let toSend = 600_000;
      peer.onChange = () => void (toSend -= peer.write(Buffer.alloc(toSend)));
      peer.onChange(peer);
      world.advance(5_000);
      socket.write(Buffer.alloc(20_000_000));
      socket.close();
      world.advance(1_000);
      peer.abort();
      world.advance(1_000);
      assert.deepEqual([script.worker.open.length, socket.status, socket.error?.code, ScriptUnderTest.states(world)], [0, 'fin', 'ECONNRESET', []]);
    });

    it('its close to a peer that never closes: our half is done, and the stack lets go within a minute', () => {
      const { world, socket, script } = openPair();
      socket.close();
      world.advance(1_000);
      assert.deepEqual(ScriptUnderTest.states(world), ['FIN-WAIT-2']);
      world.until(() => script.worker.open.length === 0, 'the end of FIN-WAIT-2', 61_000);
      assert.deepEqual([socket.status, ScriptUnderTest.states(world)], ['fin', []]);
    });
  });

  it('by the link: every open socket is in error, with what became of the link', () => {
    const { world, socket, script } = openPair();
    const second = world.open(script, PORT);
    world.cut = true;
    world.changeLink({ type: 'down', message: 'eth0 is down' });
    world.advance(10);
    for (const each of [socket, second]) {
      assert.equal(each.status, 'error');
      assert.match(each.error?.message ?? '', /eth0 is down/);
      assert.equal(each.write('x'), false);
    }
    const late = script.Connect(SERVER, PORT);
    world.until(() => late.status === 'error', 'the next socket to fail');
    assert.notEqual(late.error?.code, undefined);
  });

  describe('with the script', () => {
    it('hands over what is queued, then FIN; its process goes when that is done', () => {
      const { world, socket, peer, script } = openPair();
      socket.write(Buffer.alloc(9_000_000, 1));
      script.pipe.end({ error: null });
      let received = 0;
      const target = Buffer.alloc(1 << 16);
      peer.onChange = () => {
        for (let n = peer.read(target); n > 0; n = peer.read(target)) received += n;
        if (peer.peerClosed) peer.close();
      };
      peer.onChange(peer);
      world.until(() => script.worker.open.length === 0, 'the end');
      assert.deepEqual([received, script.ended, script.scriptEnd.ended, script.violations], [9_000_000, null, true, []]);
    });

    it('unread data do not hold it up', () => {
      const { world, peer, script } = openPair();
      peer.write(Buffer.alloc(100_000));
      world.advance(1_000);
      script.pipe.end({ error: null });
      peer.close();
      world.until(() => script.worker.open.length === 0, 'the end', 1_000);
      assert.deepEqual(ScriptUnderTest.states(world), []);
    });

    it('a peer whose window is zero: what it does not take stays in the stack, and is reset when the time is up', () => {
      const { world, socket, peer, script } = openPair({ serverConfig: { tcp: { receiveBufferBytes: 20_000 } } });
      socket.write(Buffer.alloc(20_000_000, 1));
      script.pipe.end({ error: null });
      world.advance(10_000);
      // The worker's ten seconds are over: script-run.ts does this.
      assert.equal(script.worker.open.length, 1);
      script.worker.closeAll('abort');
      world.advance(100);
      assert.deepEqual([peer.error?.code, ScriptUnderTest.states(world)], ['ECONNRESET', []]);
    });
  });

  it('by a person, in the tree: as by the script, once', () => {
    const { world, socket, script, peer } = openPair();
    socket.write('queued');
    script.worker.closeSocket(1);
    script.worker.closeSocket(99);
    world.until(() => peer.peerClosed, 'FIN');
    assert.equal(socket.status, 'fin');
    assert.equal(peer.readableBytes, 6);
  });
});

describe('What is known of a script\'s socket', () => {
  it('addresses, ports and counters, in the script and in the tree alike', () => {
    const { world, socket, peer, script } = openPair({ faults: { delayMs: 10 } });
    socket.write(Buffer.alloc(1_000));
    assert.equal(socket.bufferedAmount, 1_000);
    peer.write(Buffer.alloc(300));
    world.advance(100);
    assert.equal(socket.read(100)?.length, 100);
    world.advance(100);
    assert.deepEqual(
      [socket.host, socket.remoteAddress, socket.remotePort, socket.localPort, socket.bytesRead, socket.bytesWritten, socket.bufferedAmount],
      [SERVER, SERVER, PORT, peer.remotePort, 100, 1_000, 0],
    );
    const { runId, id, host, port, status, tcpState, remoteAddress, localPort, bytesRead, bytesWritten, bufferedAmount, srttMs, error, closedAt, fetchId } = script.report(1);
    // The tree shows what has been handed to the script, read or not.
    assert.deepEqual(
      { runId, id, host, port, status, tcpState, remoteAddress, localPort, bytesRead, bytesWritten, bufferedAmount, error, closedAt, fetchId },
      { runId: 'run-1', id: 1, host: SERVER, port: PORT, status: 'connected', tcpState: 'ESTABLISHED', remoteAddress: SERVER, localPort: peer.remotePort, bytesRead: 300, bytesWritten: 1_000, bufferedAmount: 0, error: null, closedAt: null, fetchId: null },
    );
    assert.ok(srttMs !== null && srttMs >= 20, String(srttMs));
    assert.equal(peer.remoteAddress, world.client.addressInfo?.address);
    assert.equal(CLIENT, '10.0.0.1');
  });

  it('each socket has a number of its own, never used again; those of other scripts count for themselves', () => {
    const world = new ScriptWorld();
    world.listen(PORT, () => {});
    const one = world.script();
    const two = world.script();
    const first = world.open(one, PORT);
    first.close();
    world.open(one, PORT);
    world.open(two, PORT);
    assert.deepEqual([one.report(1).localPort, one.report(2).id, two.report(1).runId, two.report(1).id], [first.localPort, 2, 'run-2', 1]);
    assert.notEqual(one.report(1).localPort, one.report(2).localPort);
    assert.throws(() => two.report(2));
  });
});
