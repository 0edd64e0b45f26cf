/** `localhost` of a script whose stack is a host of its own, beside this computer's kernel: by the relay, and by the router. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { startDnsmasq } from './support/dhcp-servers';
import { eachOnLan } from './support/each-test';
import type { Programs } from './support/programs';
import { describeRun, runCli, type CliResult } from './support/run-cli';
import type { ScriptFolder } from './support/script-folder';
import { type Lan, LAN, WAN } from './support/topology';

const OURS = '10.77.0.100';
/** Listens on all addresses, and on 127.0.0.1 only. */
const OPEN = 8_000;
const LOOPBACK = 8_001;
/** One line for each place: who the server says it is asked by, or the error. */
const SCRIPT = (places: readonly (readonly [host: string, port: number])[]): string => `
for (const [host, port] of ${JSON.stringify(places)}) {
  const response = await fetch(\`http://\${host}:\${port}/\`);
  print(host, port, response.status === 200 ? response.text() : response.error?.code);
  if (response.error) console.error(response.error.message);
}`;

describe('localhost beside a captured interface', function () {
  this.timeout(120_000);
  let lan: Lan;
  let programs: Programs;
  let folder: ScriptFolder;

  eachOnLan(async (made) => {
    ({ lan, programs, folder } = made);
    await programs.peer(lan.host, 'http-server', String(OPEN), '0.0.0.0').line();
    await programs.peer(lan.host, 'http-server', String(LOOPBACK), '127.0.0.1').line();
    await programs.peer(lan.server, 'http-server', String(OPEN)).line();
  }, { offloads: false });

  async function run(places: Parameters<typeof SCRIPT>[0], ...args: string[]): Promise<CliResult> {
    const file = folder.write('script.ts', SCRIPT(places));
    const own = ['--link', 'pcap', '--interface', 'eth0', '--address', `${OURS}/24`, '--gateway', LAN.router];
    const result = await runCli(['run', file, ...own, ...args], { host: lan.host, env: folder.environment, limitMs: 100_000 });
    assert.deepEqual(result.leftRunning, [], describeRun(result));
    return result;
  }

  const doctor = (...fix: string[]): Promise<CliResult> =>
    runCli(['doctor', '--interface', 'eth0', '--fix', ...fix], { host: lan.host, env: folder.environment });

  const printed = (result: CliResult): string[] => result.stdout.toString().trim().split('\n');
  const routerMac = (): string => lan.router.run('cat', '/sys/class/net/lan/address').trim();

  it('is relayed to the computer\'s own address, as are names that stand for it; 127.0.0.1 is refused', async () => {
    const options = [`host-record=me.test,${LAN.host}`, 'host-record=loop.test,127.0.0.1'];
    await startDnsmasq(programs, lan.router, folder.path, { interface: 'lan', options });
    const wire = await programs.capture(lan.router, 'port0', path.join(folder.path, 'wire.pcapng'));
    const result = await run(
      [['localhost', OPEN], ['web.localhost', OPEN], [LAN.host, OPEN], ['me.test', OPEN], [WAN.server, OPEN], ['localhost', LOOPBACK], ['127.0.0.1', OPEN], ['loop.test', OPEN]],
      '--dns', LAN.router, '--stats',
    );
    assert.deepEqual(printed(result), [
      ...['localhost', 'web.localhost', LAN.host, 'me.test'].map((host) => `${host} ${OPEN} from ${LAN.host}`),
      `${WAN.server} ${OPEN} from ${OURS}`,
      `localhost ${LOOPBACK} ECONNREFUSED`,
      `127.0.0.1 ${OPEN} EADDRNOTAVAIL`,
      `loop.test ${OPEN} EADDRNOTAVAIL`,
    ], describeRun(result));
    assert.match(result.stderr, new RegExp(`nothing listens on ${LAN.host}:${LOOPBACK}, which localhost stands for; a server that listens on 127\\.0\\.0\\.1 only`));
    assert.match(result.stderr, /127\.0\.0\.1 is a loopback address/);
    assert.match(result.stderr, /loop\.test resolves to 127\.0\.0\.1, which is a loopback address/);
    const { relay } = JSON.parse(result.stderr.trim().split('\n').at(-1) ?? '') as { relay?: { gateway: { gateway: Record<string, number> } } };
    assert.equal(relay?.gateway.gateway['tcpRelayed'], 4, describeRun(result));
    await wire.stop();
    assert.deepEqual(await wire.frames(`ip.src == ${OURS} && ip.dst == ${LAN.host}`), [], 'nothing for the computer was on the wire');
  });

  it('is relayed before the stack has an address on the link, and where it gets none', async () => {
    const file = folder.write('script.ts', SCRIPT([['localhost', OPEN]]));
    const result = await runCli(['run', file, '--link', 'pcap', '--interface', 'eth0'], { host: lan.host, env: folder.environment, limitMs: 100_000 });
    assert.deepEqual(printed(result), [`localhost ${OPEN} from ${LAN.host}`], describeRun(result));
    // Sockets to others end after 40 s.
    assert.ok(result.seconds < 25, describeRun(result));
  });

  it('is relayed to a server on 127.0.0.1 with --host-address; a capture has the frames of both ways', async () => {
    const file = path.join(folder.path, 'run.pcapng');
    const result = await run([['localhost', LOOPBACK], [WAN.server, OPEN]], '--host-address', '127.0.0.1', '--capture', file);
    assert.deepEqual(printed(result), [`localhost ${LOOPBACK} from 127.0.0.1`, `${WAN.server} ${OPEN} from ${OURS}`], describeRun(result));
    const answers = lan.host.run('tshark', '-r', file, '-n', '-Y', 'http.response', '-T', 'fields', '-e', 'tcp.srcport');
    assert.deepEqual(answers.trim().split('\n'), [String(LOOPBACK), String(OPEN)]);
    assert.equal(lan.host.run('tshark', '-r', file, '-n', '-Y', '_ws.malformed'), '');
  });

  it('goes out to the router and back, where the doctor has given the computer the router as its way to the stack', async () => {
    const fixed = await doctor('router', '--address', OURS);
    assert.equal(fixed.code, 0, describeRun(fixed));
    const wire = await programs.capture(lan.router, 'port0', path.join(folder.path, 'wire.pcapng'));
    const result = await run([['localhost', OPEN], [LAN.host, OPEN], ['localhost', LOOPBACK]], '--localhost', 'router', '--stats');
    assert.deepEqual(printed(result), [`localhost ${OPEN} from ${OURS}`, `${LAN.host} ${OPEN} from ${OURS}`, `localhost ${LOOPBACK} ECONNREFUSED`], describeRun(result));
    const { stack, relay } = JSON.parse(result.stderr.trim().split('\n').at(-1) ?? '') as { stack: { icmp: Record<string, number> }; relay?: object };
    assert.equal(relay, undefined);
    // The router tells of a shorter way, which there is not.
    assert.ok((stack.icmp['rxRedirectsIgnored'] ?? 0) > 0, describeRun(result));
    await wire.stop();
    const handshakes = await wire.frames(`ip.src == ${OURS} && ip.dst == ${LAN.host} && tcp.flags.syn == 1 && eth.dst == ${routerMac()}`);
    assert.equal(handshakes.length, 3);
    const undone = await doctor('router', '--address', OURS, '--undo');
    assert.equal(undone.code, 0, describeRun(undone));
    assert.doesNotMatch(lan.host.ip('neigh', 'show'), /PERMANENT/);
  });

  it('is not answered by a neighbour entry with another MAC address, and says so', async () => {
    lan.host.ip('neigh', 'replace', OURS, 'lladdr', '02:00:00:00:00:99', 'nud', 'permanent', 'dev', 'eth0');
    const result = await run([['localhost', OPEN]], '--localhost', 'router');
    assert.deepEqual(printed(result), [`localhost ${OPEN} ETIMEDOUT`], describeRun(result));
    assert.match(result.stderr, /the router sends packets on, but this computer, 10\.77\.0\.10, does not answer: .*another MAC address than the router's/);
  });

  it('tells that the computer cannot resolve the stack\'s address', async () => {
    const result = await run([['localhost', OPEN]], '--localhost', 'router');
    assert.deepEqual(printed(result), [`localhost ${OPEN} EHOSTUNREACH`], describeRun(result));
    assert.match(result.stderr, new RegExp(`this computer, ${LAN.host}, cannot resolve the stack's address ${OURS}.*riftnet doctor --fix router`));
  });

  it('tells that the router does not send packets back', async () => {
    lan.host.ip('neigh', 'replace', OURS, 'lladdr', routerMac(), 'nud', 'permanent', 'dev', 'eth0');
    lan.router.run('nft', 'table ip isolation { chain forward { type filter hook forward priority 0; iif lan oif lan drop; }; }');
    const result = await run([['localhost', OPEN]], '--localhost', 'router');
    assert.deepEqual(printed(result), [`localhost ${OPEN} EHOSTUNREACH`], describeRun(result));
    assert.match(result.stderr, new RegExp(`the router ${LAN.router} does not send packets back to this computer, ${LAN.host},.*--localhost relay`));
  });
});
