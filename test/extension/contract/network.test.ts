import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import type { TcpSocket } from '../../../stack';
import { closeServers, nameServer, tcpServer } from '../../interop/support/servers';
import { RuntimeBench } from '../worker/runtime-bench';
import { NOBODY, openPair, ScriptUnderTest, ScriptWorld, SERVER } from '../worker/script-world';

const PORT = 80;

/** What the peer has received. */
function heard(peer: TcpSocket): Buffer {
  const target = Buffer.alloc(peer.readableBytes);
  return target.subarray(0, peer.read(target));
}

describe('The contract: principles', function () {
  this.timeout(60_000);
  let bench: RuntimeBench;
  let dns: Awaited<ReturnType<typeof nameServer>>;

  before(async () => {
    dns = await nameServer({ 'loops.example': '127.0.0.1', 'also.example': '127.8.9.10' });
    bench = await RuntimeBench.start({ dns: [`127.0.0.1:${dns.port}`] });
  });
  after(async () => {
    await bench.stop();
    await closeServers();
  });

  /** Connects, waits while it is connecting, and prints status and code. */
  const outcome = async (host: string, port: number): Promise<string | undefined> =>
    (await bench.run(`
      const socket = Network.Connect('${host}', ${port});
      while (socket.status === 'connecting') await Event.OnTick;
      print(socket.status, socket.error?.code);`)).output[0];

  it('Scripts are JavaScript or TypeScript files with top-level `await`.', async () => {
    const text = 'const n{} = await Promise.resolve(1); print(n);';
    assert.deepEqual((await bench.run(text.replace('{}', ': number'))).output, ['1']);
    assert.deepEqual((await bench.run(text.replace('{}', ''), { extension: '.js' })).output, ['1']);
  });

  it("HTTP and IPv4 TCP, over a stack implemented from scratch that bypasses the operating system's network stack: the hosts file is ignored, names are resolved by the stack's own DNS client.", async () => {
    // The hosts file has these names; the stack's own client asks the server that it was told, which has not.
    const words = fs.readFileSync('/etc/hosts', 'utf8').split('\n').flatMap((line) => (line.split('#')[0] ?? '').trim().split(/\s+/).slice(1));
    const names = words.filter((name) => /^[a-z][a-z0-9.-]+$/i.test(name) && !/localhost$/i.test(name));
    assert.ok(names.length > 0, '/etc/hosts has no name to try: sudo sh -c \'echo 192.0.2.1 hosts-file.example >> /etc/hosts\'');
    for (const name of names.slice(0, 3)) {
      const asked = dns.questions();
      assert.equal(await outcome(name, PORT), 'error ENOTFOUND', name);
      assert.ok(dns.questions() > asked);
    }
    // IPv4 alone: an address of IPv6 is a wrong argument.
    assert.match((await bench.run("try { Network.Connect('::1', 80); } catch (error) { print(error.message); }")).output[0] ?? '', /IPv6 addresses are not supported/);
  });

  it('The loopback address does not work: a connection to 127.0.0.0/8, or to a name that resolves there, ends in `error`.', async () => {
    const server = await tcpServer((socket) => socket.end());
    for (const host of ['127.0.0.1', '127.255.255.254', 'loops.example', 'also.example']) assert.equal(await outcome(host, server.port), 'error EADDRNOTAVAIL', host);
  });

  it("The name `localhost` is mapped to this computer's own IP address; the server must listen on 0.0.0.0, not on 127.0.0.1.", async () => {
    // With the setting as it is unless told, a server on 0.0.0.0 is reached, and one on 127.0.0.1 only is not.
    const own = Object.values(os.networkInterfaces()).flat().some((each) => each?.family === 'IPv4' && !each.internal);
    const unset = await RuntimeBench.start({ hostAddress: null });
    try {
      for (const [listenOn, expected] of [['0.0.0.0', 'connected undefined'], ['127.0.0.1', own ? 'error ECONNREFUSED' : 'connected undefined']] as const) {
        const server = net.createServer((socket) => socket.on('error', () => {}).end());
        await new Promise<void>((resolve) => server.listen(0, listenOn, resolve));
        const address = server.address();
        assert.ok(address !== null && typeof address === 'object');
        const { output } = await unset.run(`
          const socket = Network.Connect('LocalHost', ${address.port});
          let first = socket.status;
          while (first === 'connecting') { await Event.OnTick; first = socket.status === 'fin' ? 'connected' : socket.status; }
          print(first, socket.error?.code);`);
        assert.equal(output[0], expected, listenOn);
        await new Promise((resolve) => server.close(resolve));
      }
    } finally {
      await unset.stop();
    }
  });

  it('The default `relay` reaches the same address and port through the embedded gateway, because most computers cannot answer the other way without a setting.', async () => {
    let from = '';
    const server = await tcpServer((socket) => {
      from = socket.remoteAddress ?? '';
      socket.end('relayed');
    });
    const { output } = await bench.run(`
      const socket = Network.Connect('localhost', ${server.port});
      let text = '';
      while (socket.status === 'connecting' || socket.status === 'connected') { text += socket.read() ?? ''; await Event.OnTick; }
      print(text, socket.remotePort);`);
    assert.deepEqual(output, [`relayed ${server.port}`]);
    // It came from the computer's own sockets.
    assert.match(from, /127\.0\.0\.1$/);
  });

  it('Sockets are polled, because a script is ticked by a loop.', async () => {
    const server = await tcpServer((socket) => socket.end('polled'));
    const { output } = await bench.run(`
      const socket = Network.Connect('localhost', ${server.port});
      print(Object.getOwnPropertyNames(Object.getPrototypeOf(socket)).filter((name) => /^on|listen|then/i.test(name)).length);
      let ticks = 0;
      let text = '';
      while (socket.status === 'connecting' || socket.status === 'connected') { text += socket.read() ?? ''; await Event.OnTick; ticks++; }
      print(text, ticks > 0);`);
    assert.deepEqual(output, ['0', 'polled true']);
  });

  it("What the network does shows between a script's turns (whenever it awaits), never in the middle of its synchronous code.", async () => {
    const server = await tcpServer((socket) => socket.end('all of it'));
    const { output } = await bench.run(`
      const socket = Network.Connect('localhost', ${server.port});
      const seen = new Set();
      // Long enough for the server to have accepted, answered and closed.
      for (const from = Engine.Time(); Engine.Time() - from < 300; ) seen.add([socket.status, socket.read(), socket.localPort, socket.bytesRead].join());
      print([...seen].join(' '));
      let text = '';
      while (socket.status === 'connecting' || socket.status === 'connected') { await Event.OnTick; text += socket.read() ?? ''; }
      print(text, socket.status);`);
    assert.deepEqual(output, ['connecting,,,0', 'all of it fin']);
  });

  it('Nothing the network does ever throws into a script; a wrong argument does (`TypeError`, `RangeError`, naming the argument and the value), except in `fetch`.', async () => {
    const server = await tcpServer((socket) => socket.resetAndDestroy());
    const { output, outcome: end } = await bench.run(`
      const hosts = [['localhost', ${server.port}], ['localhost', 1], ['missing.example', 80], ['127.0.0.1', 80], ['240.0.0.1', 80]] as const;
      const sockets = hosts.map(([host, port]) => Network.Connect(host, port));
      for (let i = 0; i < 200 && sockets.some(({ status }) => status === 'connecting' || status === 'connected'); i++) {
        for (const socket of sockets) { socket.write('x'); socket.read(); socket.read(5); }
        await Event.OnTick;
      }
      for (const socket of sockets) { socket.write('x'); socket.read(); socket.close(); }
      print(sockets.every(({ status }) => status === 'error'));
      const wrong = [() => Network.Connect(5 as never, 80), () => Network.Connect('a', 99999), () => sockets[0].read(-7), () => sockets[0].write({} as never), () => Event.OnTick.on('handler' as never), () => Engine.Delay(() => {}, NaN)];
      for (const run of wrong) try { run(); print('nothing'); } catch (error) { print(error.name, error.message); }
      print((await fetch(5 as never)).status, (await fetch('http://localhost:1', { timeoutMs: 'x' as never })).status);`);
    assert.equal(end.kind, 'finished');
    assert.deepEqual(output, [
      'true',
      'TypeError Network.Connect(host, port): host must be a dotted IPv4 address or a host name, not 5',
      'RangeError Network.Connect(host, port): port must be a whole number from 1 to 65535, not 99999',
      'RangeError socket.read(n): n must be a whole number from 0 to 67108864, not -7',
      'TypeError socket.write(data): data must be a string, a Buffer, a Uint8Array or an array of bytes, not {}',
      "TypeError Event.OnTick.on(handler): handler must be a function, not 'handler'",
      'RangeError Engine.Delay(fn, ms): ms must be a number from 0 to 2147483647, not NaN',
      '-1 -1',
    ]);
  });
});

