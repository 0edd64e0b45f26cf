import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { TcpSocket } from '../../../stack';
import type { Socket } from '../../../extension/worker/script/socket';
import { ScriptUnderTest, ScriptWorld, SERVER } from './script-world';

/** fast-check prints the seed of a failure; FC_SEED repeats it. */
const seed = process.env['FC_SEED'];
const parameters = (numRuns: number): fc.Parameters<unknown> => ({ numRuns, ...(seed === undefined ? {} : { seed: Number(seed) }) });

const PORT = 80;
const ENCODINGS = ['ascii', 'utf8', 'utf-8', 'utf16le', 'utf-16le', 'ucs2', 'ucs-2', 'base64', 'base64url', 'latin1', 'binary', 'hex'] as const;

/** Bytes that tell where they belong. */
function pattern(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >>> 8) * 7 + (i >>> 16)) & 0xff;
  return bytes;
}

/** Sends all of `data` as the peer's window lets it, then FIN. */
function sendAll(peer: TcpSocket, data: Uint8Array): void {
  let written = 0;
  const send = (): void => {
    written += peer.write(data.subarray(written));
    if (written === data.length) peer.close();
  };
  peer.onChange = send;
  send();
}

/** Takes everything the peer's socket has, `perTurn` bytes every `everyMs`. */
class Drain {
  readonly parts: Buffer[] = [];

  constructor(world: ScriptWorld, peer: TcpSocket, perTurn: number, everyMs: number) {
    const turn = (): void => {
      const target = Buffer.alloc(perTurn);
      const length = peer.read(target);
      if (length > 0) this.parts.push(target.subarray(0, length));
      if (peer.peerClosed && peer.readableBytes === 0) return peer.close();
      world.clock.at(world.clock.now() + everyMs, turn);
    };
    turn();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.parts);
  }
}

const faults = fc.record({
  loss: fc.constantFrom(0, 0.01, 0.05), duplicate: fc.constantFrom(0, 0.02), reorder: fc.constantFrom(0, 0.1),
  delayMs: fc.constantFrom(0, 1, 20), corrupt: fc.constantFrom(0, 0.01),
});

