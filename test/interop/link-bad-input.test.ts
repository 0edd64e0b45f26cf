/** What `riftnet run --link pcap` says where something is missing, silent or wrong: the thing, and the next step. */
import assert from 'node:assert/strict';
import { eachOnCable } from './support/each-test';
import { OUR_ADDRESS, type PcapHosts } from './support/pcap-hosts';
import { describeRun, runCli, type CliOptions, type CliResult } from './support/run-cli';
import type { ScriptFolder } from './support/script-folder';

/** Linux's word for no permission at all to capture, also for root. */
const WITHOUT_RIGHT = ['setpriv', '--bounding-set=-net_raw', '--inh-caps=-net_raw', '--'];
/** A computer on which no libpcap can be loaded: in a mount namespace, so that nobody else sees it. */
const WITHOUT_LIBPCAP = ['unshare', '--mount', 'sh', '-c', 'for f in /usr/lib/*/libpcap.so*; do mount --bind /dev/null "$(readlink -f "$f")"; done; exec "$@"', 'sh'];

describe('The link pcap where something is wrong', function () {
  this.timeout(120_000);
  let hosts: PcapHosts;
  let folder: ScriptFolder;

  eachOnCable((made) => ({ hosts, folder } = made));

  async function run(text: string, args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
    const result = await runCli(['run', folder.write('script.ts', text), ...args], { host: hosts.ours, env: folder.environment, limitMs: 100_000, ...options });
    assert.deepEqual(result.leftRunning, [], describeRun(result));
    return result;
  }

  for (const [what, prefix, words] of [
    ['the permission to capture', WITHOUT_RIGHT, /this process may not capture on eth0 \(.*\): it needs the capability CAP_NET_RAW, or root; riftnet doctor looks into it/],
    ['libpcap', WITHOUT_LIBPCAP, /cap cannot be loaded .*install libpcap-dev .*; libpcap cannot be loaded \(.*\): install it, on Debian the package libpcap0\.8; riftnet doctor/],
  ] as const) {
    it(`without ${what} names the next step, and auto takes the gateway`, async () => {
      const result = await run("print('never');", ['--link', 'pcap'], { prefix });
      assert.deepEqual([result.code, result.stdout.toString()], [2, ''], describeRun(result));
      assert.match(result.stderr, words);

      hosts.ours.ip('address', 'add', '10.77.0.3/24', 'dev', 'eth0');
      await hosts.peer('http-server', '7000');
      const auto = await run("print((await fetch('http://10.77.0.1:7000/')).text());", ['--link', 'auto'], { prefix });
      assert.deepEqual([auto.code, auto.stdout.toString()], [0, 'from 10.77.0.3\n'], describeRun(auto));
    });
  }

  it('tells a router, a neighbour and a name server that are silent apart, and a name that nobody has', async () => {
    const text = `
      for (const host of ['10.9.9.9', '10.77.0.44', 'name.example', 'printer.local']) {
        const socket = Network.Connect(host, 80);
        while (socket.status === 'connecting') await Event.OnTick;
        print(socket.error.code, socket.error.message);
      }`;
    const result = await run(text, ['--link', 'pcap', '--address', `${OUR_ADDRESS}/24`, '--gateway', '10.77.0.254', '--dns', '10.77.0.253']);
    const lines = result.stdout.toString().trim().split('\n');
    const expected = [
      /^EHOSTUNREACH 10\.9\.9\.9:80 cannot be reached: the router 10\.77\.0\.254 does not answer/,
      /^EHOSTUNREACH 10\.77\.0\.44:80 cannot be reached: nothing on the local network answers for it/,
      /^EAI_AGAIN .*"name\.example" could not be resolved: asked 10\.77\.0\.253 .*check the network, or name other servers, --dns A\.B\.C\.D \(setting riftnet\.dns\)/,
      /^ENOTFOUND .*"printer\.local" does not exist: no device on the link answers to the name/,
    ];
    assert.equal(lines.length, expected.length, describeRun(result));
    expected.forEach((words, i) => assert.match(lines[i] ?? '', words));
    assert.ok(result.seconds < 40, describeRun(result));
  });

  it('without a router or a name server says how to name one', async () => {
    const text = `
      for (const host of ['10.9.9.9', 'name.example']) {
        const socket = Network.Connect(host, 80);
        while (socket.status === 'connecting') await Event.OnTick;
        print(socket.error.code, socket.error.message);
      }`;
    const result = await run(text, ['--link', 'pcap', '--address', `${OUR_ADDRESS}/24`]);
    assert.match(result.stdout.toString(), /^ENETUNREACH 10\.9\.9\.9:80 cannot be reached: it is not in the stack's own network \(10\.77\.0\.2\/24\), and there is no router: give one, --gateway A\.B\.C\.D \(setting riftnet\.gateway\)\nEAI_AGAIN .*the link has no name server: name one, --dns A\.B\.C\.D \(setting riftnet\.dns\)\n$/, describeRun(result));
  });

  it('ends a transfer when its interface is removed, and works again on one of the same name', async () => {
    await hosts.peer('echo-server', '7000');
    const text = `
      const open = async () => {
        const socket = Network.Connect('10.77.0.1', 7000);
        while (socket.status === 'connecting') await Event.OnTick;
        return socket;
      };
      const socket = await open();
      const block = Buffer.alloc(65536, 7);
      let bytes = 0;
      while (socket.status === 'connected') {
        while (socket.write(block));
        bytes += socket.read()?.length ?? 0;
        if (bytes > 1e6 && bytes !== Infinity) { print('under way'); bytes = Infinity; }
        await Event.OnTick;
      }
      print(socket.error.code, socket.error.message);
      let again = await open();
      while (again.status === 'error') { await Event.OnTick; again = await open(); }
      print(again.status);
      again.close();`;
    const result = await run(text, ['--link', 'pcap', '--address', `${OUR_ADDRESS}/24`], {
      when: {
        text: 'under way',
        run: () => {
          hosts.ours.ip('link', 'delete', 'eth0');
          setTimeout(() => hosts.cable.plug(), 1_500);
        },
      },
    });
    assert.match(result.stdout.toString(), /^under way\nENETDOWN .*the interface eth0 is gone\nconnected\n$/, describeRun(result));
    assert.match(result.stderr, /the interface eth0 is gone: sockets end in an error until it is back\n[^]*the interface eth0 is up again/);
  });
});
