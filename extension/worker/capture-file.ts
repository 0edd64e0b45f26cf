/** Writes a capture to its file, in blocks, without ever holding more than one. */
import { closeSync, fstatSync, openSync, readSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { captureDevice, type Clock, type Device } from '../../stack';

const BLOCK_BYTES = 256 << 10;
/** How a capture begins: a pcapng section header block, or one of libpcap's magic numbers in either byte order. */
const CAPTURE_MAGICS = ['0a0d0d0a', 'a1b2c3d4', 'd4c3b2a1', 'a1b23c4d', '4d3cb2a1'];
/** What has been captured is on disk after this long, should the process be killed. */
const FLUSH_MS = 200;

export class CaptureFile {
  private descriptor: number | null;
  private readonly block = Buffer.allocUnsafe(BLOCK_BYTES);
  private used = 0;
  private timer: NodeJS.Timeout | null = null;

  /** @throws Error naming the file if it cannot be created, or is something else than an earlier capture */
  constructor(
    private readonly file: string,
    private readonly onError: (message: string) => void,
  ) {
    if (holdsSomethingElse(file)) {
      throw new Error(`The capture file ${file} exists and is no capture: it is left as it is; give another name, or remove it first`);
    }
    try {
      this.descriptor = create(file);
    } catch (error) {
      throw new Error(`The capture file ${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }

  wrap(device: Device, clock: Clock): Device {
    return captureDevice(device, { clock, sink: (bytes) => this.add(bytes) });
  }

  close(): void {
    this.flush();
    if (this.descriptor !== null) closeSync(this.descriptor);
    this.descriptor = null;
  }

  private add(bytes: Uint8Array): void {
    if (this.descriptor === null) return;
    if (this.used + bytes.length > BLOCK_BYTES) this.flush();
    if (bytes.length > BLOCK_BYTES) return this.write(bytes);
    this.block.set(bytes, this.used);
    this.used += bytes.length;
    this.timer ??= setTimeout(() => this.flush(), FLUSH_MS);
    this.timer.unref();
  }

  private flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.write(this.block.subarray(0, this.used));
    this.used = 0;
  }

  private write(bytes: Uint8Array): void {
    if (this.descriptor === null) return;
    try {
      if (fstatSync(this.descriptor).nlink === 0) return this.end(`${this.file} was removed, or a later capture has taken its place: give each run a file of its own`);
      for (let at = 0; at < bytes.length; ) at += writeSync(this.descriptor, bytes, at);
    } catch (error) {
      this.end(`${this.file} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  private end(why: string): void {
    this.onError(`The capture ends here: ${why}`);
    if (this.descriptor !== null) closeSync(this.descriptor);
    this.descriptor = null;
  }
}

/** A file of its own, in place of an earlier capture: a run that still writes that one cannot spoil this. A pipe or a device is taken as it is. */
function create(file: string): number {
  if (statSync(file, { throwIfNoEntry: false })?.isFile() === false) return openSync(file, 'w');
  for (;;) {
    try {
      return openSync(file, 'wx');
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    unlinkSync(file);
  }
}

/** A slip on the command line must not cost a person's file, such as the script itself. */
function holdsSomethingElse(file: string): boolean {
  let descriptor: number;
  try {
    const there = statSync(file);
    if (!there.isFile() || there.size === 0) return false;
    descriptor = openSync(file, 'r');
  } catch {
    // Opening it for writing says what is wrong.
    return false;
  }
  const start = Buffer.alloc(4);
  try {
    readSync(descriptor, start);
  } finally {
    closeSync(descriptor);
  }
  return !CAPTURE_MAGICS.includes(start.toString('hex'));
}
