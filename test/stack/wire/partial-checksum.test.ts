import assert from 'node:assert/strict';
import { writeU16 } from '../../../stack/wire/bytes';
import { ACK, TCP_HEADER_BYTES, TcpSegment, writeTcpChecksum, writeTcpHeader } from '../../../stack/wire/tcp';
import { parseUdp, udpChecksumIsPartial, UDP_HEADER_BYTES, writeUdpHeader } from '../../../stack/wire/udp';

const SOURCE = 0x0a4d_0001;
const DESTINATION = 0x0a4d_0002;

/** The ones' complement sum of the pseudo-header, by its definition (RFC 9293 §3.1). */
function pseudoHeader(protocol: number, length: number): number {
  let sum = 0x0a4d + 0x0001 + 0x0a4d + 0x0002 + protocol + length;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

describe('A checksum left to hardware: the pseudo-header\'s sum alone', () => {
  function segment(): Uint8Array {
    const bytes = new Uint8Array(TCP_HEADER_BYTES + 5).fill(7);
    writeTcpHeader(bytes, 0, 1, 2, 3, 4, TCP_HEADER_BYTES, ACK, 5);
    return bytes;
  }

  it('is taken in a TCP segment only where the link says so', () => {
    const bytes = segment();
    writeU16(bytes, 16, pseudoHeader(6, bytes.length));
    const parsed = new TcpSegment();
    assert.equal(parsed.parse(SOURCE, DESTINATION, bytes), 'bad-checksum');
    assert.equal(parsed.parse(SOURCE, DESTINATION, bytes, true), null);
    assert.equal(parsed.hasPartialChecksum, true);
  });

  it('is the only other sum that is taken then', () => {
    const bytes = segment();
    writeTcpChecksum(bytes, 0, bytes.length, SOURCE, DESTINATION);
    const parsed = new TcpSegment();
    assert.equal(parsed.parse(SOURCE, DESTINATION, bytes, true), null);
    assert.equal(parsed.hasPartialChecksum, false);
    writeU16(bytes, 16, pseudoHeader(6, bytes.length) ^ 1);
    assert.equal(parsed.parse(SOURCE, DESTINATION, bytes, true), 'bad-checksum');
  });

  it('is told of a UDP datagram', () => {
    const bytes = new Uint8Array(UDP_HEADER_BYTES + 3).fill(9);
    writeUdpHeader(bytes, 0, SOURCE, 1, DESTINATION, 2, 3);
    assert.equal(udpChecksumIsPartial(SOURCE, DESTINATION, bytes), false);
    writeU16(bytes, 6, pseudoHeader(17, bytes.length));
    assert.equal(udpChecksumIsPartial(SOURCE, DESTINATION, bytes), true);
    assert.equal(parseUdp(SOURCE, DESTINATION, bytes), 'rxBadChecksum');
    assert.equal(typeof parseUdp(SOURCE, DESTINATION, bytes, true), 'object');
  });
});
