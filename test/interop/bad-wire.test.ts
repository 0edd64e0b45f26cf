/** A real link that loses, reorders, doubles, delays and damages frames: a user-space bridge between two interfaces. */
import assert from 'node:assert/strict';
import type { FaultCounters, FaultOptions } from '../../stack';
import { startDnsmasq } from './support/dhcp-servers';
import { eachOnLan } from './support/each-test';
import type { Guest } from './support/guest';
import type { Program } from './support/program';
import type { Programs } from './support/programs';
import type { ScriptFolder } from './support/script-folder';
import { type Lan, LAN, WAN } from './support/topology';

const PORT = 40_007;
const OURS = '10.77.0.100';
/** What is asked again so often that no run of bad luck ends it. */
const PATIENT = { dhcp: { initialTimeoutMs: 500 }, arp: { maxRequests: 50, retransmitMs: 200 }, dns: { tries: 40, timeoutMs: 300 } };
/** Some forty queues of data pass the bottleneck: whoever stalls where one overflows has a timeout for many. A busy machine makes a few by itself. */
const MOST_TIMEOUTS = 8;

for (const binding of ['cap', 'libpcap'] as const) {
  describe(`A bad wire, over ${binding}`, function () {
    this.timeout(120_000);
    let lan: Lan;
    let programs: Programs;
    let folder: ScriptFolder;
    let bridge: Program;
    const seed = Number(process.env['RIFTNET_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

    eachOnLan((made) => ({ lan, programs, folder } = made), { wire: true, offloads: false });
    afterEach(function () {
      if (this.currentTest?.state === 'failed') console.log(`      the wire's seed was ${seed}: RIFTNET_SEED=${seed} replays it`);
    });

    async function join(faults: Omit<FaultOptions, 'clock' | 'random'>): Promise<void> {
      assert.ok(lan.wire);
      bridge = programs.tool(lan.wire, 'bridge', 'left', 'right', String(seed), JSON.stringify(faults));
      await bridge.line();
    }

    /** What the wire did to frames, both ways together. */
    async function faults(): Promise<FaultCounters> {
      await bridge.stop();
      const both = JSON.parse((await bridge.ended()).split('\n')[1] ?? '[]') as FaultCounters[];
      const sum = (key: keyof FaultCounters): number => both.reduce((total, one) => total + one[key], 0);
      return { lost: sum('lost'), duplicated: sum('duplicated'), corrupted: sum('corrupted'), reordered: sum('reordered'), overflowed: sum('overflowed') };
    }

    const guest = (): Promise<Guest> => programs.guest(lan.host, { binding, address: OURS, gateway: LAN.router });

    async function bothWays(ours: Guest, bytes: number): Promise<void> {
      await programs.peer(lan.server, 'echo-server', String(PORT)).line();
      const { received, intact, error } = await ours.perform({ do: 'echo', address: WAN.server, port: PORT, bytes });
      assert.deepEqual({ received, intact, error }, { received: bytes, intact: true, error: undefined });
      await ours.perform({ do: 'serve', port: PORT });
      assert.equal(await programs.peer(lan.server, 'echo-client', OURS, String(PORT), String(bytes)).line(), `${bytes} intact`);
    }

    it('carries every byte, opened by either side, while it loses, doubles and reorders frames', async () => {
      await join({ loss: 0.01, duplicate: 0.01, reorder: 0.02, reorderMs: 3, delayMs: 1, jitterMs: 0.5 });
      await bothWays(await guest(), 2 << 20);
      const { lost, duplicated, reordered } = await faults();
      assert.ok(lost > 20 && duplicated > 20 && reordered > 40, JSON.stringify({ lost, duplicated, reordered }));
    });

    it('carries every byte while it flips bits that only the checksums see', async () => {
      await join({ corrupt: 0.01, delayMs: 1 });
      const ours = await guest();
      await bothWays(ours, 2 << 20);
      const { stack } = await ours.counters();
      const { corrupted } = await faults();
      const seen = (stack['tcp']?.['rxBadChecksum'] ?? 0) + (stack['ipv4']?.['rxBadChecksum'] ?? 0);
      assert.ok(corrupted > 20 && seen > 10, `${corrupted} damaged, ${seen} seen by our checksums`);
    });

    it('gets an address and a name though every fifth frame is lost', async () => {
      await startDnsmasq(programs, lan.router, folder.path, {
        interface: 'lan', options: [`address=/web.test/${WAN.server}`],
        dhcp: { interface: 'lan', first: '10.77.0.50', last: '10.77.0.59', router: LAN.router },
      });
      await join({ loss: 0.2 });
      const ours = await programs.guest(lan.host, { binding, config: PATIENT });
      await ours.until('an address', ({ address }) => typeof address === 'string');
      const result = await ours.perform({ do: 'resolve', name: 'web.test' });
      assert.deepEqual(result['addresses'], [WAN.server], JSON.stringify(result));
    });

    it('is a bottleneck that TCP fills: without stalls', async () => {
      await join({ rate: { bitsPerSecond: 50e6, queueBytes: 128 << 10 }, delayMs: 5 });
      const ours = await guest();
      await programs.peer(lan.server, 'echo-server', String(PORT)).line();
      const bytes = 8 << 20;
      const { intact } = await ours.perform({ do: 'echo', address: WAN.server, port: PORT, bytes });
      assert.equal(intact, true);
      const { stack } = await ours.counters();
      const { overflowed } = await faults();
      const timeouts = stack['tcp']?.['timeouts'] ?? Infinity;
      assert.ok(timeouts <= MOST_TIMEOUTS, `${timeouts} retransmission timeouts, ${overflowed} frames that the queue had no room for`);
    });
  });
}
