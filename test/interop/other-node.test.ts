/** Another Node than the one `cap` was built for: `auto` takes libpcap through koffi, and says why. */
import assert from 'node:assert/strict';
import { eachOnCable } from './support/each-test';
import { otherNode } from './support/other-node';
import { OUR_ADDRESS, type PcapHosts } from './support/pcap-hosts';
import { describeRun, runCli } from './support/run-cli';
import type { ScriptFolder } from './support/script-folder';

const PORT = 7_000;

describe('A Node of another ABI', function () {
  this.timeout(120_000);
  let node: string;
  let hosts: PcapHosts;
  let folder: ScriptFolder;

  before(async function () {
    this.timeout(600_000);
    node = await otherNode();
  });
  eachOnCable((made) => ({ hosts, folder } = made));

  it('captures through koffi where the choice is left to it, with the reason that cap gave', async () => {
    const guest = await hosts.guest({ binding: 'auto' }, node);
    const [failure] = guest.opened.failures ?? [];
    assert.equal(guest.opened.binding, 'libpcap');
    assert.equal(failure?.binding, 'cap');
    assert.match(failure?.reason ?? '', /cap cannot be loaded by this Node \(.*NODE_MODULE_VERSION \d+.*\): install libpcap-dev .* npm rebuild cap/);
    await hosts.peer('echo-server', String(PORT));
    const bytes = 20 << 20;
    const { received, intact } = await guest.perform({ do: 'echo', address: hosts.cable.theirAddress, port: PORT, bytes });
    assert.deepEqual({ received, intact }, { received: bytes, intact: true });
    assert.equal(await guest.stop(), 0);
  });

  it('has no capture where cap is asked for', async () => {
    const guest = await hosts.guest({ binding: 'cap' }, node);
    assert.deepEqual([guest.opened.ready, guest.opened.failures?.map(({ binding }) => binding)], [undefined, ['cap']]);
  });

  it('runs the terminal command, scripts and all', async () => {
    await hosts.peer('http-server', String(PORT));
    const file = folder.write('script.ts', `const response = await fetch('http://${hosts.cable.theirAddress}:${PORT}/'); print(response.status, response.text(), response.error?.message ?? '');`);
    const result = await runCli(['run', file, '--link', 'pcap', '--interface', 'eth0', '--address', `${OUR_ADDRESS}/24`], { host: hosts.ours, env: folder.environment, node });
    assert.equal(result.stdout.toString(), `200 from ${OUR_ADDRESS} \n`, describeRun(result));
    assert.match(result.stderr, /over libpcap/);
    assert.deepEqual([result.code, result.leftRunning], [0, []], describeRun(result));
  });
});
