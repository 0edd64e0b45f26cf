/** The contract's scripts, and all that fetch does over the gateway, over the link pcap: the servers in one namespace, the stack in another. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { eachOnCable } from './support/each-test';
import { bundle, bundleForHosts } from './support/guest';
import type { PcapHosts } from './support/pcap-hosts';
import type { ScriptFolder } from './support/script-folder';

/** What mocha's reporter `json` writes. */
interface Report {
  readonly stats: { readonly passes: number; readonly failures: number };
  readonly failures: readonly { readonly fullTitle: string; readonly err: { readonly message?: string } }[];
}

describe('the contract and fetch over the link pcap', function () {
  this.timeout(480_000);
  let hosts: PcapHosts;
  let folder: ScriptFolder;

  before(() => bundleForHosts('fetch-over-pcap'));
  eachOnCable((made) => ({ hosts, folder } = made));

  it('passes the suites that it passes over the gateway', async () => {
    const report = path.join(folder.path, 'report.json');
    const words = [process.execPath, path.resolve('node_modules/mocha/bin/mocha.js'), '--exit', '--reporter', 'json', '--reporter-option', `output=${report}`, bundle('fetch-over-pcap')];
    const child = hosts.theirs.start(words, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...folder.environment, RIFTNET_TEST_HOST: hosts.ours.name },
    });
    let errors = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-10_000)));
    await once(child, 'close');
    assert.ok(fs.existsSync(report), errors);
    const { stats, failures }: Report = JSON.parse(fs.readFileSync(report, 'utf8'));
    assert.deepEqual(failures.map(({ fullTitle, err }) => `${fullTitle}: ${err.message}`), []);
    assert.ok(stats.passes > 150, `${stats.passes} tests`);
  });
});
