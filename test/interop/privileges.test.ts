/** Who may capture: the worker in a granted Node, and never a script. With a real account without privileges, and real capabilities. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import type { Report } from '../../extension/network-report';
import { parseStatus, type ProcessStatus } from '../../extension/node/permission';
import { bundleForHosts } from './support/guest';
import { OrdinaryUser } from './support/ordinary-user';
import { DescendantWatch } from './support/processes';

const NET_RAW = 1n << 13n;
/** A script that says that it runs, and goes on. */
const SCRIPT = "print('running');\nfor (;;) await Event.OnTick;\n";

/** Two ends of a wire, up, in the namespace it is run in, and sysfs of that namespace; then the command that follows it. */
const WITH_WIRE = ['sh', '-ec', 'mount -t sysfs sysfs /sys; ip link add wire type veth peer name far; ip link set far up; ip link set wire up; exec "$@"', 'sh'];

interface Seen {
  readonly program: string;
  readonly words: string;
  readonly status: ProcessStatus;
  /** What it has open, as /proc names it. */
  readonly open: readonly string[];
  /** The packet sockets of its network, by the same names. */
  readonly packetSockets: readonly string[];
}

interface Outcome {
  /** Every process, the command itself first. */
  readonly seen: readonly Seen[];
  readonly code: number | null;
  readonly stderr: string;
  readonly leftRunning: readonly string[];
}

function look(pid: number): Seen[] {
  try {
    const status = parseStatus(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
    const words = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ');
    if (status === null) return [];
    return [{ program: fs.readlinkSync(`/proc/${pid}/exe`), words, status, open: descriptors(pid), packetSockets: packetSockets(pid) }];
  } catch {
    return []; // It has just ended.
  }
}

function descriptors(pid: number): string[] {
  return fs.readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
    try {
      return fs.readlinkSync(`/proc/${pid}/fd/${name}`);
    } catch {
      return []; // It has just closed it.
    }
  });
}

/** The last column of the list is the socket's inode, by which a descriptor names it. */
function packetSockets(pid: number): string[] {
  return fs.readFileSync(`/proc/${pid}/net/packet`, 'utf8').trim().split('\n').slice(1).map((line) => `socket:[${line.trim().split(/\s+/).at(-1) ?? ''}]`);
}

