import assert from 'node:assert/strict';
import fc from 'fast-check';
import { TcpSegment, TCP_HEADER_BYTES, writeTcpChecksum, writeTcpHeader } from '../../../stack/wire/tcp';
import {
  MAX_SACK_BLOCKS, parseTcpOptions, TcpOptions, writeMssOption, writeSackOption, writeSackPermittedOption, writeTimestampsOption, writeWindowScaleOption,
} from '../../../stack/wire/tcp-options';
import { decodeSegment, encodeSegment, type Flag } from '../../support/tcp-segment';

const FLAGS: readonly Flag[] = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'];
const SEED = 1;
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });

describe('TCP header codec (RFC 9293 §3.1)', () => {
  it('reads what the tests\' own encoder wrote, field by field', () => {
    const segment = fc.record({
      sourcePort: u16, destinationPort: u16, seq: u32, ack: u32, win: u16, flags: fc.subarray([...FLAGS]),
      mss: fc.option(u16), wscale: fc.option(fc.integer({ min: 0, max: 255 })), payload: fc.uint8Array({ maxLength: 200 }),
      sackPermitted: fc.boolean(), ts: fc.option(fc.record({ val: u32, ecr: u32 })), sack: fc.option(fc.array(fc.tuple(u32, u32), { minLength: 1, maxLength: 1 })),
    });
    const parsed = new TcpSegment();
    fc.assert(
      fc.property(u32, u32, segment, (source, destination, given) => {
        const bytes = encodeSegment(source, destination, { ...given, flags: new Set(given.flags) });
        assert.equal(parsed.parse(source, destination, bytes), null);
        assert.deepEqual(
          [parsed.source, parsed.destination, parsed.sourcePort, parsed.destinationPort, parsed.seq, parsed.ack, parsed.window],
          [source, destination, given.sourcePort, given.destinationPort, given.seq, given.ack, given.win],
        );
        assert.equal(parsed.flags, given.flags.reduce((bits, flag) => bits | (1 << FLAGS.indexOf(flag)), 0));
        assert.deepEqual([...bytes.subarray(parsed.payloadStart, parsed.payloadStart + parsed.payloadLength)], [...given.payload]);
        assert.equal(parsed.length, given.payload.length + Number(given.flags.includes('SYN')) + Number(given.flags.includes('FIN')));
        assert.equal(parsed.options.mss, given.mss ?? -1);
        assert.equal(parsed.options.windowScale, given.wscale ?? -1);
        assert.equal(parsed.options.sackPermitted, given.sackPermitted);
        assert.equal(parsed.options.hasTimestamps, given.ts !== null);
        if (given.ts) assert.deepEqual([parsed.options.tsVal, parsed.options.tsEcr], [given.ts.val, given.ts.ecr]);
        assert.equal(parsed.options.sackCount, given.sack?.length ?? 0);
        if (given.sack) assert.deepEqual([...parsed.options.sackEdges.subarray(0, 2 * given.sack.length)], given.sack.flat());
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it('writes what the tests\' own decoder reads, checksum included, wherever in a buffer', () => {
    fc.assert(
      fc.property(u32, u32, u16, u16, u32, u32, u16, u16, fc.integer({ min: 0, max: 40 }), fc.uint8Array({ maxLength: 100 }), (source, destination, from, to, seq, ack, window, mss, at, payload) => {
        const buffer = new Uint8Array(300).fill(0xee);
        const headerLength = writeMssOption(buffer, at + TCP_HEADER_BYTES, mss) - at;
        writeTcpHeader(buffer, at, from, to, seq, ack, headerLength, 0x10, window);
        buffer.set(payload, at + headerLength);
        writeTcpChecksum(buffer, at, headerLength + payload.length, source, destination);
        const seen = decodeSegment(source, destination, buffer.slice(at, at + headerLength + payload.length));
        assert.deepEqual(
          { ...seen, flags: [...seen.flags], payload: [...seen.payload] },
          { sourcePort: from, destinationPort: to, seq, ack, flags: ['ACK'], win: window, mss, wscale: null, sackPermitted: false, sack: null, ts: null, payload: [...payload] },
        );
        assert.ok(buffer.subarray(0, at).every((byte) => byte === 0xee), 'nothing before the segment is touched');
        assert.ok(buffer.subarray(at + headerLength + payload.length).every((byte) => byte === 0xee), 'nor behind it');
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it('notices every single flipped bit (RFC 9293 §3.1 MUST-3)', () => {
    const bytes = encodeSegment(1, 2, {
      sourcePort: 80, destinationPort: 1234, seq: 1, ack: 2, win: 100, flags: new Set<Flag>(['ACK']), mss: null, wscale: null, payload: Uint8Array.from([1, 2, 3]),
    });
    const parsed = new TcpSegment();
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.notEqual(parsed.parse(1, 2, damaged), null, `bit ${bit}`);
    }
    assert.equal(parsed.parse(1, 2, bytes), null);
    assert.equal(parsed.parse(1, 3, bytes), 'bad-checksum');
  });

  it('cuts from the front as if it had not been sent, across the wrap', () => {
    const bytes = encodeSegment(1, 2, {
      sourcePort: 80, destinationPort: 1234, seq: 0xffff_fffe, ack: 2, win: 100, flags: new Set<Flag>(['ACK']), mss: null, wscale: null, payload: Uint8Array.from([1, 2, 3, 4]),
    });
    const parsed = new TcpSegment();
    assert.equal(parsed.parse(1, 2, bytes), null);
    parsed.trimFront(3);
    assert.deepEqual([parsed.seq, parsed.payloadLength, bytes[parsed.payloadStart]], [1, 1, 4]);
  });

  it('never throws and never reads options of an earlier segment, whatever the bytes', () => {
    const parsed = new TcpSegment();
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => void parsed.parse(1, 2, bytes)), { seed: SEED, numRuns: 1_000 });
    const plain = encodeSegment(1, 2, { sourcePort: 1, destinationPort: 2, seq: 0, ack: 0, win: 0, flags: new Set<Flag>(), mss: null, wscale: null, payload: new Uint8Array(0) });
    const full = encodeSegment(1, 2, { sourcePort: 1, destinationPort: 2, seq: 0, ack: 0, win: 0, flags: new Set<Flag>(), mss: 9, wscale: 9, payload: new Uint8Array(0) });
    parsed.parse(1, 2, full);
    parsed.parse(1, 2, plain);
    assert.deepEqual([parsed.options.mss, parsed.options.windowScale], [-1, -1]);
  });
});

describe('TCP options codec (RFC 9293 §3.2)', () => {
  it('reads back what it writes, all of them together', () => {
    const out = new TcpOptions();
    fc.assert(
      fc.property(u16, fc.integer({ min: 0, max: 14 }), u32, u32, fc.array(u32, { minLength: 2, maxLength: 2 }), (mss, shift, tsVal, tsEcr, edges) => {
        const bytes = new Uint8Array(60);
        let at = writeMssOption(bytes, 0, mss);
        at = writeWindowScaleOption(bytes, at, shift);
        at = writeSackPermittedOption(bytes, at);
        at = writeTimestampsOption(bytes, at, tsVal, tsEcr);
        at = writeSackOption(bytes, at, Uint32Array.from(edges), 1);
        assert.equal(at % 4, 0);
        assert.equal(parseTcpOptions(bytes, 0, at, out), true);
        assert.deepEqual(
          [out.mss, out.windowScale, out.sackPermitted, out.hasTimestamps, out.tsVal, out.tsEcr, out.sackCount, out.sackEdges[0], out.sackEdges[1]],
          [mss, shift, true, true, tsVal, tsEcr, 1, edges[0], edges[1]],
        );
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  it('takes at most four SACK blocks and ignores known options of a wrong length', () => {
    const out = new TcpOptions();
    const five = Uint8Array.from([5, 42, ...new Array<number>(40).fill(7)]);
    assert.equal(parseTcpOptions(five, 0, five.length, out), true);
    assert.equal(out.sackCount, MAX_SACK_BLOCKS);
    const wrong = Uint8Array.from([2, 3, 1, 3, 4, 1, 1, 4, 3, 1, 8, 4, 0, 0, 5, 9, 1, 2, 3, 4, 5, 6, 7]);
    assert.equal(parseTcpOptions(wrong, 0, wrong.length, out), true);
    assert.deepEqual([out.mss, out.windowScale, out.sackPermitted, out.hasTimestamps, out.sackCount], [-1, -1, false, false, 0]);
  });

  it('refuses a length of 0 or 1, or one beyond the end (MUST-7), and ends for any bytes', () => {
    const out = new TcpOptions();
    for (const bytes of [[7, 0], [7, 1], [7, 3], [7], [2, 4, 1]]) assert.equal(parseTcpOptions(Uint8Array.from(bytes), 0, bytes.length, out), false, bytes.join());
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => typeof parseTcpOptions(bytes, 0, bytes.length, out) === 'boolean'), { seed: SEED, numRuns: 1_000 });
  });
});
