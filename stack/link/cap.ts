/**
 * The npm package `cap`, a native addon over libpcap. This is the only file that loads it. What it demands:
 * - It polls on the process's first event loop, so it works on the main thread only, and its binary fits one Node.
 * - It keeps a bare pointer to the buffer it was given, and overwrites it for each packet.
 * - It empties the kernel's ring in one native loop: its handler only copies, or nothing else would run in a flood.
 * - Compiled with assertions it aborts the process when its interface goes down; without, it falls silent.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { CaptureFailure, explain, type CaptureBinding, type CaptureHandle, type CaptureRequest } from './capture-handle';
import { FrameRing } from './frame-ring';
import { loadDescriptorGuard } from './native';

interface CapObject {
  open(device: string, filter: string, bufferBytes: number, buffer: Uint8Array): string;
  close(): unknown;
  send(buffer: Uint8Array, length: number): void;
  on(event: 'packet', handler: (bytes: number, truncated: boolean) => void): void;
  removeAllListeners(): void;
}

type CapModule = { readonly Cap: new () => CapObject };

/**
 * The addon asks the system for 65535 bytes of each frame and says nothing of longer ones. With a buffer one byte
 * shorter a cut frame does not fit, which it does say.
 */
const BUFFER_BYTES = 65_534;

/**
 * Every object made, for the life of the process: the addon leaves its poll handle in libuv's list when it closes,
 * so that the memory must not be freed. One is a few hundred bytes; one is made for each change of address or state.
 */
const objects = new Set<CapObject>();

function isCapModule(value: unknown): value is CapModule {
  return typeof value === 'object' && value !== null && 'Cap' in value && typeof value.Cap === 'function';
}

class CapHandle implements CaptureHandle {
  private readonly cap: CapObject;
  /** Held here, since the addon holds no reference. */
  private readonly buffer = Buffer.alloc(BUFFER_BYTES);
  private readonly ring: FrameRing;
  private closed = false;

  constructor(module: CapModule, guardDescriptors: () => void, options: CaptureRequest) {
    const { interfaceName, filter, kernelBufferBytes, counters, onReadable } = options;
    this.ring = new FrameRing(options.queueBytes);
    this.cap = new module.Cap();
    objects.add(this.cap);
    const linkType = this.cap.open(interfaceName, filter, kernelBufferBytes, this.buffer);
    try {
      // The addon tells nobody its descriptor: all that are open are taken care of.
      guardDescriptors();
    } catch (error) {
      this.close();
      throw error;
    }
    if (linkType !== 'ETHERNET') {
      this.close();
      throw new CaptureFailure(`${interfaceName} carries no Ethernet frames (${linkType}): take an Ethernet or Wi-Fi interface`);
    }
    const { buffer, ring } = this;
    this.cap.on('packet', (bytes, truncated) => {
      if (this.closed) return;
      if (truncated) {
        counters.rxTruncated++;
        return;
      }
      const wasEmpty = ring.isEmpty;
      if (!ring.push(buffer, bytes)) {
        counters.rxQueueFull++;
        return;
      }
      if (wasEmpty) onReadable();
    });
  }

  get hasFrames(): boolean {
    return !this.ring.isEmpty;
  }

  receive(budget: number, handler: (frame: Uint8Array) => void): number {
    let frames = 0;
    for (; frames < budget && !this.ring.isEmpty; frames++) this.ring.shift(handler);
    return frames;
  }

  send(buffer: Uint8Array, length: number): boolean {
    if (this.closed) return false;
    try {
      this.cap.send(buffer, length);
      return true;
    } catch {
      // The interface is down, or its queue full. The caller counts it, and looks at the interface.
      return false;
    }
  }

  setFilter(): boolean {
    return false;
  }

  kernelDropped(): null {
    return null;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.cap.removeAllListeners();
    this.cap.close();
  }
}

/** @throws CaptureFailure */
export function loadCap(): CaptureBinding {
  if (!isMainThread) throw new CaptureFailure('cap works only on the main thread of a process');
  const require = createRequire(__filename);
  let module: unknown;
  let warning: string | null = null;
  try {
    // Without this file there is no build; with it, the assertion's text tells how it was compiled.
    const binary = fs.readFileSync(require.resolve('cap/build/Release/cap.node'));
    if (binary.includes('status == 0')) {
      warning = 'this build of cap ends the process when its interface goes down: rebuild it with CXXFLAGS=-DNDEBUG npm rebuild cap';
    }
    module = require('cap');
  } catch (error) {
    // Of a wrong ABI the first line says nothing; what follows "Require stack" says too much.
    const words = (error instanceof Error ? error.message : String(error)).split('\nRequire stack')[0]?.replace(/\s+/g, ' ') ?? '';
    throw new CaptureFailure(`cap cannot be loaded by this Node (${words}): install libpcap-dev and a C++ compiler, then CXXFLAGS=-DNDEBUG npm rebuild cap`);
  }
  if (!isCapModule(module)) throw new CaptureFailure('the package cap is not the one meant: npm install cap@0.2.1');
  const loaded = module;
  const guardDescriptors = loadDescriptorGuard();
  return {
    name: 'cap',
    warning,
    libraryVersion: null,
    open(options) {
      try {
        return new CapHandle(loaded, guardDescriptors, options);
      } catch (error) {
        if (error instanceof CaptureFailure) throw error;
        throw new CaptureFailure(explain(error instanceof Error ? error.message : String(error), options.interfaceName));
      }
    },
  };
}
