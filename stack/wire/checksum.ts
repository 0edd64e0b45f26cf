/**
 * The Internet checksum (RFC 1071). Sums run over native 16-bit words and are swapped once at the end,
 * which RFC 1071 §2(B) allows: the ones' complement sum does not depend on byte order.
 */
import { readU8 } from './bytes';

const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * Views of the array buffers last summed. Making one costs as much as summing 300 bytes, and the stack
 * sums the same few buffers (one for sending, the links' rings) for every segment.
 */
const viewBuffers: (ArrayBufferLike | null)[] = [null, null, null, null];
const views: Uint16Array[] = [new Uint16Array(0), new Uint16Array(0), new Uint16Array(0), new Uint16Array(0)];
let nextView = 0;

function wordsOf(buffer: ArrayBufferLike): Uint16Array {
  for (let i = 0; i < 4; i++) {
    const view = views[i];
    if (viewBuffers[i] === buffer && view) return view;
  }
  const view = new Uint16Array(buffer, 0, buffer.byteLength >>> 1);
  viewBuffers[nextView] = buffer;
  views[nextView] = view;
  nextView = (nextView + 1) & 3;
  return view;
}

function fold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

function swap(sum: number): number {
  return ((sum & 0xff) << 8) | (sum >>> 8);
}

/**
 * Adds the big-endian words of `bytes[start, end)` to `sum`; an odd last byte counts as the high half of
 * a word. Parts may be added one after another as long as each but the last has an even length.
 * @param sum 0 … 2³¹−1, what an earlier call returned @returns 0 … 2¹⁷−1 for such a sum
 */
export function checksumAdd(sum: number, bytes: Uint8Array, start: number, end: number): number {
  let at = bytes.byteOffset + start;
  const stop = bytes.byteOffset + end;
  let total = 0;
  const odd = (at & 1) !== 0 && at < stop;
  // At an odd address, the words that are aligned hold the halves the other way round: swap once more at the end.
  if (odd) at++;
  const words = wordsOf(bytes.buffer);
  let i = at >>> 1;
  const last = stop >>> 1;
  // A difference of 64 KiB of words of 0xffff stays below 2³¹: no carry is lost before the fold.
  for (const unrolled = last - 15; i < unrolled; i += 16) {
    total +=
      (words[i] ?? 0) + (words[i + 1] ?? 0) + (words[i + 2] ?? 0) + (words[i + 3] ?? 0) +
      (words[i + 4] ?? 0) + (words[i + 5] ?? 0) + (words[i + 6] ?? 0) + (words[i + 7] ?? 0) +
      (words[i + 8] ?? 0) + (words[i + 9] ?? 0) + (words[i + 10] ?? 0) + (words[i + 11] ?? 0) +
      (words[i + 12] ?? 0) + (words[i + 13] ?? 0) + (words[i + 14] ?? 0) + (words[i + 15] ?? 0);
  }
  for (; i < last; i++) total += words[i] ?? 0;
  total = fold(total);
  if (LITTLE_ENDIAN) total = swap(total);
  if ((stop & 1) !== 0 && at < stop) total += readU8(bytes, end - 1) << 8;
  if (odd) total = swap(fold(total)) + (readU8(bytes, start) << 8);
  return fold(sum) + fold(total);
}

/** @returns the checksum field's value for a sum: folded and complemented, 0 … 65535. */
export function checksumFinish(sum: number): number {
  return ~fold(sum) & 0xffff;
}

/** Sum of the pseudo-header of TCP and UDP (RFC 9293 §3.1, RFC 768). `length` in bytes, 0 … 65535. */
export function pseudoHeaderSum(source: number, destination: number, protocol: number, length: number): number {
  return (source >>> 16) + (source & 0xffff) + (destination >>> 16) + (destination & 0xffff) + protocol + length;
}

/** Whether a message that contains its own checksum sums to zero. `sum` is the pseudo-header's, or 0. */
export function checksumValid(sum: number, bytes: Uint8Array, start: number, end: number): boolean {
  return checksumFinish(checksumAdd(sum, bytes, start, end)) === 0;
}

