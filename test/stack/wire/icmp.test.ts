import assert from 'node:assert/strict';
import { isIcmpError, nextHopMtu, parseIcmp, parseQuoted, writeIcmp } from '../../../stack/wire/icmp';
import { writeIpv4Header } from '../../../stack/wire/ipv4';

function quoting(payload: Uint8Array, fragmentOffset = 0): Uint8Array {
  const message = new Uint8Array(8 + 20 + payload.length);
  writeIpv4Header(message, 8, {
    totalBytes: 1_500, ecn: 0, identification: 0, dontFragment: true, moreFragments: false, fragmentOffset, ttl: 1, protocol: 6, source: 1, destination: 2,
  });
  message.set(payload, 28);
  return message;
}

describe('ICMP codec (RFC 792)', () => {
  it('writes a message that sums to zero, and reads it back', () => {
    const bytes = new Uint8Array(13).fill(0xa5);
    writeIcmp(bytes, 0, 13, { type: 8, code: 0, rest: 0x0001_0002 });
    assert.deepEqual(parseIcmp(bytes), { type: 8, code: 0, rest: 0x0001_0002 });
    bytes[12] = 0xa4;
    assert.equal(parseIcmp(bytes), 'rxBadChecksum');
    assert.equal(parseIcmp(bytes.subarray(0, 7)), 'rxTooShort');
  });

  it('reads what an error quotes: at least eight bytes of a first fragment', () => {
    assert.deepEqual(parseQuoted(quoting(new Uint8Array(8).fill(7))), { protocol: 6, source: 1, destination: 2, totalBytes: 1_500, transport: new Uint8Array(8).fill(7) });
    assert.equal(parseQuoted(quoting(new Uint8Array(7))), null);
    assert.equal(parseQuoted(quoting(new Uint8Array(8), 8)), null);
    assert.equal(parseQuoted(new Uint8Array(36)), null);
  });

  it('takes the next hop’s MTU as told, or the next plateau below the packet (RFC 1191 §4, §5)', () => {
    const quoted = parseQuoted(quoting(new Uint8Array(8)));
    assert.ok(quoted);
    assert.equal(nextHopMtu({ type: 3, code: 4, rest: 1_400 }, quoted), 1_400);
    assert.equal(nextHopMtu({ type: 3, code: 4, rest: 0 }, quoted), 1_492);
    assert.equal(nextHopMtu({ type: 3, code: 4, rest: 20 }, quoted), 68);
    assert.equal(nextHopMtu({ type: 3, code: 4, rest: 0 }, { ...quoted, totalBytes: 200 }), 68);
  });

  it('knows which messages are errors (RFC 1122 §3.2.2)', () => {
    assert.deepEqual([...Array(20).keys()].filter(isIcmpError), [3, 4, 5, 11, 12]);
  });
});