describe('Privileges', function () {
  this.timeout(120_000);
  let user: OrdinaryUser;
  before(async () => {
    await bundleForHosts('worker-host');
    user = new OrdinaryUser();
  });
  after(() => user.remove());

  /** Runs the script until it has said that it runs, then ends it. */
  function run(prefix: readonly string[], args: readonly string[] = [], signal: NodeJS.Signals = 'SIGTERM'): Promise<Outcome> {
    return observe([...prefix, user.node, user.cli, 'run', user.write('script.ts', SCRIPT), ...args], signal);
  }

  async function observe([command = '', ...words]: readonly string[], signal: NodeJS.Signals): Promise<Outcome> {
    // In a namespace of its own: whatever the link does, no frame leaves this machine.
    const child = spawn('unshare', ['--net', '--mount', '--', command, ...words], { env: user.environment, cwd: user.folder, stdio: ['ignore', 'pipe', 'pipe'] });
    const watch = new DescendantWatch(child.pid ?? assert.fail('unshare starts'));
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    const ended = once(child, 'exit');
    try {
      let said = '';
      const running = new Promise<void>((resolve) => child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        said += chunk;
        if (/^running$/m.test(said)) resolve();
      }));
      await Promise.race([running, ended.then(() => assert.fail(`it ended: ${said}${stderr}`))]);
      const seen = [child.pid ?? 0, ...watch.living()].flatMap(look);
      child.kill(signal);
      const [code] = (await ended) as [number | null];
      return { seen, code, stderr, leftRunning: await watch.end(5_000) };
    } finally {
      child.kill('SIGKILL');
    }
  }

  const isScript = ({ words }: Seen): boolean => words.includes(`${path.sep}script.js`);
  const rights = ({ status }: Seen): bigint => status.effective | status.permitted | status.ambient;
  const describe_ = (seen: readonly Seen[]): string => seen.map(({ program, words, status }) => `${program} [${words}] ${status.effective.toString(16)}`).join('\n');

  it('are nobody\'s where none were granted, and the script runs on the gateway', async () => {
    const { seen, code, leftRunning, stderr } = await run(user.prefix);
    assert.equal(code, 130, stderr);
    assert.deepEqual(leftRunning, []);
    assert.ok(seen.some(isScript), describe_(seen));
    assert.deepEqual(seen.filter((one) => rights(one) !== 0n), [], describe_(seen));
  });

  describe('with the granted copy', () => {
    before(() => user.grant());

    it('are the worker\'s: the terminal runs itself again in the copy, and the script in the plain Node', async () => {
      const { seen, code, leftRunning, stderr } = await run(user.prefix);
      assert.equal(code, 130, stderr);
      assert.deepEqual(leftRunning, []);
      const granted = seen.filter(({ status }) => status.effective !== 0n);
      assert.deepEqual(granted.map(({ program, status }) => [program, status.effective, status.ambient]), [[user.copy, NET_RAW, 0n]], describe_(seen));
      const scripts = seen.filter(isScript);
      assert.deepEqual(scripts.map(({ program }) => program), [user.node], describe_(seen));
      assert.deepEqual(scripts.filter((one) => rights(one) !== 0n), []);
      // Nor can it come by them: no file gives it any.
      assert.deepEqual(scripts.map(({ status }) => status.noNewPrivileges), [true]);
    });

    it('are the worker\'s in VS Code: it is started in the copy, its scripts in the host\'s own Node, and both end with the host', async () => {
      const host = path.join(user.folder, 'worker-host.js');
      fs.copyFileSync('dist/test/interop/support/worker-host.js', host);
      const { seen, leftRunning } = await observe([...user.prefix, user.node, host, path.join(user.folder, 'dist'), user.write('script.ts', SCRIPT)], 'SIGKILL');
      const granted = seen.filter(({ status }) => status.effective !== 0n);
      assert.deepEqual(granted.map(({ program, status }) => [program, status.effective]), [[user.copy, NET_RAW]], describe_(seen));
      assert.ok(granted[0]?.words.includes(`${path.sep}worker.js`), describe_(seen));
      assert.deepEqual(seen.filter(isScript).map((one) => [one.program, rights(one)]), [[user.node, 0n]], describe_(seen));
      assert.deepEqual(leftRunning, []);
    });

    for (const binding of ['cap', 'libpcap']) {
      it(`end with the worker's own descriptors: no program that it starts gets the socket it captures with, over ${binding}`, async () => {
        const { seen, code, stderr, leftRunning } = await run([...WITH_WIRE, ...user.prefix], ['--link', 'pcap', '--capture-binding', binding, '--interface', 'wire', '--address', '192.0.2.2/24']);
        assert.equal(code, 130, stderr);
        assert.deepEqual(leftRunning, []);
        const holders = seen.filter(({ open, packetSockets: sockets }) => open.some((one) => sockets.includes(one)));
        assert.deepEqual(holders.map(({ program }) => program), [user.copy], describe_(seen));
        // The script's process, what ends it with the worker, and the bundler were there to be looked at.
        for (const words of [`${path.sep}script.js`, 'kill -9', 'esbuild']) assert.ok(seen.some((one) => one.words.includes(words) && !holders.includes(one)), describe_(seen));
      });
    }

    it('are not even looked for with the gateway', async () => {
      const { seen, code, stderr } = await run(user.prefix, ['--link', 'gateway']);
      assert.equal(code, 130, stderr);
      assert.deepEqual(seen.filter(({ program }) => program === user.copy), [], describe_(seen));
    });

    for (const signal of ['SIGINT', 'SIGHUP', 'SIGKILL'] as const) {
      it(`leave nothing running when the command gets ${signal}`, async () => {
        const { code, leftRunning, stderr } = await run(user.prefix, [], signal);
        assert.equal(code, signal === 'SIGKILL' ? null : 130, stderr);
        assert.deepEqual(leftRunning, []);
      });
    }

    it('are refused by a sandbox, which leaves the gateway', async () => {
      const { seen, code, stderr } = await run(['setpriv', '--no-new-privs', ...user.prefix.slice(1)]);
      assert.equal(code, 130, stderr);
      assert.deepEqual(seen.filter((one) => rights(one) !== 0n), [], describe_(seen));
    });
  });

  describe('without an entry among the accounts, as a container may have it', () => {
    const prefix = ['unshare', '--net', '--', 'setpriv', '--reuid', '54321', '--regid', '54321', '--clear-groups', '--inh-caps=-all'];
    const { PATH } = process.env;
    for (const [title, environment] of [['without HOME', { PATH }], ['with a HOME that is not its own', { PATH, HOME: '/' }]] as const) {
      it(`run scripts on the gateway, and are told what a capture takes, ${title}`, () => {
        const start = (...words: string[]) => spawnSync(prefix[0] ?? '', [...prefix.slice(1), user.node, user.cli, ...words], { encoding: 'utf8', env: environment, cwd: '/', timeout: 60_000 });
        const script = user.write('print.ts', "print('ran');\n");
        for (const words of [['--link', 'gateway'], []]) {
          const { status, stdout, stderr } = start('run', script, ...words);
          assert.deepEqual([status, stdout, stderr], [0, 'ran\n', 'riftnet: this computer has no IPv4 address besides the loopback: localhost is relayed to 127.0.0.1\n']);
        }
        const { status, stdout, stderr } = start('doctor', '--json');
        assert.deepEqual([status, stderr], [1, '']);
        const permission = (JSON.parse(stdout) as Report).checks.find(({ id }) => id === 'permission');
        assert.equal(permission?.status, 'failed');
        assert.match(permission?.next.join(' '), 'HOME' in environment ? /\/\.local\/share\/riftnet\/node/ : /set HOME to a folder/);
      });
    }
  });

  it('of root are not a script\'s either', async () => {
    const { seen, code, stderr } = await run(['env']);
    assert.equal(code, 130, stderr);
    const scripts = seen.filter(isScript);
    assert.equal(scripts.length, 1, describe_(seen));
    assert.deepEqual(scripts.map((one) => [rights(one), one.status.bounding]), [[0n, 0n]], describe_(seen));
  });

  it('that a process inherited from its start are not passed on', async () => {
    const prefix = [...user.prefix.slice(0, -1), '--inh-caps=-all,+net_raw', '--ambient-caps=+net_raw'];
    const { seen, code, stderr } = await run(prefix);
    assert.equal(code, 130, stderr);
    assert.ok(seen.some(({ status }) => status.ambient === NET_RAW), describe_(seen));
    assert.deepEqual(seen.filter(isScript).map(rights), [0n], describe_(seen));
  });
});
