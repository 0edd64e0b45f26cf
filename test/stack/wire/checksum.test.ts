import assert from 'node:assert/strict';
import { checksumAdd, checksumFinish, checksumValid, pseudoHeaderSum } from '../../../stack/wire/checksum';
import { SeededRandom } from '../../../stack/random';

/** RFC 1071 §1 word by word, slow and plain. */
function reference(bytes: Uint8Array, start: number, end: number): number {
  let sum = 0;
  for (let i = start; i < end; i += 2) sum += ((bytes[i] ?? 0) << 8) + (i + 1 < end ? (bytes[i + 1] ?? 0) : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

describe('checksum (RFC 1071)', () => {
  it('gives the example of RFC 1071 §3', () => {
    const bytes = Uint8Array.from([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
    assert.equal(checksumFinish(checksumAdd(0, bytes, 0, 8)), ~0xddf2 & 0xffff);
  });

  it('agrees with the plain algorithm for every alignment and length', () => {
    const random = new SeededRandom(1);
    const memory = random.bytes(3000);
    for (let round = 0; round < 4000; round++) {
      const from = random.below(64);
      const view = memory.subarray(from, from + random.below(2900));
      const start = random.below(view.length + 1);
      const end = start + random.below(view.length - start + 1);
      assert.equal(checksumFinish(checksumAdd(0, view, start, end)), reference(view, start, end), `offset ${from} start ${start} end ${end}`);
    }
  });

  it('may be taken in parts of even length', () => {
    const bytes = new SeededRandom(2).bytes(1001);
    const parts = checksumAdd(checksumAdd(0, bytes, 0, 400), bytes, 400, 1001);
    assert.equal(checksumFinish(parts), reference(bytes, 0, 1001));
  });

  it('loses no carry over 64 KiB of ones', () => {
    const bytes = new Uint8Array(65_536).fill(255);
    // Every word of ones is zero in ones' complement: only the protocol number remains of the sum.
    const sum = checksumAdd(pseudoHeaderSum(0xffff_ffff, 0xffff_ffff, 6, 0xffff), bytes, 0, bytes.length);
    assert.equal(checksumFinish(sum), ~6 & 0xffff);
  });

  it('is valid exactly when the stored checksum fits', () => {
    const bytes = new SeededRandom(3).bytes(60);
    bytes[16] = 0;
    bytes[17] = 0;
    const sum = checksumFinish(checksumAdd(0, bytes, 0, 60));
    bytes[16] = sum >>> 8;
    bytes[17] = sum & 255;
    assert.equal(checksumValid(0, bytes, 0, 60), true);
    bytes[40] = (bytes[40] ?? 0) ^ 1;
    assert.equal(checksumValid(0, bytes, 0, 60), false);
  });
});
