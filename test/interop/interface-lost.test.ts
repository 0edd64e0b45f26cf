/** Scripts whose interface goes down, or away, under their sockets: what they see, and that they go on once it is back. */
import assert from 'node:assert/strict';
import { eachOnLan } from './support/each-test';
import type { Programs } from './support/programs';
import { describeRun, runCli, type CliResult, type RunningCli } from './support/run-cli';
import type { ScriptFolder } from './support/script-folder';
import { type Lan, LAN, WAN } from './support/topology';

const PORT = 8_000;
const ECHO_PORT = 7_000;
const OURS = '10.77.0.100';

/** Sends to an echo server all the time, until the socket ends; then asks for localhost, and for the server until it is there. */
const SCRIPT = `
  const socket = Network.Connect('${WAN.server}', ${ECHO_PORT});
  while (socket.status === 'connecting') await Event.OnTick;
  socket.write(Buffer.alloc(1 << 20));
  while (socket.status === 'connected' && socket.bytesRead < 1 << 20) { socket.read(); await Event.OnTick; }
  print(socket.status);
  while (socket.status === 'connected') {
    socket.write('more');
    socket.read();
    await Event.OnTick;
  }
  print(socket.status, socket.error?.code, socket.error?.message);
  const down = await fetch('http://${WAN.server}:${PORT}/');
  print(down.status, down.error?.code);
  print('localhost', (await fetch('http://localhost:${PORT}/')).status);
  let response = down;
  while (response.status !== 200) {
    await Event.OnTick;
    response = await fetch('http://${WAN.server}:${PORT}/');
  }
  print(response.text());`;

for (const binding of ['cap', 'libpcap'] as const) {
  describe(`A script whose interface is lost, over ${binding}`, function () {
    this.timeout(120_000);
    let lan: Lan;
    let programs: Programs;
    let folder: ScriptFolder;

    eachOnLan(async (made) => {
      ({ lan, programs, folder } = made);
      await programs.peer(lan.server, 'http-server', String(PORT)).line();
      await programs.peer(lan.server, 'echo-server', String(ECHO_PORT)).line();
      await programs.peer(lan.host, 'http-server', String(PORT), '0.0.0.0').line();
    });

    /** @param lose called once the script's transfer is under way @param bringBack once it has noticed */
    async function run(address: readonly string[], lose: () => void, bringBack: () => void): Promise<CliResult> {
      const args = ['run', folder.write('script.ts', SCRIPT), '--link', 'pcap', '--interface', 'eth0', '--capture-binding', binding, ...address];
      const noticed = (cli: RunningCli): void => {
        const timer = setInterval(() => {
          if (!cli.stdout().includes('localhost')) return;
          clearInterval(timer);
          bringBack();
        }, 50);
        timer.unref();
      };
      const result = await runCli(args, {
        host: lan.host, env: folder.environment, limitMs: 100_000,
        when: {
          text: 'connected',
          run: (cli) => {
            noticed(cli);
            lose();
          },
        },
      });
      assert.deepEqual([result.code, result.leftRunning], [0, []], describeRun(result));
      return result;
    }

    const OWN = ['--address', `${OURS}/24`, '--gateway', LAN.router];

    it('sees its sockets end when it goes down, reaches this computer meanwhile, and the rest when it is up', async () => {
      const result = await run(OWN, () => lan.host.ip('link', 'set', 'eth0', 'down'), () => lan.host.ip('link', 'set', 'eth0', 'up'));
      assert.match(result.stdout.toString(), /^connected\nerror ENETDOWN .*the interface eth0 is down\n-1 ENETDOWN\nlocalhost 200\nfrom 10\.77\.0\.100\n$/, describeRun(result));
      assert.match(result.stderr, /the interface eth0 is down: sockets end in an error until it is back/);
    });

    it('sees its sockets end when it is deleted, and uses another of its name', async () => {
      const result = await run(OWN, () => lan.host.ip('link', 'delete', 'eth0'), () => void lan.plug(lan.host, LAN.host));
      assert.match(result.stdout.toString(), /^connected\nerror ENETDOWN .*the interface eth0 is gone\n-1 ENETDOWN\nlocalhost \S+\nfrom 10\.77\.0\.100\n$/, describeRun(result));
    });

    it('sees the same where it shares this computer\'s address', async () => {
      const fixed = await runCli(['doctor', '--fix', 'shared'], { host: lan.host, env: folder.environment });
      assert.equal(fixed.code, 0, describeRun(fixed));
      const result = await run(['--address', 'shared'], () => lan.host.ip('link', 'set', 'eth0', 'down'), () => {
        lan.host.ip('link', 'set', 'eth0', 'up');
        // The kernel has dropped the route with the link.
        lan.host.ip('route', 'replace', 'default', 'via', LAN.router);
      });
      assert.match(result.stdout.toString(), /^connected\nerror ENETDOWN .*the interface eth0 is down\n-1 ENETDOWN\nlocalhost 200\nfrom 10\.77\.0\.10\n$/, describeRun(result));
    });
  });
}
