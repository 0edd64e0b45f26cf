/**
 * The bytes that streams carry: a function of the position in the stream, so that whatever is lost, doubled
 * or moved shows. packetdrill itself sends zeros and sees none of it.
 */
export type Side = 'stack' | 'peer';

const SALT: Readonly<Record<Side, number>> = { stack: 0x9e37_79b1, peer: 0x85eb_ca77 };

export function patternByte(side: Side, position: number): number {
  return Math.imul(position + 1, SALT[side]) >>> 24;
}

/** The bytes `[position, position + length)` of the side's stream. */
export function patternBytes(side: Side, position: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = patternByte(side, position + i);
  return bytes;
}
