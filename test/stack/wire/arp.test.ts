import assert from 'node:assert/strict';
import { ARP_BYTES, ARP_REQUEST, parseArp, writeArp, type ArpPacket } from '../../../stack/wire/arp';

const packet: ArpPacket = {
  operation: ARP_REQUEST, senderMac: { high: 0x0200, low: 0xf000_0001 }, senderAddress: 0xc0a8_0001, targetMac: { high: 0, low: 0 }, targetAddress: 0xc0a8_00fe,
};
const bytes = Uint8Array.of(0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0xf0, 0, 0, 1, 192, 168, 0, 1, 0, 0, 0, 0, 0, 0, 192, 168, 0, 254);

describe('ARP codec (RFC 826)', () => {
  it('writes the 28 bytes of a request', () => {
    const out = new Uint8Array(ARP_BYTES);
    writeArp(out, 0, packet);
    assert.deepEqual(out, bytes);
  });

  it('reads them back, padding ignored', () => {
    const padded = new Uint8Array(60);
    padded.set(bytes, 14);
    assert.deepEqual(parseArp(padded, 14), packet);
  });

  for (const [what, at, value] of [['hardware', 1, 6], ['protocol', 2, 0x86], ['hardware length', 4, 8], ['protocol length', 5, 16], ['operation', 7, 3], ['operation 0', 7, 0]] as const) {
    it(`refuses another ${what}`, () => {
      const other = bytes.slice();
      other[at] = value;
      assert.equal(parseArp(other), null);
    });
  }

  it('refuses every truncation', () => {
    for (let length = 0; length < ARP_BYTES; length++) assert.equal(parseArp(bytes.subarray(0, length)), null);
  });
});
