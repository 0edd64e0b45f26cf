/** Initial sequence numbers (RFC 6528 §3): a clock plus a keyed hash of the connection. */
import type { KeyedHash } from '../random';

/** M advances every 4 µs (RFC 9293 §3.4.1). */
const TICKS_PER_MS = 250;

/** @returns 0 … 2³²−1 */
export function initialSequenceNumber(
  hash: KeyedHash, nowMs: number, localAddress: number, localPort: number, remoteAddress: number, remotePort: number,
): number {
  const clock = Math.floor(nowMs * TICKS_PER_MS) % 0x1_0000_0000;
  return (clock + hash.hash(localAddress, remoteAddress, (localPort << 16) | remotePort)) >>> 0;
}
