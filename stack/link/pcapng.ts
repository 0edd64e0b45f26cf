/** Blocks of a pcapng file (draft-ietf-opsawg-pcapng §4), as Wireshark reads it. Times are in nanoseconds. */

const SECTION_HEADER_BLOCK = 0x0a0d_0d0a;
const BYTE_ORDER_MAGIC = 0x1a2b_3c4d;
const INTERFACE_DESCRIPTION_BLOCK = 1;
const ENHANCED_PACKET_BLOCK = 6;
const LINKTYPE_ETHERNET = 1;

const OPTION_USER_APPLICATION = 4;
const OPTION_IF_NAME = 2;
const OPTION_IF_TSRESOL = 9;
const OPTION_EPB_FLAGS = 2;
/** Timestamps are in 10⁻⁹ s. */
const NANOSECONDS = 9;

/** Type, two lengths. */
const BLOCK_OVERHEAD_BYTES = 12;
const EPB_FIXED_BYTES = 20;
/** The flags option with its header, and the end of options. */
const EPB_OPTION_BYTES = 12;

function padded(length: number): number {
  return (length + 3) & ~3;
}

/** One option: code, length, value, padding. Integers throughout are little-endian, as the magic number tells. */
function option(code: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + padded(value.length));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, code, true);
  view.setUint16(2, value.length, true);
  bytes.set(value, 4);
  return bytes;
}

/** A block from its fixed part and its options. */
function block(type: number, fixed: Uint8Array, options: readonly Uint8Array[]): Uint8Array {
  const length = BLOCK_OVERHEAD_BYTES + fixed.length + options.reduce((sum, { length: bytes }) => sum + bytes, 0) + 4;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  bytes.set(fixed, 8);
  let at = 8 + fixed.length;
  for (const part of options) {
    bytes.set(part, at);
    at += part.length;
  }
  // Four zeros end the options; then the length again.
  view.setUint32(length - 4, length, true);
  return bytes;
}

/** The block a file begins with. */
export function sectionHeader(): Uint8Array {
  const fixed = new Uint8Array(16);
  const view = new DataView(fixed.buffer);
  view.setUint32(0, BYTE_ORDER_MAGIC, true);
  view.setUint16(4, 1, true);
  // The section's length is not known: −1.
  view.setInt32(8, -1, true);
  view.setInt32(12, -1, true);
  return block(SECTION_HEADER_BLOCK, fixed, [option(OPTION_USER_APPLICATION, new TextEncoder().encode('Riftnet'))]);
}

/** The block that stands for the interface all frames are of. @param snapBytes what is kept of a frame at most; 0: all */
export function interfaceDescription(name: string, snapBytes: number): Uint8Array {
  const fixed = new Uint8Array(8);
  const view = new DataView(fixed.buffer);
  view.setUint16(0, LINKTYPE_ETHERNET, true);
  view.setUint32(4, snapBytes, true);
  const options = [option(OPTION_IF_NAME, new TextEncoder().encode(name)), option(OPTION_IF_TSRESOL, Uint8Array.of(NANOSECONDS))];
  return block(INTERFACE_DESCRIPTION_BLOCK, fixed, options);
}

/** @param wallMs ms since 1970 @returns the 64-bit count of nanoseconds since then, as two halves */
export function nanoseconds(wallMs: number): { readonly high: number; readonly low: number } {
  // The count is above 2⁵³: it is put together from products that are exact.
  const wholeMs = Math.floor(wallMs);
  const upper = Math.floor(wholeMs / 65_536) * 1_000_000;
  const lower = (wholeMs % 65_536) * 1_000_000 + Math.floor((wallMs - wholeMs) * 1_000_000);
  const low = (upper % 65_536) * 65_536 + lower;
  return { high: Math.floor(upper / 65_536) + Math.floor(low / 2 ** 32), low: low % 2 ** 32 };
}

/** As the flags of a packet block have it (§4.3.1). */
export const Direction = { inbound: 1, outbound: 2 } as const;
export type Direction = (typeof Direction)[keyof typeof Direction];

/**
 * A frame as a block of its own.
 * @param kept what the file holds of it; read only during the call
 * @param frameBytes how long it was
 * @param wallMs ms since 1970, with a fraction
 */
export function enhancedPacket(kept: Uint8Array, frameBytes: number, wallMs: number, direction: Direction): Uint8Array {
  const length = BLOCK_OVERHEAD_BYTES + EPB_FIXED_BYTES + padded(kept.length) + EPB_OPTION_BYTES;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  const { high, low } = nanoseconds(wallMs);
  view.setUint32(0, ENHANCED_PACKET_BLOCK, true);
  view.setUint32(4, length, true);
  view.setUint32(12, high, true);
  view.setUint32(16, low, true);
  view.setUint32(20, kept.length, true);
  view.setUint32(24, frameBytes, true);
  bytes.set(kept, 28);
  const options = 28 + padded(kept.length);
  view.setUint16(options, OPTION_EPB_FLAGS, true);
  view.setUint16(options + 2, 4, true);
  view.setUint32(options + 4, direction, true);
  view.setUint32(length - 4, length, true);
  return bytes;
}
