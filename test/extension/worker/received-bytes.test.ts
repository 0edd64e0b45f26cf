import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { ReceivedBytes } from '../../../extension/worker/script/received-bytes';

const byteAt = (offset: number): number => (offset * 7 + (offset >>> 8)) & 0xff;

function piece(from: number, length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => byteAt(from + i)));
}

describe('What a script has not read yet', () => {
  it('comes out as it came in, whatever the pieces and the reads', () => {
    const step = fc.oneof(fc.record({ append: fc.integer({ min: 1, max: 5_000 }) }), fc.record({ read: fc.integer({ min: 1, max: 8_000 }) }), fc.constant('all'));
    fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const unread = new ReceivedBytes();
      const kept: { from: number; bytes: Buffer }[] = [];
      let [written, read] = [0, 0];
      const take = (bytes: Buffer): void => {
        kept.push({ from: read, bytes });
        read += bytes.length;
      };
      for (const each of steps) {
        if (each === 'all') {
          if (unread.length > 0) take(unread.readAll());
        } else if ('append' in each) {
          unread.append(piece(written, each.append), 20_000);
          written += each.append;
        } else if (each.read <= unread.length) {
          const bytes = unread.read(each.read);
          assert.equal(bytes.length, each.read);
          take(bytes);
        }
        assert.equal(unread.length, written - read);
      }
      // Looked at last: nothing that was handed out has been written to since.
      for (const { from, bytes } of kept) assert.deepEqual(bytes, piece(from, bytes.length));
    }));
  });

  it('does not keep what it was given', () => {
    const unread = new ReceivedBytes();
    const chunk = piece(0, 100);
    unread.append(chunk, 100);
    chunk.fill(0);
    assert.deepEqual(unread.readAll(), piece(0, 100));
  });

  it('hands a read like the one before out without a copy, and never more memory than twice its bytes', () => {
    const unread = new ReceivedBytes();
    for (let round = 0; round < 3; round++) {
      for (let at = 0; at < 1 << 20; at += 1 << 16) unread.append(Buffer.alloc(1 << 16), 4 << 20);
      const bytes = unread.readAll();
      assert.equal(bytes.length, 1 << 20);
      // One slab held all of it from the second round on: the memory behind the read is larger than the read.
      if (round > 0) assert.ok(bytes.buffer.byteLength > bytes.length && bytes.buffer.byteLength <= 2 * bytes.length);
    }
    unread.append(Buffer.alloc(10_000), 4 << 20);
    assert.equal(unread.readAll().buffer.byteLength, 10_000);
  });

  it('takes no more memory than can still come', () => {
    const unread = new ReceivedBytes();
    unread.expect(1 << 20);
    unread.append(Buffer.alloc(10), 6_000);
    unread.append(Buffer.alloc(5_990), 5_990);
    assert.equal(unread.readAll().buffer.byteLength, 6_000);
  });
});
