const BLOCK = 1 << 16;

/** Bytes that repeat nowhere near: xorshift32 (Marsaglia 2003), block by block. */
export function* pattern(length: number): Generator<Buffer> {
  let state = 0x9e3779b9;
  for (let done = 0; done < length; done += BLOCK) {
    const words = new Uint32Array(BLOCK / 4);
    for (let i = 0; i < words.length; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      words[i] = state;
    }
    yield Buffer.from(words.buffer).subarray(0, Math.min(BLOCK, length - done));
  }
}
