/** A cable with the kernel on one end and the stack, in a process of its own, on the other. */
import fs from 'node:fs';
import path from 'node:path';
import type { Guest } from './guest';
import { Cable, type Host } from './namespaces';
import type { GuestOptions } from './pcap-guest';
import { Programs } from './programs';

export const OUR_ADDRESS = '10.77.0.2';

export class PcapHosts {
  readonly cable = Cable.create();
  readonly programs = new Programs();

  get ours(): Host {
    return this.cable.ours;
  }

  get theirs(): Host {
    return this.cable.theirs;
  }

  guest(options: Partial<GuestOptions> & Pick<GuestOptions, 'binding'>, node?: string): Promise<Guest> {
    return this.programs.guest(this.ours, { address: OUR_ADDRESS, ...options }, node);
  }

  guestByDhcp(binding: GuestOptions['binding']): Promise<Guest> {
    return this.programs.guest(this.ours, { binding });
  }

  /** A role of `kernel-peer` on the kernel's host. @returns its first line */
  peer(...words: string[]): Promise<string> {
    return this.programs.peer(this.theirs, ...words).line();
  }

  /** BusyBox's udhcpd on the kernel's host, leasing one address; what it keeps is in `folder`. */
  startDhcpServer(folder: string): void {
    const config = path.join(folder, 'udhcpd.conf');
    const lines = [
      'start 10.77.0.50', 'end 10.77.0.50', 'interface eth0', `lease_file ${folder}/leases`, `pidfile ${folder}/pid`,
      'opt subnet 255.255.255.0', `opt router ${this.cable.theirAddress}`, `opt dns ${this.cable.theirAddress}`, 'opt lease 120',
    ];
    fs.writeFileSync(config, `${lines.join('\n')}\n`);
    fs.writeFileSync(path.join(folder, 'leases'), '');
    this.programs.start(this.theirs, ['udhcpd', '-f', '-a', '50', config]);
  }

  /** Ends every process, then removes the namespaces. */
  async remove(): Promise<void> {
    await this.programs.end();
    this.cable.remove();
  }
}
