/** Names as a person meets them, `riftnet run --link pcap`: name servers and devices of the link that lie, or are silent. */
import assert from 'node:assert/strict';
import { startAvahi } from './support/avahi';
import { eachOnLan } from './support/each-test';
import { bundle, bundleForHosts } from './support/guest';
import type { Host } from './support/namespaces';
import type { Program } from './support/program';
import type { Programs } from './support/programs';
import { describeRun, runCli } from './support/run-cli';
import type { ScriptFolder } from './support/script-folder';
import { type Lan, LAN, WAN } from './support/topology';

const PORT = 8_000;
const OURS = '10.77.0.100';
/** Nothing is there, nor does anything lead there. */
const LIE = '10.66.66.66';
/** A second address of the name server. */
const ELSEWHERE = '10.78.0.3';
/** Of a station that is on the cable and not in its network. */
const OFF_LINK = '10.99.0.5';
const LIAR = '10.77.0.88';
const PRINTER = '10.77.0.77';

describe('Names at the terminal', function () {
  this.timeout(120_000);
  let lan: Lan;
  let programs: Programs;
  let folder: ScriptFolder;

  before(() => bundleForHosts('name-server'));
  // Without offloads the capture has room for many small frames.
  eachOnLan((made) => ({ lan, programs, folder } = made), { offloads: false });

  async function startNameServer(host: Host, ...words: readonly string[]): Promise<Program> {
    const server = programs.start(host, [process.execPath, bundle('name-server'), ...words]);
    await server.line();
    return server;
  }

  /** The server beyond the router: names, and a page that says who asked. */
  async function startServers(): Promise<Program> {
    await programs.peer(lan.server, 'http-server', String(PORT)).line();
    lan.server.ip('address', 'add', `${ELSEWHERE}/24`, 'dev', 'eth0');
    return startNameServer(lan.server, '53', LIE, WAN.server, WAN.server, ELSEWHERE);
  }

  interface Told {
    /** What came of each name, in their order. */
    readonly lines: readonly string[];
    readonly seconds: readonly number[];
    readonly dns: Readonly<Record<string, number>>;
  }

  /** A script that fetches from each name, all at once, once the stack has its address. */
  async function fetchAll(names: readonly string[], dns: readonly string[]): Promise<Told> {
    const run = await runCli(['run', folder.write('script.ts', `
      await fetch('http://${LAN.router}:1/');
      const lines = await Promise.all(${JSON.stringify(names)}.map(async (name) => {
        const began = Date.now();
        const response = await fetch(\`http://\${name}:${PORT}/\`);
        return \`\${(Date.now() - began) / 1_000} \${response.error ? \`\${response.error.code} \${response.error.message}\` : \`\${response.status} \${response.text()}\`}\`;
      }));
      print(lines.join('\\n'));`),
      '--link', 'pcap', '--interface', 'eth0', '--address', `${OURS}/24`, '--gateway', LAN.router, '--stats', ...dns.flatMap((server) => ['--dns', server]),
    ], { host: lan.host, env: folder.environment, limitMs: 100_000 });
    assert.deepEqual([run.code, run.leftRunning], [0, []], describeRun(run));
    const printed = run.stdout.toString().trimEnd().split('\n').map((line) => /^(\S+) (.*)$/.exec(line) ?? assert.fail(describeRun(run)));
    const stats: { readonly stack: { readonly dns: Told['dns'] } } = JSON.parse(run.stderr.trimEnd().split('\n').at(-1) ?? '');
    return { lines: printed.map(([, , text = '']) => text), seconds: printed.map(([, seconds]) => Number(seconds)), dns: stats.stack.dns };
  }

  it('are not believed to whoever does not know the question, the id, the port and the server; the true answer is taken', async () => {
    await startServers();
    const believed = ['wrong-id', 'wrong-question', 'other-port', 'other-address', 'loop', 'flood'];
    const { lines, dns } = await fetchAll([...believed.map((how) => `${how}.then.test`), 'other-name.test', 'loopback.test'], [WAN.server]);
    assert.deepEqual(lines.slice(0, -2), believed.map(() => `200 from ${OURS}`));
    assert.deepEqual(lines.slice(-2), [
      'ENOTFOUND other-name.test:8000: "other-name.test" has no IPv4 address: the name server 10.78.0.2 says so; check the spelling',
      "EADDRNOTAVAIL loopback.test:8000: loopback.test resolves to 127.0.0.1, which is a loopback address: the stack bypasses the operating system's, so it cannot be reached. For a server on this computer connect to 'localhost', and let the server listen on 0.0.0.0, or let localhost mean 127.0.0.1: --host-address 127.0.0.1 (setting riftnet.hostAddress)",
    ]);
    const { rxMalformed = 0, rxMismatched = 0 } = dns;
    assert.ok(rxMalformed >= 1 && rxMismatched > 250, JSON.stringify(dns));
  });

  it('that nobody tells the truth about end in a message within 30 s: the name, each server and what of it was dropped, the next step', async () => {
    await startServers();
    const lies = ['wrong-id', 'wrong-question', 'other-port', 'other-address', 'loop'];
    // Behind the second address nobody answers.
    const { lines, seconds, dns } = await fetchAll([...lies, 'silent'].map((how) => `${how}.only.test`), [WAN.server, ELSEWHERE]);
    const expected = (how: string, dropped: string): string =>
      `EAI_AGAIN ${how}.only.test:8000: "${how}.only.test" could not be resolved: asked 10.78.0.2 (no answer${dropped}), 10.78.0.3 (no answer) for T s; check the network, or name other servers, --dns A.B.C.D (setting riftnet.dns)`;
    assert.deepEqual(lines.map((line) => line.replace(/ for [\d.]+ s;/, ' for T s;')), [...lies.map((how) => expected(how, '; 2 that do not fit the question were dropped')), expected('silent', '')]);
    for (const time of seconds) assert.ok(time > 7 && time < 30, seconds.join(' '));
    assert.deepEqual([dns['rxMalformed'], dns['rxMismatched']], [2, 8]);
  });

  it('of the link are told by their device, not from off the link or another port, and by nobody in a message within three seconds', async () => {
    const printer = lan.station('printer', PRINTER);
    await programs.peer(printer, 'http-server', String(PORT)).line();
    await startAvahi(programs, printer, folder.path, 'printer');
    const liar = lan.station('liar', LIAR);
    liar.ip('address', 'add', `${OFF_LINK}/24`, 'dev', 'eth0');
    const told = await startNameServer(liar, '5353', LIE, PRINTER, LIAR, OFF_LINK);
    const lies = ['other-address', 'other-port', 'wrong-id'];
    const { lines, seconds, dns } = await fetchAll(
      ['printer.local', ...lies.map((how) => `${how}.then.local`), ...lies.map((how) => `${how}.only.local`), 'nobody.local'], [],
    );
    const nobody = (name: string, dropped = ''): string =>
      `ENOTFOUND ${name}:8000: "${name}" does not exist: no device on the link answers to the name${dropped}; check that it is switched on, and the spelling`;
    // Asked twice each.
    const dropped = " (2 answers were dropped: not from the link's port 5353, or not to the question)";
    assert.deepEqual(lines, [
      ...Array.from({ length: 4 }, () => `200 from ${OURS}`), ...lies.map((how) => nobody(`${how}.only.local`, dropped)), nobody('nobody.local'),
    ]);
    assert.equal(told.said.match(/^nobody\.local$/gm)?.length, 2, told.said);
    for (const time of seconds.slice(4)) assert.ok(time >= 3 && time < 15, seconds.join(' '));
    assert.ok((dns['rxMismatched'] ?? 0) >= 9, JSON.stringify(dns));
  });
});
