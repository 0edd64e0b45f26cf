/** Shows what passes a device, both ways, to somebody who only looks. */
import type { Device } from './device';
import { Direction } from './pcapng';
import { WrappedDevice } from './wrapped-device';

/** @param frame a view, valid only during the call */
export type Look = (frame: Uint8Array, direction: Direction) => void;

class TappedDevice extends WrappedDevice {
  constructor(
    device: Device,
    private readonly look: Look,
  ) {
    super(device);
  }

  override send(buffer: Uint8Array, length: number): void {
    this.look(buffer.subarray(0, length), Direction.outbound);
    super.send(buffer, length);
  }

  override receive(budget: number, handler: (frame: Uint8Array) => void): number {
    return super.receive(budget, (frame) => {
      this.look(frame, Direction.inbound);
      handler(frame);
    });
  }
}

/** @returns `device`, each frame shown to `look` before it goes on. What `look` throws reaches whoever polls the stack. */
export function tapDevice(device: Device, look: Look): Device {
  return new TappedDevice(device, look);
}
