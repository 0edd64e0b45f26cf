import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseArp, writeArp } from '../../stack/wire/arp';
import { encodeDhcp, parseDhcp } from '../../stack/wire/dhcp';
import { decodeDnsResponse, questionEnd } from '../../stack/wire/dns';
import { parseIcmp, parseQuoted, writeIcmp } from '../../stack/wire/icmp';
import { hasSourceRoute, Ipv4Header, parseIpv4, writeIpv4Header } from '../../stack/wire/ipv4';
import { TcpSegment, writeTcpChecksum, writeTcpHeader } from '../../stack/wire/tcp';
import { MAX_SACK_BLOCKS, parseTcpOptions, TcpOptions } from '../../stack/wire/tcp-options';
import { parseUdp, UDP_HEADER_BYTES, writeUdpHeader } from '../../stack/wire/udp';
import { anyFrame, checksum } from './support/frames';

/** A failure prints fast-check's seed and path; `FC_SEED=… node test/unit.js test/fuzz` replays it. */
const seed = process.env['FC_SEED'];
const PARAMETERS = { numRuns: 5_000, ...(seed === undefined ? {} : { seed: Number(seed) }) };

/** Objects as the codecs make them, to be compared strictly. */
const OBJECT = { noNullPrototype: true };

const address = fc.nat({ max: 0xffff_ffff });
const port = fc.integer({ min: 1, max: 0xffff });
const u16 = fc.nat({ max: 0xffff });
const u32 = fc.nat({ max: 0xffff_ffff });

/** Runs `parse` on bytes of every kind: it must neither throw nor write to them. */
function survives(parse: (bytes: Uint8Array) => void): void {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 700 }), anyFrame, anyFrame.map((frame) => frame.subarray(14)), anyFrame.map((frame) => frame.subarray(34))), (bytes) => {
      const before = bytes.slice();
      parse(bytes);
      assert.deepEqual(bytes, before, 'a parser only reads');
    }),
    PARAMETERS,
  );
}

/** Whether `view` lies within `bytes`. */
function isViewOf(view: Uint8Array, bytes: Uint8Array): boolean {
  return view.buffer === bytes.buffer && view.byteOffset >= bytes.byteOffset && view.byteOffset + view.length <= bytes.byteOffset + bytes.length;
}

describe('Codecs on bytes of every kind', function () {
  this.timeout(60_000);

  it('ARP', () => survives((bytes) => void parseArp(bytes)));

  it('IPv4 keeps its lengths within the bytes', () => {
    const header = new Ipv4Header();
    survives((bytes) => {
      if (parseIpv4(bytes, 0, header) !== null) return;
      assert.ok(header.headerBytes >= 20 && header.headerBytes <= header.totalBytes && header.totalBytes <= bytes.length);
      hasSourceRoute(bytes, 0, header.headerBytes);
    });
  });

  it('ICMP and the packets it quotes', () =>
    survives((bytes) => {
      parseIcmp(bytes);
      const quoted = parseQuoted(bytes);
      if (quoted) assert.ok(isViewOf(quoted.transport, bytes) && quoted.transport.length >= 8);
    }));

  it('UDP keeps its data within the bytes', () =>
    survives((bytes) => {
      const view = parseUdp(1, 2, bytes);
      if (typeof view !== 'string') assert.ok(isViewOf(view.data, bytes));
    }));

  it('TCP keeps its payload within the bytes', () => {
    const segment = new TcpSegment();
    survives((bytes) => {
      if (segment.parse(0x0a00_0002, 0x0a00_0001, bytes) !== null) return;
      assert.equal(segment.payloadStart + segment.payloadLength, bytes.length);
    });
  });

  it('TCP options stay in their bounds', () => {
    const options = new TcpOptions();
    survives((bytes) => {
      parseTcpOptions(bytes, 0, Math.min(bytes.length, 40), options);
      assert.ok(options.sackCount >= 0 && options.sackCount <= MAX_SACK_BLOCKS);
      assert.ok(options.mss >= -1 && options.mss <= 0xffff && options.windowScale >= -1 && options.windowScale <= 0xff);
    });
  });

  it('DHCP', () => survives((bytes) => void parseDhcp(bytes)));

  it('DHCP behind a sound fixed part', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (options) => {
        const bytes = new Uint8Array(240 + options.length);
        bytes.set([2, 1, 6]);
        bytes.set([0x63, 0x82, 0x53, 0x63], 236);
        bytes.set(options, 240);
        parseDhcp(bytes);
      }),
      PARAMETERS,
    );
  });

  it('DNS', () =>
    survives((bytes) => {
      decodeDnsResponse(bytes);
      const end = questionEnd(bytes);
      if (end !== null) assert.ok(end > 12 && end <= bytes.length);
    }));

  it('DNS with names that point into each other', () => {
    const part = fc.oneof(fc.constantFrom([0xc0, 0x0c], [0xc0, 0x0d], [0xc0, 0xff], [0x3f], [1, 97], [0], [0, 1, 0, 1], [0, 5, 0, 1], [0, 0, 0, 60], [0, 4]), fc.array(fc.nat({ max: 255 }), { maxLength: 6 }));
    fc.assert(
      fc.property(fc.nat({ max: 3 }), fc.nat({ max: 3 }), fc.array(part, { maxLength: 40 }), (questions, answers, parts) => {
        decodeDnsResponse(Uint8Array.from([0, 1, 0x81, 0x80, 0, questions, 0, answers, 0, 0, 0, 0, ...parts.flat()]));
      }),
      PARAMETERS,
    );
  });
});

