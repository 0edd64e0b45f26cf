import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LOCAL, REMOTE, TcpHarness } from '../../support/tcp-harness';
import { encodeSegment, parseFlags, type Flag } from '../../support/tcp-segment';

const ALL_FLAGS: Flag[] = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'];

describe('TCP malformed segments', () => {
  it('shorter than a header are dropped and counted', () => {
    const t = new TcpHarness();
    t.listen();
    for (const cutTo of [0, 1, 12, 19]) t.send(0, { flags: 'SYN', seq: 0, spoil: { cutTo } });
    t.expectNothing(10);
    assert.equal(t.counters.rxTooShort, 4);
  });

  it('with a wrong checksum are dropped and counted, and never answered (RFC 9293 §3.1 MUST-3)', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.send(1, { flags: 'ACK', seq: 1, ack: 1, payload: 10, spoil: { checksumOffBy: 1 } });
    t.send(1, { flags: 'RST', seq: 1, spoil: { checksumOffBy: 256 } });
    t.send(1, { flags: 'ACK', seq: 1, ack: 1, payload: 11, spoil: { checksumOffBy: 0x7fff } });
    t.expectNothing(1_000);
    assert.equal(t.counters.rxBadChecksum, 3);
    assert.equal(socket.readableBytes, 0);
    assert.equal(socket.state, 'ESTABLISHED');
  });

  it('with a checksum over another address are dropped: the pseudo-header counts (RFC 9293 §3.1)', () => {
    const t = new TcpHarness();
    t.listen();
    const bytes = encodeSegment(REMOTE + 1, LOCAL, {
      sourcePort: 40_000, destinationPort: 80, seq: 1, ack: 0, flags: parseFlags('SYN'), win: 1000, mss: null, wscale: null, payload: new Uint8Array(0),
    });
    t.tcp.input(REMOTE, LOCAL, bytes, 0, 0);
    t.expectNothing(10);
    assert.equal(t.counters.rxBadChecksum, 1);
  });

  it('with a data offset below five words or beyond the segment are dropped and counted', () => {
    const t = new TcpHarness();
    t.listen();
    for (const dataOffset of [0, 4, 6, 15]) t.send(0, { flags: 'SYN', seq: 0, spoil: { dataOffset } });
    t.expectNothing(10);
    assert.equal(t.counters.rxBadOffset, 4);
  });

  it('with options of an impossible length never throw and are counted where dropped', () => {
    const broken = [[2], [2, 0], [2, 1, 5, 180], [2, 40, 5, 180], [3, 3], [255, 0, 0, 0], [1, 1, 1, 2], [8, 10, 0, 0]];
    for (const rawOptions of broken) {
      const t = new TcpHarness();
      t.listen();
      t.send(0, { flags: 'SYN', seq: 0, spoil: { rawOptions } });
      const answered = t.take(0).length;
      assert.equal(answered + t.counters.rxBadOptions, 1, `options ${rawOptions.join()}: answered ${answered}, counted ${t.counters.rxBadOptions}`);
    }
  });

  it('unknown options are skipped by their length (RFC 9293 §3.2 MUST-6)', () => {
    const t = new TcpHarness();
    const listener = t.listen();
    t.send(0, { flags: 'SYN', seq: 0, spoil: { rawOptions: [253, 5, 1, 2, 3, 1, 4, 2, 2, 4, 2, 188, 30, 4, 0, 0] } });
    t.expect(0, { flags: 'SYN ACK', ack: 1 });
    t.send(1, { flags: 'ACK', seq: 1, ack: 1 });
    assert.equal(listener.accept()?.snapshot().mss, 700);
  });

  it('options after end-of-option are not read (RFC 9293 §3.2)', () => {
    const t = new TcpHarness();
    const listener = t.listen();
    t.send(0, { flags: 'SYN', seq: 0, spoil: { rawOptions: [2, 4, 2, 188, 0, 3, 3, 9] } });
    t.expect(0, { flags: 'SYN ACK', wscale: null });
    t.send(1, { flags: 'ACK', seq: 1, ack: 1 });
    assert.equal(listener.accept()?.snapshot().mss, 700);
  });

  it('MSS and window scale outside SYN change nothing', () => {
    const t = new TcpHarness();
    const socket = t.establish();
    t.send(1, { flags: 'ACK', seq: 1, ack: 1, win: 5000, mss: 100, wscale: 5 });
    assert.equal(socket.snapshot().mss, 1460);
    t.send(2, { flags: 'ACK', seq: 1, ack: 1, win: 6000 });
    assert.equal(socket.snapshot().sndWnd, 6000);
  });

  it('random bytes never throw, and each is counted', () => {
    const t = new TcpHarness();
    t.establish();
    t.listen();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const before = t.counters.rxSegments;
        t.tcp.input(REMOTE, LOCAL, bytes, 0, t.clock.now());
        t.tcp.poll(t.clock.now());
        return t.counters.rxSegments === before + 1;
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('random well-formed segments at a live connection never throw, never spin, and leave it consistent', () => {
    const segment = fc.record({
      flags: fc.subarray(ALL_FLAGS),
      seq: fc.oneof(fc.integer({ min: -3, max: 3000 }), fc.integer()),
      ack: fc.oneof(fc.integer({ min: -3, max: 6000 }), fc.integer()),
      win: fc.integer({ min: 0, max: 65_535 }),
      payload: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1460 })),
      wait: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5_000 })),
      user: fc.constantFrom('nothing', 'nothing', 'nothing', 'write', 'read', 'close'),
    });
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 40 }), fc.boolean(), (segments, passive) => {
        const t = new TcpHarness({ config: { receiveBufferBytes: 20_000, sendBufferBytes: 20_000 } });
        const socket = passive ? t.establishPassive().socket : t.establish();
        for (const { flags, wait, user, ...rest } of segments) {
          t.send(t.now + wait, { flags: flags.join(' '), ...rest });
          if (user === 'write') t.user(t.now, 'write', () => socket.write(new Uint8Array(3000)));
          if (user === 'read') t.read(t.now, socket);
          if (user === 'close') t.close(t.now, socket);
          for (const seen of t.take(t.now)) if (seen.wire.flags.has('SYN')) t.fail('no SYN after the handshake');
          const s = socket.snapshot();
          if ((s.sndNxt - s.sndUna) >>> 0 > 20_002) t.fail(`SND.NXT ${s.sndNxt} and SND.UNA ${s.sndUna} drifted apart`);
          if (s.rcvWnd < 0 || s.readableBytes > 20_000 || s.outOfOrderBytes > 20_000) t.fail(`bounds: ${JSON.stringify(s)}`);
        }
      }),
      { seed: 2, numRuns: 300 },
    );
  });
});
