/** Records what passes a device, both ways, as pcapng: readable by Wireshark. */
import type { Clock } from '../clock';
import type { Device } from './device';
import { enhancedPacket, interfaceDescription, sectionHeader } from './pcapng';
import { tapDevice } from './tap';

export interface CaptureOptions {
  readonly clock: Clock;
  /** Takes the file's bytes in order; each array is its own to keep. What it throws reaches whoever polls the stack. */
  readonly sink: (bytes: Uint8Array) => void;
  /** Name of the interface in the file. Default `riftnet0`. */
  readonly name?: string;
  /** Bytes kept of each frame, 1 … 2³⁰. Default: all. */
  readonly snapBytes?: number;
}

/** @returns `device`, everything that passes it recorded; the file's first blocks are written at once. @throws RangeError */
export function captureDevice(device: Device, options: CaptureOptions): Device {
  const { clock, sink, name = 'riftnet0', snapBytes } = options;
  if (snapBytes !== undefined && (!Number.isInteger(snapBytes) || snapBytes < 1 || snapBytes > 2 ** 30)) {
    throw new RangeError(`snapBytes is ${snapBytes}: it is 1 to 2^30`);
  }
  // Wall-clock time at the clock's 0: the monotonic clock has the finer resolution, and never steps back.
  const epochMs = clock.wallTime() - clock.now();
  sink(sectionHeader());
  sink(interfaceDescription(name, snapBytes ?? 0));
  const limit = snapBytes ?? Infinity;
  return tapDevice(device, (frame, direction) => {
    const kept = frame.length <= limit ? frame : frame.subarray(0, limit);
    sink(enhancedPacket(kept, frame.length, epochMs + clock.now(), direction));
  });
}
