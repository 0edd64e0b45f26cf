/**
 * Runs in a namespace, on its interfaces, over libpcap without a filter:
 * - `capture INTERFACE FILE`: all that passes, as pcapng, until SIGTERM;
 * - `bridge INTERFACE INTERFACE SEED FAULTS`: passes frames on, both ways, with the faults (JSON) of our fault link;
 * - `storm INTERFACE MS SEED`: random frames and ARP packets of stations that do not exist.
 */
import fs from 'node:fs';
import {
  addFaults, captureDevice, SeededRandom, SystemClock, type Device, type FaultOptions, type Random,
} from '../../../stack';
import type { CaptureHandle } from '../../../stack/link/capture-handle';
import { createLinkCounters } from '../../../stack/link/device';
import { loadLibpcap } from '../../../stack/link/libpcap';

const clock = new SystemClock();

/** An interface, all of it: what passes, and what we send. */
class Port implements Device {
  readonly mac = new Uint8Array(6);
  readonly mtu = 65_535;
  readonly counters = createLinkCounters();
  onFrame: (() => void) | null = null;
  private readonly handle: CaptureHandle;

  constructor(interfaceName: string) {
    this.handle = loadLibpcap().open({
      interfaceName, filter: '', kernelBufferBytes: 64 << 20, queueBytes: 1 << 20, counters: this.counters,
      onReadable: () => this.onFrame?.(),
      onFailure: (reason) => {
        throw new Error(`${interfaceName}: ${reason}`);
      },
    });
  }

  get hasFrames(): boolean {
    return this.handle.hasFrames;
  }

  get kernelDropped(): number {
    return this.handle.kernelDropped() ?? 0;
  }

  send(buffer: Uint8Array, length: number): void {
    if (this.handle.send(buffer, length)) this.counters.txFrames++;
    else this.counters.txDropped++;
  }

  receive(budget: number, handler: (frame: Uint8Array) => void): number {
    return this.handle.receive(budget, handler);
  }

  close(): void {
    this.handle.close();
  }
}

/** Calls `take` whenever frames wait, in batches. */
function onFrames(device: Device, take: (frame: Uint8Array) => void): void {
  const batch = (): void => {
    device.receive(256, take);
    if (device.hasFrames) setImmediate(batch);
  };
  device.onFrame = () => setImmediate(batch);
}

function capture(interfaceName: string, file: string): void {
  const port = new Port(interfaceName);
  const output = fs.openSync(file, 'w');
  const recorded = captureDevice(port, { clock, name: interfaceName, sink: (bytes) => void fs.writeSync(output, bytes) });
  onFrames(recorded, () => {});
  process.once('SIGTERM', () => {
    // What has passed until now is in the kernel's ring already.
    while (recorded.receive(256, () => {}) > 0);
    const { kernelDropped } = port;
    port.close();
    fs.closeSync(output);
    process.stdout.write(`${kernelDropped}\n`, () => process.exit(0));
  });
  process.stdout.write('ready\n');
}

function bridge(left: string, right: string, seed: number, faults: Omit<FaultOptions, 'clock' | 'random'>): void {
  const random = new SeededRandom(seed);
  const [a, b] = [new Port(left), new Port(right)].map((port) => addFaults(port, { ...faults, clock, random }));
  if (!a || !b) throw new Error('two interfaces are joined');
  onFrames(a, (frame) => b.send(frame, frame.length));
  onFrames(b, (frame) => a.send(frame, frame.length));
  process.once('SIGTERM', () => {
    process.stdout.write(`${JSON.stringify([a.faults, b.faults])}\n`, () => process.exit(0));
  });
  process.stdout.write('ready\n');
}

/** A frame to everybody, or to a station at random; half of them ARP. */
function noise(random: Random, frame: Uint8Array): number {
  const bytes = (length: number, at: number): void => {
    for (let i = 0; i < length; i++) frame[at + i] = random.below(256);
  };
  const length = 60 + random.below(1_455);
  bytes(length, 0);
  if (random.below(2) === 0) frame.fill(0xff, 0, 6);
  else frame[0] = 2;
  frame[6] = 2;
  if (random.below(2) === 0) {
    // ARP over Ethernet for IPv4, request or reply, of a station that does not exist to any of the LAN.
    frame.set([0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1 + random.below(2)], 12);
    frame.set([10, 77, 0, 128 + random.below(127)], 28);
    frame.set([10, 77, 0, random.below(256)], 38);
    return 60;
  }
  frame.set(random.below(2) === 0 ? [0x08, 0x00] : [random.below(256), random.below(256)], 12);
  return length;
}

function storm(interfaceName: string, ms: number, seed: number): void {
  const port = new Port(interfaceName);
  const random = new SeededRandom(seed);
  const frame = new Uint8Array(1_514);
  const end = performance.now() + ms;
  const burst = (): void => {
    for (let i = 0; i < 16; i++) port.send(frame, noise(random, frame));
    if (performance.now() < end) setTimeout(burst, 1);
    else process.stdout.write(`${port.counters.txFrames}\n`, () => process.exit(0));
  };
  process.stdout.write('ready\n');
  burst();
}

const [role, first = '', second = '', third = '', fourth = '{}'] = process.argv.slice(2);
if (role === 'capture') capture(first, second);
else if (role === 'bridge') bridge(first, second, Number(third), JSON.parse(fourth));
else if (role === 'storm') storm(first, Number(second), Number(third));
else throw new Error(`unknown role ${role}`);
