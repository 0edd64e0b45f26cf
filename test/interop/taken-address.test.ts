/** The stack's address, taken by this computer's own kernel while the stack has it: noticed, told, and not fought over. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { startDnsmasq } from './support/dhcp-servers';
import { prepare } from './support/guest';
import { Programs } from './support/programs';
import { describeRun, runCli, type CliResult } from './support/run-cli';
import { ScriptFolder } from './support/script-folder';
import { Lan, LAN, WAN } from './support/topology';

const OURS = '10.77.0.50';
const PORT = 7_000;
/** Connects again and again; says so when it is connected, and how that ended, and ends when it is connected for the second time. */
const SCRIPT = `
for (let times = 0; times < 2; ) {
  const socket = Network.Connect('${WAN.server}', ${PORT});
  while (socket.status === 'connecting') await Event.OnTick;
  if (socket.status === 'error') {
    if (socket.error.message.includes('itself now')) print('not meanwhile', socket.error.code);
    for (let i = 0; i < 5; i++) await Event.OnTick;
    continue;
  }
  print('connected', ++times);
  while (times < 2 && socket.status === 'connected') await Event.OnTick;
  if (times < 2) print('lost', socket.error?.code, socket.error?.message);
}
`;

describe('An address of the stack that this computer takes for itself', function () {
  this.timeout(150_000);
  let lan: Lan;
  let programs: Programs;
  let folder: ScriptFolder;

  before(prepare);
  beforeEach(async () => {
    folder = new ScriptFolder();
    programs = new Programs();
    lan = new Lan({ offloads: false });
    lan.host.ip('link', 'add', 'spare0', 'type', 'veth', 'peer', 'name', 'spare1');
    for (const name of ['spare0', 'spare1']) lan.host.ip('link', 'set', name, 'up');
    lan.host.awaitUp('spare0');
    await programs.peer(lan.server, 'echo-server', String(PORT)).line();
  });
  afterEach(async () => {
    await programs.end();
    lan.remove();
    folder.remove();
  });

  for (const [how, on] of [['given', 'spare0'], ['given', 'eth0'], ['leased', 'spare0'], ['leased', 'eth0']] as const) {
    it(`is given up, ${how} and now on ${on}, with what was open told why; and used again once it is free`, async () => {
      if (how === 'leased') {
        await startDnsmasq(programs, lan.router, folder.path, { interface: 'lan', dhcp: { interface: 'lan', first: OURS, last: OURS, router: LAN.router } });
      }
      const own = how === 'given' ? ['--address', `${OURS}/24`, '--gateway', LAN.router] : [];
      const env = { ...process.env, XDG_STATE_HOME: path.join(folder.path, 'state') };
      const wire = await programs.capture(lan.router, 'port0', path.join(folder.path, 'wire.pcapng'));
      let freed = false;
      const result: CliResult = await runCli(['run', folder.write('script.ts', SCRIPT), '--link', 'pcap', '--interface', 'eth0', ...own, '--timeout', '110'], {
        host: lan.host, env, limitMs: 120_000,
        when: {
          text: 'connected 1',
          run: ({ stdout }) => {
            lan.host.ip('address', 'add', `${OURS}/32`, 'dev', on);
            // The kernel's own traffic from it, which the capture sees on its own interface.
            const timer = setInterval(() => {
              if (!stdout().includes('not meanwhile')) return;
              clearInterval(timer);
              lan.host.ip('address', 'del', `${OURS}/32`, 'dev', on);
              freed = true;
            }, 100);
          },
        },
      });
      assert.ok(freed, describeRun(result));
      assert.deepEqual([result.code, result.leftRunning], [0, []], describeRun(result));
      const lines = result.stdout.toString().trim().split('\n');
      assert.equal(lines[0], 'connected 1', describeRun(result));
      assert.match(lines[1] ?? '', new RegExp(`^lost ENETDOWN .*this computer has the address ${OURS} itself now, on ${on}, and the stack uses it no longer: take it from ${on} \\(ip address del ${OURS} dev ${on}\\), or give the stack another`), describeRun(result));
      assert.equal(lines[2], 'not meanwhile ENETDOWN', describeRun(result));
      assert.equal(lines.at(-1), 'connected 2', describeRun(result));
      assert.match(result.stderr, new RegExp(`this computer has the address ${OURS} itself now, on ${on}`));
      await wire.stop();
      // Nothing was declined, given back, or claimed a second time in a quarrel: two announcements each time it was got.
      assert.deepEqual(await wire.frames('dhcp.option.dhcp == 4 || dhcp.option.dhcp == 7'), []);
      const announced = await wire.frames(`arp.opcode == 1 && arp.src.proto_ipv4 == ${OURS} && arp.dst.proto_ipv4 == ${OURS}`);
      assert.ok(announced.length <= 4, announced.join('\n'));
    });
  }
});
