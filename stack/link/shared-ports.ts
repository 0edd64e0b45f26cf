/** The ports that are set aside for the stack where it shares the computer's address: outside of those the kernel gives out. */
import fs from 'node:fs';
import type { PortRange } from '../config';
import { StackError } from '../errors';

/** Linux's setting (ip-sysctl.txt). */
const KERNEL_PORTS_FILE = '/proc/sys/net/ipv4/ip_local_port_range';
/** RFC 6335 §6: the dynamic ports; macOS and Windows give out these. */
const DYNAMIC_PORTS: PortRange = { first: 49_152, last: 65_535 };
/** RFC 6335 §6: below are the system's. */
const FIRST_USER_PORT = 1_024;
const LAST_PORT = 65_535;
/** Live instances at once. */
export const PORT_SLICES = 16;
/** Connections of one instance to one place at once; a power of two. */
const MAX_SLICE_PORTS = 256;
const MIN_SLICE_PORTS = 16;

/**
 * The range, for all instances together: as far from the kernel's own as there is room, above it rather than below,
 * where servers listen. @throws StackError EADDRNOTAVAIL if the kernel leaves none, naming the setting
 */
export function sharedPorts(kernel: PortRange = kernelPorts()): PortRange {
  const above = LAST_PORT - kernel.last;
  const below = kernel.first - FIRST_USER_PORT;
  for (let slice = MAX_SLICE_PORTS; slice >= MIN_SLICE_PORTS; slice /= 2) {
    const count = slice * PORT_SLICES;
    if (above >= count) return { first: LAST_PORT + 1 - count, last: LAST_PORT };
    if (below >= count) return { first: kernel.first - count, last: kernel.first - 1 };
  }
  throw new StackError(
    'EADDRNOTAVAIL',
    `the system gives out the ports ${kernel.first} to ${kernel.last}, which leaves none for a shared address: narrow them (sysctl net.ipv4.ip_local_port_range="32768 60999"), or use an address of the stack's own`,
  );
}

/** The part of the range for one instance. @param slot 0 … PORT_SLICES − 1 */
export function portSlice(range: PortRange, slot: number): PortRange {
  const count = (range.last - range.first + 1) / PORT_SLICES;
  const first = range.first + slot * count;
  return { first, last: first + count - 1 };
}

/** What the kernel gives out to programs that name no port. */
export function kernelPorts(readFile: (path: string) => string = (path) => fs.readFileSync(path, 'utf8')): PortRange {
  let text: string;
  try {
    text = readFile(KERNEL_PORTS_FILE);
  } catch {
    return DYNAMIC_PORTS;
  }
  const [first = NaN, last = NaN] = text.trim().split(/\s+/).map(Number);
  return first >= 1 && first <= last && last <= LAST_PORT ? { first, last } : DYNAMIC_PORTS;
}
