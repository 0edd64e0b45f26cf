/** `riftnet doctor` in a network of namespaces: a network that works, and one thing wrong at a time. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { Check, CheckId, Report } from '../../extension/network-report';
import { startDnsmasq, startUdhcpd, type DhcpPool } from './support/dhcp-servers';
import { eachOnLan } from './support/each-test';
import type { Programs } from './support/programs';
import { describeRun, runCli, type CliOptions, type CliResult } from './support/run-cli';
import type { ScriptFolder } from './support/script-folder';
import { type Lan, LAN, WAN } from './support/topology';

const PORT = 80;
const POOL: DhcpPool = { interface: 'lan', first: '10.77.0.50', last: '10.77.0.59', router: LAN.router };
const TARGET = ['--target', 'web.test'];

describe('riftnet doctor', function () {
  this.timeout(150_000);
  let lan: Lan;
  let programs: Programs;
  let folder: ScriptFolder;

  eachOnLan((made) => ({ lan, programs, folder } = made));

  async function doctor(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
    const result = await runCli(['doctor', ...args], { host: lan.host, env: folder.environment, limitMs: 120_000, ...options });
    assert.deepEqual(result.leftRunning, [], describeRun(result));
    return result;
  }

  async function report(args: readonly string[]): Promise<{ report: Report; code: number | null; words: string }> {
    const result = await doctor(['--json', ...args]);
    return { report: JSON.parse(result.stdout.toString()) as Report, code: result.code, words: describeRun(result) };
  }

  function statuses({ checks }: Report): Partial<Record<CheckId, string>> {
    return Object.fromEntries(checks.map(({ id, status }) => [id, status]));
  }

  function checkOf({ checks }: Report, id: CheckId): Check {
    return checks.find((check) => check.id === id) ?? assert.fail(`no check ${id}: ${JSON.stringify(checks)}`);
  }

  const LOCAL_OK = { libpcap: 'ok', bindings: 'ok', permission: 'ok', interface: 'ok' } as const;

  async function startNetwork(options: readonly string[] = [`address=/web.test/${WAN.server}`]): Promise<void> {
    await startDnsmasq(programs, lan.router, folder.path, { interface: 'lan', dhcp: POOL, options });
    await programs.peer(lan.server, 'http-server', String(PORT)).line();
  }

  it('stops without a word once nobody reads what it says', () => {
    const words = ['exec', lan.host.name, 'sh', '-c', '{ "$1" "$2" doctor; echo "exit $?" >&2; } | head -n 1', 'sh', process.execPath, path.resolve('dist/cli.js')];
    const { stdout, stderr } = spawnSync('ip', ['netns', ...words], { encoding: 'utf8', env: folder.environment, timeout: 60_000 });
    assert.match(stdout, /^ok {7}libpcap: [^\n]*\n$/);
    assert.equal(stderr, 'exit 1\n');
  });

  it('goes from libpcap to an answer beyond the router, and tells what was sent and seen', async () => {
    await startNetwork();
    const { report: found, code, words } = await report(TARGET);
    assert.deepEqual(statuses(found), { ...LOCAL_OK, capture: 'ok', dhcp: 'ok', address: 'ok', router: 'ok', dns: 'ok', connection: 'ok' }, words);
    assert.deepEqual([found.format, found.ok, code], [1, true, 0]);
    assert.match(checkOf(found, 'libpcap').summary, /libpcap version 1\.\d+.*, \/\S+libpcap\.so/);
    assert.match(checkOf(found, 'capture').summary, /opened by cap, with a MAC address of its own, [0-9a-f]?[26ae]:/);
    const dhcp = checkOf(found, 'dhcp');
    assert.match(dhcp.summary, /^10\.77\.0\.5\d was leased$/);
    for (const expected of [/^sent DHCP DISCOVER from /, /^seen DHCP OFFER of 10\.77\.0\.5\d, server 10\.77\.0\.1, router 10\.77\.0\.1, DNS 10\.77\.0\.1, for 120 s$/, /^sent DHCP REQUEST /, /^seen DHCP ACK /]) {
      assert.ok(dhcp.details.some((line) => expected.test(line)), `${expected}: ${dhcp.details.join('\n')}`);
    }
    assert.ok(checkOf(found, 'address').details.some((line) => /^sent ARP probe: has anybody 10\.77\.0\.5\d\?$/.test(line)), words);
    assert.equal(checkOf(found, 'router').summary, `${LAN.router} is at ${lan.router.mac('lan')}`);
    assert.equal(checkOf(found, 'dns').summary, `web.test is ${WAN.server}`);
    assert.ok(checkOf(found, 'dns').details.some((line) => line === `seen DNS answer 10.77.0.1 to ${dhcp.summary.split(' ')[0] ?? ''}: web.test ${WAN.server}`), words);
    assert.match(checkOf(found, 'connection').summary, /^connected in \d+ ms; it answers HTTP\/1\.1 200 OK$/);
    assert.ok(checkOf(found, 'connection').details.some((line) => line.includes(`to ${WAN.server}:80 SYN`)), words);
    const [recommended] = found.interfaces.filter((one) => one.recommended);
    assert.deepEqual([recommended?.name, recommended?.addresses, recommended?.mac], ['eth0', [`${LAN.host}/24`], lan.host.mac()]);
  });

  it('says the same in words, one line for each check', async () => {
    await startNetwork();
    const result = await doctor([...TARGET, '--verbose']);
    assert.equal(result.code, 0, describeRun(result));
    const lines = result.stdout.toString().split('\n');
    assert.equal(lines.filter((line) => line.startsWith('ok  ')).length, 10, describeRun(result));
    assert.ok(lines.some((line) => /^ +· sent DHCP DISCOVER/.test(line)));
    assert.match(lines.at(-2) ?? '', /can be a host of its own on this network: --link pcap\.$/);
    assert.equal(result.stderr, '');
  });

  it('takes the address and the binding it is given, without DHCP', async () => {
    await startNetwork();
    const { report: found, code, words } = await report([...TARGET, '--capture-binding', 'libpcap', '--address', '10.77.0.99/24', '--gateway', LAN.router, '--dns', LAN.router]);
    assert.deepEqual([code, statuses(found)], [0, { ...LOCAL_OK, capture: 'ok', address: 'ok', router: 'ok', dns: 'ok', connection: 'ok' }], words);
    assert.match(checkOf(found, 'capture').summary, /^opened by libpcap,/);
    assert.equal(checkOf(found, 'address').summary, '10.77.0.99/24, router 10.77.0.1, name server 10.77.0.1');
  });

  it('without a DHCP server says so after both MAC addresses, and how to go on', async () => {
    const { report: found, code, words } = await report(TARGET);
    assert.deepEqual([code, statuses(found)], [1, { ...LOCAL_OK, capture: 'ok', dhcp: 'failed', address: 'skipped', router: 'skipped', dns: 'skipped', connection: 'skipped' }], words);
    const { details, next, ms } = checkOf(found, 'dhcp');
    assert.ok(details.some((line) => line.includes(`sent DHCP DISCOVER from ${lan.host.mac()}`)), words);
    assert.match(next.join('\n'), /--address A\.B\.C\.D\/LEN/);
    assert.ok(ms >= 19_000 && ms < 40_000, `${ms} ms`);
  });

  it('with a server that answers only the computer\'s own MAC address works, warns, and offers the drop that forwarding needs', async () => {
    // Another host's lease for the address that udhcpd gives by MAC: only the interface's is known to it.
    await startDnsmasq(programs, lan.router, folder.path, { interface: 'lan', dhcp: POOL, options: [`dhcp-host=${lan.host.mac()},10.77.0.55`, 'dhcp-ignore=tag:!known', `address=/web.test/${WAN.server}`] });
    await programs.peer(lan.server, 'http-server', String(PORT)).line();
    lan.host.run('sysctl', '-qw', 'net.ipv4.ip_forward=1');
    const { report: found, code, words } = await report(TARGET);
    assert.deepEqual([code, statuses(found)], [0, { ...LOCAL_OK, capture: 'ok', dhcp: 'warning', address: 'ok', router: 'ok', dns: 'ok', connection: 'ok', forwarding: 'warning' }], words);
    assert.match(checkOf(found, 'forwarding').commands.join(), /^sudo .* doctor --fix forwarding$/);
  });

  it('with the only address taken by another station names that station', async () => {
    const other = lan.station('other', '10.77.0.50');
    await startUdhcpd(programs, lan.router, folder.path, { ...POOL, last: '10.77.0.50' });
    const { report: found, code, words } = await report(TARGET);
    assert.equal(code, 1, words);
    assert.equal(checkOf(found, 'address').status, 'failed', words);
    assert.match(checkOf(found, 'address').summary, new RegExp(`${other.mac()} on the link has the address 10\\.77\\.0\\.50`));
  });

  it('with a given address that another station has, or this computer, says so at once', async () => {
    const other = lan.station('other', '10.77.0.60');
    const taken = await report([...TARGET, '--address', '10.77.0.60/24', '--gateway', LAN.router]);
    assert.match(checkOf(taken.report, 'address').summary, new RegExp(`^the address 10\\.77\\.0\\.60/24 could not be used: ${other.mac()} on the link has`), taken.words);
    assert.ok(checkOf(taken.report, 'address').ms < 10_000, taken.words);
    const own = await report([...TARGET, '--address', `${LAN.host}/24`, '--gateway', LAN.router]);
    assert.match(checkOf(own.report, 'address').summary, /this computer has it itself, on eth0/, own.words);
  });

  it('tells why the link auto has gone without the interface, and has the next run try it again', async () => {
    // On its own network nobody answers DHCP; over the gateway the connection is refused.
    const script = folder.write('script.ts', "const socket = Network.Connect('10.77.0.1', 9);\nwhile (socket.status === 'connecting') await Event.OnTick;\nprint('ran');\n");
    const run = await runCli(['run', script, '--link', 'auto'], { host: lan.host, env: folder.environment, limitMs: 60_000 });
    assert.equal(run.stdout.toString(), 'ran\n', describeRun(run));
    const failures = () => fs.readdirSync(path.join(folder.path, 'state', 'riftnet')).filter((name) => name.endsWith('.failure.json'));
    assert.equal(failures().length, 1, describeRun(run));
    const { report: found, words } = await report([...TARGET, '--address', '10.77.0.99/24']);
    assert.match(checkOf(found, 'capture').next.join(), /^The link 'auto' has taken the gateway since .* \(.*DHCP.*\); the next run tries eth0 again\.$/, words);
    assert.deepEqual(failures(), []);
  });

  it('with a router that is not there says that it is silent', async () => {
    await startDnsmasq(programs, lan.router, folder.path, { interface: 'lan', dhcp: { ...POOL, router: '10.77.0.200' } });
    const { report: found, code, words } = await report(['--target', '10.78.0.2:80']);
    assert.deepEqual([code, checkOf(found, 'router').status, checkOf(found, 'connection').status], [1, 'failed', 'failed'], words);
    assert.match(checkOf(found, 'router').summary, /^10\.77\.0\.200 does not say its MAC address$/);
    assert.ok(checkOf(found, 'router').details.some((line) => line.startsWith('sent ARP: who has 10.77.0.200?')), words);
  });

  it('tells a silent name server from one that knows no such name', async () => {
    await startNetwork(['dhcp-option=option:dns-server,10.77.0.200', 'address=/nowhere.test/']);
    const silent = await report(TARGET);
    assert.deepEqual([silent.code, checkOf(silent.report, 'dns').status, checkOf(silent.report, 'connection').status], [1, 'failed', 'skipped'], silent.words);
    assert.match(checkOf(silent.report, 'dns').summary, /10\.77\.0\.200/);
    const unknown = await report(['--target', 'nowhere.test', '--dns', LAN.router]);
    assert.match(checkOf(unknown.report, 'dns').summary, /the name servers answer, and know no address/, unknown.words);
  });

  it('tells a refused connection, for which the network works, from one without an answer', async () => {
    await startNetwork();
    const refused = await report(['--target', 'web.test:81']);
    assert.deepEqual([refused.code, checkOf(refused.report, 'connection').status], [0, 'warning'], refused.words);
    lan.server.run('ip', 'route', 'del', 'default');
    const silent = await report(['--target', 'web.test:81']);
    assert.deepEqual([silent.code, checkOf(silent.report, 'connection').status], [1, 'failed'], silent.words);
  });

  it('names an interface that is not there, or cannot carry the stack', async () => {
    const missing = await report(['--interface', 'eth7']);
    assert.deepEqual([missing.code, statuses(missing.report)], [1, { ...LOCAL_OK, interface: 'failed', capture: 'skipped' }], missing.words);
    assert.match(checkOf(missing.report, 'interface').summary, /there is no interface "eth7": there are .*eth0/);
    const loopback = await report(['--interface', 'lo']);
    assert.match(checkOf(loopback.report, 'interface').summary, /lo is the loopback interface/);
    lan.host.ip('link', 'set', 'eth0', 'down');
    const down = await report([]);
    assert.match(checkOf(down.report, 'interface').summary, /none that the stack can be a host on: .*eth0 is down/);
  });

  it('stops at once when it is interrupted, and leaves the network in order', async () => {
    const result = await doctor(TARGET, { when: { text: 'capture on eth0', run: ({ pid }) => process.kill(pid, 'SIGINT') } });
    assert.equal(result.code, 130, describeRun(result));
    assert.ok(result.seconds < 15, describeRun(result));
  });

  it('leases the address that a run then has', async () => {
    await startNetwork();
    const { report: found } = await report(TARGET);
    const leased = checkOf(found, 'dhcp').summary.split(' ')[0] ?? '';
    const script = folder.write('script.ts', "const socket = Network.Connect('web.test', 80);\nwhile (socket.status === 'connecting') await Event.OnTick;\nprint(socket.status);\n");
    const run = await runCli(['run', script, '--link', 'pcap'], { host: lan.host, env: folder.environment, limitMs: 60_000 });
    assert.equal(run.stdout.toString(), 'connected\n', describeRun(run));
    assert.ok(run.stderr.includes(leased), describeRun(run));
  });
});

describe('riftnet interfaces', function () {
  this.timeout(60_000);
  let lan: Lan;

  eachOnLan((made) => ({ lan } = made));

  it('lists them with what they are, and marks the one that is taken', async () => {
    lan.host.ip('link', 'add', 'spare0', 'mtu', '1400', 'type', 'veth', 'peer', 'name', 'spare1');
    const text = await runCli(['interfaces'], { host: lan.host });
    assert.equal(text.code, 0, describeRun(text));
    assert.match(text.stdout.toString(), new RegExp(`^\\* +eth0 +${LAN.host}/24 +${lan.host.mac()} +1500 +up +recommended$`, 'm'));
    assert.match(text.stdout.toString(), /^ +lo +127\.0\.0\.1\/8 +- +65536 +up +loopback$/m);
    const json = await runCli(['interfaces', '--json'], { host: lan.host });
    const { interfaces } = JSON.parse(json.stdout.toString()) as Pick<Report, 'interfaces'>;
    assert.deepEqual(interfaces.find(({ name }) => name === 'spare0'), {
      name: 'spare0', addresses: [], mac: lan.host.mac('spare0'), mtu: 1_400, up: false, loopback: false, wireless: false, obstacle: 'spare0 is down', recommended: false,
    });
  });
});
