/** A host of our own on a LAN: beside the kernel of its computer, behind a router, with a server beyond. */
import assert from 'node:assert/strict';
import { prepare, type Guest } from './support/guest';
import { Programs } from './support/programs';
import { Lan, LAN, WAN, type LanOptions } from './support/topology';

const PORT = 7_000;
const OURS = '10.77.0.100';

for (const binding of ['cap', 'libpcap'] as const) {
  describe(`A host of our own on a LAN, over ${binding}`, function () {
    this.timeout(120_000);
    let lan: Lan;
    let programs: Programs;

    before(prepare);
    beforeEach(() => {
      programs = new Programs();
    });
    afterEach(async () => {
      await programs.end();
      lan.remove();
    });

    function make(options: LanOptions = {}): void {
      lan = new Lan(options);
    }

    function guest(): Promise<Guest> {
      return programs.guest(lan.host, { binding, address: OURS, gateway: LAN.router });
    }

    async function echo(from: Guest, address: string, bytes: number): Promise<void> {
      const { sent, received, intact, error } = await from.perform({ do: 'echo', address, port: PORT, bytes });
      assert.deepEqual({ sent, received, intact, error }, { sent: bytes, received: bytes, intact: true, error: undefined });
    }

    it('speaks with a server behind the router, while the computer\'s own kernel does too', async () => {
      make();
      const ours = await guest();
      await programs.peer(lan.server, 'echo-server', String(PORT)).line();
      const kernel = programs.peer(lan.host, 'echo-client', WAN.server, String(PORT), String(10 << 20));
      await echo(ours, WAN.server, 10 << 20);
      assert.equal(await kernel.line(), `${10 << 20} intact`);
    });
  });
}
