/**
 * Randomness is injected everywhere. Product code uses {@link CryptoRandom}: ports, sequence numbers
 * and ids that an attacker must not guess come from here (RFC 6056, RFC 6528, RFC 5452).
 */
import { randomFillSync } from 'node:crypto';

export interface Random {
  /** Uniform over 0 … 2³²−1. */
  u32(): number;
  /** Uniform over 0 … bound−1; `bound` is a whole number from 1 to 2³². */
  below(bound: number): number;
  /** Uniform over [0, 1). */
  uniform(): number;
  bytes(length: number): Uint8Array;
}

abstract class RandomBase implements Random {
  abstract u32(): number;

  below(bound: number): number {
    // Rejection sampling: without it small values would be likelier.
    const limit = 0x1_0000_0000 - (0x1_0000_0000 % bound);
    let value = this.u32();
    while (value >= limit) value = this.u32();
    return value % bound;
  }

  uniform(): number {
    return this.u32() / 0x1_0000_0000;
  }

  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length);
    for (let i = 0; i < length; i++) out[i] = this.u32() & 0xff;
    return out;
  }
}

export class CryptoRandom extends RandomBase {
  private readonly pool = new Uint32Array(256);
  private used = this.pool.length;

  u32(): number {
    if (this.used === this.pool.length) {
      randomFillSync(this.pool);
      this.used = 0;
    }
    return this.pool[this.used++] ?? 0;
  }
}

/** Repeatable randomness (sfc32) for tests and simulations; never for product code. */
export class SeededRandom extends RandomBase {
  private a = 0x9e37_79b9;
  private b = 0x243f_6a88;
  private c: number;
  private counter = 1;

  constructor(readonly seed: number) {
    super();
    this.c = seed >>> 0;
    for (let i = 0; i < 12; i++) this.u32();
  }

  u32(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum;
    this.c |= 0;
    return sum >>> 0;
  }
}

/**
 * A keyed hash of whole 32-bit words: HalfSipHash-2-4 (Aumasson and Bernstein), which works on
 * 32-bit words and so stays within what JavaScript's integers do fast.
 */
export class KeyedHash {
  private readonly k0: number;
  private readonly k1: number;

  constructor(random: Random) {
    this.k0 = random.u32() | 0;
    this.k1 = random.u32() | 0;
  }

  /** @returns 0 … 2³²−1 */
  hash(w0: number, w1: number, w2: number): number {
    let v0 = this.k0;
    let v1 = this.k1;
    let v2 = 0x6c79_6765 ^ this.k0;
    let v3 = 0x7465_6462 ^ this.k1;
    for (let word = 0; word < 4; word++) {
      // The fourth word is the length of the message in bytes, in the top byte, as the algorithm has it.
      const m = word === 0 ? w0 | 0 : word === 1 ? w1 | 0 : word === 2 ? w2 | 0 : 12 << 24;
      v3 ^= m;
      for (let round = 0; round < 2; round++) {
        v0 = (v0 + v1) | 0; v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0; v0 = (v0 << 16) | (v0 >>> 16);
        v2 = (v2 + v3) | 0; v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
        v0 = (v0 + v3) | 0; v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
        v2 = (v2 + v1) | 0; v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2; v2 = (v2 << 16) | (v2 >>> 16);
      }
      v0 ^= m;
    }
    v2 ^= 0xff;
    for (let round = 0; round < 4; round++) {
      v0 = (v0 + v1) | 0; v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0; v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0; v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0; v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0; v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2; v2 = (v2 << 16) | (v2 >>> 16);
    }
    return (v1 ^ v3) >>> 0;
  }
}
