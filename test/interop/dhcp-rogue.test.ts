/** A DHCP server on the link that misbehaves, beside one that does not, and alone. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { startDnsmasq } from './support/dhcp-servers';
import { bundle, bundleForHosts, prepare } from './support/guest';
import type { Program } from './support/program';
import { Programs } from './support/programs';
import { describeRun, runCli } from './support/run-cli';
import { ScriptFolder } from './support/script-folder';
import { Lan, LAN } from './support/topology';

const ROGUE = '10.77.0.66';
const BAIT = '10.77.0.67';

describe('A DHCP server that misbehaves', function () {
  this.timeout(120_000);
  let lan: Lan;
  let programs: Programs;
  let folder: ScriptFolder;

  before(async () => {
    await prepare();
    await bundleForHosts('dhcp-rogue');
  });
  beforeEach(() => {
    folder = new ScriptFolder();
    programs = new Programs();
    lan = new Lan({ offloads: false });
  });
  afterEach(async () => {
    await programs.end();
    lan.remove();
    folder.remove();
  });

  async function startRogue(how: string): Promise<Program> {
    const rogue = programs.start(lan.station('rogue', ROGUE), [process.execPath, bundle('dhcp-rogue'), how, BAIT]);
    await rogue.line();
    return rogue;
  }

  /** The good one answers a second later than the other. */
  const startGood = (): Promise<Program> =>
    startDnsmasq(programs, lan.router, folder.path, { interface: 'lan', dhcp: { interface: 'lan', first: '10.77.0.50', last: '10.77.0.59', router: LAN.router }, options: ['dhcp-reply-delay=1'] });

  for (const how of ['garbage', 'nak', 'storm', 'silent', 'none', 'other']) {
    it(`is not followed, and the other's lease is taken: ${how}`, async () => {
      await startGood();
      const rogue = await startRogue(how);
      const ours = await programs.guest(lan.host, { binding: 'auto', config: { dhcp: { initialTimeoutMs: 2_000 } } });
      const { address } = await ours.until('an address', (message) => typeof message.address === 'string');
      assert.match(address ?? '', /^10\.77\.0\.5\d$/);
      assert.match(rogue.said, /^1$/m);
      const { stack } = await ours.counters();
      const { leases, rxMalformed = 0, rxUnusable = 0, rxWrongTransaction = 0, rxUnexpected = 0, rxNaks = 0, txDiscovers = 0 } = stack['dhcp'] ?? {};
      assert.equal(leases, 1);
      const counted = JSON.stringify(stack['dhcp']);
      if (how === 'garbage') {
        // 20 each time; what came after the good offer is counted as well, by the request that was under way.
        const all = rxMalformed + rxUnusable + rxWrongTransaction + rxUnexpected;
        assert.ok(all >= 20 && rxMalformed >= 7 && rxUnusable >= 8 && rxWrongTransaction >= 2 && rxUnexpected >= 1, counted);
      }
      if (how === 'nak' || how === 'storm') assert.ok(rxNaks >= 1 && rxNaks <= 3, counted);
      if (how === 'none' || how === 'other') assert.ok(rxUnusable >= 1, counted);
      assert.ok(txDiscovers <= 6, counted);
    });
  }

  for (const [how, does] of [
    ['garbage', 'gives what cannot be a lease'],
    ['storm', 'offers an address and then refuses it'],
  ] as const) {
    it(`alone ends in a message within the documented 40 s that names it, and is not asked without a pause: ${how}`, async () => {
      const rogue = await startRogue(how);
      const script = folder.write('script.ts', "const socket = Network.Connect('10.77.0.1', 80);\nwhile (socket.status === 'connecting') await Event.OnTick;\nprint(socket.error?.code, socket.error?.message);\n");
      const env = { ...process.env, XDG_STATE_HOME: path.join(folder.path, 'state') };
      const result = await runCli(['run', script, '--link', 'pcap', '--interface', 'eth0'], { host: lan.host, env, limitMs: 90_000 });
      assert.equal(
        result.stdout.toString().replace(/^.*(?=The stack)/, ''),
        `The stack has had no address for 40 s: the answers of DHCP on eth0 cannot be used: ${ROGUE} ${does}; look at that server, or give the stack an address, --address A.B.C.D/LEN (setting riftnet.address), or take --link gateway\n`,
        describeRun(result),
      );
      assert.match(result.stdout.toString(), /^ENETDOWN /);
      assert.ok(result.seconds < 60, describeRun(result));
      const asked = rogue.said.split('\n').filter((line) => line === '1' || line === '3').length;
      assert.ok(asked >= 6 && asked <= 40, `asked ${asked} times`);
      assert.deepEqual(fs.existsSync(path.join(folder.path, 'state', 'riftnet')) ? fs.readdirSync(path.join(folder.path, 'state', 'riftnet')).filter((name) => name.endsWith('.lease.json')) : [], []);
    });
  }
});
