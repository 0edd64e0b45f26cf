/** What the tests of a suite have each: a network of its own with a folder, made before the test and removed after it. */
import { prepare } from './guest';
import { PcapHosts } from './pcap-hosts';
import { Programs } from './programs';
import { ScriptFolder } from './script-folder';
import { Lan, type LanOptions } from './topology';

export interface OnLan {
  readonly lan: Lan;
  /** All that a test starts is to be started here: it ends with the test. */
  readonly programs: Programs;
  readonly folder: ScriptFolder;
}

export interface OnCable {
  readonly hosts: PcapHosts;
  readonly folder: ScriptFolder;
}

/** @param use is given what was made, and may go on from there */
export function eachOnLan(use: (made: OnLan) => unknown, options?: LanOptions): void {
  each(() => ({ lan: new Lan(options), programs: new Programs(), folder: new ScriptFolder() }), use, async ({ lan, programs, folder }) => {
    await programs.end();
    lan.remove();
    folder.remove();
  });
}

/** As {@link eachOnLan}, with the kernel's host on the other end of a cable. */
export function eachOnCable(use: (made: OnCable) => unknown): void {
  each(() => ({ hosts: new PcapHosts(), folder: new ScriptFolder() }), use, async ({ hosts, folder }) => {
    await hosts.remove();
    folder.remove();
  });
}

function each<Made>(make: () => Made, use: (made: Made) => unknown, remove: (made: Made) => Promise<void>): void {
  let made: Made | undefined;
  before(prepare);
  beforeEach(async () => {
    made = make();
    await use(made);
  });
  afterEach(async () => {
    if (made !== undefined) await remove(made);
    made = undefined;
  });
}
