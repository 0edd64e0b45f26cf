/** A device around another: everything goes through, but for what a subclass does to frames on their way. */
import type { Claim, Device, LinkChange, LinkCounters } from './device';

export class WrappedDevice implements Device {
  constructor(protected readonly device: Device) {}

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
    this.device.send(buffer, length);
  }

  receive(budget: number, handler: (frame: Uint8Array) => void): number {
    return this.device.receive(budget, handler);
  }

  close(): void {
    this.device.close();
  }
}
