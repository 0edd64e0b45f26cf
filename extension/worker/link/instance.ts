/** What tells one live instance from another on the network: its MAC address and its DHCP client identifier. */
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { DhcpLeaseStore, NetworkInterface } from '../../../stack';
import { folderFor, owner } from '../../node/places';
import { LeaseFile } from './lease-file';
import { acquireSlot } from './slot-lock';

/** Where Linux keeps what names the installation (machine-id(5)). */
const MACHINE_ID_FILES = ['/etc/machine-id', '/var/lib/dbus/machine-id'];

export interface Instance {
  /** Locally administered, and the same for each run that is the n-th at its time. */
  readonly mac: Uint8Array;
  /** RFC 4361 §6.1: type 255, an IAID, and a DUID. */
  readonly clientId: Uint8Array;
  /** null: there is no folder to keep it in. */
  readonly leaseStore: DhcpLeaseStore | null;
  /** Another instance may take the name. Idempotent. */
  release(): void;
}

/** Where locks and leases are kept: of the account this runs as, so that sudo leaves nothing of root's in another's. */
export function stateFolder(): string | null {
  return folderFor('state', owner(process.env['SUDO_UID'] === undefined ? process.env : {}));
}

function machineId(): string {
  for (const file of MACHINE_ID_FILES) {
    try {
      return fs.readFileSync(file, 'utf8').trim();
    } catch {
      // The next may be there; else the interface's MAC address alone must do.
    }
  }
  return '';
}

/** What names the machine, the account and the interface. A clone of a machine has its id, a container perhaps none at all. */
export function identityOf({ name, mac }: Pick<NetworkInterface, 'name' | 'mac'>): Buffer {
  const account = process.getuid?.() ?? process.env['USERNAME'] ?? '';
  const own = [machineId(), account, name, mac === null ? '' : Buffer.from(mac).toString('hex')].join('|');
  return createHash('sha256').update(`riftnet|${own}`).digest();
}

/**
 * Takes the first name that no other live instance of this account has on the interface. Where the folder cannot be
 * used, the name is a random one: nobody else has it either, but each run is a new host to the network.
 */
export function takeInstance(on: Pick<NetworkInterface, 'name' | 'mac'>, folder = stateFolder()): Instance {
  const identity = identityOf(on);
  const key = identity.toString('hex', 0, 6);
  const slot = folder === null ? null : acquireSlot(folder, key);
  const iaid = Buffer.alloc(4);
  if (slot === null) randomBytes(4).copy(iaid);
  else iaid.writeUInt32BE(slot.number);

  const address = createHash('sha256').update(identity).update(iaid).digest().subarray(0, 6);
  // IEEE 802 §8.2: the second lowest bit says "not of a manufacturer", the lowest "not of a group".
  address[0] = ((address[0] ?? 0) & 0xfc) | 0x02;
  return {
    mac: Uint8Array.from(address),
    // RFC 6355: a DUID of type 4 is a UUID; this one is a hash, since a machine's id is not to be told (machine-id(5)).
    clientId: Uint8Array.from([255, ...iaid, 0, 4, ...identity.subarray(0, 16)]),
    leaseStore: slot === null || folder === null ? null : new LeaseFile(path.join(folder, `${key}-${slot.number}.lease.json`)),
    release: () => slot?.release(),
  };
}
