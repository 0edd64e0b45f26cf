/** What a binding to libpcap gives the link: an open capture on one interface. */
import type { LinkCounters } from './device';

export interface CaptureRequest {
  readonly interfaceName: string;
  /** In libpcap's language (pcap-filter(7)). */
  readonly filter: string;
  /** Memory of the kernel's capture ring, bytes. */
  readonly kernelBufferBytes: number;
  /** Memory of the queue in this process, bytes, where the binding needs one. */
  readonly queueBytes: number;
  readonly counters: LinkCounters;
  /** Frames wait, where none did before. Must only schedule work. */
  readonly onReadable: () => void;
  /** The capture is dead. May come in the middle of a call of this handle's: must only note it. */
  readonly onFailure: (reason: string) => void;
}

export interface CaptureHandle {
  /** Whether `receive` is worth a call. */
  readonly hasFrames: boolean;
  /** Hands at most `budget` frames to `handler`; each is a view that is valid, and may be changed, during that call. @returns how many */
  receive(budget: number, handler: (frame: Uint8Array) => void): number;
  /** @returns whether the frame went out. Never throws. */
  send(buffer: Uint8Array, length: number): boolean;
  /** @returns false if this binding can set a filter only when it opens */
  setFilter(filter: string): boolean;
  /** Frames that the kernel has dropped since the capture was opened; null where the binding cannot tell. */
  kernelDropped(): number | null;
  /** Idempotent. */
  close(): void;
}

/** A binding that has been loaded. */
export interface CaptureBinding {
  readonly name: 'cap' | 'libpcap';
  /** What the person should know, though it works. */
  readonly warning: string | null;
  /** libpcap's own words on its version; null where the binding cannot tell. */
  readonly libraryVersion: string | null;
  /** @throws CaptureFailure */
  open(options: CaptureRequest): CaptureHandle;
}

/** Why a binding cannot be used; the message names the next step. */
export class CaptureFailure extends Error {
  override readonly name = 'CaptureFailure';
}

/** Turns libpcap's words into ones that name the next step. */
export function explain(words: string, interfaceName: string): string {
  if (/permission|operation not permitted/i.test(words)) {
    return `this process may not capture on ${interfaceName} (${words}): it needs the capability CAP_NET_RAW, or root`;
  }
  if (/no such device|doesn't exist|not found/i.test(words)) return `there is no interface ${interfaceName} (${words})`;
  if (/not up|is down/i.test(words)) return `the interface ${interfaceName} is down (${words}): bring it up`;
  return `capturing on ${interfaceName} failed: ${words}`;
}
