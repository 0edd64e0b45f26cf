/** Records what passes a device, both ways, as pcapng (draft-ietf-opsawg-pcapng §4): readable by Wireshark. */
import type { Clock } from '../clock';
import type { Ipv4Address } from '../wire/address';
import type { Device, LinkChange, LinkCounters } from './device';

export interface CaptureOptions {
  readonly clock: Clock;
  /** Takes the file's bytes in order; each array is its own to keep. What it throws reaches whoever polls the stack. */
  readonly sink: (bytes: Uint8Array) => void;
  /** Name of the interface in the file. Default `riftnet0`. */
  readonly name?: string;
  /** Bytes kept of each frame, 1 … 2³⁰. Default: all. */
  readonly snapBytes?: number;
}

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
const INBOUND = 1;
const OUTBOUND = 2;

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

function sectionHeader(): Uint8Array {
  const fixed = new Uint8Array(16);
  const view = new DataView(fixed.buffer);
  view.setUint32(0, BYTE_ORDER_MAGIC, true);
  view.setUint16(4, 1, true);
  // The section's length is not known: −1.
  view.setInt32(8, -1, true);
  view.setInt32(12, -1, true);
  return block(SECTION_HEADER_BLOCK, fixed, [option(OPTION_USER_APPLICATION, new TextEncoder().encode('Riftnet'))]);
}

function interfaceDescription(name: string, snapBytes: number): Uint8Array {
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

class CapturingDevice implements Device {
  /** Wall-clock time at the clock's 0: the monotonic clock has the finer resolution, and never steps back. */
  private readonly epochMs: number;
  private readonly snapBytes: number;

  constructor(
    private readonly device: Device,
    private readonly options: CaptureOptions,
  ) {
    const { clock, sink, name = 'riftnet0', snapBytes = 0 } = options;
    this.epochMs = clock.wallTime() - clock.now();
    this.snapBytes = snapBytes === 0 ? Infinity : snapBytes;
    sink(sectionHeader());
    sink(interfaceDescription(name, snapBytes));
  }

  get mac(): Uint8Array {
    return this.device.mac;
  }

  get mtu(): number {
    return this.device.mtu;
  }

  get counters(): LinkCounters {
    return this.device.counters;
  }

  get hasFrames(): boolean {
    return this.device.hasFrames;
  }

  get onFrame(): (() => void) | null {
    return this.device.onFrame;
  }

  set onFrame(onFrame: (() => void) | null) {
    this.device.onFrame = onFrame;
  }

  get acceptsPartialChecksums(): boolean {
    return this.device.acceptsPartialChecksums ?? false;
  }

  get onStateChange(): ((change: LinkChange) => void) | null {
    return this.device.onStateChange ?? null;
  }

  set onStateChange(onStateChange: ((change: LinkChange) => void) | null) {
    this.device.onStateChange = onStateChange;
  }

  useAddress(address: Ipv4Address | null): void {
    this.device.useAddress?.(address);
  }

  send(buffer: Uint8Array, length: number): void {
    this.record(buffer.subarray(0, length), OUTBOUND);
    this.device.send(buffer, length);
  }

  receive(budget: number, handler: (frame: Uint8Array) => void): number {
    return this.device.receive(budget, (frame) => {
      this.record(frame, INBOUND);
      handler(frame);
    });
  }

  close(): void {
    this.device.close();
  }

  private record(frame: Uint8Array, direction: typeof INBOUND | typeof OUTBOUND): void {
    const kept = Math.min(frame.length, this.snapBytes);
    const length = BLOCK_OVERHEAD_BYTES + EPB_FIXED_BYTES + padded(kept) + EPB_OPTION_BYTES;
    const bytes = new Uint8Array(length);
    const view = new DataView(bytes.buffer);
    const { high, low } = nanoseconds(this.epochMs + this.options.clock.now());
    view.setUint32(0, ENHANCED_PACKET_BLOCK, true);
    view.setUint32(4, length, true);
    view.setUint32(12, high, true);
    view.setUint32(16, low, true);
    view.setUint32(20, kept, true);
    view.setUint32(24, frame.length, true);
    bytes.set(kept === frame.length ? frame : frame.subarray(0, kept), 28);
    const options = 28 + padded(kept);
    view.setUint16(options, OPTION_EPB_FLAGS, true);
    view.setUint16(options + 2, 4, true);
    view.setUint32(options + 4, direction, true);
    view.setUint32(length - 4, length, true);
    this.options.sink(bytes);
  }
}

/** @returns `device`, everything that passes it recorded; the file's first blocks are written at once. @throws RangeError */
export function captureDevice(device: Device, options: CaptureOptions): Device {
  const { snapBytes } = options;
  if (snapBytes !== undefined && (!Number.isInteger(snapBytes) || snapBytes < 1 || snapBytes > 2 ** 30)) {
    throw new RangeError(`snapBytes is ${snapBytes}: it is 1 to 2^30`);
  }
  return new CapturingDevice(device, options);
}
