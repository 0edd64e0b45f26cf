/** Shows what passes a device, both ways, to somebody who only looks. */
import type { Claim, Device, LinkChange, LinkCounters } from './device';
import { Direction } from './pcapng';

/** @param frame a view, valid only during the call */
export type Look = (frame: Uint8Array, direction: Direction) => void;

class TappedDevice implements Device {
  constructor(
    private readonly device: Device,
    private readonly look: Look,
  ) {}

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

  use(claim: Claim | null): void {
    this.device.use?.(claim);
  }

  send(buffer: Uint8Array, length: number): void {
    this.look(buffer.subarray(0, length), Direction.outbound);
    this.device.send(buffer, length);
  }

  receive(budget: number, handler: (frame: Uint8Array) => void): number {
    return this.device.receive(budget, (frame) => {
      this.look(frame, Direction.inbound);
      handler(frame);
    });
  }

  close(): void {
    this.device.close();
  }
}

/** @returns `device`, each frame shown to `look` before it goes on. What `look` throws reaches whoever polls the stack. */
export function tapDevice(device: Device, look: Look): Device {
  return new TappedDevice(device, look);
}
