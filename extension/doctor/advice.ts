/** What lets a program capture on each system, and what to do where it may not. */
import { NO_FOLDER } from '../node/places';
import { shellWords } from './shell-words';

export interface Advice {
  readonly next: readonly string[];
  readonly commands: readonly string[];
}

export interface PermissionSituation {
  readonly platform: NodeJS.Platform;
  /** Path of the copy of Node that is granted the right, or null: the account has no folder for it; and whether it has been made. */
  readonly copy: string | null;
  readonly copyExists: boolean;
  /** Why granting would have no effect; null: it would. */
  readonly grantObstacle: string | null;
  /** The command that makes the copy. */
  readonly fixCommand: string;
}

/** The one command that lets the copy, and nothing else, capture. */
export function grantCommand(copy: string): string[] {
  return ['setcap', 'cap_net_raw+ep', copy];
}

export function permissionAdvice({ platform, copy, copyExists, grantObstacle, fixCommand }: PermissionSituation): Advice {
  switch (platform) {
    case 'linux': {
      if (grantObstacle !== null) return { next: [`Nothing can be granted here: ${grantObstacle}.`], commands: [] };
      if (copy === null) return { next: [`There is no folder for a copy of Node that may capture: ${NO_FOLDER}.`], commands: [] };
      const grant = shellWords(['sudo', ...grantCommand(copy)]);
      return {
        next: [
          copyExists ? `Grant the right to the copy of Node, ${copy}, and to nothing else; this takes root once.` : `Make a copy of Node for the worker, ${copy}; then grant the right to it, and to nothing else, which takes root once.`,
          'Whoever can start the copy can capture: it is yours alone (mode 0700). "--fix --undo" removes it.',
        ],
        commands: copyExists ? [grant] : [fixCommand, grant],
      };
    }
    case 'darwin':
      return {
        next: [
          'macOS captures through the devices /dev/bpf*, which only root may open. ChmodBPF, which Wireshark\'s installer for macOS brings ("Install ChmodBPF"), opens them to the group access_bpf at each start.',
          'Join that group, log out and in again, and run this check once more.',
        ],
        commands: ['sudo dseditgroup -o edit -a "$(id -un)" -t user access_bpf'],
      };
    case 'win32':
      return {
        next: [
          'Windows captures through Npcap (https://npcap.com). Install it without "Restrict Npcap driver\'s access to Administrators only".',
          'The link over Npcap is not tested yet: the embedded gateway is what Riftnet uses on Windows.',
        ],
        commands: [],
      };
    default:
      return { next: [`Riftnet does not know how ${platform} lets programs capture: the embedded gateway is used.`], commands: [] };
  }
}

/** libpcap is not there. */
export function libraryAdvice(platform: NodeJS.Platform): Advice {
  switch (platform) {
    case 'linux':
      return {
        next: ['Install libpcap by the system\'s packages: on Debian and Ubuntu libpcap0.8, on Fedora and Alpine libpcap, on Arch libpcap.'],
        commands: ['sudo apt-get install libpcap0.8'],
      };
    case 'darwin':
      return { next: ['macOS brings libpcap with it: what stands above tells why it cannot be loaded.'], commands: [] };
    default:
      return permissionAdvice({ platform, copy: null, copyExists: false, grantObstacle: null, fixCommand: '' });
  }
}