describe('A script\'s stream, whatever becomes of it on the way', function () {
  this.timeout(120_000);

  it('gives the same bytes for any split into segments and any pattern of read(n) and read()', () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.nat(10_000), mtu: fc.integer({ min: 200, max: 1_500 }), faults,
          sends: fc.array(fc.tuple(fc.integer({ min: 1, max: 9_000 }), fc.constantFrom(0, 0, 5, 40)), { minLength: 1, maxLength: 12 }),
          reads: fc.array(fc.oneof(fc.constant(null), fc.nat(40), fc.nat(9_000), fc.nat(60_000)), { minLength: 1, maxLength: 20 }),
          ticksBetween: fc.integer({ min: 0, max: 3 }),
        }),
        ({ seed: worldSeed, mtu, faults: link, sends, reads, ticksBetween }) => {
          const world = new ScriptWorld({ seed: worldSeed, mtu, faults: link });
          const total = sends.reduce((sum, [length]) => sum + length, 0);
          const data = pattern(total);
          world.listen(PORT, (peer) => {
            let at = 0;
            let due = world.clock.now();
            // Together they fit the peer's send buffer: each is pushed on its own.
            for (const [length, pauseMs] of sends) {
              const piece = data.subarray(at, at + length);
              at += length;
              due += pauseMs;
              const last = at === total;
              world.clock.at(due, () => {
                assert.equal(peer.write(piece), piece.length);
                if (last) peer.close();
              });
            }
          });
          const socket = world.open(world.script(), PORT);
          const got: Buffer[] = [];
          for (let turn = 0; socket.status === 'connected' && turn < 5_000; turn++) {
            const wanted = reads[turn % reads.length] ?? null;
            const before = socket.bytesRead;
            const part = wanted === null ? socket.read() : socket.read(wanted);
            if (part === null) assert.equal(socket.bytesRead, before);
            else {
              if (wanted === null) assert.ok(part.length > 0);
              else assert.equal(part.length, wanted);
              got.push(part);
            }
            world.advance(ticksBetween * 33);
          }
          // The end may have shown to a read(n) for more than was left.
          if (socket.status === 'connected') world.until(() => (got.push(socket.read() ?? Buffer.alloc(0)), socket.status !== 'connected'), 'the end');
          for (let rest = socket.read(); rest !== null; rest = socket.read()) got.push(rest);
          assert.deepEqual([socket.status, socket.error], ['fin', null]);
          assert.ok(Buffer.concat(got).equals(data), 'the bytes differ');
          assert.equal(socket.bytesRead, total);
        },
      ),
      parameters(150),
    );
  });

  it('delivers any bytes written, in any form and encoding, to any reader', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 40_000 }),
      fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)),
      fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 500 }),
      fc.tuple(fc.string({ unit: 'binary', maxLength: 300 }), fc.constantFrom(...ENCODINGS)),
      fc.string({ unit: 'grapheme', maxLength: 300 }),
    );
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.nat(10_000), faults, pieces: fc.array(piece, { maxLength: 12 }),
          perTurn: fc.integer({ min: 1, max: 60_000 }), everyMs: fc.constantFrom(1, 10, 200), receiveBufferBytes: fc.constantFrom(3_000, 100_000, 1 << 22),
          ticks: fc.boolean(),
        }),
        ({ seed: worldSeed, faults: link, pieces, perTurn, everyMs, receiveBufferBytes, ticks }) => {
          const world = new ScriptWorld({ seed: worldSeed, faults: link, serverConfig: { tcp: { receiveBufferBytes } } });
          let drain: Drain | null = null;
          world.listen(PORT, (peer) => (drain = new Drain(world, peer, Math.max(perTurn, 500), everyMs)));
          const script = world.script();
          const socket = world.open(script, PORT);
          const expected: Buffer[] = [];
          for (const each of pieces) {
            const done = typeof each === 'string' ? socket.write(each) : Array.isArray(each) && typeof each[0] === 'string' ? socket.write(each[0], each[1]) : socket.write(each);
            assert.equal(done, true);
            expected.push(typeof each === 'string' ? Buffer.from(each) : Array.isArray(each) && typeof each[0] === 'string' ? Buffer.from(each[0], each[1] as BufferEncoding) : Buffer.from(each as Uint8Array));
            if (ticks) world.advance(33);
          }
          socket.close();
          world.until(() => script.worker.open.length === 0, 'the end', 3_600_000);
          const sent = Buffer.concat(expected);
          assert.ok(drain !== null);
          assert.ok((drain as Drain).bytes.equals(sent), 'the bytes differ');
          assert.deepEqual([socket.status, socket.error, socket.bytesWritten], ['fin', null, sent.length]);
        },
      ),
      parameters(120),
    );
  });
});