describe('What a codec writes, it reads', function () {
  this.timeout(60_000);

  it('IPv4', () => {
    const fields = fc.record({
      totalBytes: fc.integer({ min: 20, max: 1_500 }), ecn: fc.nat({ max: 3 }), identification: u16, dontFragment: fc.boolean(), moreFragments: fc.boolean(),
      fragmentOffset: fc.nat({ max: 8_191 }).map((units) => units * 8), ttl: fc.nat({ max: 255 }), protocol: fc.nat({ max: 255 }), source: address, destination: address,
    });
    fc.assert(
      fc.property(fields, fc.nat({ max: 40 }), (wanted, at) => {
        const bytes = new Uint8Array(at + wanted.totalBytes);
        writeIpv4Header(bytes, at, wanted);
        assert.equal(checksum([...bytes.subarray(at, at + 20)]), 0, 'the checksum holds by the plain definition');
        const header = new Ipv4Header();
        assert.equal(parseIpv4(bytes, at, header), null);
        assert.deepEqual({ ...header }, { ...wanted, headerBytes: 20 });
      }),
      PARAMETERS,
    );
  });

  it('UDP', () => {
    fc.assert(
      fc.property(address, port, address, port, fc.uint8Array({ maxLength: 200 }), (source, sourcePort, destination, destinationPort, data) => {
        const bytes = new Uint8Array(UDP_HEADER_BYTES + data.length);
        bytes.set(data, UDP_HEADER_BYTES);
        assert.equal(writeUdpHeader(bytes, 0, source, sourcePort, destination, destinationPort, data.length), bytes.length);
        assert.deepEqual(parseUdp(source, destination, bytes), { sourcePort, destinationPort, data });
      }),
      PARAMETERS,
    );
  });

  it('TCP', () => {
    const segment = new TcpSegment();
    fc.assert(
      fc.property(address, address, port, port, u32, u32, fc.nat({ max: 255 }), u16, fc.uint8Array({ maxLength: 200 }), (source, destination, from, to, seq, ack, flags, window, payload) => {
        const bytes = new Uint8Array(20 + payload.length);
        bytes.set(payload, 20);
        writeTcpHeader(bytes, 0, from, to, seq, ack, 20, flags, window);
        writeTcpChecksum(bytes, 0, bytes.length, source, destination);
        assert.equal(segment.parse(source, destination, bytes), null);
        const { sourcePort, destinationPort, payloadStart, payloadLength } = segment;
        assert.deepEqual(
          { sourcePort, destinationPort, seq: segment.seq, ack: segment.ack, flags: segment.flags, window: segment.window, payloadStart, payloadLength },
          { sourcePort: from, destinationPort: to, seq, ack, flags, window, payloadStart: 20, payloadLength: payload.length },
        );
      }),
      PARAMETERS,
    );
  });

  it('ICMP', () => {
    fc.assert(
      fc.property(fc.nat({ max: 255 }), fc.nat({ max: 255 }), u32, fc.uint8Array({ maxLength: 99 }), (type, code, rest, body) => {
        const bytes = new Uint8Array(8 + body.length);
        bytes.set(body, 8);
        writeIcmp(bytes, 0, bytes.length, { type, code, rest });
        assert.deepEqual(parseIcmp(bytes), { type, code, rest });
      }),
      PARAMETERS,
    );
  });

  it('ARP', () => {
    const mac = fc.record({ high: u16, low: u32 }, OBJECT);
    const packet = fc.record({ operation: fc.constantFrom(1, 2), senderMac: mac, senderAddress: address, targetMac: mac, targetAddress: address }, OBJECT);
    fc.assert(
      fc.property(packet, (wanted) => {
        const bytes = new Uint8Array(28);
        writeArp(bytes, 0, wanted);
        assert.deepEqual(parseArp(bytes), wanted);
      }),
      PARAMETERS,
    );
  });

  it('DHCP', () => {
    // Pad, message type, overload and end have meanings of their own.
    const code = fc.integer({ min: 1, max: 254 }).filter((value) => value !== 52 && value !== 53);
    const message = fc.record({
      op: fc.constantFrom('request' as const, 'reply' as const), type: fc.integer({ min: 1, max: 8 }), xid: u32, secs: u16, broadcast: fc.boolean(),
      ciaddr: address, yiaddr: address, siaddr: address, giaddr: address, chaddr: fc.uint8Array({ minLength: 6, maxLength: 6 }),
      options: fc.uniqueArray(fc.tuple(code, fc.uint8Array({ minLength: 1, maxLength: 20 })), { selector: ([key]) => key, maxLength: 8 }).map((entries) => new Map(entries)),
    }, OBJECT);
    fc.assert(fc.property(message, (wanted) => assert.deepEqual(parseDhcp(encodeDhcp(wanted)), wanted)), PARAMETERS);
  });
});