describe('The contract: Network', function () {
  this.timeout(60_000);

  it('Network.Connect(host: string, port: number): Socket returns at once.', () => {
    const world = new ScriptWorld({ faults: { delayMs: 500 } });
    world.listen(PORT, () => {});
    const from = world.clock.now();
    const socket = world.script().Connect(SERVER, PORT);
    assert.equal(world.clock.now(), from);
    assert.equal(socket.status, 'connecting');
  });

  it('`host` is a dotted IPv4 address or a name; `port` 1–65535.', () => {
    const world = new ScriptWorld({ names: { 'server.example': [SERVER] } });
    const script = world.script();
    for (const port of [1, 65_535]) world.listen(port, () => {});
    const sockets = [script.Connect(SERVER, 1), script.Connect('server.example', 65_535)];
    world.until(() => sockets.every(({ status }) => status === 'connected'), 'both to be connected');
    for (const port of [0, 65_536, 1.5, NaN]) assert.throws(() => script.Connect(SERVER, port), RangeError);
    for (const host of ['', 'a b', '1.2.3.4.5', '256.1.1.1', '::1']) assert.throws(() => script.Connect(host, 80), RangeError);
  });

  it("socket.status: 'connecting' | 'connected' | 'error' | 'fin'", () => {
    const world = new ScriptWorld();
    world.listen(PORT, (peer) => peer.close());
    const script = world.script();
    const seen = new Set<string>();
    const sockets = [script.Connect(SERVER, PORT), script.Connect(SERVER, 81)];
    world.until(() => {
      for (const { status } of sockets) seen.add(status);
      return sockets.every(({ status }) => status === 'fin' || status === 'error');
    }, 'both to have ended');
    assert.deepEqual([...seen].sort(), ['connected', 'connecting', 'error', 'fin']);
    assert.throws(() => Reflect.set(sockets[0] ?? {}, 'status', 'connected') || assert.fail('refused'), /refused/);
  });

  it('connecting: the name is being resolved or the connection is not open yet', () => {
    const world = new ScriptWorld({ names: { 'server.example': [SERVER] }, faults: { delayMs: 100 } });
    world.listen(PORT, () => {});
    const socket = world.script().Connect('server.example', PORT);
    const from = world.clock.now();
    // ARP, the question and its answer, then SYN and its answer: 100 ms each way.
    world.until(() => {
      if (world.clock.now() - from < 400) assert.equal(socket.status, 'connecting');
      return socket.status === 'connected';
    }, 'an open connection');
  });

  it('connected: ready to read and write', () => {
    const { world, socket, peer } = openPair();
    peer.write(Buffer.from('read'));
    assert.equal(socket.write('write'), true);
    world.advance(100);
    assert.equal(socket.read()?.toString(), 'read');
    assert.equal(heard(peer).toString(), 'write');
    assert.equal(socket.status, 'connected');
  });

  it('error: an error during resolution, connection or transfer', () => {
    const world = new ScriptWorld({ names: {} });
    const script = world.script();
    const sockets = [script.Connect('missing.example', PORT), script.Connect(SERVER, PORT)];
    const { world: other, socket, peer } = openPair();
    peer.abort();
    other.advance(10);
    world.until(() => sockets.every(({ status }) => status === 'error'), 'both to fail');
    assert.deepEqual([...sockets, socket].map(({ status, error }) => `${status} ${error?.code}`), ['error ENOTFOUND', 'error ECONNREFUSED', 'error ECONNRESET']);
  });

  it('fin: closed, by the user or, once everything received has been read, by the peer', () => {
    const user = openPair();
    user.socket.close();
    assert.equal(user.socket.status, 'fin');
    const { world, socket, peer } = openPair();
    peer.write(Buffer.from('before'));
    peer.close();
    world.advance(1_000);
    assert.equal(socket.status, 'connected');
    assert.equal(socket.read()?.toString(), 'before');
    assert.equal(socket.status, 'fin');
  });

  it("The peer's close shows as `fin` only when the script has read everything that came before it, or has asked `read(n)` for more than is left (`read()` still gives the rest): the loop `read(); await tick; if (status !== 'connected') break;` never loses data.", () => {
    for (let tickMs = 1; tickMs <= 64; tickMs *= 2) {
      const { world, socket, peer } = openPair({ faults: { delayMs: 3 } });
      const data = Buffer.alloc(100_000, 'never loses');
      assert.equal(peer.write(data), data.length);
      peer.close();
      const got: Buffer[] = [];
      for (;;) {
        got.push(socket.read() ?? Buffer.alloc(0));
        world.advance(tickMs);
        if (socket.status !== 'connected') break;
      }
      assert.ok(Buffer.concat(got).equals(data), `with a tick of ${tickMs} ms`);
    }
    const { world, socket, peer } = openPair();
    peer.write(Buffer.from('left'));
    peer.close();
    world.advance(100);
    assert.equal(socket.status, 'connected');
    assert.equal(socket.read(5), null);
    assert.equal(socket.status, 'fin');
    assert.equal(socket.read()?.toString(), 'left');
  });

  it('A reset after received data shows as `error` in the same way, once drained; writes refuse at once.', () => {
    const { world, socket, peer } = openPair();
    peer.write(Buffer.from('drained'));
    world.advance(100);
    peer.abort();
    world.advance(100);
    assert.equal(socket.write('x'), false);
    assert.equal(socket.status, 'connected');
    assert.equal(socket.read(7)?.toString(), 'drained');
    assert.equal(socket.status, 'error');
  });

  it('When `fin` shows, the stack sends its own FIN: nothing stays half-closed.', () => {
    const { world, socket, peer, script } = openPair();
    peer.close();
    world.advance(100);
    assert.equal(socket.status, 'fin');
    // Neither CLOSE-WAIT here nor FIN-WAIT-2 there, though the script does nothing more.
    assert.deepEqual(ScriptUnderTest.states(world), []);
    assert.equal(peer.state, 'TIME-WAIT');
    assert.equal(script.worker.open.length, 0);
  });

  it('socket.write(data: Buffer | Uint8Array): boolean', () => {
    const { world, socket, peer } = openPair();
    assert.equal(socket.write(Buffer.from([0, 255, 10])), true);
    assert.equal(socket.write(new Uint8Array([1, 2]).subarray(1)), true);
    world.advance(100);
    assert.deepEqual([...heard(peer)], [0, 255, 10, 2]);
  });

  it('socket.write(bytes: number[]): boolean, each 0–255', () => {
    const { world, socket, peer } = openPair();
    assert.equal(socket.write([0, 1, 254, 255]), true);
    for (const byte of [-1, 256, 0.5, NaN, '1', null, undefined]) assert.throws(() => socket.write([1, byte]), /bytes\[1\] must be a/);
    world.advance(100);
    assert.deepEqual([...heard(peer)], [0, 1, 254, 255]);
  });

  it('socket.write(text: string, encoding?: BufferEncoding): boolean, utf8 unless told', () => {
    const { world, socket, peer } = openPair();
    assert.equal(socket.write('€'), true);
    assert.equal(socket.write('é', 'latin1'), true);
    assert.equal(socket.write('ff00', 'hex'), true);
    world.advance(100);
    assert.deepEqual([...heard(peer)], [0xe2, 0x82, 0xac, 0xe9, 0xff, 0]);
  });

  it('All or nothing, in order; false if not connected (closed, or not yet), or if the send queue has no room now (try again on a later tick).', () => {
    const { world, socket, peer, script } = openPair();
    const early = script.Connect(SERVER, PORT);
    assert.equal(early.write('not yet'), false);
    assert.equal(socket.write(Buffer.alloc(64 << 20, 'a')), true);
    world.advance(1_000);
    let more = 0;
    while (socket.write('b'.repeat(1_000))) more++;
    const written = socket.bytesWritten;
    assert.equal(socket.write('b'.repeat(1_000)), false);
    assert.equal(socket.bytesWritten, written);
    let received = 0;
    let order = true;
    world.until(() => {
      for (let part = heard(peer); part.length > 0; part = heard(peer)) {
        for (const at of [0, part.length - 1]) order &&= part[at] === (received + at < 64 << 20 ? 97 : 98);
        received += part.length;
      }
      return socket.bytesWritten > written || socket.write('b'.repeat(1_000));
    }, 'room on a later tick');
    assert.equal(order, true);
    assert.ok(more > 0);
    socket.close();
    assert.equal(socket.write('closed'), false);
  });

  it('An unknown encoding, a byte out of range, or data larger than the whole queue (documented, at least 64 MiB) throws and queues nothing.', () => {
    const { world, socket, peer } = openPair();
    assert.throws(() => socket.write('x', 'utf-9'), TypeError);
    assert.throws(() => socket.write('x', 5), TypeError);
    assert.throws(() => socket.write([1, 2, 256]), RangeError);
    assert.throws(() => socket.write(Buffer.alloc((64 << 20) + 1)), RangeError);
    assert.throws(() => socket.write('x'.repeat((64 << 20) + 1)), RangeError);
    assert.throws(() => socket.write(new Array((64 << 20) + 1)), RangeError);
    world.advance(100);
    assert.deepEqual([socket.bytesWritten, socket.bufferedAmount, peer.readableBytes], [0, 0, 0]);
    assert.equal(socket.write(Buffer.alloc(64 << 20)), true);
  });

  it('socket.read(): Buffer | null: everything that has arrived; null if nothing has', () => {
    const { world, socket, peer } = openPair();
    assert.equal(socket.read(), null);
    for (const part of ['one ', 'two ', 'three']) {
      peer.write(Buffer.from(part));
      world.advance(50);
    }
    const data = socket.read();
    assert.ok(Buffer.isBuffer(data));
    assert.equal(data.toString(), 'one two three');
    assert.equal(socket.read(), null);
  });

  it('socket.read(n: number): Buffer | null: exactly n bytes; null, and nothing consumed, if fewer have arrived', () => {
    const { world, socket, peer } = openPair();
    peer.write(Buffer.from('12345'));
    world.advance(50);
    assert.equal(socket.read(6), null);
    assert.equal(socket.bytesRead, 0);
    assert.equal(socket.read(2)?.toString(), '12');
    assert.equal(socket.read(3)?.toString(), '345');
    assert.equal(socket.read(1), null);
    assert.equal(socket.read(0)?.length, 0);
  });

  it("`read(n)` is satisfiable for any n up to the socket's limit (documented, at least 64 MiB): bytes move to the script's side as far as was asked for, whatever the TCP window.", () => {
    const { world, socket, peer } = openPair({ clientConfig: { tcp: { receiveBufferBytes: 50_000 } } });
    const n = 64 << 20;
    let sent = 0;
    const block = Buffer.alloc(1 << 20, 5);
    peer.onChange = () => {
      while (sent < n) {
        const taken = peer.write(block.subarray(0, n - sent));
        if (taken === 0) return;
        sent += taken;
      }
    };
    peer.onChange(peer);
    let data: Buffer | null = null;
    world.until(() => (data = socket.read(n)) !== null, 'all of it');
    assert.equal((data as Buffer | null)?.length, n);
  });

  it("A larger n, or one beyond what the script's sockets may hold together, throws RangeError.", () => {
    const { world, script, socket } = openPair();
    assert.throws(() => socket.read((64 << 20) + 1), RangeError);
    // 512 MiB of memory: 256 MiB for all pending reads together.
    const others = Array.from({ length: 4 }, () => world.open(script, PORT));
    for (const other of others) assert.equal(other.read(64 << 20), null);
    assert.throws(() => socket.read(64 << 20), { name: 'RangeError', message: /n is 67108864, but the pending reads .* 268435456 bytes together/ });
    others[0]?.close();
    assert.equal(socket.read(64 << 20), null);
  });

  it('socket.close(): void: sends what is queued, then FIN; may be called again; status becomes fin', () => {
    const { world, socket, peer } = openPair();
    socket.write(Buffer.alloc(500_000, 1));
    assert.equal(socket.close(), undefined);
    socket.close();
    assert.equal(socket.status, 'fin');
    let received = 0;
    world.until(() => ((received += heard(peer).length), peer.peerClosed), 'FIN');
    assert.equal(received, 500_000);
    socket.close();
    assert.equal(socket.status, 'fin');
  });

  it('Ours beyond the original: `socket.error` (`{ code, message }`: ENOTFOUND, ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ECONNRESET, …), `remoteAddress`, `remotePort`, `localPort`, `bufferedAmount`, `bytesRead`, `bytesWritten`.', () => {
    const { world, socket, peer } = openPair({ names: {} });
    socket.write('12345');
    assert.equal(socket.bufferedAmount, 5);
    peer.write(Buffer.from('123'));
    world.advance(500);
    socket.read();
    const { remoteAddress, remotePort, localPort, bufferedAmount, bytesRead, bytesWritten, error } = socket;
    assert.deepEqual([remoteAddress, remotePort, localPort, bufferedAmount, bytesRead, bytesWritten, error], [SERVER, PORT, peer.remotePort, 0, 3, 5, null]);
    const silent = (frame: Uint8Array) => frame[12] === 8 && frame[13] === 0 && frame[23] === 6;
    const codeOf = (other: ScriptWorld, host: string): string | undefined => {
      const failing = other.script().Connect(host, PORT);
      other.until(() => failing.status === 'error', host);
      assert.ok((failing.error?.message ?? '').length > 10);
      return failing.error?.code;
    };
    const codes = [codeOf(new ScriptWorld({ names: {} }), 'missing.example'), codeOf(new ScriptWorld(), SERVER), codeOf(new ScriptWorld({ faults: { drop: silent } }), SERVER), codeOf(new ScriptWorld(), NOBODY)];
    peer.abort();
    world.advance(10);
    assert.deepEqual([...codes, socket.error?.code], ['ENOTFOUND', 'ECONNREFUSED', 'ETIMEDOUT', 'EHOSTUNREACH', 'ECONNRESET']);
  });
});