describe('read(n)', function () {
  this.timeout(60_000);

  function serving(data: Uint8Array): { world: ScriptWorld; socket: Socket } {
    const world = new ScriptWorld();
    world.listen(PORT, (peer) => sendAll(peer, data));
    const script = world.script();
    return { world, socket: world.open(script, PORT) };
  }

  for (const n of [1, (256 << 10) - 1, 256 << 10, (256 << 10) + 1, 4 << 20, (4 << 20) + 1, 64 << 20]) {
    it(`of ${n} bytes, whatever the window, leaves the next byte for the next read`, () => {
      const data = pattern(n + 1);
      const { world, socket } = serving(data);
      let part: Buffer | null = null;
      world.until(() => (part = socket.read(n)) !== null, `${n} bytes`);
      assert.ok(data.subarray(0, n).equals(part ?? Buffer.alloc(0)));
      assert.equal(socket.status, 'connected');
      let next: Buffer | null = null;
      world.until(() => (next = socket.read(1)) !== null, 'the last byte');
      assert.equal((next as Buffer | null)?.[0], data[n]);
      assert.equal(socket.status, 'fin');
    });
  }

  it('takes nothing while fewer have arrived', () => {
    const { world, socket } = serving(pattern(10));
    world.advance(100);
    for (let i = 0; i < 5; i++) assert.equal(socket.bytesRead, 0);
    assert.equal(socket.read(10)?.length, 10);
  });

  it('of none gives an empty buffer, also before and after the connection', () => {
    const { world, socket } = serving(pattern(1));
    assert.equal(socket.read(0)?.length, 0);
    world.advance(100);
    socket.read();
    assert.deepEqual([socket.status, socket.read(0)?.length], ['fin', 0]);
  });

  it('beyond what the script\'s sockets may hold together throws, names the sizes, and takes nothing', () => {
    const world = new ScriptWorld();
    world.listen(PORT, (peer) => void peer.write(pattern(1_000)));
    const script = world.script(64);
    const [socket, second] = [world.open(script, PORT), world.open(script, PORT)];
    assert.equal(socket.read(64 << 20), null);
    assert.throws(() => second.read(2_000), { name: 'RangeError', message: /n is 2000, but the pending reads .* 67108864 bytes together/ });
    world.advance(1_000);
    assert.equal(second.read(1_000)?.length, 1_000);
    assert.throws(() => second.read((64 << 20) + 1), { name: 'RangeError', message: /n must be a whole number from 0 to 67108864, not 67108865/ });
    // The first asks for less: there is room for the second.
    assert.equal(socket.read(1_000)?.length, 1_000);
    assert.equal(second.read(2_000), null);
  });
});

describe('write', function () {
  this.timeout(60_000);
  const QUEUE = 64 << 20;

  it('takes what the queue has room for, refuses what it has not, and takes it when there is room again', () => {
    const world = new ScriptWorld({ serverConfig: { tcp: { receiveBufferBytes: 100_000 } } });
    const peers: TcpSocket[] = [];
    world.listen(PORT, (peer) => peers.push(peer));
    const socket = world.open(world.script(), PORT);
    assert.equal(socket.write(Buffer.alloc(QUEUE)), true);
    world.advance(1_000);
    // The queue is the script's; the stack's own buffer and the peer's took some on top of it.
    let more = 0;
    while (socket.write(Buffer.alloc(1_000))) more += 1_000;
    assert.ok(more >= 100_000 && more <= 8 << 20, `${more} bytes beyond the queue`);
    const held = socket.bufferedAmount;
    assert.ok(held > QUEUE && held <= socket.bytesWritten);
    assert.equal(socket.bytesWritten, QUEUE + more);
    assert.equal(socket.write(Buffer.alloc(0)), true);
    const [peer] = peers;
    assert.ok(peer);
    const drain = new Drain(world, peer, 1 << 20, 1);
    world.until(() => socket.write(Buffer.alloc(1 << 20)), 'room');
    assert.ok(socket.bufferedAmount < held + (1 << 20));
    socket.close();
    world.until(() => peer.state === 'CLOSED' || peer.state === 'TIME-WAIT' || peer.state === 'LAST-ACK', 'the end', 3_600_000);
    assert.equal(drain.bytes.length, socket.bytesWritten);
  });

  it('is refused before the connection is open, and after either side\'s end', () => {
    const world = new ScriptWorld();
    world.listen(PORT, (peer) => peer.close());
    const socket = world.script().Connect(SERVER, PORT);
    assert.equal(socket.write('early'), false);
    world.until(() => socket.status === 'fin', 'the end');
    assert.equal(socket.write('late'), false);
    assert.deepEqual([socket.bytesWritten, socket.bufferedAmount], [0, 0]);
  });

  for (const encoding of [...ENCODINGS, 'UTF8', 'Latin1', 'UTF-16LE', 'HEX']) {
    it(`encodes text in ${encoding} as Buffer does`, () => {
      const world = new ScriptWorld();
      let heard = Buffer.alloc(0);
      world.listen(PORT, (peer) => {
        peer.onChange = () => {
          const target = Buffer.alloc(100);
          heard = Buffer.concat([heard, target.subarray(0, peer.read(target))]);
        };
      });
      const socket = world.open(world.script(), PORT);
      const text = /hex/i.test(encoding) ? '00ff10Ab' : /base64/.test(encoding) ? 'aGk_-w==' : 'aé€\u{1f600}\0';
      assert.equal(Reflect.apply(socket.write, socket, [text, encoding]), true);
      world.advance(100);
      assert.ok(heard.equals(Buffer.from(text, encoding as BufferEncoding)), heard.toString('hex'));
      assert.ok(heard.length > 0);
    });
  }
});

