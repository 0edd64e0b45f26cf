import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseUdp, UDP_HEADER_BYTES, writeUdpHeader } from '../../../stack/wire/udp';

const SOURCE = 0xc000_0201;
const DESTINATION = 0xc633_6402;

function datagram(data: number[], sourcePort = 1000, destinationPort = 2000): Uint8Array {
  const bytes = new Uint8Array(UDP_HEADER_BYTES + data.length);
  bytes.set(data, UDP_HEADER_BYTES);
  writeUdpHeader(bytes, 0, SOURCE, sourcePort, DESTINATION, destinationPort, data.length);
  return bytes;
}

describe('UDP codec (RFC 768)', () => {
  it('writes the header of a datagram worked out by hand', () => {
    // Pseudo-header c000+0201+c633+6402+0011+000b, header 03e8+07d0+000b, data 6869+2100: 2817e, folded 8180.
    assert.deepEqual([...datagram([0x68, 0x69, 0x21])], [0x03, 0xe8, 0x07, 0xd0, 0, 11, 0x7e, 0x7f, 0x68, 0x69, 0x21]);
  });

  it('gives back what was written', () => {
    const parsed = parseUdp(SOURCE, DESTINATION, datagram([1, 2, 3]));
    assert.ok(typeof parsed === 'object');
    assert.equal(parsed.sourcePort, 1000);
    assert.equal(parsed.destinationPort, 2000);
    assert.deepEqual([...parsed.data], [1, 2, 3]);
  });

  it('finds every single flipped bit by the checksum, or by what it makes of the header', () => {
    const good = datagram([1, 2, 3, 4, 5]);
    for (let bit = 0; bit < good.length * 8; bit++) {
      const bad = good.slice();
      bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.equal(typeof parseUdp(SOURCE, DESTINATION, bad), 'string', `bit ${bit}`);
    }
  });

  it('covers the addresses by the checksum', () => {
    assert.equal(parseUdp(SOURCE, DESTINATION + 1, datagram([1])), 'rxBadChecksum');
  });

  it('accepts a datagram whose sender made no checksum', () => {
    const bytes = datagram([9]);
    bytes[6] = 0;
    bytes[7] = 0;
    bytes[8] = 7;
    assert.equal(typeof parseUdp(SOURCE, DESTINATION, bytes), 'object');
  });

  it('sends a computed checksum of zero as all ones', () => {
    // The data makes up for everything else: the sum becomes ffff, its complement zero.
    const probe = datagram([0, 0]);
    const sum = ((probe[6] ?? 0) << 8) | (probe[7] ?? 0);
    const bytes = datagram([sum >> 8, sum & 255]);
    assert.deepEqual([bytes[6], bytes[7]], [0xff, 0xff]);
    assert.equal(typeof parseUdp(SOURCE, DESTINATION, bytes), 'object');
  });

  it('drops what follows the length field, and refuses a length beyond what arrived or below a header', () => {
    const good = datagram([1, 2]);
    const parsed = parseUdp(SOURCE, DESTINATION, Uint8Array.of(...good, 99, 99));
    assert.ok(typeof parsed === 'object');
    assert.deepEqual([...parsed.data], [1, 2]);
    assert.equal(parseUdp(SOURCE, DESTINATION, good.subarray(0, 9)), 'rxBadLength');
    const short = good.slice();
    short[5] = 7;
    assert.equal(parseUdp(SOURCE, DESTINATION, short), 'rxBadLength');
    assert.equal(parseUdp(SOURCE, DESTINATION, good.subarray(0, 7)), 'rxTooShort');
  });

  it('refuses destination port 0', () => {
    assert.equal(parseUdp(SOURCE, DESTINATION, datagram([1], 5, 0)), 'rxNoPort');
  });

  it('never throws, whatever arrives', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        parseUdp(SOURCE, DESTINATION, bytes);
      }),
    );
  });
});
