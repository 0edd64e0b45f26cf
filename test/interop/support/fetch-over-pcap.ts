/**
 * The contract's scripts and the suites of fetch over the link pcap: to be run by mocha in the namespace of the servers, with the name of the
 * other namespace, where the stack captures, in RIFTNET_TEST_HOST.
 */
import { contractScripts } from './contract-suite';
import { fetchAgainstHostileServer } from './fetch-hostile-suite';
import type { FetchLink } from './fetch-link';
import { fetchRequests } from './fetch-requests-suite';
import { fetchAgainstServers } from './fetch-servers-suite';
import { fetchOverTls } from './fetch-tls-suite';
import { Host } from './namespaces';
import { OUR_ADDRESS } from './pcap-hosts';
import { describeRun, runCli } from './run-cli';
import { closeServers, nameServer } from './servers';

const SERVER = '10.77.0.1';
const NAME = 'server.example';
const host = new Host(process.env['RIFTNET_TEST_HOST'] ?? '');
let dns = '';

before(async () => {
  dns = `${SERVER}:${(await nameServer({ [NAME]: SERVER }, false, SERVER)).port}`;
});
after(closeServers);

const PCAP: FetchLink = {
  name: 'the link pcap',
  host: NAME,
  address: SERVER,
  listen: SERVER,
  async run(file, args) {
    const words = ['run', file, '--link', 'pcap', '--interface', 'eth0', '--address', `${OUR_ADDRESS}/24`, '--dns', dns, ...args];
    const result = await runCli(words, { host, limitMs: 150_000 });
    return { code: result.code, stdout: result.stdout.toString(), description: describeRun(result), leftRunning: result.leftRunning };
  },
};

for (const suite of [contractScripts, fetchAgainstHostileServer, fetchOverTls, fetchRequests, fetchAgainstServers]) suite(PCAP);
