/** What this process may do by itself: whether it may capture, and what a program it starts would inherit. */
import fs from 'node:fs';

/** Linux: bit of CAP_NET_RAW in a capability set. */
const CAP_NET_RAW = 13n;
/** macOS: the devices that captures are read from; ChmodBPF opens all of them to one group. */
const BPF_DEVICE = '/dev/bpf0';

/** The capability sets of a process (capabilities(7)), as far as they decide what it, and what it starts, may do. */
export interface ProcessStatus {
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly ambient: bigint;
  /** What a program started from here can get at most. */
  readonly bounding: bigint;
  /** Programs started from here gain nothing from their files. */
  readonly noNewPrivileges: boolean;
}

/** The lines of `/proc/PID/status`. @returns null if they are not all there */
export function parseStatus(text: string): ProcessStatus | null {
  const set = (name: string): bigint | null => {
    const digits = new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(text)?.[1];
    return digits === undefined ? null : BigInt(`0x${digits}`);
  };
  const [effective, permitted, ambient, bounding] = [set('CapEff'), set('CapPrm'), set('CapAmb'), set('CapBnd')];
  if (effective === null || permitted === null || ambient === null || bounding === null) return null;
  return { effective, permitted, ambient, bounding, noNewPrivileges: /^NoNewPrivs:\s*1$/m.test(text) };
}

/** @returns null where there is no such thing: not Linux, or no /proc */
export function ownStatus(): ProcessStatus | null {
  if (process.platform !== 'linux') return null;
  try {
    return parseStatus(fs.readFileSync('/proc/self/status', 'utf8'));
  } catch {
    return null;
  }
}

/** @returns why this process may not capture, or null: nothing is known to stand against it */
export function captureObstacle(platform: NodeJS.Platform = process.platform, status: ProcessStatus | null = ownStatus()): string | null {
  if (platform === 'linux') {
    // Without /proc only the attempt tells.
    if (status === null || ((status.effective >> CAP_NET_RAW) & 1n) === 1n) return null;
    return 'it has not the capability CAP_NET_RAW';
  }
  if (platform === 'darwin') {
    try {
      fs.accessSync(BPF_DEVICE, fs.constants.R_OK | fs.constants.W_OK);
      return null;
    } catch (error) {
      return `${BPF_DEVICE} cannot be opened (${error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'})`;
    }
  }
  // Windows: Npcap lets every user capture, unless it was installed otherwise.
  return null;
}

/** @returns why a file's capabilities would not reach a program started from here, or null */
export function grantObstacle(status: ProcessStatus | null = ownStatus()): string | null {
  if (status === null) return null;
  if (status.noNewPrivileges) return 'this process was started with no_new_privs, so that nothing it starts gains a capability (a sandbox or a container does that)';
  if (((status.bounding >> CAP_NET_RAW) & 1n) === 0n) return 'the capability CAP_NET_RAW is out of bounds here (a container does that): start the container with --cap-add=NET_RAW';
  return null;
}
