/** The ports of one live instance where several share the computer's address: a slice of the range, held by a lock file. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PORT_SLICES, portSlice, sharedPorts, StackError, type PortRange } from '../../../stack';
import { LinkFailure } from './link';
import { acquireSlot } from './slot-lock';

export interface PortSlice extends PortRange {
  /** Another instance may take it. Idempotent. */
  release(): void;
}

/** The kernel's ports are the whole computer's, so the locks are in a folder of all accounts, whatever their environment says. */
function lockFolder(): string {
  return path.join(process.platform === 'win32' ? os.tmpdir() : '/tmp', 'riftnet-ports');
}

/** @throws LinkFailure if the kernel leaves no ports, all slices are taken, or the folder cannot be used */
export function takePortSlice(folder = lockFolder(), kernel?: PortRange): PortSlice {
  const range = rangeOrFailure(kernel);
  try {
    fs.mkdirSync(folder);
    // Like /tmp itself: everybody makes files, nobody removes another's.
    fs.chmodSync(folder, 0o1777);
  } catch {
    // It is there already, or the lock cannot be made either.
  }
  const slot = acquireSlot(folder, `${range.first}-${range.last}`, PORT_SLICES);
  if (slot === null) {
    throw new LinkFailure(`no slice of the ports ${range.first} to ${range.last} is free: ${PORT_SLICES} instances share the computer's address at most, each with a lock file in ${folder}; end one, or take an address of the stack's own (--address dhcp)`);
  }
  return { ...portSlice(range, slot.number), release: () => slot.release() };
}

function rangeOrFailure(kernel?: PortRange): PortRange {
  try {
    return sharedPorts(kernel);
  } catch (error) {
    throw error instanceof StackError ? new LinkFailure(error.message) : error;
  }
}
