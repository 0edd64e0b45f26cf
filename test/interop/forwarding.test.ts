/** The stack with an address of its own but this computer's MAC address, as on Wi-Fi, where this computer forwards packets. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { eachOnLan } from './support/each-test';
import type { Guest } from './support/guest';
import type { Programs } from './support/programs';
import { describeRun, runCli } from './support/run-cli';
import type { ScriptFolder } from './support/script-folder';
import { type Lan, LAN, WAN } from './support/topology';
import type { WireCapture } from './support/wire-capture';

const PORT = 7_000;
const OURS = '10.77.0.100';

describe('The computer\'s MAC address where the computer forwards packets', function () {
  this.timeout(120_000);
  let lan: Lan;
  let programs: Programs;
  let folder: ScriptFolder;
  let wire: WireCapture;

  eachOnLan(async (made) => {
    ({ lan, programs, folder } = made);
    wire = await programs.capture(lan.router, 'port0', path.join(folder.path, 'wire.pcapng'));
    await programs.peer(lan.server, 'echo-server', String(PORT)).line();
  }, { offloads: false, hostForwards: true });

  const doctor = (...fix: string[]): ReturnType<typeof runCli> =>
    runCli(['doctor', '--interface', 'eth0', '--fix', 'forwarding', '--address', OURS, ...fix], { host: lan.host, env: folder.environment });

  async function echo(from: Guest): Promise<void> {
    const { received, intact, error } = await from.perform({ do: 'echo', address: WAN.server, port: PORT, bytes: 1 << 20 });
    assert.deepEqual({ received, intact, error }, { received: 1 << 20, intact: true, error: undefined });
  }

  const guest = (): Promise<Guest> => programs.guest(lan.host, { binding: 'auto', mac: 'interface', address: OURS, gateway: LAN.router });
  /** The kernel looks for the stack's address to forward packets to it, and says, seconds later, that it is not there. */
  const KERNELS = `(arp.opcode == 1 && arp.src.proto_ipv4 == ${LAN.host} && arp.dst.proto_ipv4 == ${OURS}) || icmp.type == 5 || icmp.type == 3 || (ip.dst == ${OURS} && ip.ttl < 63)`;

  it('has the kernel concern itself with the stack\'s packets', async () => {
    await echo(await guest());
    await wire.stop();
    assert.notDeepEqual(await wire.frames(KERNELS), []);
  });

  it('is silent about them once the doctor has put in the drop, and forwards all else as before', async () => {
    const fixed = await doctor();
    assert.equal(fixed.code, 0, describeRun(fixed));
    const ours = await guest();
    await echo(ours);
    // The kernel's own connections go on.
    assert.equal(await programs.peer(lan.host, 'echo-client', WAN.server, String(PORT), '100000').line(), '100000 intact');
    await wire.stop();
    assert.deepEqual(await wire.frames(KERNELS), []);
    // A server that repeats its FIN on a busy machine resets where all is well: see shared-address.test.ts.
    assert.deepEqual(await wire.frames(`eth.src == ${lan.host.mac()} && tcp.flags.reset == 1`), []);
    const undone = await doctor('--undo');
    assert.equal(undone.code, 0, describeRun(undone));
    assert.doesNotMatch(lan.host.run('nft', 'list', 'tables'), /riftnet_own/);
  });
});