describe('Many sockets', function () {
  this.timeout(120_000);

  it('a thousand in one script, each with its own bytes, both ways', () => {
    const COUNT = 1_000;
    const world = new ScriptWorld();
    world.listen(PORT, (peer) => {
      const heard: Buffer[] = [];
      peer.onChange = () => {
        const target = Buffer.alloc(1_000);
        for (let n = peer.read(target); n > 0; n = peer.read(target)) heard.push(Buffer.from(target.subarray(0, n)));
        const text = Buffer.concat(heard).toString();
        if (!text.endsWith('\n')) return;
        peer.write(Buffer.from(`${text.trim()} `.repeat(50)));
        peer.close();
      };
    });
    const script = world.script();
    const sockets = Array.from({ length: COUNT }, () => script.Connect(SERVER, PORT));
    world.until(() => sockets.every(({ status }) => status === 'connected'), 'all to be connected');
    assert.equal(ScriptUnderTest.states(world).length, COUNT);
    sockets.forEach((socket, i) => assert.equal(socket.write(`socket ${i}\n`), true));
    const got = sockets.map(() => '');
    world.until(() => {
      sockets.forEach((socket, i) => (got[i] += socket.read()?.toString() ?? ''));
      return sockets.every(({ status }) => status === 'fin');
    }, 'all to have ended');
    got.forEach((text, i) => assert.equal(text, `socket ${i} `.repeat(50)));
    world.advance(1_000);
    assert.deepEqual([script.worker.open.length, ScriptUnderTest.states(world), script.violations], [0, [], []]);
  });

  it('of several scripts, side by side: one that does not read, one that ends, and one that is none the wiser', () => {
    const world = new ScriptWorld();
    const data = pattern(3_000_000);
    const peers: TcpSocket[] = [];
    world.listen(PORT, (peer) => {
      peers.push(peer);
      sendAll(peer, data);
    });
    const [idle, ends, reads] = [world.script(), world.script(), world.script()];
    const idleSocket = world.open(idle, PORT);
    world.open(ends, PORT);
    const socket = world.open(reads, PORT);
    const got: Buffer[] = [];
    let turns = 0;
    while (socket.status === 'connected') {
      const part = socket.read();
      if (part !== null) got.push(part);
      if (++turns === 3) ends.pipe.end({ error: null });
      world.advance(33);
    }
    assert.ok(Buffer.concat(got).equals(data));
    assert.equal(ends.scriptEnd.ended, true);
    assert.deepEqual([idleSocket.status, idleSocket.bytesRead], ['connected', 0]);
    // It holds its window, and the stack its buffer: the peer is held up with the rest.
    assert.ok((peers[0]?.bufferedBytes ?? 0) >= 0);
    assert.ok(idle.report(1).bytesRead <= 256 << 10);
  });

  it('held up by a reader that does not read: the peer\'s window closes, and opens again', () => {
    const world = new ScriptWorld();
    const data = pattern(12_000_000);
    const peers: TcpSocket[] = [];
    world.listen(PORT, (peer) => {
      peers.push(peer);
      sendAll(peer, data);
    });
    const script = world.script();
    const socket = world.open(script, PORT);
    world.advance(120_000);
    const [peer] = peers;
    assert.ok(peer);
    assert.equal(peer.snapshot().sndWnd, 0);
    // The script's side holds its first window, the stack at most its receive buffer.
    const taken = peer.snapshot().bytesOut;
    assert.ok(taken <= (256 << 10) + (4 << 20) + 65_536, `${taken} bytes`);
    const got: Buffer[] = [];
    world.until(() => {
      const part = socket.read();
      if (part !== null) got.push(part);
      return socket.status !== 'connected';
    }, 'the end');
    assert.ok(Buffer.concat(got).equals(data));
  });
});
