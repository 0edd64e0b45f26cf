/**
 * A device whose outgoing frames suffer what links do: loss, duplication, corruption, delay, reordering and a
 * bottleneck with a queue. Seeded, so that a failure can be repeated. Both ends wrapped, both directions suffer.
 */
import type { Clock, Timer } from '../clock';
import type { Random } from '../random';
import { readU16 } from '../wire/bytes';
import { ETHERNET_HEADER_BYTES, ETHERTYPE_IPV4 } from '../wire/ethernet';
import type { Device } from './device';
import { WrappedDevice } from './wrapped-device';

export interface FaultOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Share of frames that are lost, 0 … 1. */
  readonly loss?: number;
  /** Share of frames that are sent twice, 0 … 1; the copy goes its own way. */
  readonly duplicate?: number;
  /**
   * Share of IPv4 packets in which one bit is flipped, 0 … 1. The Ethernet header and ARP are spared: on a real
   * link the frame check sequence guards them; what slips through is damaged inside routers, between two links.
   */
  readonly corrupt?: number;
  /** Share of frames that are held back for another `reorderMs`, 0 … 1, so that later ones overtake them. */
  readonly reorder?: number;
  /** Default 10 ms. */
  readonly reorderMs?: number;
  /** One way, ms. */
  readonly delayMs?: number;
  /** Added to the delay: uniform over [0, jitterMs). It reorders, too. */
  readonly jitterMs?: number;
  /** A bottleneck: frames leave one after another at this rate; what finds more than `queueBytes` waiting is lost. */
  readonly rate?: { readonly bitsPerSecond: number; readonly queueBytes: number };
  /** Frames for which this holds are lost. `index` counts the frames sent, from 0. */
  readonly drop?: (frame: Uint8Array, index: number) => boolean;
  /** Bytes under way at once, beyond which frames are lost. Default 64 MiB. */
  readonly maxHeldBytes?: number;
}

export interface FaultCounters {
  lost: number;
  duplicated: number;
  corrupted: number;
  reordered: number;
  /** Lost because the bottleneck's queue, or all the memory for frames under way, was full. */
  overflowed: number;
}

/** A {@link Device} that tells what it did to the frames. */
export interface FaultyDevice extends Device {
  readonly faults: FaultCounters;
}

interface Held {
  readonly atMs: number;
  readonly frame: Uint8Array;
}

class Faulty extends WrappedDevice implements FaultyDevice {
  readonly faults: FaultCounters = { lost: 0, duplicated: 0, corrupted: 0, reordered: 0, overflowed: 0 };
  /** Frames under way, soonest first from `head` on. */
  private held: Held[] = [];
  private head = 0;
  private heldBytes = 0;
  private timer: Timer | null = null;
  private timerAt = Infinity;
  /** When the bottleneck will have sent all that waits. */
  private busyUntilMs = 0;
  private sent = 0;
  private closed = false;

  constructor(
    device: Device,
    private readonly options: FaultOptions,
  ) {
    super(device);
  }

  override send(buffer: Uint8Array, length: number): void {
    const { options, faults } = this;
    if (this.closed || length > buffer.length) {
      this.device.send(buffer, length);
      return;
    }
    const frame = buffer.subarray(0, length);
    if (options.drop?.(frame, this.sent++) || this.happens(options.loss)) {
      faults.lost++;
      return;
    }
    this.pass(frame);
    if (this.happens(options.duplicate)) {
      faults.duplicated++;
      this.pass(frame);
    }
  }

  override close(): void {
    this.closed = true;
    this.timer?.cancel();
    this.held = [];
    this.head = 0;
    super.close();
  }

  private happens(share: number | undefined): boolean {
    return share !== undefined && share > 0 && this.options.random.uniform() < share;
  }

  private pass(frame: Uint8Array): void {
    const { clock, random, delayMs = 0, jitterMs = 0, reorder, reorderMs = 10, rate, maxHeldBytes = 64 << 20 } = this.options;
    const now = clock.now();
    let atMs = now + delayMs;
    if (rate) {
      const waitingBytes = (Math.max(0, this.busyUntilMs - now) * rate.bitsPerSecond) / 8_000;
      if (waitingBytes + frame.length > rate.queueBytes) {
        this.faults.overflowed++;
        return;
      }
      this.busyUntilMs = Math.max(now, this.busyUntilMs) + (frame.length * 8_000) / rate.bitsPerSecond;
      atMs = this.busyUntilMs + delayMs;
    }
    if (jitterMs > 0) atMs += random.uniform() * jitterMs;
    if (this.happens(reorder)) {
      this.faults.reordered++;
      atMs += reorderMs;
    }
    const damaged = this.damage(frame);
    if (atMs <= now && this.head === this.held.length) {
      this.device.send(damaged, damaged.length);
    } else if (this.heldBytes + frame.length > maxHeldBytes) {
      this.faults.overflowed++;
    } else {
      this.hold({ atMs, frame: damaged === frame ? frame.slice() : damaged });
    }
  }

  /** @returns the frame itself, or a copy with one bit flipped */
  private damage(frame: Uint8Array): Uint8Array {
    const isIpv4 = frame.length > ETHERNET_HEADER_BYTES && readU16(frame, 12) === ETHERTYPE_IPV4;
    if (!isIpv4 || !this.happens(this.options.corrupt)) return frame;
    this.faults.corrupted++;
    const copy = frame.slice();
    const bit = this.options.random.below((copy.length - ETHERNET_HEADER_BYTES) * 8);
    const at = ETHERNET_HEADER_BYTES + (bit >>> 3);
    copy[at] = (copy[at] ?? 0) ^ (1 << (bit & 7));
    return copy;
  }

  private hold(entry: Held): void {
    const { held } = this;
    // From the back: mostly the newest frame is the last to arrive. Equal times keep the order of sending.
    let index = held.length;
    while (index > this.head && (held[index - 1]?.atMs ?? 0) > entry.atMs) index--;
    held.splice(index, 0, entry);
    this.heldBytes += entry.frame.length;
    this.arm();
  }

  private arm(): void {
    const atMs = this.held[this.head]?.atMs ?? Infinity;
    if (atMs === this.timerAt) return;
    this.timer?.cancel();
    this.timerAt = atMs;
    this.timer = this.options.clock.at(atMs, () => this.release());
  }

  private release(): void {
    this.timerAt = Infinity;
    const now = this.options.clock.now();
    for (let entry = this.held[this.head]; entry !== undefined && entry.atMs <= now; entry = this.held[this.head]) {
      this.head++;
      this.heldBytes -= entry.frame.length;
      this.device.send(entry.frame, entry.frame.length);
    }
    if (this.head === this.held.length || this.head >= 1_024) {
      this.held.splice(0, this.head);
      this.head = 0;
    }
    this.arm();
  }
}

/** @returns `device` with faults on its way out. @throws RangeError for a share that is not 0 … 1 or a negative time */
export function addFaults(device: Device, options: FaultOptions): FaultyDevice {
  for (const name of ['loss', 'duplicate', 'corrupt', 'reorder'] as const) {
    const share = options[name] ?? 0;
    if (!(share >= 0 && share <= 1)) throw new RangeError(`${name} is ${share}: it is a share, 0 to 1`);
  }
  for (const name of ['delayMs', 'jitterMs', 'reorderMs'] as const) {
    const ms = options[name] ?? 0;
    if (!(ms >= 0 && ms < Infinity)) throw new RangeError(`${name} is ${ms}: it is a time, 0 or more`);
  }
  return new Faulty(device, options);
}
