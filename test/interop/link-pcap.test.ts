/** `riftnet run --link pcap` on an interface of a namespace, with the kernel's host on the other end of the cable. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { OUR_ADDRESS, PcapHosts } from './support/pcap-hosts';
import { prepare } from './support/guest';
import { describeRun, runCli, type CliResult } from './support/run-cli';
import { ScriptFolder } from './support/script-folder';

const PORT = 7_000;
describe('The link pcap at the terminal', function () {
  this.timeout(120_000);
  let hosts: PcapHosts;
  let folder: ScriptFolder;

  before(prepare);
  beforeEach(() => {
    hosts = new PcapHosts();
    folder = new ScriptFolder();
  });
  afterEach(async () => {
    await hosts.remove();
    folder.remove();
  });

  async function run(text: string, args: readonly string[]): Promise<CliResult> {
    const env = { ...process.env, XDG_STATE_HOME: path.join(folder.path, 'state') };
    const result = await runCli(['run', folder.write('script.ts', text), '--link', 'pcap', ...args], { host: hosts.ours, env, limitMs: 100_000 });
    assert.deepEqual(result.leftRunning, [], describeRun(result));
    return result;
  }

  const FETCH = `const response = await fetch('http://10.77.0.1:${PORT}/'); print(response.status, response.text(), response.error?.message ?? '');`;

  it('gives the stack the address it is told, once nobody else is found to have it', async () => {
    await hosts.peer('http-server', String(PORT));
    const result = await run(FETCH, ['--interface', 'eth0', '--address', `${OUR_ADDRESS}/24`]);
    assert.equal(result.stdout.toString(), `200 from ${OUR_ADDRESS} \n`, describeRun(result));
    assert.match(result.stderr, /a host of its own on eth0, with the MAC address .*\n.*10\.77\.0\.2 is checked for another owner \(RFC 5227\)/);
  });

  it('gets an address by DHCP on the interface that fits, and asks for the same one the next time', async () => {
    hosts.startDhcpServer(folder.path);
    await hosts.peer('http-server', String(PORT));
    for (let i = 0; i < 2; i++) {
      const result = await run(FETCH, ['--stats']);
      assert.equal(result.stdout.toString(), '200 from 10.77.0.50 \n', describeRun(result));
      assert.match(result.stderr, /the address 10\.77\.0\.50\/24 from DHCP, router 10\.77\.0\.1, name server 10\.77\.0\.1/);
      const { stack } = JSON.parse(result.stderr.trim().split('\n').at(-1) ?? '') as { stack: { dhcp: Record<string, number> } };
      // The second time the lease of the first is asked for at once (RFC 2131 §3.2).
      assert.deepEqual([stack.dhcp['txDiscovers'], stack.dhcp['txReleases']], [i === 0 ? 1 : 0, 0]);
    }
  });

  for (const [what, args, words] of [
    ['an interface that is not there', ['--interface', 'nosuch0'], /there is no interface "nosuch0": there are eth0, lo/],
    ['the loopback interface', ['--interface', 'lo'], /lo/],
    ['a router outside of the network', ['--address', '10.77.0.2/24', '--gateway', '10.78.0.1'], /router 10\.78\.0\.1 is not in the network of 10\.77\.0\.2\/24/],
    ['an address that no host can have', ['--address', '10.77.0.255/24'], /10\.77\.0\.255\/24 is not one that a host on a link can have/],
  ] as const) {
    it(`refuses ${what}, and says what to do`, async () => {
      const result = await run("print('never');", args);
      assert.deepEqual([result.code, result.stdout.toString()], [2, ''], describeRun(result));
      assert.match(result.stderr, words);
    });
  }

  it('refuses an address that the computer has itself', async () => {
    hosts.ours.ip('address', 'add', '10.77.0.3/24', 'dev', 'eth0');
    const result = await run("print('never');", ['--address', '10.77.0.3/24']);
    assert.equal(result.code, 2, describeRun(result));
    assert.match(result.stderr, /cannot have the address 10\.77\.0\.3: this computer has it itself, on eth0; give it another one/);
  });
});
