/** `riftnet run --address shared`: the computer's own address, with the kernel kept off the stack's ports by `riftnet doctor`. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { portSlice, PORT_SLICES, sharedPorts } from '../../stack';
import { eachOnLan } from './support/each-test';
import type { Programs } from './support/programs';
import { describeRun, runCli, type CliResult, type CliOptions } from './support/run-cli';
import type { ScriptFolder } from './support/script-folder';
import { type Lan, LAN, WAN } from './support/topology';
import { startDnsmasq } from './support/dhcp-servers';

const PORT = 8_000;
const OTHER_ADDRESS = '10.77.0.11';
const SHARED = ['--link', 'pcap', '--interface', 'eth0', '--address', 'shared'];

describe('--address shared at the terminal', function () {
  this.timeout(120_000);
  let lan: Lan;
  let programs: Programs;
  let folder: ScriptFolder;

  eachOnLan(async (made) => {
    ({ lan, programs, folder } = made);
    await programs.peer(lan.server, 'http-server', String(PORT)).line();
  }, { offloads: false });

  async function riftnet(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
    const result = await runCli(args, { host: lan.host, env: folder.environment, limitMs: 100_000, ...options });
    assert.deepEqual(result.leftRunning, [], describeRun(result));
    return result;
  }

  const run = (text: string, args: readonly string[] = [], options: CliOptions = {}): Promise<CliResult> =>
    riftnet(['run', folder.write(`script-${Math.random()}.ts`, text), ...SHARED, ...args], options);

  async function keepKernelOff(): Promise<void> {
    const result = await riftnet(['doctor', '--fix', 'shared']);
    assert.equal(result.code, 0, describeRun(result));
  }

  const FETCH = `const response = await fetch('http://${WAN.server}:${PORT}/');
    print(response.status, response.text(), response.error?.message ?? '');`;

  it('works with the system\'s router, for two instances at once, once the doctor has kept the kernel off', async () => {
    await keepKernelOff();
    await programs.peer(lan.host, 'http-server', String(PORT), '0.0.0.0').line();
    await startDnsmasq(programs, lan.router, folder.path, { interface: 'lan', options: [`host-record=web.test,${WAN.server}`] });
    const wire = await programs.capture(lan.router, 'port0', path.join(folder.path, 'wire.pcapng'));
    const script = `
      const socket = Network.Connect('web.test', ${PORT});
      while (socket.status === 'connecting') await Event.OnTick;
      print(socket.status, socket.localPort, socket.error?.message ?? '');
      ${FETCH}
      print((await fetch('http://localhost:${PORT}/')).text());
      await new Promise((resolve) => Engine.Delay(resolve, 2_000));`;
    const runs = await Promise.all([run(script, ['--dns', LAN.router]), run(script, ['--dns', LAN.router])]);
    const range = sharedPorts();
    const slots = runs.map((result) => {
      const [, port] = /^connected (\d+) \n200 from 10\.77\.0\.10 \nfrom 10\.77\.0\.10\n$/.exec(result.stdout.toString()) ?? assert.fail(describeRun(result));
      // Nothing to warn of.
      assert.equal(result.stderr, '', describeRun(result));
      return Array.from({ length: PORT_SLICES }, (_, slot) => portSlice(range, slot)).findIndex(({ first, last }) => Number(port) >= first && Number(port) <= last);
    });
    assert.ok(slots.every((slot) => slot >= 0) && slots[0] !== slots[1], `slots ${slots.join(', ')}`);
    await wire.stop();
    const fromHost = `eth.src == ${lan.host.run('cat', '/sys/class/net/eth0/address').trim()}`;
    assert.deepEqual(await wire.frames(`(${fromHost} && tcp.flags.reset == 1) || icmp.type == 3`), []);
  });

  it('says what to run where the kernel answers on the stack\'s ports', async () => {
    const result = await run(FETCH);
    assert.match(result.stdout.toString(), /^-1 /, describeRun(result));
    assert.match(result.stderr, /kernel answers on the stack's ports.*run riftnet doctor --fix shared/, describeRun(result));
  });

  it('leaves the kernel its ports again when the doctor undoes it', async () => {
    await keepKernelOff();
    assert.match(lan.host.run('nft', 'list', 'tables'), /riftnet_shared/);
    const undone = await riftnet(['doctor', '--fix', 'shared', '--undo']);
    assert.equal(undone.code, 0, describeRun(undone));
    assert.doesNotMatch(lan.host.run('nft', 'list', 'tables'), /riftnet_shared/);
  });

  it('follows the computer to another address; what was open ends with an error', async () => {
    await keepKernelOff();
    const result = await run(`
      const socket = Network.Connect('${WAN.server}', ${PORT});
      while (socket.status === 'connecting') await Event.OnTick;
      print(socket.status);
      while (socket.status === 'connected') await Event.OnTick;
      print(socket.status, socket.error?.code, socket.error?.message);
      while ((await fetch('http://${WAN.server}:${PORT}/')).status !== 200) await Event.OnTick;
      ${FETCH}`, [], {
      when: {
        text: 'connected',
        run: () => {
          lan.host.ip('address', 'delete', `${LAN.host}/24`, 'dev', 'eth0');
          lan.host.ip('address', 'add', `${OTHER_ADDRESS}/24`, 'dev', 'eth0');
          lan.host.ip('route', 'add', 'default', 'via', LAN.router);
        },
      },
    });
    assert.match(result.stdout.toString(), /^connected\nerror ENETDOWN .*eth0 has .*\n200 from 10\.77\.0\.11 \n$/, describeRun(result));
  });

  it('cannot go to localhost by the router, and says so', async () => {
    const result = await run("print('never');", ['--localhost', 'router']);
    assert.deepEqual([result.code, result.stdout.toString()], [2, ''], describeRun(result));
    assert.match(result.stderr, /cannot be reached by the router from a shared address.*--localhost relay/);
  });

  it('gives way to the gateway, with a line that says why, where the kernel leaves no ports', async () => {
    lan.host.run('sysctl', '-qw', 'net.ipv4.ip_local_port_range=1024 65535');
    const result = await riftnet(['run', folder.write('auto.ts', FETCH), '--address', 'shared', '--interface', 'eth0', '--link', 'auto']);
    assert.deepEqual([result.code, result.stdout.toString()], [0, `200 from ${LAN.host} \n`], describeRun(result));
    assert.match(result.stderr, /^riftnet: [^\n]*--address shared cannot be met, and the embedded gateway is taken: the system gives out the ports 1024 to 65535[^\n]*\n$/i, describeRun(result));
  });

  it('needs an address to share', async () => {
    lan.host.ip('address', 'flush', 'dev', 'eth0');
    const result = await run("print('never');");
    assert.deepEqual([result.code, result.stdout.toString()], [2, ''], describeRun(result));
    assert.match(result.stderr, /eth0 has no IPv4 address that the stack could share: give it one/);
  });
});
