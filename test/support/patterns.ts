/** Bytes that tell where in a stream they belong, so that a test sees swapped, lost and repeated ranges. */

/** The byte at an offset of the stream that `seed` names; periods are primes, so blocks never look alike. */
export function patternByte(offset: number, seed = 0): number {
  return (offset * 31 + Math.floor(offset / 251) * 17 + Math.floor(offset / 65_521) * 13 + seed * 101) & 0xff;
}

/** `length` bytes of the stream from `offset` on. */
export function pattern(length: number, offset = 0, seed = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = patternByte(offset + i, seed);
  return bytes;
}

/** The first place where the two differ, or −1. */
export function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) if (a[i] !== b[i]) return i;
  return a.length === b.length ? -1 : shorter;
}

export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

export function bytesOf(value: string): Uint8Array {
  return Uint8Array.from(Buffer.from(value, 'latin1'));
}
