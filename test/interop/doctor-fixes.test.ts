/** `riftnet doctor --fix`: what it changes in a namespace's kernel, and takes back; and what an ordinary account is told. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { FixReport, Report } from '../../extension/network-report';
import { startDnsmasq, type DhcpPool } from './support/dhcp-servers';
import { eachOnLan } from './support/each-test';
import { OrdinaryUser } from './support/ordinary-user';
import type { Programs } from './support/programs';
import { runCli } from './support/run-cli';
import type { ScriptFolder } from './support/script-folder';
import { type Lan, LAN, WAN } from './support/topology';

const POOL: DhcpPool = { interface: 'lan', first: '10.77.0.50', last: '10.77.0.59', router: LAN.router };
const OURS = '10.77.0.99';

describe('riftnet doctor --fix', function () {
  this.timeout(120_000);
  let lan: Lan;
  let folder: ScriptFolder;

  eachOnLan((made) => ({ lan, folder } = made));

  async function fix(...words: string[]): Promise<FixReport & { code: number | null }> {
    const { stdout, stderr, code } = await runCli(['doctor', '--json', '--fix', ...words], { host: lan.host, env: folder.environment });
    assert.equal(stderr, '');
    const [first] = (JSON.parse(stdout.toString()) as Report).fixes;
    return { ...(first ?? assert.fail('a fix')), code };
  }

  const rules = (): string => lan.host.run('nft', 'list', 'ruleset');

  it('shared drops the range before the kernel, on every interface, and takes it back', async () => {
    const done = await fix('shared');
    assert.deepEqual([done.status, done.code], ['done', 0], JSON.stringify(done));
    const [, first, last] = /tcp dport (\d+)-(\d+) drop/.exec(rules()) ?? assert.fail(rules());
    assert.ok(rules().includes(`udp dport ${first}-${last} drop`), rules());
    // The kernel answers nothing there, not even on the loopback, and all other ports as before.
    const silent = spawnSync('ip', ['netns', 'exec', lan.host.name, process.execPath, '-e', `
      const net = require('node:net');
      const attempt = (port, limitMs) => new Promise((resolve) => {
        const socket = net.connect(port, '127.0.0.1').on('error', (error) => resolve(error.code));
        socket.setTimeout(limitMs, () => { socket.destroy(); resolve('silence'); });
      });
      Promise.all([attempt(${first}, 700), attempt(${last}, 700), attempt(80, 20_000)]).then((all) => console.log(all.join()));`], { encoding: 'utf8' });
    assert.equal(silent.stdout.trim(), 'silence,silence,ECONNREFUSED', silent.stderr);

    const before = rules();
    assert.equal((await fix('shared')).status, 'unchanged');
    assert.equal(rules(), before);
    assert.equal((await fix('shared', '--undo')).status, 'done');
    assert.equal(rules(), '');
    assert.equal((await fix('shared', '--undo')).status, 'unchanged');
  });

  it('shared replaces a range that is out of date', async () => {
    await fix('shared');
    lan.host.run('sysctl', '-qw', 'net.ipv4.ip_local_port_range=50000 65535');
    const { status } = await fix('shared');
    assert.equal(status, 'done');
    assert.equal(rules().match(/tcp dport/g)?.length, 1, rules());
    assert.match(rules(), /tcp dport \d{5}-49999 drop/);
  });

  it('router sets the entry to the router\'s MAC address, over another, and takes it back without being told which', async () => {
    lan.host.ip('neigh', 'replace', OURS, 'lladdr', '02:00:00:00:00:99', 'dev', 'eth0', 'nud', 'permanent');
    const done = await fix('router', '--address', OURS);
    assert.deepEqual([done.status, done.code], ['done', 0], JSON.stringify(done));
    assert.match(lan.host.ip('neigh', 'show', OURS), new RegExp(`dev eth0 lladdr ${lan.router.mac('lan')} PERMANENT`));
    assert.equal((await fix('router', '--address', OURS)).status, 'unchanged');
    assert.equal((await fix('router', '--undo')).status, 'done');
    assert.doesNotMatch(lan.host.ip('neigh', 'show', OURS), /PERMANENT/);
    assert.equal((await fix('router', '--undo')).status, 'unchanged');
  });

  it('router needs to know the address, or a lease that tells it', async () => {
    const unknown = await fix('router');
    assert.deepEqual([unknown.status, unknown.code], ['failed', 1]);
    assert.match(unknown.summary, /--address A\.B\.C\.D/);
    fs.mkdirSync(path.join(folder.path, 'state', 'riftnet'), { recursive: true });
    fs.writeFileSync(path.join(folder.path, 'state', 'riftnet', 'x-0.lease.json'), `{"address":"${OURS}","server":"${LAN.router}"}`);
    assert.equal((await fix('router')).status, 'done');
    assert.match(lan.host.ip('neigh', 'show', OURS), /PERMANENT/);
  });

  it('router says that the router is silent, and that there is none', async () => {
    lan.host.ip('route', 'replace', 'default', 'via', '10.77.0.200');
    assert.match((await fix('router', '--address', OURS)).summary, /the router 10\.77\.0\.200 does not say its MAC address on eth0/);
    lan.host.ip('route', 'del', 'default');
    assert.match((await fix('router', '--address', OURS, '--interface', 'eth0')).summary, /no router on eth0/);
  });

  it('forwarding keeps a kernel that forwards from answering what is for the stack, and only that', async () => {
    lan.host.run('sysctl', '-qw', 'net.ipv4.ip_forward=1');
    // The router sends what is for the stack to the computer's MAC address, as it does where they share it.
    lan.router.ip('neigh', 'replace', OURS, 'lladdr', lan.host.mac(), 'dev', 'lan', 'nud', 'permanent');
    const ping = (address: string): string => spawnSync('ip', ['netns', 'exec', lan.router.name, 'ping', '-c', '1', '-W', '4', address], { encoding: 'utf8' }).stdout;
    assert.match(ping(OURS), /From 10\.77\.0\.10 .*(Redirect|Unreachable)/);
    const done = await fix('forwarding', '--address', OURS);
    assert.deepEqual([done.status, done.code], ['done', 0], JSON.stringify(done));
    assert.doesNotMatch(ping(OURS), /From 10\.77\.0\.10/);
    assert.match(ping(LAN.host), / 0% packet loss/);
    assert.equal((await fix('forwarding', '--address', OURS)).status, 'unchanged');
    assert.equal((await fix('forwarding', '--undo')).status, 'done');
    assert.equal(rules(), '');
  });

  it('forwarding has nothing to do where nothing is forwarded', async () => {
    const { status, code } = await fix('forwarding', '--address', OURS);
    assert.deepEqual([status, code, rules()], ['not-applicable', 0, '']);
  });
});

describe('riftnet doctor for an ordinary account', function () {
  this.timeout(150_000);
  let lan: Lan;
  let programs: Programs;
  let user: OrdinaryUser;

  eachOnLan((made) => {
    ({ lan, programs } = made);
    user = new OrdinaryUser();
  });
  afterEach(() => user.remove());

  const run = (...words: string[]) => user.run([user.node, user.cli, ...words], ['ip', 'netns', 'exec', lan.host.name]);
  function report(...words: string[]): { found: Report; code: number | null } {
    const { stdout, stderr, code } = run('doctor', '--json', ...words);
    assert.equal(stderr, '');
    return { found: JSON.parse(stdout) as Report, code };
  }

  it('names the one command that grants the right, which then works, for the worker and not for scripts', async () => {
    const before = report();
    assert.equal(before.code, 1);
    const permission = before.found.checks.find(({ id }) => id === 'permission');
    const grant = `sudo setcap cap_net_raw+ep ${user.copy}`;
    assert.deepEqual([permission?.status, permission?.commands], ['failed', [`${user.node} ${user.cli} doctor --fix`, grant]]);
    assert.match(permission?.details.join() ?? '', /CAP_NET_RAW/);
    assert.deepEqual(before.found.checks.filter(({ id }) => id === 'capture').map(({ status, summary }) => [status, summary]), [['skipped', "not tried: 'permission' comes first"]]);

    const fixed = report('--fix');
    assert.deepEqual([fixed.code, fixed.found.fixes.map(({ status, commands }) => [status, commands])], [1, [['needs-root', [grant]]]]);
    assert.equal(fs.statSync(user.copy).mode & 0o777, 0o700);
    const [, ...words] = grant.split(' ');
    assert.equal(spawnSync(words[0] ?? '', words.slice(1)).status, 0);
    assert.deepEqual(report('--fix').found.fixes.map(({ status }) => status), ['unchanged']);

    await startDnsmasq(programs, lan.router, user.folder, { interface: 'lan', dhcp: POOL, options: [`address=/web.test/${WAN.server}`] });
    await programs.peer(lan.server, 'http-server', '80').line();
    const after = report('--target', 'web.test');
    assert.deepEqual(after.found.checks.filter(({ status }) => status !== 'ok'), []);
    assert.equal(after.code, 0);
    assert.match(after.found.checks.find(({ id }) => id === 'permission')?.summary ?? '', new RegExp(`the worker runs in ${user.copy}, which may capture`));

    // What the doctor said is so: a run has the network, and by the same lease.
    const script = user.write('fetch.ts', "const response = await fetch('http://web.test/');\nprint(response.status, response.text(), response.error?.message ?? '');\n");
    const result = run('run', script, '--link', 'pcap');
    const leased = after.found.checks.find(({ id }) => id === 'dhcp')?.summary.split(' ')[0] ?? '';
    assert.equal(result.stdout, `200 from ${leased} \n`, result.stderr);

    assert.deepEqual(report('--fix', 'capture', '--undo').found.fixes.map(({ status }) => status), ['done']);
    assert.equal(fs.existsSync(user.copy), false);
  });

  it('prints what root is to run, and runs nothing itself', () => {
    const { found, code } = report('--fix', 'shared', 'router', '--address', OURS);
    assert.equal(code, 1);
    assert.deepEqual(found.fixes.map(({ status }) => status), ['needs-root', 'needs-root']);
    const [shared = '', router = ''] = found.fixes.flatMap(({ commands }) => commands);
    assert.match(shared, /^sudo nft 'add table inet riftnet_shared; .*'$/);
    assert.equal(router, `sudo ip neigh replace ${OURS} lladdr ${lan.router.mac('lan')} dev eth0 nud permanent`);
    assert.equal(lan.host.run('nft', 'list', 'ruleset'), '');
    // As they stand, without sudo, in a shell of root.
    lan.host.run('sh', '-c', `${shared.slice(5)} && ${router.slice(5)}`);
    assert.match(lan.host.run('nft', 'list', 'ruleset'), /riftnet_shared/);
    assert.match(lan.host.ip('neigh', 'show', OURS), /PERMANENT/);
  });

  it('says in a container without the right that it cannot be granted there, and names what to do', () => {
    user.grant();
    const { code, stdout } = user.run([user.node, user.cli, 'doctor', '--json'], ['ip', 'netns', 'exec', lan.host.name, 'setpriv', '--bounding-set=-net_raw']);
    const { checks } = JSON.parse(stdout) as Report;
    const permission = checks.find(({ id }) => id === 'permission');
    assert.deepEqual([code, permission?.status, permission?.commands], [1, 'failed', []]);
    assert.match(permission?.next.join() ?? '', /--cap-add=NET_RAW/);
    assert.match(permission?.details.join('\n') ?? '', /refuses to start .*as in a container without CAP_NET_RAW/);
  });

  it('says that libpcap is missing, and how it is installed', () => {
    // An empty folder over the libraries' own: the loader finds neither libpcap nor what cap needs.
    const library = fs.realpathSync('/usr/lib/x86_64-linux-gnu/libpcap.so.0.8');
    const { stdout, code } = user.run([user.node, user.cli, 'doctor', '--json'], ['ip', 'netns', 'exec', lan.host.name, 'sh', '-c', `mount --bind /dev/null ${library} && exec "$@"`, 'sh']);
    const { checks } = JSON.parse(stdout) as Report;
    const found = Object.fromEntries(checks.map((check) => [check.id, check]));
    assert.deepEqual([code, found['libpcap']?.status, found['bindings']?.status], [1, 'failed', 'failed']);
    assert.match(found['libpcap']?.commands.join() ?? '', /apt-get install libpcap0\.8/);
    assert.match(found['libpcap']?.details.join('\n') ?? '', /libpcap cannot be loaded/);
  });
});
