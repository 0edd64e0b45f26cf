import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hasSourceRoute, Ipv4Header, parseIpv4, writeIpv4Header, type Ipv4Fields } from '../../../stack/wire/ipv4';

/** The header of the worked example of many textbooks: its checksum is b861. */
const example = Uint8Array.of(0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0, 0xc7);

function withPayload(header: Uint8Array, bytes: number): Uint8Array {
  const packet = new Uint8Array(header.length + bytes);
  packet.set(header);
  return packet;
}

/** Sets the checksum anew over a header that was changed by hand. */
function resum(packet: Uint8Array, headerBytes: number): Uint8Array {
  packet[10] = packet[11] = 0;
  let sum = 0;
  for (let i = 0; i < headerBytes; i += 2) sum += ((packet[i] ?? 0) << 8) | (packet[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  packet[10] = (~sum >>> 8) & 0xff;
  packet[11] = ~sum & 0xff;
  return packet;
}

describe('IPv4 header (RFC 791 §3.1)', () => {
  it('reads a known header', () => {
    const header = new Ipv4Header();
    assert.equal(parseIpv4(withPayload(example, 0x73 - 20), 0, header), null);
    assert.equal(header.totalBytes, 0x73);
    assert.equal(header.protocol, 17);
    assert.equal(header.dontFragment, true);
    assert.equal(header.source, 0xc0a8_0001);
    assert.equal(header.destination, 0xc0a8_00c7);
  });

  it('writes it with the known checksum', () => {
    const out = new Uint8Array(20);
    writeIpv4Header(out, 0, {
      totalBytes: 0x73, ecn: 0, identification: 0, dontFragment: true, moreFragments: false, fragmentOffset: 0, ttl: 64, protocol: 17,
      source: 0xc0a8_0001, destination: 0xc0a8_00c7,
    });
    assert.deepEqual(out, example);
  });

  it('reads back whatever it wrote', () => {
    const fields: fc.Arbitrary<Ipv4Fields> = fc.record({
      totalBytes: fc.integer({ min: 20, max: 100 }), ecn: fc.integer({ min: 0, max: 3 }), identification: fc.integer({ min: 0, max: 0xffff }),
      dontFragment: fc.boolean(), moreFragments: fc.boolean(), fragmentOffset: fc.integer({ min: 0, max: 8191 }).map((n) => n * 8),
      ttl: fc.integer({ min: 0, max: 255 }), protocol: fc.integer({ min: 0, max: 255 }), source: fc.integer({ min: 0, max: 0xffff_ffff }),
      destination: fc.integer({ min: 0, max: 0xffff_ffff }),
    });
    fc.assert(
      fc.property(fields, (written) => {
        const packet = new Uint8Array(100);
        writeIpv4Header(packet, 0, written);
        const read = new Ipv4Header();
        assert.equal(parseIpv4(packet, 0, read), null);
        assert.deepEqual({ ...read }, { ...written, headerBytes: 20 });
      }),
      { seed: 791 },
    );
  });

  it('says what is wrong, of each kind', () => {
    const header = new Ipv4Header();
    const good = withPayload(example, 0x73 - 20);
    const changed = (at: number, value: number): Uint8Array => {
      const packet = good.slice();
      packet[at] = value;
      return packet;
    };
    assert.equal(parseIpv4(good.subarray(0, 19), 0, header), 'rxTooShort');
    assert.equal(parseIpv4(changed(0, 0x65), 0, header), 'rxBadVersion');
    assert.equal(parseIpv4(changed(0, 0x44), 0, header), 'rxBadHeaderLength');
    assert.equal(parseIpv4(changed(0, 0x4f).subarray(0, 40), 0, header), 'rxBadHeaderLength');
    assert.equal(parseIpv4(changed(3, 19), 0, header), 'rxBadTotalLength');
    assert.equal(parseIpv4(good.subarray(0, 0x72), 0, header), 'rxBadTotalLength');
    assert.equal(parseIpv4(changed(8, 63), 0, header), 'rxBadChecksum');
  });

  it('finds any single flipped bit of the header', () => {
    const header = new Ipv4Header();
    for (let bit = 0; bit < 160; bit++) {
      const packet = withPayload(example, 0x73 - 20);
      packet[bit >>> 3] = (packet[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
      assert.notEqual(parseIpv4(packet, 0, header), null, `bit ${bit}`);
    }
  });

  it('finds source routes among options, and ends at malformed ones', () => {
    const options = (...bytes: number[]): Uint8Array => {
      const packet = withPayload(example, 20);
      packet[0] = 0x47;
      packet.set(bytes, 20);
      return resum(packet, 28);
    };
    assert.equal(hasSourceRoute(options(1, 1, 131, 3, 4), 0, 28), true);
    assert.equal(hasSourceRoute(options(7, 3, 4, 137, 3, 4), 0, 28), true);
    assert.equal(hasSourceRoute(options(1, 0, 131, 3, 4), 0, 28), false);
    assert.equal(hasSourceRoute(options(7, 1, 131), 0, 28), false);
    assert.equal(hasSourceRoute(options(1, 1, 1, 1, 1, 1, 1, 1, 131), 0, 28), false);
  });
});
