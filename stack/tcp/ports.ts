/** Ephemeral ports (RFC 6056 §3.3.1: random, then the next ones in turn). */
import type { TcpConfig } from '../config';
import type { Random } from '../random';

/** @returns a port in the configured range for which `isFree` holds, or null if there is none. */
export function pickEphemeralPort(random: Random, config: Pick<TcpConfig, 'ephemeralFirst' | 'ephemeralLast'>, isFree: (port: number) => boolean): number | null {
  const count = config.ephemeralLast - config.ephemeralFirst + 1;
  const start = random.below(count);
  for (let i = 0; i < count; i++) {
    const port = config.ephemeralFirst + ((start + i) % count);
    if (isFree(port)) return port;
  }
  return null;
}
