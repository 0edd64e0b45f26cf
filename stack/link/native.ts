/** Functions of C libraries, called through `koffi`: this is the only file that loads it. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';
import { CaptureFailure } from './capture-handle';

export type Native = typeof Koffi;
export type NativeLibrary = Koffi.LibraryHandle;

/** Linux: every descriptor that this process has open, each as a name. */
const OWN_DESCRIPTORS = '/proc/self/fd';
/** Standard input, output and error are passed on on purpose. */
const FIRST_OWN_DESCRIPTOR = 3;
/** fcntl(2) */
const F_SETFD = 2;
const FD_CLOEXEC = 1;

/** @throws CaptureFailure if the package cannot be loaded by this Node */
export function loadKoffi(): Native {
  try {
    return createRequire(__filename)('koffi');
  } catch (error) {
    const words = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new CaptureFailure(`the package koffi cannot be loaded (${words}): npm install`);
  }
}

/**
 * libpcap opens its descriptors so that they pass on to every program this process starts, and who has a packet socket
 * needs no privilege to send on it. On Linux libuv closes nothing in its children; on macOS it does, and on Windows
 * handles do not pass on by themselves.
 * @returns what keeps every descriptor that is open by then from programs started later: to be called after each
 * opening, before anything is started; it throws CaptureFailure if it could not @throws CaptureFailure if there is no such way here
 */
export function loadDescriptorGuard(platform: NodeJS.Platform = process.platform): () => void {
  if (platform !== 'linux') return () => {};
  const fcntl: (descriptor: number, command: number, type: 'int', flags: number) => number = loadKoffi().load(null).func('int fcntl(int fd, int cmd, ...)');
  return () => {
    let names: string[];
    try {
      names = fs.readdirSync(OWN_DESCRIPTORS);
    } catch (error) {
      throw new CaptureFailure(`the capture cannot be kept from scripts (${error instanceof Error ? error.message : String(error)}): it takes /proc, and a free descriptor`);
    }
    // Also what is marked already, which is most: asking costs as much. The descriptor that read the folder is closed by now.
    for (const descriptor of names.map(Number)) if (descriptor >= FIRST_OWN_DESCRIPTOR) fcntl(descriptor, F_SETFD, 'int', FD_CLOEXEC);
  };
}
